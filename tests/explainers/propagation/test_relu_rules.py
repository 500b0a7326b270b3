"""A rule reaches every call of the graph, nested ones included."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from probe import nets

from saliency.errors import ModelError
from saliency.explainers.propagation.relu_rules import guided
from saliency.probe.keras_probe import KerasProbe
from saliency.probe.model.drawing import graph_of


@tf.custom_gradient
def guided_relu(x):
    """Springenberg et al.: the derivative goes on where it and the input are positive."""
    return tf.nn.relu(x), lambda r: tf.where((r > 0) & (x > 0), r, 0.0)


def slow_guided(model, inputs, target):
    """Guided backpropagation of the flat network, by hand, layer by layer."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        x = inputs
        for layer in model.layers[1:-3]:
            if isinstance(layer, keras.layers.Conv2D):
                x = tf.nn.conv2d(x, layer.kernel, layer.strides, layer.padding.upper())
                x = guided_relu(x + layer.bias)
            else:
                x = layer(x, training=False) if layer.name == "norm" else layer(x)
        kernel, bias = model.layers[-1].get_weights()
        score = (tf.reduce_mean(x, (1, 2)) @ kernel + bias)[:, target]
    return tape.gradient(score, inputs)


@pytest.mark.parametrize(
    "way", [nets.flat, nets.sequential, nets.nested, nets.subclassed]
)
def test_guided_backpropagation_reaches_nested_layers(way):
    """Nested, Sequential and subclassed models give the guided gradient, not the plain one."""
    inputs = nets.pictures()
    bound = nets.probe(way).at(1)
    expected = slow_guided(nets.flat(), inputs, 1)
    np.testing.assert_allclose(
        bound.ruled(guided).gradient(inputs), expected, rtol=1e-4, atol=1e-6
    )
    assert np.abs(bound.gradient(inputs) - expected).max() > 1e-3
    np.testing.assert_array_equal(
        bound.ruled(guided).score(inputs), bound.score(inputs)
    )


@pytest.mark.parametrize(
    "relu", [keras.layers.ReLU(), keras.layers.Activation("relu"), keras.ops.relu]
)
def test_every_relu_is_guided(relu):
    """A ReLU layer, an activation layer and an operation are ReLUs all the same."""
    inputs = keras.Input(nets.SHAPE)
    x = relu(keras.layers.Conv2D(3, 3)(inputs))
    model = nets.filled(
        keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(x)))
    )
    bound = KerasProbe(model).at(1)
    kernel = model.layers[-1].get_weights()[0]
    outputs = bound.activations(nets.pictures())[-1]
    positive = tf.nn.relu(tf.reshape(kernel[:, 1], (1, *outputs.shape[1:])))
    gradient = bound.ruled(guided).gradient(nets.pictures())
    expected = tf.nn.conv2d_transpose(
        tf.where(outputs > 0, positive, 0.0),
        model.layers[1].kernel,
        gradient.shape,
        1,
        "VALID",
    )
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)


class Block(keras.layers.Layer):
    """A layer of layers."""

    def __init__(self):
        super().__init__(name="block")
        self.conv = keras.layers.Conv2D(3, 3, activation="relu")

    def call(self, inputs):
        return self.conv(inputs)


def test_a_layer_of_layers_is_drawn():
    """A block that somebody wrote is seen through: rules and taps reach what is inside."""
    inputs = keras.Input(nets.SHAPE)
    outputs = keras.layers.Flatten()(Block()(inputs))
    model = nets.filled(keras.Model(inputs, keras.layers.Dense(2)(outputs)))
    conv = model.get_layer("block").conv
    plain = keras.layers.Dense(2)
    x = keras.layers.Conv2D(3, 3, activation="relu", name=conv.name)(inputs)
    flat = keras.Model(inputs, plain(keras.layers.Flatten()(x)))
    flat.set_weights(model.get_weights())
    ours, theirs = (KerasProbe(each).at(0).ruled(guided) for each in (model, flat))
    np.testing.assert_array_equal(
        ours.gradient(nets.pictures()), theirs.gradient(nets.pictures())
    )
    assert ours.layers == (f"block/{conv.name}",)


class Scaled(keras.layers.Layer):
    """A layer that works out a value of its weight before it meets the picture."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(), initializer="ones")
        super().build(shape)

    def call(self, inputs):
        return inputs * keras.ops.exp(self.scale)


def test_what_was_worked_out_of_a_weight_does_not_grow_old():
    """A weight that changes after the first question is seen, whatever the layer does with it."""
    inputs = keras.Input(nets.SHAPE)
    model = keras.Model(
        inputs, keras.layers.GlobalAveragePooling2D()(Scaled(name="s")(inputs))
    )
    bound = KerasProbe(model).at(0)
    before = bound.score(nets.pictures())
    model.get_layer("s").scale.assign(0.0)
    np.testing.assert_allclose(bound.score(nets.pictures()), before / np.e, rtol=1e-5)


def test_a_hidden_relu_is_an_error_not_a_plain_gradient():
    """Where the rule cannot reach a ReLU, it says so, in our words alone."""
    inputs = keras.Input((4, *nets.SHAPE))
    x = keras.layers.TimeDistributed(
        keras.layers.Conv2D(2, 3, activation="relu"), name="each"
    )
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling3D()(x(inputs)))
    with pytest.raises(ModelError, match=r"^The layer 'each' has a ReLU inside"):
        KerasProbe(model).at(0).ruled(guided).gradient(
            nets.pictures(1, (4, *nets.SHAPE))
        )
    with pytest.raises(ModelError, match="cannot be tapped"):
        nets.probe(nets.opaque).at(0).ruled(guided)


def test_a_rule_is_compiled_once_and_keeps_the_target():
    """The same rule on other classes, samples and settled probes shares a trace."""
    probe = KerasProbe(nets.flat())
    inputs = nets.pictures(4)
    for target in (0, 1, None):
        probe.at(target).ruled(guided).gradient(inputs)
    probe.at(None).settled(inputs).ruled(guided).gradient(inputs)
    assert probe.traces["gradient"] == 1


def test_a_rule_may_replace_what_a_layer_gives():
    """An ablated layer gives what the rule says, at each place where it stands."""
    graph, inputs = graph_of(nets.nested()), nets.pictures()

    def without(_, operation, args, call):
        return tf.zeros_like(call(*args)) if operation.name == "conv3" else call(*args)

    walk = graph.run(inputs, without)
    bias = nets.nested().get_weights()[-1]
    np.testing.assert_allclose(walk.output, tf.nn.softmax([bias, bias]), rtol=1e-6)
    names = [call.name for call in walk.calls]
    assert names[0] == "inner/backbone/conv1"
    assert names[-1] == "head/scores"
    assert len(walk.calls[-1].inputs) == 1
