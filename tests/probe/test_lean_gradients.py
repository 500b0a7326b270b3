"""Derivatives that draw less are TensorFlow's own, to the bit."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_array_equal

from saliency.probe.keras_probe import KerasProbe
from saliency.probe.lean_gradients import lean_gradients

KERNEL = tf.Variable(
    np.random.default_rng(0).normal(size=(3, 3, 2, 2)).astype("float32")
)
FACTOR = tf.Variable([2.0, -3.0])

FORMULAS = {
    "one shape": lambda x, _: (x + tf.sin(x)) * x - x / (x * x + 2.0),
    "a spread vector": lambda x, _: (
        x * tf.sin(FACTOR) + tf.cos(x) / FACTOR - FACTOR * x
    ),
    "a mean of channels": lambda x, _: (
        x * tf.reduce_mean(x, 3, keepdims=True) + 1.0 - x
    ),
    "a mean of rows": lambda x, _: x - tf.reduce_mean(x, 0, keepdims=True) / x,
    "less rank": lambda x, _: x * tf.reduce_max(x, (0, 1, 2)) - x / x[0],
    "other rows, perhaps one": lambda x, y: (x + y) * y - x / y,
    "chosen": lambda x, y: tf.where(x > 0, x, 2.0 * y) + tf.where(x > y, x, 0.5),
    "chosen by a vector": lambda x, _: tf.where(
        [True, False], x, tf.reduce_sum(x, 3, keepdims=True)
    ),
    "halves": lambda x, _: x * tf.concat([*tf.split(tf.concat([x, x], 0), 2)][:1], 0),
    "halves, twice one": lambda x, _: (
        tf.concat([tf.split(x, 1)[0]] * 2, 0) * tf.concat([x, x], 0)
    ),
    "halves of other rows": lambda x, y: tf.concat([x, y], 0) * tf.concat([y, x], 0),
    "flattened": lambda x, _: (
        tf.reshape(x, (-1, 8)) * tf.reshape(tf.sin(x), (tf.shape(x)[0], 8))
    ),
    "convolution": lambda x, _: tf.nn.conv2d(x, KERNEL, 2, "SAME") * 2.0,
    "depthwise": lambda x, _: tf.nn.depthwise_conv2d(x, KERNEL, (1, 1, 1, 1), "SAME"),
    "a kernel of the picture": lambda x, _: tf.nn.conv2d(
        x, KERNEL * tf.reduce_sum(x), 1, [[0, 0], [1, 0], [0, 1], [0, 0]]
    ),
    "complex": lambda x, _: tf.abs(tf.complex(x, x * 2.0) * tf.complex(x, tf.sin(x))),
    "rows gathered": lambda x, _: tf.gather(x + x * x, [0, 0]) + x[:1],
}


def _derivatives(formula, context, rows, others):
    rng = np.random.default_rng(1)

    def drawn(x, y):
        with context():
            return tf.gradients(
                tf.sin(formula(x, y)), [x, y], unconnected_gradients="zero"
            )

    spec = tf.TensorSpec((None, 2, 2, 2), tf.float32)
    traced = tf.function(drawn, input_signature=[spec, spec])
    given = [rng.normal(size=(n, 2, 2, 2)).astype("float32") for n in (rows, others)]
    return [each.numpy() for each in traced(*given)]


@pytest.mark.parametrize("name", FORMULAS)
def test_derivatives_are_tensorflow_s_own(name):
    """For one row, for several, and for one row spread over several."""
    for rows, others in ((1, 1), (3, 3), (3, 1), (1, 3)):
        want = _derivatives(FORMULAS[name], contextlib.nullcontext, rows, others)
        found = _derivatives(FORMULAS[name], lean_gradients, rows, others)
        for one, other in zip(found, want, strict=True):
            assert_array_equal(one, other)


def _operations(context, steps):
    graph = tf.Graph()
    with graph.as_default(), context():
        x = tf.compat.v1.placeholder(tf.float32, (None, 4, 4, 2))
        y = x
        for _ in range(steps):
            y = y + x * y
        before = len(graph.get_operations())
        tf.gradients(y, [x])
    return len(graph.get_operations()) - before


def test_a_chain_of_sums_and_products_draws_little():
    """Two products and one sum of derivatives a step, where TensorFlow alone draws many more."""
    assert _operations(lean_gradients, 50) < 4.5 * 50
    assert _operations(contextlib.nullcontext, 50) > 12 * 50


def test_who_differentiates_a_score_by_weights_gets_them():
    """What is left out while the question is drawn is there for a tape around it."""
    inputs = keras.Input((6, 6, 1))
    convolution = keras.layers.Conv2D(2, 3)
    x = keras.layers.BatchNormalization()(convolution(inputs))
    outputs = keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, outputs)
    pictures = tf.random.stateless_normal((2, 6, 6, 1), (1, 2))
    weights = [each.value for each in model.trainable_weights]
    with tf.GradientTape() as tape:
        wanted = tf.reduce_sum(model(pictures)[:, 1])
    want = tape.gradient(wanted, weights)
    with tf.GradientTape() as tape:
        asked = tf.reduce_sum(KerasProbe(model).at(1).score(pictures))
    found = tape.gradient(asked, weights)
    for one, other in zip(found, want, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
