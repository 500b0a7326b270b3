"""Slides made in code, and networks that answer about them."""

from typing import Any

import keras
import numpy as np
from slides.built import halved, level

from saliency.slides.open import open_slide

GLASS = (244, 243, 241)
RED = (200, 30, 40)


def tissue(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    """Return pink noise on glass: a disc of tissue, uint8 (rows, columns, 3)."""
    rng = np.random.default_rng(seed)
    scene = np.empty((rows, columns, 3), np.uint8)
    scene[:] = GLASS
    down, across = np.indices((rows, columns))
    inside = np.hypot(down / rows - 0.5, across / columns - 0.5) < 0.4
    grain = rng.integers(-12, 13, (int(inside.sum()), 1))
    scene[inside] = np.clip(np.array((205, 140, 190)) + grain, 0, 255)
    return scene


def opened(scene: np.ndarray) -> Any:
    """Return a slide of a scene, 0.5 um a pixel, in two levels; rows and columns are even."""
    coarse = level(halved(scene), tile=(64, 64), spacing=(0.001, 0.001))
    return open_slide([level(scene, tile=(64, 64)), coarse])


def red_detector(size: int = 64) -> keras.Model:
    """Return a classifier without training: class 1 where a twentieth of a tile is red.

    A pixel's redness is relu(1.5 r - 0.5 g - 0.5 b - 0.75): 0.29 of RED, 0 of tissue and glass. Its
    mean over the tile decides. A second channel is the brightness, which no class depends on.
    """
    entry = keras.Input((size, size, 3))
    seen = keras.layers.Conv2D(2, 1, activation="relu", name="redness")
    mean = keras.layers.GlobalAveragePooling2D()(seen(entry))
    dense = keras.layers.Dense(2, activation="softmax", name="head")
    model = keras.Model(entry, dense(mean))
    colours = np.array([[1.5, 0.1], [-0.5, 0.1], [-0.5, 0.1]])
    seen.set_weights([colours.reshape(1, 1, 3, 2), np.array([-0.75, 0.0])])
    dense.set_weights([np.array([[0.0, 700.0], [0.0, 0.0]]), np.array([10.0, 0.0])])
    return model


def convolutions(strides: int = 1) -> keras.Model:
    """Return a fully convolutional network without a head, of random weights."""
    keras.utils.set_random_seed(0)
    entry = keras.Input((None, None, 3))
    hidden = keras.layers.Conv2D(6, 5, strides, padding="same", activation="relu")(
        entry
    )
    hidden = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(hidden)
    return keras.Model(entry, keras.layers.Conv2D(1, 3, padding="same")(hidden))
