"""Two networks of one kind, trained here: one on marks, one on bodies."""

import keras
import numpy as np
import pytest
from marked_pictures import SIZE, pictures

import saliency as sal


def trained(*, mark, body):
    """Train a small convolutional network on pictures that are so marked."""
    images, labels = pictures(160, mark=mark, body=body, seed=1)
    inputs = np.stack([image.display for image in images])[..., np.newaxis] / 255
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((*SIZE, 1)),
            layers.Conv2D(8, 5, strides=3, activation="relu"),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.002), "sparse_categorical_crossentropy")
    model.fit(inputs, np.array(labels), batch_size=16, epochs=12, verbose=0)
    return model


@pytest.mark.parametrize(
    ("mark", "body", "finding"),
    [(1, 0, "reads"), (0, 1, "no evidence")],
    ids=["marks", "bodies"],
)
def test_what_was_learned_is_what_is_told(mark, body, finding):
    """Tested on pictures where mark and body agree, so accuracy cannot tell the two apart."""
    images, labels = pictures(16)
    report = sal.audit(trained(mark=mark, body=body), images, labels=labels)

    assert report.worth.accuracy.before == 1
    assert (report.worth.accuracy.after == 1) == (finding == "no evidence")
    assert report.verdicts["text"].finding == finding
