"""Guided backpropagation and the deconvolutional network: by hand, nested, and never silent."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from probe import nets

import saliency as sal
from saliency.errors import ExplainerError, InputError, ModelError
from saliency.explainers.cams import GradCAM
from saliency.explainers.guided import (
    BetaSmooth,
    DeconvNet,
    GuidedBackprop,
    GuidedGradCAM,
)

RECIPES = [GuidedBackprop(), DeconvNet(), BetaSmooth(2.0), GuidedGradCAM()]


def by_hand(pictures, weights, rule):
    """Two ReLU layers and a score, backwards in numpy: (N, D) -> (N, D)."""
    first, second, last = (np.asarray(each, np.float64) for each in weights)
    one = pictures @ first
    two = np.maximum(one, 0) @ second
    back = np.broadcast_to(last, two.shape)
    for kernel, before in ((second, two), (first, one)):
        back = np.maximum(back, 0)
        back = back * (before > 0) if rule == "guided" else back
        back = back @ kernel.T
    return back


def dense_network(*, fused=True):
    layers, inputs = keras.layers, keras.Input((3, 5, 1))
    x = layers.Flatten()(inputs)
    for units in (7, 6):
        dense = layers.Dense(
            units, use_bias=False, activation="relu" if fused else None
        )
        x = dense(x) if fused else layers.ReLU()(dense(x))
    model = keras.Model(inputs, layers.Dense(2, use_bias=False)(x))
    return nets.filled(model)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize(
    ("recipe", "rule"), [(GuidedBackprop(), "guided"), (DeconvNet(), "")]
)
def test_the_rules_by_hand(recipe, rule, fused):
    """Layer by layer in numpy, for fused activations and for ReLU layers alike."""
    model = dense_network(fused=fused)
    pictures = nets.pictures(3, (3, 5, 1))
    kernels = model.get_weights()
    expected = by_hand(
        np.reshape(pictures, (3, 15)), [*kernels[:2], kernels[2][:, 1]], rule
    )

    found = recipe(sal.KerasProbe(model).at(1), pictures)

    assert_allclose(np.reshape(found, (3, 15)), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("recipe", RECIPES, ids=repr)
def test_nested_models_are_reached(recipe):
    """Flat, Sequential, nested and subclassed give one map, and not that of the gradient."""
    inputs = nets.pictures()
    maps = [
        recipe(nets.probe(way).at(1), inputs)
        for way in (nets.flat, nets.sequential, nets.nested, nets.subclassed)
    ]
    plain = nets.probe(nets.nested).at(1).gradient(inputs)
    plain = (
        plain * GradCAM()(nets.probe(nets.nested).at(1), inputs)[..., None]
        if (isinstance(recipe, GuidedGradCAM))
        else plain
    )
    for each in maps[1:]:
        assert_allclose(each, maps[0], rtol=1e-3, atol=1e-6)
    assert np.abs(maps[2] - plain).max() > 0.05 * np.abs(plain).max()


def test_without_a_relu_there_is_nothing_to_guide():
    """A network of tanh is refused by name, not answered with the gradient."""
    inputs = keras.Input((8, 9, 1))
    x = keras.layers.Conv2D(2, 3, activation="tanh")(inputs)
    x = keras.layers.GlobalAveragePooling2D()(x)
    bound = sal.KerasProbe(keras.Model(inputs, keras.layers.Dense(2)(x))).at(0)
    for recipe in RECIPES:
        with pytest.raises(ModelError, match="this network has none"):
            recipe(bound, nets.pictures(1, (8, 9, 1)))


def test_a_function_has_no_relus_to_reach():
    """A probe without layers is refused, with what works instead."""
    probe = sal.ClosedFormProbe(lambda x: tf.reduce_sum(tf.nn.relu(x), (1, 2, 3)))
    for recipe in RECIPES:
        with pytest.raises(ExplainerError, match="expected a probe of a Keras model"):
            recipe(probe, nets.pictures())


def softplus_twin(model, pictures, beta):
    """The slope of class 1 by hand: each ReLU's is the logistic function of beta x."""
    first, second, last = (each.astype(np.float64) for each in model.get_weights())
    one = np.reshape(pictures, (len(pictures), -1)).astype(np.float64) @ first
    two = np.maximum(one, 0) @ second
    back = np.broadcast_to(last[:, 1], two.shape)
    for kernel, before in ((second, two), (first, one)):
        back = (back / (1 + np.exp(-beta * before))) @ kernel.T
    return back.reshape(pictures.shape)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("beta", [1.0, 10.0])
def test_beta_smoothing_by_hand(beta, fused):
    """Layer by layer in numpy; the network computes what it did."""
    model, pictures = dense_network(fused=fused), nets.pictures(3, (3, 5, 1))

    found = BetaSmooth(beta)(sal.KerasProbe(model).at(1), pictures)

    assert_allclose(found, softplus_twin(model, pictures, beta), rtol=1e-4, atol=1e-6)


def test_a_sharp_corner_is_the_gradient():
    """Where beta is great nothing is left of the smoothing; it must be above 0."""
    bound, pictures = nets.probe(nets.nested).at(1), nets.pictures()
    plain = bound.gradient(pictures)

    sharp, smooth = (BetaSmooth(beta)(bound, pictures) for beta in (1e5, 1.0))

    assert_allclose(sharp, plain, atol=1e-3 * np.abs(plain).max())
    assert np.abs(smooth - plain).max() > 0.05 * np.abs(plain).max()
    with pytest.raises(InputError, match="beta above 0"):
        BetaSmooth(0.0)


@pytest.mark.parametrize(
    ("layer", "slope"),
    [
        (keras.layers.Activation("relu6"), lambda up: up(0) - up(6)),
        (keras.layers.Activation(keras.ops.relu), lambda up: up(0)),
        (keras.layers.ReLU(2.0), lambda up: up(0) - up(2)),
        (keras.layers.ReLU(negative_slope=0.25), lambda up: 0.25 + 0.75 * up(0)),
    ],
)
def test_every_corner_is_rounded_off(layer, slope):
    """Caps and slopes below 0 keep their place; far from a corner the slope is the layer's own."""
    inputs = keras.Input((1, 8, 1))
    flat = keras.layers.Flatten()(layer(inputs))
    probe = sal.KerasProbe(
        keras.Model(inputs, keras.ops.sum(flat, axis=1, keepdims=True))
    )
    x = np.linspace(-3, 9, 8).astype(np.float32).reshape(1, 1, 8, 1)

    found = BetaSmooth(1.5)(probe.at(lambda output: output[:, 0]), x)

    assert_allclose(
        found, slope(lambda corner: 1 / (1 + np.exp(-1.5 * (x - corner)))), atol=1e-6
    )


def test_the_model_is_left_and_traced_once():
    """Nothing of the model changes, and another class and batch need no new trace."""
    model = nets.nested()
    before, probe = nets.snapshot(model), sal.KerasProbe(model)
    for target in (0, 1, None):
        for samples in (1, 3):
            GuidedBackprop()(probe.at(target), nets.pictures(samples))
            GuidedBackprop()(probe.at(target), nets.pictures(samples))

    assert nets.snapshot(model) == before
    assert probe.traces["study"] == 1
