"""The user's model is never changed."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from probe import nets

from saliency.errors import SaliencyError
from saliency.probe.keras_probe import KerasProbe

WAYS = [nets.flat, nets.sequential, nets.nested, nets.subclassed, nets.opaque]


def ask_everything(model):
    probe = KerasProbe(model)
    inputs = nets.pictures()
    for bound in (
        probe.at(1),
        probe.at(None).settled(inputs),
        probe.at(lambda out: out[:, 0]),
    ):
        bound.score(inputs)
        bound.gradient(inputs)
        if bound.layers:
            bound.activation_gradients(inputs)
            bound.last_gradient(inputs)
    probe.predict(inputs)


@pytest.mark.parametrize("way", WAYS)
def test_a_model_is_the_same_afterwards(way):
    """Nodes, weights, trainable flags, activations, losses and attributes stay as they were."""
    model = way()
    before = nets.snapshot(model)
    ask_everything(model)
    assert nets.snapshot(model) == before


@pytest.mark.parametrize("way", WAYS)
def test_a_model_is_the_same_after_an_error(way):
    """A target that fails in the middle of a trace leaves nothing behind."""
    model = way()
    before = nets.snapshot(model)

    def broken(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        KerasProbe(model).at(broken).gradient(nets.pictures())
    with pytest.raises(SaliencyError):
        KerasProbe(model, layers=["nothing"])
    assert nets.snapshot(model) == before


def test_a_frozen_base_stays_frozen():
    """trainable=False is neither read nor changed."""
    model = nets.nested()
    model.get_layer("inner").trainable = False
    before = nets.snapshot(model)
    ask_everything(model)
    assert nets.snapshot(model) == before


class Counting(keras.layers.Layer):
    """A layer with a state that it writes at each call, and a loss."""

    def build(self, _):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs):
        self.calls.assign(self.calls + 1)
        self.add_loss(tf.reduce_sum(inputs))
        return inputs


def test_a_layer_that_writes_at_each_call_does_not():
    """State is not written and losses are not added: the walk runs in a stateless scope."""
    inputs = keras.Input(nets.SHAPE)
    x = Counting(activity_regularizer="l2")(
        keras.layers.Conv2D(2, 3, activation="relu")(inputs)
    )
    model = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Flatten()(x)))
    model(nets.pictures())
    before = nets.snapshot(model)
    losses = [float(loss) for loss in model.losses]
    ask_everything(model)
    assert nets.snapshot(model) == before
    assert [float(loss) for loss in model.losses] == losses


def test_training_goes_on_and_the_probe_sees_it():
    """A compiled model can be trained between questions; the next answer has the new weights."""
    model = nets.flat()
    model.compile("sgd", "sparse_categorical_crossentropy")
    probe = KerasProbe(model)
    inputs = nets.pictures()
    before = probe.at(1).score(inputs).numpy()
    model.fit(inputs, np.array([0, 1]), verbose=0)
    assert (probe.at(1).score(inputs).numpy() != before).all()
    np.testing.assert_allclose(
        probe.predict(inputs), model(inputs, training=False), rtol=1e-5
    )
    assert probe.traces["score"] == 1
