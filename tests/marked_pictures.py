"""Models whose every weight is written down, and pictures for them."""

from functools import cache

import keras
import numpy as np

from saliency.values.image import DicomImage

SIZE = (37, 53)
CORNER = (slice(2, 8), slice(3, 15))
CENTRE = (slice(14, 26), slice(20, 34))


def corner_mask():
    """The zone: a box at the top left."""
    mask = np.zeros(SIZE, bool)
    mask[CORNER] = True
    return mask


def new_reader(corner=0.0, centre=0.0, *, classes=2, constant=0.0):
    """Return a classifier of display / 255 that weighs the means of two boxes.

    Class 1 gets ``corner`` times the mean of the corner box, less a half, plus ``centre`` times
    that of the centre box, less a half; the other classes get 0. classes 1: one sigmoid unit.
    """
    units = np.zeros((*SIZE, 1, classes), np.float32)
    target = min(1, classes - 1)
    for weight, box in ((corner, CORNER), (centre, CENTRE)):
        units[(*box, 0, target)] = weight / units[(*box, 0, target)].size
    bias = np.zeros(classes, np.float32)
    bias[target] = constant - (corner + centre) / 2
    inputs = keras.Input((*SIZE, 1))
    head = "sigmoid" if classes == 1 else "softmax"
    dense = keras.layers.Dense(classes, activation=head)
    model = keras.Model(inputs, dense(keras.layers.Flatten()(inputs)))
    dense.set_weights([units.reshape(-1, classes), bias])
    return model


reader = cache(new_reader)
"""One model for the same numbers: what is traced of it is shared. For tests that change nothing."""


def pictures(count=16, *, mark=1.0, body=1.0, seed=0, zone=True):
    """Return pictures of noise and their labels 0, 1, 0, ...

    ``mark`` and ``body`` say how well the corner and the centre tell the label: 1 always, 0 not
    at all, -1 always the wrong one.
    """
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    images = []
    for label in labels:
        pixels = generator.uniform(0.3, 0.7, SIZE)
        for box, told in ((CORNER, mark), (CENTRE, body)):
            sign = np.sign(told) * (2 * label - 1)
            if generator.random() >= abs(told):
                sign = generator.choice((-1, 1))
            pixels[box] += 0.25 * sign
        image = shown(pixels)
        images.append(image.with_zone("text", corner_mask()) if zone else image)
    return images, labels.tolist()


def shown(pixels):
    """Return a picture whose display is 255 times the pixels."""
    display = np.rint(255 * np.clip(pixels, 0, 1)).astype(np.uint8)
    return DicomImage(
        display.astype(np.float32), display, digest=f"{display.sum():064x}"
    )
