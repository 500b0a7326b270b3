"""Dummy and symmetry for explainers that look into a network: of the network's own layers."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from probe import nets

import saliency as sal
from saliency.explainers.deeplift import DeepLIFT
from saliency.explainers.relevance import LRP

layers = keras.layers
SHAPE = (9, 13, 2)
RECIPES = [
    LRP("epsilon"),
    LRP("epsilon_plus"),
    LRP("epsilon_alpha2_beta1"),
    LRP("epsilon_gamma"),
    DeepLIFT(),
]


@pytest.mark.parametrize("recipe", RECIPES, ids=repr)
def test_dummy(recipe):
    """Pixels that are cut off before the first kernel get exactly 0, most others do not."""
    inputs = keras.Input(SHAPE)
    x = layers.Cropping2D(((2, 3), (3, 4)))(inputs)
    x = layers.Flatten()(layers.Conv2D(3, 3, activation="relu")(x))
    model = nets.filled(keras.Model(inputs, layers.Dense(2)(x)), 3)

    found = np.asarray(recipe(sal.KerasProbe(model).at(1), nets.pictures(2, SHAPE)))

    inside = np.zeros(SHAPE[:2], bool)
    inside[2:-3, 3:-4] = True
    assert_array_equal(found[:, ~inside], 0)
    assert (
        found[:, inside] != 0
    ).mean() > 0.4  # z+ drops a sign, closed ReLUs hand nothing on


@pytest.mark.parametrize("recipe", RECIPES, ids=repr)
def test_symmetry(recipe):
    """Pixels that are alike, and whose weights are, get alike; those of another weight do not."""
    inputs = keras.Input(SHAPE)
    x = layers.Dense(5, activation="relu")(layers.Flatten()(inputs))
    model = nets.filled(keras.Model(inputs, layers.Dense(2)(x)), 4)
    dense = next(each for each in model.layers if isinstance(each, layers.Dense))
    kernel = np.asarray(dense.kernel).reshape(*SHAPE, 5)
    dense.kernel.assign(((kernel + kernel[:, ::-1]) / 2).reshape(-1, 5))
    pictures = nets.pictures(2, SHAPE)
    mirrored = (pictures + pictures[:, :, ::-1]) / 2

    found = np.asarray(recipe(sal.KerasProbe(model).at(1), mirrored))

    size = np.abs(found).max()
    assert_allclose(found, found[:, :, ::-1], atol=1e-6 * size)
    assert np.abs(found - found[:, ::-1]).max() > 0.1 * size
