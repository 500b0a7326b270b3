"""Kinds of layers and numbers: TensorFlow's own gradient, and maps or clear refusals."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from probe import nets

import saliency as sal
from saliency.errors import SaliencyError
from saliency.explainers.catalogue import resolve

layers = keras.layers
SHAPE = (17, 23, 2)
ASKED = ("gradcam", "fastcam", "lrp", "deeplift", "fullgrad")


def convolved(inputs, filters=3):
    return layers.Conv2D(filters, 3, strides=2, activation="relu")(inputs)


def made(inputs, logits):
    return nets.filled(keras.Model(inputs, logits))


def recurrent(kind):
    inputs = keras.Input(SHAPE)
    x = layers.Reshape((8, -1))(convolved(inputs))
    return made(inputs, layers.Dense(2)(kind(4)(x)))


def distributed():
    inputs = keras.Input(SHAPE)
    x = layers.TimeDistributed(layers.Dense(3, activation="relu"))(convolved(inputs))
    return made(inputs, layers.Dense(2)(layers.Flatten()(x)))


def double():
    """A network in float64."""
    keras.config.set_floatx("float64")
    try:
        inputs = keras.Input(SHAPE)
        return made(inputs, layers.Dense(2)(layers.Flatten()(convolved(inputs))))
    finally:
        keras.config.set_floatx("float32")


def quantised():
    """The kernel of a Dense layer in eight bits."""
    inputs = keras.Input(SHAPE)
    model = made(
        inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(convolved(inputs)))
    )
    model.layers[-1].quantize("int8")
    return model


def resized():
    inputs = keras.Input(SHAPE)
    x = layers.Resizing(12, 14)(layers.Rescaling(1 / 255)(inputs))
    return made(inputs, layers.Dense(2)(layers.Flatten()(convolved(x))))


MODELS = {
    "lstm": lambda: recurrent(layers.LSTM),
    "gru": lambda: recurrent(layers.GRU),
    "time distributed": distributed,
    "float64": double,
    "int8": quantised,
    "resized": resized,
}


def taped(model, pictures):
    """Return the derivative of logit 1 by TensorFlow's own tape, in inference mode."""
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        score = model(pictures, training=False)[:, 1]
    return tape.gradient(score, pictures)


def asked(word, bound, pictures):
    """Return a map, or the words of a refusal."""
    try:
        return resolve(word)(bound, pictures)
    except SaliencyError as error:
        return str(error)


@pytest.mark.parametrize("name", MODELS)
def test_the_gradient_is_tensorflow_s_own(name):
    """And every explainer asked gives a finite map of the picture's size, or says what does."""
    model = MODELS[name]()
    pictures = nets.pictures(2, SHAPE)
    expected = taped(model, pictures)
    before, bound = nets.snapshot(model), sal.KerasProbe(model).at(1)

    found = bound.gradient(pictures)

    assert found.dtype == tf.float32
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)
    assert np.abs(expected).max() > 0
    for word in ASKED:
        answer = asked(word, bound, pictures)
        if isinstance(answer, str):
            assert "gradient" in answer.lower()
        else:
            assert np.isfinite(answer).all(), word
            assert answer.shape[1:3] == SHAPE[:2], word
    assert nets.snapshot(model) == before
