"""Small models: one function written in several ways, with the same weights."""

from functools import cache

import keras
import numpy as np
import pytest
import tensorflow as tf

import saliency as sal

SHAPE = (37, 53, 2)
UNITS = 3


def pictures(samples=2, shape=SHAPE, seed=0):
    """Return noise around another brightness for each sample and channel, so that classes vary."""
    generator = np.random.default_rng(seed)
    brightness = generator.normal(0, 3, (samples, *[1] * (len(shape) - 1), shape[-1]))
    return tf.constant(
        generator.normal(size=(samples, *shape)) + brightness, tf.float32
    )


def trunk_layers():
    return [
        keras.layers.Conv2D(4, 3, strides=2, activation="relu", name="conv1"),
        keras.layers.BatchNormalization(name="norm"),
        keras.layers.Conv2D(5, 3, padding="same", activation="relu", name="conv2"),
        keras.layers.MaxPooling2D(name="pool"),
        keras.layers.Conv2D(6, 3, activation="relu", name="conv3"),
    ]


def head_layers(units=UNITS, activation="softmax"):
    return [
        keras.layers.GlobalAveragePooling2D(name="mean"),
        keras.layers.Dropout(0.5, name="drop"),
        keras.layers.Dense(units, activation=activation, name="scores"),
    ]


def chained(layers, inputs):
    for layer in layers:
        inputs = layer(inputs)
    return inputs


def flat(units=UNITS, activation="softmax", shape=SHAPE):
    inputs = keras.Input(shape)
    outputs = chained([*trunk_layers(), *head_layers(units, activation)], inputs)
    return filled(keras.Model(inputs, outputs, name="flat"))


def sequential(units=UNITS, activation="softmax", shape=SHAPE):
    layers = [keras.Input(shape), *trunk_layers(), *head_layers(units, activation)]
    return filled(keras.Sequential(layers, name="chain"))


def nested(units=UNITS, activation="softmax", shape=SHAPE):
    """Build a functional trunk inside a Sequential inside a functional model."""
    symbol = keras.Input((None, None, shape[-1]))
    trunk = keras.Model(symbol, chained(trunk_layers(), symbol), name="backbone")
    inner = keras.Sequential([keras.Input(shape), trunk], name="inner")
    inputs = keras.Input(shape)
    head = keras.Sequential(head_layers(units, activation), name="head")
    return filled(keras.Model(inputs, head(inner(inputs)), name="nested"))


class Subclassed(keras.Model):
    """A model with a call of its own."""

    def __init__(self, units=UNITS, activation="softmax"):
        super().__init__(name="subclassed")
        self.trunk = trunk_layers()
        self.head = head_layers(units, activation)

    def call(self, inputs, training=None):
        x = chained(self.trunk, inputs)
        return self.head[2](self.head[1](self.head[0](x), training=training))


class Opaque(Subclassed):
    """The same function through an operation of TensorFlow, which takes no symbols."""

    def call(self, inputs, training=None):
        return super().call(tf.multiply(inputs, 1.0), training=training)


def subclassed(units=UNITS, activation="softmax", shape=SHAPE, kind=Subclassed):
    model = kind(units, activation)
    model(tf.zeros((1, *shape)))
    return filled(model)


def opaque(units=UNITS, activation="softmax", shape=SHAPE):
    return subclassed(units, activation, shape, Opaque)


def filled(model, seed=1):
    """Give the model weights that depend on their shapes and order alone."""
    generator = np.random.default_rng(seed)
    model.set_weights(
        [
            np.abs(generator.normal(0, 0.4, w.shape)) + 0.01
            if "var" in w.path
            else generator.normal(0, 0.4, w.shape)
            for w in model.weights
        ]
    )
    return model


@cache
def probe(way=flat, *given):
    """Return one probe of a network for all tests that only ask it: what is traced is shared.

    A test of tracing, caching, memory, or of a model that is changed makes its own.
    """
    return sal.KerasProbe(way(*given))


@cache
def channels_first_is_differentiable():
    """Whether TensorFlow can, in a graph of some layers: not on every processor, nor in 2.18."""
    first, second = (
        keras.layers.Conv2D(3, 3, data_format="channels_first") for _ in range(2)
    )
    first.build((None, 2, 9, 8))
    second.build((None, 3, 7, 6))

    @tf.function
    def slope(pictures):
        score = tf.reduce_mean(tf.nn.relu(second(tf.nn.relu(first(pictures)))), (2, 3))[
            :, 1
        ]
        return tf.gradients(score, [pictures])

    try:
        slope(tf.ones((1, 2, 9, 8)))
    except tf.errors.OpError:
        return False
    return True


def needs_channels_first():
    """Skip a test of a channels-first network where TensorFlow itself has no derivative of it."""
    if not channels_first_is_differentiable():
        pytest.skip(
            f"TensorFlow {tf.__version__} has no channels-first derivative on this machine"
        )


def snapshot(model):
    """Everything about a model's layers that a probe might change."""
    layers = model._flatten_layers()
    return [
        (
            layer,
            len(layer._inbound_nodes),
            len(layer._outbound_nodes),
            layer.trainable,
            getattr(layer, "activation", None),
            sorted(layer.__dict__),
            len(layer._losses),
            [w.numpy().tobytes() for w in layer.weights],
        )
        for layer in layers
    ]
