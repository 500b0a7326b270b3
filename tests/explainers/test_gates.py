"""Gates, products, quotients and standardisations: relevance, DeepLIFT and FullGrad pass them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from probe import nets

import saliency as sal
from saliency.errors import ModelError
from saliency.explainers.deeplift import DeepLIFT
from saliency.explainers.fullgrad import FullGrad
from saliency.explainers.relevance import LRP

layers, ops = keras.layers, keras.ops
SHAPE = (9, 13, 2)


def closing(x, inputs, **names):
    """Return a model that ends in two logits."""
    x = layers.Flatten()(x) if len(x.shape) > 2 else x
    return nets.filled(keras.Model(inputs, layers.Dense(2, name="logits", **names)(x)))


def excited(inputs, channels=4):
    """A convolution, and a squeeze-and-excitation gate on it."""
    x = layers.Conv2D(channels, 3, activation="relu", name="signal")(inputs)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(3, 1, activation="silu")(gate)
    return x, layers.Conv2D(channels, 1, activation="sigmoid")(gate)


# Layer-wise relevance propagation.


def test_signal_takes_all():
    """With a gate, relevance is that of the network whose gate is a held, constant input."""
    inputs = keras.Input(SHAPE)
    x, gate = excited(inputs)
    model = closing(layers.Multiply()([x, gate]), inputs)
    inner = keras.Model(inputs, gate)
    held = keras.Input((1, 1, 4))
    product = layers.Multiply()([model.get_layer("signal")(inputs), held])
    twin = keras.Model(
        [inputs, held], model.get_layer("logits")(layers.Flatten()(product))
    )
    pictures = nets.pictures(2, SHAPE)
    probe = sal.KerasProbe(twin, input=0, held={1: inner(pictures).numpy()})
    for composite in ("epsilon_plus", "epsilon"):
        ours = LRP(composite)(sal.KerasProbe(model).at(1), pictures)
        theirs = LRP(composite)(probe.at(1), pictures)
        assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5 * np.abs(theirs).max())


def by_hand(x):
    return x * ops.sigmoid(x)


def other_way_round(x):
    return layers.Activation("sigmoid")(x) * x


@pytest.mark.parametrize("written", [by_hand, other_way_round])
def test_swish_by_hand_is_swish(written):
    """X sigmoid(x) hands relevance on as the activation does, whichever factor stands first."""
    inputs = keras.Input(SHAPE)
    one, two = (
        closing(function(layers.Conv2D(3, 3)(inputs)), inputs)
        for function in (written, layers.Activation("silu"))
    )
    pictures = nets.pictures(2, SHAPE)
    ours, theirs = (LRP()(sal.KerasProbe(each).at(0), pictures) for each in (one, two))
    assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_a_map_of_one_channel_is_a_gate():
    """Attention over places, (N, h, w, 1) behind a softmax or spread over channels, gets none."""
    inputs = keras.Input(SHAPE)
    x = layers.Conv2D(3, 3, use_bias=False, name="signal")(inputs)
    spread = layers.Conv2D(1, 3, name="spread")(inputs)
    model = closing(x * (spread + 3.0), inputs, use_bias=False)
    bound, pictures = sal.KerasProbe(model).at(1), nets.pictures(2, SHAPE)
    found = LRP("epsilon", epsilon=1e-9)(bound, pictures)
    kernel = model.get_layer("signal").kernel.numpy()
    gate = model.get_layer("spread")(pictures).numpy()
    head = model.get_layer("logits").kernel.numpy()[:, 1].reshape(1, 7, 11, 3)
    flow = tf.nn.conv2d_transpose(
        head * (gate + 3.0), kernel, (2, *SHAPE), strides=1, padding="VALID"
    )
    assert_allclose(found, flow * pictures, rtol=1e-3, atol=1e-4 * np.abs(found).max())


def test_alike_factors_share_evenly():
    """Of x y, with neither a gate, each has one half."""
    inputs = keras.Input((1, 2, 1))
    x = layers.Flatten()(inputs)
    model = keras.Model(inputs, layers.Multiply()([x[:, :1], x[:, 1:]]))
    picture = tf.constant([[[[3.0], [5.0]]]])
    assert_allclose(
        np.ravel(LRP()(sal.KerasProbe(model).at(0), picture)), [7.5, 7.5], rtol=1e-5
    )


def test_a_denominator_gets_nothing():
    """Relevance of x / (x' + 2) is that of x; nothing is known of 2 / x."""
    inputs = keras.Input((1, 2, 1))
    x = layers.Flatten()(inputs)
    model = keras.Model(inputs, x[:, :1] / (x[:, 1:] + 2.0))
    picture = tf.constant([[[[3.0], [4.0]]]])
    assert_allclose(
        np.ravel(LRP()(sal.KerasProbe(model).at(0), picture)), [0.5, 0], rtol=1e-5
    )
    inverse = keras.Model(inputs, 2.0 / (x + 1.0))
    with pytest.raises(ModelError, match="LRP has no rule"):
        LRP()(sal.KerasProbe(inverse).at(0), picture)


STANDARD = {
    "layer": layers.LayerNormalization,
    "layer, places": lambda: layers.LayerNormalization(axis=(1, 2), epsilon=1e-2),
    "group": lambda: layers.GroupNormalization(2),
    "instance": lambda: layers.GroupNormalization(-1),
    "group, first": lambda: layers.GroupNormalization(3, axis=1),
    "unit": layers.UnitNormalization,
    "rms": getattr(layers, "RMSNormalization", layers.LayerNormalization),
}


@pytest.mark.parametrize("kind", STANDARD)
def test_a_standardisation_loses_nothing(kind):
    """Without shifts and biases the map sums to the logit: the spread is held, the mean linear."""
    inputs = keras.Input((6, 5, 4))
    model = closing(STANDARD[kind]()(inputs), inputs, use_bias=False)
    for weight in model.weights:
        if "beta" in weight.path:
            weight.assign(0 * weight)
    bound, pictures = sal.KerasProbe(model).at(1), nets.pictures(3, (6, 5, 4))
    made = LRP("epsilon", epsilon=1e-9)

    found = made(bound, pictures)

    assert np.abs(made.absorbed(bound, pictures, found)).max() < 1e-3


def test_layer_normalisation_by_hand():
    """R_i = x_i sum_j (1[i = j] - 1 / n) g_j / s / y_j r_j, with the spread s of the picture."""
    inputs = keras.Input((2, 3, 4))
    model = closing(layers.LayerNormalization(epsilon=0.1)(inputs), inputs)
    pictures = nets.pictures(2, (2, 3, 4))
    gain, shift, kernel, bias = (each.numpy().astype(float) for each in model.weights)
    x = pictures.numpy().astype(float)
    centred = x - x.mean(-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(-1, keepdims=True) + 0.1)
    y = gain * centred / spread + shift
    logit = y.reshape(2, -1) @ kernel[:, 1] + bias[1]
    relevance = (
        y
        * kernel[:, 1].reshape(1, 2, 3, 4)
        * (logit / (logit + 1e-6))[:, None, None, None]
    )
    ratio = relevance * gain / spread / (y + 1e-6 * np.sign(y))
    expected = x * (ratio - ratio.mean(-1, keepdims=True))

    found = LRP()(sal.KerasProbe(model).at(1), pictures)

    assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


# DeepLIFT.


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda a, b: a * b, (2.0, 3.0)),
        (lambda a, b: layers.Multiply()([a, b, a]), (6.5, 4.5)),
        (lambda a, b: a / (b + 1.0), (1 / 3, -1 / 3)),
        (lambda a, b: 6.0 / (b + 1.0), (0.0, -3 / 2)),
    ],
)
def test_products_and_quotients_by_hand(function, expected):
    """From (1, 1) to (2, 3): each factor's change times the mean of the other."""
    inputs = keras.Input((1, 2, 1))
    x = layers.Flatten()(inputs)
    model = keras.Model(inputs, function(x[:, :1], x[:, 1:]))
    picture = tf.constant([[[[2.0], [3.0]]]])

    found = DeepLIFT(1.0)(sal.KerasProbe(model).at(0), picture)

    assert_allclose(np.ravel(found), expected, rtol=1e-5)


def gated(inputs):
    x, gate = excited(inputs)
    return layers.Multiply()([x, gate])


def hard_gated(inputs):
    x = layers.Activation("hard_swish")(layers.Conv2D(4, 3)(inputs))
    return x * (ops.relu6(layers.GlobalAveragePooling2D(keepdims=True)(x) + 3.0) / 6.0)


def responding(inputs):
    """Global response normalisation, written out (Woo et al., arXiv 2301.00808)."""
    x = layers.Conv2D(4, 3, activation="gelu")(inputs)
    response = ops.sqrt(ops.sum(ops.square(x), axis=(1, 2), keepdims=True) + 1e-6)
    return x + 0.3 * (
        x * (response / (ops.mean(response, axis=-1, keepdims=True) + 1e-6))
    )


WRITTEN = (gated, hard_gated, responding)


@pytest.mark.parametrize("kind", STANDARD)
@pytest.mark.parametrize(
    "baseline",
    [0.0, nets.pictures(1, (6, 5, 4), seed=3)[0].numpy()],
    ids=("black", "noise"),
)
def test_summation_to_delta_of_standardisations(kind, baseline):
    """Exact for any two pictures, also where the spread of one is all but nothing."""
    inputs = keras.Input((6, 5, 4))
    model = closing(layers.Dense(3, "gelu")(STANDARD[kind]()(inputs)), inputs)
    bound, pictures = sal.KerasProbe(model).at(1), nets.pictures(3, (6, 5, 4))
    made = DeepLIFT(baseline)
    assert np.max(made.gap(bound, pictures, made(bound, pictures))) < 1e-3


@pytest.mark.parametrize("written", WRITTEN)
def test_summation_to_delta_of_gates(written):
    """The map of a gated network sums to the change of its score."""
    inputs = keras.Input(SHAPE)
    bound = sal.KerasProbe(closing(written(inputs), inputs)).at(1)
    made, pictures = DeepLIFT(0.2), nets.pictures(3, SHAPE)
    assert np.max(made.gap(bound, pictures, made(bound, pictures))) < 1e-3


# FullGrad.


def attending(inputs):
    x = layers.Reshape((-1, 6))(layers.Conv2D(6, 3, strides=2)(inputs))
    return layers.MultiHeadAttention(2, 3)(x, x) + layers.Softmax()(x)


@pytest.mark.parametrize("written", [*WRITTEN, attending])
def test_a_score_is_taken_apart_whatever_it_comes_through(written):
    """Every differentiable step has a bias, output - J x: the parts sum to the score."""
    inputs = keras.Input(SHAPE)
    bound = sal.KerasProbe(closing(written(inputs), inputs)).at(1)
    pictures = nets.pictures(3, SHAPE)

    found = FullGrad().decomposed(bound, pictures)

    assert_allclose(found.total, bound.score(pictures), rtol=1e-3, atol=1e-3)


def test_the_bias_of_a_product_is_minus_the_product():
    """Of a b the derivative times (a, b) is 2 a b, so that - a b is left."""
    inputs = keras.Input((1, 2, 1))
    x = layers.Flatten()(inputs)
    model = keras.Model(inputs, layers.Multiply()([x[:, :1], x[:, 1:]]))
    picture = tf.constant([[[[3.0], [5.0]]]])

    found = FullGrad().decomposed(sal.KerasProbe(model).at(0), picture)

    assert_allclose(np.ravel(found.picture), [15, 15])
    assert_allclose([float(each[0, 0]) for each in found.biases], [-15])
