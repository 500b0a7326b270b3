"""Values at which an output has no slope are found by what its last steps do."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from probe import nets

import saliency as sal

layers, ops = keras.layers, keras.ops


class Foreign(keras.Model):
    """A head in TensorFlow's own operations, which cannot be drawn."""

    def __init__(self):
        super().__init__()
        self.last = layers.Dense(2)

    def call(self, features):
        return tf.nn.softmax(self.last(tf.reshape(features, (-1, 4))) * 1.0)


class Unlike(layers.Layer):
    """Weights and a function of somebody's own."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], 2))

    def call(self, x):
        return tf.tanh(tf.matmul(x, self.kernel))


def inner(*steps):
    return keras.Sequential([keras.Input((4,)), *steps])


HEADS = {
    "tanh": ([layers.Dense(2, "tanh")], {-1, 1}),
    "softmax": ([layers.Dense(2, "softmax")], {0, 1}),
    "ReLU": ([layers.Dense(2, "relu")], {0}),
    "ReLU with a top": ([layers.Dense(2), layers.ReLU(max_value=3)], {0, 3}),
    "linear": ([layers.Dense(2)], set()),
    "leaky": ([layers.Dense(2), layers.LeakyReLU()], set()),
    "softplus": ([layers.Dense(2, "softplus")], {0}),
    "scaled": (
        [layers.Dense(2, "tanh"), layers.Rescaling(20, 5), layers.Reshape((2,))],
        {-15, 25},
    ),
    "a Lambda": ([layers.Dense(2), layers.Lambda(ops.tanh)], {-1, 1}),
    "squared": ([layers.Dense(2, "sigmoid"), lambda p: p * p], {0, 1}),
    "an expectation": (
        [
            layers.Dense(3, "softmax"),
            lambda p: ops.sum(p * np.arange(3.0), 1, keepdims=True),
        ],
        {0, 1, 2},
    ),
    "clipped": ([layers.Dense(2), lambda z: ops.clip(z, 0, 100)], {0, 100}),
    "nested": (
        [inner(layers.Dense(3), layers.Activation("tanh")), layers.Flatten()],
        {-1, 1},
    ),
    "nested, no weights": (
        [layers.Dense(4), inner(layers.Activation("tanh"))],
        {-1, 1},
    ),
    "a layer with weights": ([Unlike()], {-1, 1}),
    "TensorFlow's operations": ([Foreign()], {0, 1}),
}


def made(steps, channels=4):
    inputs = keras.Input((6, 5, channels))
    x = layers.GlobalAveragePooling2D()(inputs)
    return nets.filled(keras.Model(inputs, nets.chained(steps, x)))


@pytest.mark.parametrize("name", HEADS)
def test_ends_of_a_head(name):
    """By values, not by names; a linear output has none."""
    steps, ends = HEADS[name]
    probe = sal.KerasProbe(made(steps), output="probability")
    assert set(probe.core.flat_ends(None)) == ends


def test_logits_have_no_end():
    """What the softmax is applied to is linear; a callable may squash it again."""
    core = sal.KerasProbe(made([layers.Dense(2, "softmax")])).core
    assert core.flat_ends(None) == ()
    assert core.flat_ends(sal.Contrast(1, 0)) == ()
    assert core.flat_ends(lambda z: tf.nn.softmax(z)[:, 1]) == (0, 1)


def test_a_model_that_only_can_be_called():
    """Its input goes far out, and the output stays."""
    model = Foreign()
    model(tf.zeros((1, 2, 2, 1)))
    core = sal.KerasProbe(nets.filled(model)).core
    assert core.plan.opaque
    assert core.flat_ends(None) == (0, 1)


@pytest.mark.parametrize("distance", [2e-6, 0.01])
def test_an_output_near_its_end_is_told(distance):
    """Of a head that no name tells: 0.5 (tanh(z / 2) + 1) has a derivative of p (1 - p)."""
    model = made([layers.Dense(1), lambda z: 0.5 * (ops.tanh(z / 2) + 1)], channels=1)
    logit = np.log((1 - distance) / distance)
    model.layers[2].set_weights([np.zeros((1, 1)), np.array([logit])])
    image = sal.DicomImage.from_array(np.zeros((6, 5), np.uint8))
    found = sal.explain(model, image, "gradient", target=0)
    assert found.saturated == (distance < 1e-5)
