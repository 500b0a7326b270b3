"""Shapes of model that people make: TensorFlow's own gradient, and maps or clear refusals."""

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


def siamese():
    """One convolution for both halves of the picture, and their difference."""
    inputs, shared = keras.Input(SHAPE), layers.Conv2D(3, 3, activation="relu")
    left, right = (shared(inputs[:, :, part]) for part in (slice(None, 11), slice(12, None)))
    return made(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(left - right)))


def tied():
    """A layer that is called twice on its own output."""
    inputs, again = keras.Input(SHAPE), layers.Conv2D(3, 3, padding="same", activation="relu")
    x = again(again(layers.Conv2D(3, 3, strides=2)(inputs)))
    return made(inputs, layers.Dense(2)(layers.Flatten()(x)))


def recurrent(kind):
    inputs = keras.Input(SHAPE)
    x = layers.Reshape((8, -1))(convolved(inputs))
    return made(inputs, layers.Dense(2)(kind(4)(x)))


def distributed():
    inputs = keras.Input(SHAPE)
    x = layers.TimeDistributed(layers.Dense(3, activation="relu"))(convolved(inputs))
    return made(inputs, layers.Dense(2)(layers.Flatten()(x)))


def three_deep():
    """A Sequential in a Sequential in a Sequential."""
    inner = keras.Sequential([layers.Conv2D(3, 3, activation="relu"), layers.MaxPooling2D()])
    middle = keras.Sequential([inner, layers.BatchNormalization()])
    outer = [keras.Input(SHAPE), middle, layers.Flatten(), layers.Dense(2)]
    return nets.filled(keras.Sequential(outer))


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
    model = made(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(convolved(inputs))))
    model.layers[-1].quantize("int8")
    return model


def free_sizes():
    inputs = keras.Input((None, None, 2))
    return made(inputs, layers.Dense(2)(layers.GlobalMaxPooling2D()(convolved(inputs))))


def trained_by_default():
    """Batch normalisation that was drawn with training=True is in inference mode all the same."""
    inputs = keras.Input(SHAPE)
    x = layers.BatchNormalization()(convolved(inputs), training=True)
    return made(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))


def resized():
    inputs = keras.Input(SHAPE)
    x = layers.Resizing(12, 14)(layers.Rescaling(1 / 255)(inputs))
    return made(inputs, layers.Dense(2)(layers.Flatten()(convolved(x))))


MODELS = {
    "siamese": siamese,
    "tied": tied,
    "lstm": lambda: recurrent(layers.LSTM),
    "gru": lambda: recurrent(layers.GRU),
    "time distributed": distributed,
    "three deep": three_deep,
    "float64": double,
    "int8": quantised,
    "free sizes": free_sizes,
    "training=True": trained_by_default,
    "resized": resized,
}


def taped(model, pictures):
    """Return the derivative of logit 1 by TensorFlow's own tape, in inference mode."""
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        score = model(pictures, training=False)[:, 1]
    return tape.gradient(score, pictures)


def inference_twin(model, pictures):
    """Return the tape's derivative where training=True is baked in: of the layers one by one."""
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        x = pictures
        for layer in model.layers[1:]:
            named = {"training": False} if isinstance(layer, layers.BatchNormalization) else {}
            x = layer(x, **named)
        score = x[:, 1]
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
    expected = (inference_twin if name == "training=True" else taped)(model, pictures)
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
