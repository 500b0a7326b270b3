"""Ways back of relevance: drawn where something comes back, and halved where nothing is below 0."""

from collections import Counter

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from saliency.explainers.propagation.handed_back import handed_back
from saliency.explainers.propagation.layer_kinds import at_least_zero
from saliency.explainers.propagation.lrp import SHARES, SPLITTING, Relevance
from saliency.probe.keras_probe import KerasProbe

layers = keras.layers


def test_nothing_is_drawn_for_a_way_that_is_not_gone():
    """Of two ways that start at x, the surrogate of the one that is asked is called, once."""
    drawn = []

    def surrogate(name):
        return lambda x: drawn.append(name) or 3.0 * x

    @tf.function
    def asked(x):
        there = handed_back(tf.sin(x), x, surrogate("there"))
        handed_back(there, x, surrogate("elsewhere"))
        return there, tf.gradients(there + x, [x])[0]

    value, slope = asked(tf.constant([0.5, 2.0]))
    assert_array_equal(value, tf.sin([0.5, 2.0]))
    assert_array_equal(slope, [4.0, 4.0])
    assert drawn == ["there"]


def test_a_tape_around_the_graph_goes_the_same_way():
    @tf.function
    def asked(x):
        return handed_back(tf.sin(x), x, lambda x: 3.0 * x)

    x = tf.constant([0.5, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = asked(x)
    assert_array_equal(tape.gradient(value, x), [3.0, 3.0])


def _convolutions(use_norm):
    """Return how many convolutions the graph of LRP has, for two layers of a network."""
    inputs = keras.Input((8, 8, 2))
    x = inputs
    for _ in range(2):
        x = layers.Conv2D(2, 3)(x)
        x = layers.BatchNormalization()(x) if use_norm else x
        x = layers.ReLU()(x)
    outputs = layers.Dense(2)(layers.GlobalAveragePooling2D()(x))
    probe = (
        KerasProbe(keras.Model(inputs, outputs))
        .at(1)
        .watched(Relevance("epsilon_plus"))
    )
    question = probe.source.core.on(probe.terms).study
    graph = question.get_concrete_function().graph
    return Counter(each.type for each in graph.get_operations())["Conv2D"]


def test_a_convolution_that_is_folded_has_no_way_back_of_its_own():
    """Forward 2; the first layer's share asks 4, that behind a ReLU 2, and no more with norms."""
    assert _convolutions(use_norm=False) == _convolutions(use_norm=True) == 8


@pytest.mark.parametrize("name", SPLITTING)
def test_a_share_of_what_is_not_below_0_is_the_same_in_half_the_steps(name):
    rng = np.random.default_rng(0)
    x = tf.constant(np.maximum(rng.normal(size=(2, 5)), 0), tf.float32)
    kernel, relevance, bias = (
        tf.constant(rng.normal(size=size), tf.float32)
        for size in ((5, 4), (2, 4), (4,))
    )
    numbers = {"epsilon": 1e-6} | ({"gamma": 0.25} if name == "gamma" else {})
    found, calls = [], []
    for known in (False, True):
        count = []

        def apply(x, kernel, count=count):
            count.append(1)
            return x @ kernel

        with tf.GradientTape() as tape:
            tape.watch(x)
            share = SHARES[name](apply, x, kernel, bias, nonnegative=known, **numbers)
        found.append(tape.gradient(share, x, relevance))
        calls.append(len(count))
    assert_allclose(found[1], found[0], rtol=1e-6, atol=1e-7)
    assert calls[1] < 0.7 * calls[0]


STEPS = {
    "relu": layers.ReLU(),
    "relu of six": layers.ReLU(6),
    "leaky relu": layers.ReLU(negative_slope=0.1),
    "leaky": layers.LeakyReLU(),
    "dense": layers.Dense(6, bias_initializer="normal"),
    "dense, relu": layers.Dense(6, activation="relu"),
    "dense, tanh": layers.Dense(6, activation="tanh"),
    "softmax": layers.Softmax(),
    "activation": layers.Activation("sigmoid"),
    "flatten": layers.Flatten(),
    "prelu": layers.PReLU(alpha_initializer="ones"),
    "norm": layers.LayerNormalization(),
    "scaled": layers.Rescaling(1.0, offset=-1.0),
    "lstm": layers.LSTM(3, return_sequences=True),
    "mean": layers.AveragePooling1D(2),
    "greatest": layers.MaxPooling1D(2),
    "margin": layers.ZeroPadding1D(1),
}


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("name", STEPS)
def test_what_is_said_to_be_0_or_more_is(name, signed):
    """Whatever comes in: of either sign, or 0 and more."""
    step = STEPS[name]
    given = np.random.default_rng(0).normal(size=(4, 6, 6)).astype("float32")
    given = given if signed else np.abs(given)
    output = np.asarray(step(given))
    said = at_least_zero(step, (given,), lambda _: not signed)
    assert not said or output.min() >= 0
    if name in ("relu", "relu of six", "dense, relu", "softmax", "activation"):
        assert said
    if name in ("flatten", "mean", "greatest", "margin"):
        assert said is not signed


def test_a_sum_with_something_signed_is_signed():
    known = {"above"}
    for given, want in ((["above", "above"], True), (["above", "signed"], False)):
        assert at_least_zero(layers.Add(), (given,), known.__contains__) is want
        assert not at_least_zero(layers.Subtract(), (given,), known.__contains__)
