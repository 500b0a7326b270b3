"""An activation is what a step does, whatever it is called."""

# ruff: noqa: PLW0108 - a layer is made anew at each call

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from saliency.explainers.catalogue import resolve
from saliency.explainers.propagation.fullgrad import BiasGradients
from saliency.probe.keras_probe import KerasProbe
from saliency.probe.model.drawing import graph_of
from saliency.probe.model.pointwise import Pointwise, with_activations

SHAPE = (12, 10, 1)
FUNCTIONS = keras.activations

SPELLED = {
    "maximum": (lambda t: ops.maximum(t, 0.0), FUNCTIONS.relu),
    "maximum, zero first": (lambda t: ops.maximum(0.0, t), FUNCTIONS.relu),
    "Maximum layer": (
        lambda t: layers.Maximum()([t, ops.zeros_like(t)]),
        FUNCTIONS.relu,
    ),
    "where": (lambda t: ops.where(t > 0, t, 0.0), FUNCTIONS.relu),
    "times a mask": (lambda t: t * ops.cast(t > 0, "float32"), FUNCTIONS.relu),
    "half of x + |x|": (lambda t: (t + ops.abs(t)) / 2, FUNCTIONS.relu),
    "less its minimum": (lambda t: t - ops.minimum(t, 0.0), FUNCTIONS.relu),
    "minimum, turned": (lambda t: -ops.minimum(-t, 0.0), FUNCTIONS.relu),
    "Lambda of TensorFlow": (
        lambda t: layers.Lambda(lambda v: tf.maximum(v, 0))(t),
        FUNCTIONS.relu,
    ),
    "function of one's own": (
        lambda t: layers.Activation(lambda v: ops.maximum(v, 0))(t),
        FUNCTIONS.relu,
    ),
    "clip": (lambda t: ops.clip(t, 0, 6), FUNCTIONS.relu6),
    "product": (lambda t: t * ops.sigmoid(t), FUNCTIONS.silu),
    "hard swish": (lambda t: t * ops.relu6(t + 3) / 6, FUNCTIONS.hard_silu),
    "logistic": (lambda t: 1 / (1 + ops.exp(-t)), FUNCTIONS.sigmoid),
    "log(1 + exp)": (lambda t: ops.log(1 + ops.exp(t)), FUNCTIONS.softplus),
    "error function": (
        lambda t: 0.5 * t * (1 + ops.erf(t / np.sqrt(2))),
        FUNCTIONS.gelu,
    ),
    "mish": (lambda t: t * ops.tanh(ops.softplus(t)), FUNCTIONS.mish),
}

LAYERS = {
    "clip at 4": (lambda t: ops.clip(t, 0, 4), layers.ReLU, {"max_value": 4.0}),
    "leaky": (
        lambda t: ops.maximum(t, 0.1 * t),
        layers.LeakyReLU,
        {"negative_slope": 0.1},
    ),
}

UNNAMED = {
    "square": (lambda t: t * t, True, False),
    "power": (lambda t: ops.power(t, 3), True, False),
    "size": (lambda t: ops.abs(t), True, True),
    "cosine": (lambda t: ops.cos(t), False, False),
    "from 1e-6": (lambda t: ops.maximum(t, 1e-6), False, False),
    "plus half its ReLU": (lambda t: t + 0.5 * ops.relu(t), True, True),
    "soft threshold": (lambda t: ops.sign(t) * ops.relu(ops.abs(t) - 0.5), True, False),
}

OTHERS = {
    "affine": lambda t: (t - 0.5) * 3,
    "affine function": lambda t: layers.Activation(lambda v: 2 * v + 1)(t),
    "softmax": lambda t: ops.softmax(t, axis=-1),
    "pooling of stride 1": lambda t: layers.MaxPooling2D(2, strides=1, padding="same")(
        t
    ),
    "flip": lambda t: ops.flip(t, axis=2),
    "normalised": lambda t: layers.UnitNormalization()(t),
    "two branches": lambda t: ops.maximum(t, layers.Conv2D(3, 1)(t)),
    "gate": lambda t: t * ops.sigmoid(layers.Dense(3)(t)),
    "clipped probabilities": lambda t: ops.clip(ops.softmax(t), 1e-7, 1 - 1e-7),
}


def read(spell):
    """Return the last operation of a small network, and whether its values are as before."""
    entry = keras.Input(SHAPE)
    model = keras.Model(entry, spell(layers.Conv2D(3, 3)(entry)))
    graph = with_activations(graph_of(model))
    inputs = np.random.default_rng(0).normal(0, 3, (2, *SHAPE)).astype(np.float32)
    np.testing.assert_allclose(
        graph.run(tf.constant(inputs)).output, model(inputs), atol=1e-5
    )
    return graph.nodes[-1].operation


@pytest.mark.parametrize("spelling", SPELLED)
def test_a_published_activation_is_known_by_its_values(spelling):
    """In one step or several, with constants or layers, it becomes the function of Keras."""
    spell, function = SPELLED[spelling]
    operation = read(spell)
    assert type(operation) is layers.Activation
    assert operation.activation is function


@pytest.mark.parametrize("spelling", LAYERS)
def test_rectifiers_with_numbers_are_known_with_their_numbers(spelling):
    """The greatest value of a ReLU, and the slope of a leaky one."""
    spell, kind, numbers = LAYERS[spelling]
    operation = read(spell)
    assert type(operation) is kind
    assert {name: getattr(operation, name) for name in numbers} == pytest.approx(
        numbers
    )


@pytest.mark.parametrize("spelling", UNNAMED)
def test_any_other_bent_function_is_an_activation(spelling):
    """It is kept as it is, with what rules must know of it."""
    spell, zero_at_zero, homogeneous = UNNAMED[spelling]
    function = read(spell).activation
    assert isinstance(function, Pointwise)
    assert (function.zero_at_zero, function.homogeneous) == (zero_at_zero, homogeneous)


@pytest.mark.parametrize("spelling", OTHERS)
def test_nothing_else_is_taken_for_one(spelling):
    """What is affine, mixes places or channels, or belongs to a head of probabilities stays."""
    entry = keras.Input(SHAPE)
    graph = graph_of(keras.Model(entry, OTHERS[spelling](layers.Conv2D(3, 3)(entry))))
    assert with_activations(graph).nodes == graph.nodes


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_is_no_excuse(dtype):
    """Coarse numbers tell the functions apart too."""
    keras.config.set_dtype_policy(dtype)
    try:
        assert read(SPELLED["maximum"][0]).activation is FUNCTIONS.relu
        entry = keras.Input(SHAPE)
        graph = graph_of(keras.Model(entry, layers.Conv2D(3, 3)(entry) * 3 - 0.5))
    finally:
        keras.config.set_dtype_policy("float32")
    assert with_activations(graph).nodes == graph.nodes


def test_a_function_inside_a_convolution_is_known_by_its_values():
    """An activation given as a function of one's own."""
    entry = keras.Input(SHAPE)
    for function, name in [
        (lambda v: tf.maximum(v, 0), "relu"),
        (lambda v: 1 * v, "linear"),
    ]:
        graph = graph_of(
            keras.Model(entry, layers.Conv2D(3, 3, activation=function)(entry))
        )
        found = with_activations(graph).nodes[-1].operation.activation
        assert found is getattr(FUNCTIONS, name)


def network(way):
    """Return a network with one way to write an activation, twice, and weights that are its own."""
    keras.utils.set_random_seed(3)
    entry = keras.Input(SHAPE)
    early = layers.MaxPooling2D(2)(
        way(layers.Conv2D(4, 3, bias_initializer="uniform")(entry))
    )
    late = layers.GlobalAveragePooling2D()(way(layers.Conv2D(5, 3)(early)))
    return keras.Model(entry, layers.Dense(3, activation="softmax")(late))


@pytest.mark.parametrize(
    ("way", "twin"),
    [
        (lambda t: ops.where(t > 0, t, 0.0), layers.ReLU),
        (lambda t: layers.Lambda(lambda v: tf.maximum(v, 0.0))(t), layers.ReLU),
        (lambda t: t * ops.sigmoid(t), lambda: layers.Activation("silu")),
        (lambda t: ops.clip(t, 0, 6), lambda: layers.ReLU(6)),
    ],
    ids=["where", "Lambda", "swish", "relu6"],
)
def test_maps_do_not_depend_on_the_spelling(way, twin):
    """Taps and backward rules are those of the network that is written with layers of Keras."""
    inputs = np.random.default_rng(1).random((2, *SHAPE)).astype(np.float32)
    ours, theirs = (
        KerasProbe(network(each)).at(1) for each in (way, lambda t: twin()(t))
    )
    names = ["gradcam", "smoe", "lrp", "deeplift", "fullgrad"]
    if twin is layers.ReLU:
        names += ["guided_backprop", "deconvnet", "beta_smooth"]
    for name in names:
        found, expected = (
            np.asarray(resolve(name)(each, inputs)) for each in (ours, theirs)
        )
        np.testing.assert_allclose(
            found, expected, rtol=1e-3, atol=1e-4 * abs(expected).max()
        )


def test_fullgrad_is_complete_behind_an_unnamed_function():
    """Gradient times picture and all biases sum to the score, the function's own included."""
    inputs = np.random.default_rng(1).random((2, *SHAPE)).astype(np.float32)
    bound = KerasProbe(network(lambda t: ops.maximum(t, 0.05) + 0.1 * t)).at(1)
    slope, biases, _ = bound.study(BiasGradients(), inputs)
    parts = [slope * inputs, *biases]
    total = sum(tf.reduce_sum(tf.reshape(part, (2, -1)), axis=1) for part in parts)
    np.testing.assert_allclose(total, bound.score(inputs), rtol=1e-4, atol=1e-5)
