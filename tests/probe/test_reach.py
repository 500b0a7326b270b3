"""How far a fully convolutional network looks: measured by changing one pixel."""

import keras
import numpy as np
import pytest
from keras import layers

import saliency as sal
from saliency.probe.model.reach import FieldOfView


def chain(*steps):
    """Return a network of free size."""
    entry = keras.Input((None, None, 2))
    x = entry
    for step in steps:
        x = step(x)
    return keras.Model(entry, x)


def convolution(size, **options):
    return layers.Conv2D(2, size, padding="same", **options)


LOCAL = {
    "one pixel": ((convolution(1),), FieldOfView(1, 1)),
    "two convolutions": (
        (convolution(3, activation="relu"), convolution(5)),
        FieldOfView(7, 1),
    ),
    "dilated": ((convolution(3, dilation_rate=4),), FieldOfView(9, 1)),
    "strided": ((convolution(3, strides=2), convolution(3)), FieldOfView(7, 2)),
    "pooled": (
        (convolution(3), layers.MaxPooling2D(2), convolution(3)),
        FieldOfView(8, 2),
    ),
    "scaled": (
        (layers.Normalization(mean=0.5, variance=4.0), convolution(3)),
        FieldOfView(3, 1),
    ),
    "classes": ((convolution(3), layers.Softmax()), FieldOfView(3, 1)),
    "normalised": (
        (convolution(3), layers.BatchNormalization(), layers.ReLU()),
        FieldOfView(3, 1),
    ),
}


@pytest.mark.parametrize("name", LOCAL)
def test_the_receptive_field_is_what_a_pixel_reaches(name):
    """Outputs that change with one pixel span as many input pixels, and no more."""
    keras.utils.set_random_seed(1)
    steps, wanted = LOCAL[name]
    model = chain(*steps)
    reach = sal.KerasProbe(model).reach
    assert reach == wanted
    base = np.random.default_rng(0).random((1, 64, 64, 2)).astype(np.float32)
    seen = set()
    for place in range(30, 30 + reach.stride):
        moved = base.copy()
        moved[0, place, 32] += 5
        changed = np.abs(model(moved) - model(base)).max((0, 2, 3)) > 1e-6
        (cells,) = np.nonzero(changed)
        pixels = (cells + 0.5) * reach.stride
        seen.update(np.abs(pixels - (place + 0.5)))
    assert max(seen) <= (reach.field - 1) / 2 + reach.stride / 2
    assert 2 * max(seen) + 1 >= reach.field - 2 * reach.stride


@pytest.mark.parametrize(
    "last",
    [
        layers.GlobalAveragePooling2D(),
        layers.Flatten(),
        layers.GroupNormalization(1),
        layers.BatchNormalization(axis=1),
        layers.Normalization(axis=(1, 3)),
        layers.Softmax(axis=1),
        layers.Softmax(axis=(1, 2)),
    ],
)
def test_what_mixes_all_places_has_none(last):
    """A head, a normalisation over the picture or along rows, attention over places."""
    entry = keras.Input((16, 16, 2))
    model = keras.Model(entry, last(convolution(3)(entry)))
    assert sal.KerasProbe(model).reach is None
