"""A small trained-looking model and a picture for it."""

import numpy as np
import pytest

from saliency.values.image import DicomImage


@pytest.fixture(scope="module")
def model():
    """Two scales, global pooling, softmax over three classes; 40 x 56 grey."""
    import keras  # not above: the tests of this folder that need no network start without it

    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((40, 56, 1)),
            keras.layers.Conv2D(6, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(8, 3, padding="same", activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


@pytest.fixture(scope="module")
def image():
    """A picture of another size than the model's grid."""
    pixels = np.random.default_rng(0).normal(size=(37, 53)).cumsum(0).cumsum(1)
    return DicomImage.from_array(pixels, spacing=(0.1, 0.2))
