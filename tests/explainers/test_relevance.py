"""Layer-wise relevance propagation: numpy twins, conservation, and known layers alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from probe import nets

import saliency as sal
from saliency.errors import ExplainerError, InputError, ModelError
from saliency.explainers.propagation.lrp import COMPOSITES
from saliency.explainers.relevance import LRP
from saliency.testing import check_explainer

layers = keras.layers
SHAPE = (9, 13, 2)


# Twins: relevance of a small network in numpy, each layer as one matrix.


def held(values, epsilon=1e-6):
    return values + epsilon * np.where(values >= 0, 1, -1)


def epsilon_twin(x, matrix, bias, relevance):
    """Return x_i w_ij / z_j r_j, summed over j."""
    return x * ((relevance / held(x @ matrix + bias)) @ matrix.T)


def parts(x, matrix):
    """Return all products x_i w_ij, (N, I, J)."""
    return x[:, :, None] * matrix[None]


def plus_twin(x, matrix, bias, relevance):
    up = np.maximum(parts(x, matrix), 0)
    return (up / held(up.sum(1, keepdims=True) + np.maximum(bias, 0))) @ relevance[
        ..., None
    ]


def alpha_beta_twin(x, matrix, bias, relevance):
    up, down = np.maximum(parts(x, matrix), 0), np.minimum(parts(x, matrix), 0)
    raised = up / held(up.sum(1, keepdims=True) + np.maximum(bias, 0))
    lowered = down / held(down.sum(1, keepdims=True) + np.minimum(bias, 0))
    return (2 * raised - lowered) @ relevance[..., None]


def gamma_twin(x, matrix, bias, relevance, gamma=0.25):
    products = parts(x, matrix)
    sign = np.where(x @ matrix + bias > 0, 1, -1)[:, None]
    bent = products + gamma * np.where(sign * products > 0, products, 0)
    tail = bias + gamma * np.where(sign * bias > 0, bias, 0)
    return (bent / held(bent.sum(1, keepdims=True) + tail)) @ relevance[..., None]


def flat_twin(x, matrix, bias, relevance):
    seen = (matrix != 0).astype(float)
    return (seen / held(seen.sum(0))) @ relevance[..., None]


def box_twin(x, matrix, bias, relevance):
    """Return what each product adds above its least value in the range of its channel."""
    by_channel = x.reshape(len(x), -1, 2)
    ends = by_channel.min(1, keepdims=True), by_channel.max(1, keepdims=True)
    low, high = (
        np.broadcast_to(each, by_channel.shape).reshape(x.shape) for each in ends
    )
    up, down = np.maximum(matrix, 0), np.minimum(matrix, 0)
    least = parts(np.minimum(low, 0), up) + parts(high, down)
    above = parts(x, matrix) - least
    return (above / held(above.sum(1, keepdims=True))) @ relevance[..., None]


TWINS = {
    "epsilon": (epsilon_twin, epsilon_twin, epsilon_twin),
    "epsilon_plus": (plus_twin, plus_twin, epsilon_twin),
    "epsilon_plus_flat": (flat_twin, plus_twin, epsilon_twin),
    "epsilon_gamma": (gamma_twin, gamma_twin, epsilon_twin),
    "epsilon_gamma_box": (box_twin, gamma_twin, epsilon_twin),
    "epsilon_alpha2_beta1": (alpha_beta_twin, alpha_beta_twin, epsilon_twin),
    "epsilon_alpha2_beta1_flat": (flat_twin, alpha_beta_twin, epsilon_twin),
    "excitation_backprop": (plus_twin, plus_twin, plus_twin),
    "deep_taylor": (box_twin, plus_twin, plus_twin),
}
"""Rules of the first convolution, the second, and the dense layers."""


def as_matrix(layer, shape):
    """Return a convolution as a matrix, by its answer to each unit picture, and its bias."""
    size = int(np.prod(shape))
    units = np.eye(size, dtype=np.float32).reshape(size, *shape)
    bias = layer(np.zeros((1, *shape), np.float32)).numpy().ravel()
    matrix = layer(units).numpy().reshape(size, -1) - bias
    return np.where(np.abs(matrix) < 1e-6, 0, matrix).astype(np.float64), bias.astype(
        np.float64
    )


def convolutional(kind=layers.Conv2D, *, bias=True):
    """Two convolutions, and two dense layers behind a flattening."""
    inputs = keras.Input((5, 6, 2))
    names = {"use_bias": bias, "padding": "same"}
    filters = () if kind is layers.DepthwiseConv2D else (3,)
    x = layers.ReLU()(kind(*filters, 3, **names)(inputs))
    x = layers.ReLU()(kind(*filters, 3, strides=1, **names)(x))
    x = layers.Dense(4, activation="relu", use_bias=bias)(layers.Flatten()(x))
    return nets.filled(
        keras.Model(inputs, layers.Dense(2, use_bias=bias, activation="softmax")(x))
    )


def relevance_twin(model, pictures, target, composite):
    """Relevance of the network of :func:`convolutional`, layer by layer in float64."""
    linear = [each for each in model.layers if each.weights]
    steps, shape = [], pictures.shape[1:]
    for layer in linear[:2]:
        steps.append(as_matrix(layer, shape))
        shape = layer(np.zeros((1, *shape), np.float32)).shape[1:]
    for layer in linear[2:]:
        found = [each.astype(np.float64) for each in layer.get_weights()]
        steps.append(
            (found[0], found[1] if len(found) > 1 else np.zeros(found[0].shape[1]))
        )
    values = [np.reshape(pictures, (len(pictures), -1)).astype(np.float64)]
    for matrix, bias in steps:
        values.append(np.maximum(values[-1] @ matrix + bias, 0))
    relevance = values[-2] @ steps[-1][0] + steps[-1][1]
    relevance = relevance * (np.arange(relevance.shape[1]) == target)
    first, later, dense = TWINS[composite]
    for step, rule in zip((3, 2, 1, 0), (dense, dense, later, first), strict=True):
        relevance = rule(values[step], *steps[step], relevance).reshape(
            values[step].shape
        )
    return relevance.reshape(pictures.shape)


@pytest.mark.parametrize("composite", COMPOSITES)
def test_every_composite_by_hand(composite):
    """Each convolution written out as a matrix, and relevance shared product by product."""
    model, pictures = convolutional(), nets.pictures(2, (5, 6, 2))
    expected = relevance_twin(model, pictures.numpy(), 1, composite)

    found = LRP(composite)(sal.KerasProbe(model).at(1), pictures)

    assert_allclose(found, expected, rtol=2e-3, atol=2e-4 * np.abs(expected).max())


@pytest.mark.parametrize("kind", [layers.DepthwiseConv2D, layers.Conv2DTranspose])
@pytest.mark.parametrize(
    "composite", ["epsilon_plus_flat", "epsilon_alpha2_beta1", "deep_taylor"]
)
def test_other_convolutions_by_hand(kind, composite):
    """Depthwise and transposed convolutions are matrices too."""
    model, pictures = convolutional(kind), nets.pictures(2, (5, 6, 2))
    expected = relevance_twin(model, pictures.numpy(), 0, composite)

    found = LRP(composite)(sal.KerasProbe(model).at(0), pictures)

    assert_allclose(found, expected, rtol=2e-3, atol=2e-4 * np.abs(expected).max())


def several_layers(*, bias=False, mean=True):
    """Most kinds of layers in one network: strides, pools, a skip, a concatenation, padding."""
    inputs = keras.Input(SHAPE)
    x = layers.ZeroPadding2D(1)(inputs)
    x = layers.Conv2D(4, 3, activation="relu", use_bias=bias)(x)
    x = layers.AveragePooling2D(2)(x) if mean else layers.MaxPooling2D()(x)
    y = layers.SeparableConv2D(4, 3, padding="same", use_bias=bias)(x)
    y = layers.LeakyReLU()(layers.Add()([x, y]))
    z = layers.Conv2D(3, 1, activation="relu6", use_bias=bias)(keras.ops.relu(y) + x)
    z = layers.Dropout(0.3)(layers.Concatenate()([y, z]))
    z = layers.Dense(5, activation="silu", use_bias=bias)(
        layers.GlobalAveragePooling2D()(z)
    )
    return nets.filled(keras.Model(inputs, layers.Dense(3, use_bias=bias)(z)))


@pytest.mark.parametrize("composite", ["epsilon", "epsilon_gamma"])
@pytest.mark.parametrize("mean", [True, False])
def test_without_biases_nothing_is_lost(composite, mean):
    """The map sums to the logit exactly, through pools, skips, padding and smooth activations."""
    bound, pictures = (
        sal.KerasProbe(several_layers(mean=mean)).at(2),
        nets.pictures(3, SHAPE),
    )
    made = LRP(composite, epsilon=1e-9)

    found = made(bound, pictures)

    assert_allclose(tf.reduce_sum(found, (1, 2, 3)), bound.score(pictures), rtol=1e-3)
    assert np.abs(made.absorbed(bound, pictures, found)).max() < 1e-3


def test_biases_take_their_share():
    """Of a score that is x + 3, relevance is x, and the absorbed share is 3 / (x + 3)."""
    inputs = keras.Input((1, 2, 1))
    model = keras.Model(inputs, layers.Dense(1)(layers.Flatten()(inputs)))
    model.set_weights([np.array([[1.0], [2.0]]), np.array([3.0])])
    bound, pictures = sal.KerasProbe(model).at(0), tf.constant([[[[1.0], [4.0]]]])

    found = LRP()(bound, pictures)

    assert_allclose(np.ravel(found), [1, 8], rtol=1e-5)
    assert_allclose(LRP().absorbed(bound, pictures, found), [3 / 12], rtol=1e-5)


def test_epsilon_is_gradient_times_input_on_relu_networks():
    """Without biases the epsilon rule is gradient times input (Ancona et al., arXiv 1711.06104)."""
    bound = sal.KerasProbe(convolutional(bias=False)).at(1)
    pictures = nets.pictures(2, (5, 6, 2))

    found = LRP("epsilon", epsilon=1e-9)(bound, pictures)

    plain = bound.gradient(pictures) * pictures
    assert_allclose(found, plain, rtol=1e-3, atol=1e-4 * np.abs(plain).max())


@pytest.mark.parametrize("between", [layers.Dropout(0.5), None])
def test_a_normalisation_is_folded_into_the_convolution_before_it(between):
    """A network and its twin with the normalisation multiplied into the kernel agree."""
    inputs = keras.Input(SHAPE)
    x = layers.Conv2D(4, 3)(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(between(x) if between else x))
    tail = [layers.GlobalAveragePooling2D(), layers.Dense(2)]
    model = nets.filled(keras.Model(inputs, nets.chained(tail, x)))
    kernel, bias, gamma, beta, mean, variance, *rest = model.get_weights()
    factor = gamma / np.sqrt(variance + 1e-3)
    y = layers.Conv2D(4, 3, activation="relu")(inputs)
    plain = keras.Model(
        inputs, nets.chained([layers.GlobalAveragePooling2D(), layers.Dense(2)], y)
    )
    plain.set_weights([kernel * factor, (bias - mean) * factor + beta, *rest])
    pictures = nets.pictures(2, SHAPE)
    for composite in ("epsilon_plus", "epsilon_plus_flat"):
        one, two = (
            LRP(composite)(sal.KerasProbe(each).at(1), pictures)
            for each in (model, plain)
        )
        assert_allclose(one, two, rtol=1e-3, atol=1e-4 * np.abs(two).max())


def test_a_normalisation_on_its_own_is_a_linear_layer():
    """Before a ReLU and a convolution, x (a x) / (a x + b) of relevance goes on."""
    inputs = keras.Input((1, 2, 1))
    x = layers.BatchNormalization(epsilon=0)(inputs)
    model = keras.Model(inputs, layers.Dense(1, use_bias=False)(layers.Flatten()(x)))
    model.set_weights(
        [np.array(each) for each in ([2.0], [1.0], [0.0], [1.0], [[1.0], [3.0]])]
    )
    pictures = tf.constant([[[[1.0], [2.0]]]])

    found = LRP()(sal.KerasProbe(model).at(0), pictures)

    assert_allclose(np.ravel(found), [2, 12], rtol=1e-5)


def test_preparation_inside_the_model_is_let_by():
    """Scaling the picture inside the model or before it gives one map."""
    net = convolutional()
    inputs = keras.Input((5, 6, 2))
    inside = keras.Model(inputs, net(layers.Rescaling(1 / 127.5, -1)(inputs)))
    pictures = nets.pictures(2, (5, 6, 2))
    for composite in ("epsilon_plus", "epsilon_alpha2_beta1_flat"):
        one = LRP(composite)(sal.KerasProbe(net).at(1), pictures)
        two = LRP(composite)(sal.KerasProbe(inside).at(1), (pictures + 1) * 127.5)
        assert_allclose(one, two, rtol=1e-2, atol=1e-4 * np.abs(one).max())


def test_nested_and_flat_give_one_map():
    """However the network is written down."""
    maps = [
        LRP()(nets.probe(way).at(1), nets.pictures())
        for way in (nets.flat, nets.nested, nets.subclassed)
    ]
    for each in maps[1:]:
        assert_allclose(each, maps[0], rtol=1e-3, atol=1e-5 * np.abs(maps[0]).max())


def test_a_contrast_starts_with_both_logits():
    """Relevance of z1 - z0 is that of z1 less that of z0."""
    probe, pictures = sal.KerasProbe(convolutional()), nets.pictures(2, (5, 6, 2))

    both = LRP()(probe.at(lambda z: z[:, 1] - z[:, 0]), pictures)

    apart = LRP()(probe.at(1), pictures) - LRP()(probe.at(0), pictures)
    assert_allclose(both, apart, atol=1e-5 * np.abs(apart).max())


def test_a_sigmoid_speaks_for_both_classes():
    """With one unit, relevance for class 0 is minus that for class 1."""
    inputs = keras.Input((5, 6, 2))
    x = layers.Flatten()(layers.Conv2D(3, 3, activation="relu")(inputs))
    probe = sal.KerasProbe(
        nets.filled(keras.Model(inputs, layers.Dense(1, "sigmoid")(x)))
    )
    one, none = (LRP()(probe.at(each), nets.pictures(2, (5, 6, 2))) for each in (1, 0))

    assert_allclose(one, -none, rtol=1e-4, atol=1e-6)


def test_an_unknown_layer_is_named():
    """A layer without a rule is an error only where the score comes through it."""
    inputs = keras.Input((5, 6, 2))
    x = layers.Conv2D(2, 3, activation="sigmoid", name="gate")(inputs)
    y = layers.Softmax(name="norm")(layers.Conv2D(2, 3)(inputs))
    heads = [layers.Dense(2)(layers.Flatten()(each)) for each in (x, y, inputs)]
    model, pictures = keras.Model(inputs, heads), nets.pictures(1, (5, 6, 2))
    for part, name in ((0, r"'gate' \(Conv2D with sigmoid\)"), (1, "'norm'")):
        with pytest.raises(ModelError, match=name):
            LRP()(sal.KerasProbe(model, part=part).at(0), pictures)
    assert np.isfinite(LRP()(sal.KerasProbe(model, part=2).at(0), pictures)).all()


@pytest.mark.parametrize("composite", ["deep_taylor", "epsilon_gamma_box"])
def test_the_box_is_that_of_the_first_layer(composite):
    """What prepares a picture inside the model prepares the ends of its range, turned or not."""
    net = convolutional()
    inputs = keras.Input((5, 6, 2))
    inside = keras.Model(inputs, net(layers.Rescaling(-1 / 127.5, 1)(inputs)))
    pictures = tf.clip_by_value(nets.pictures(2, (5, 6, 2)), -1, 1)
    plain = LRP(composite, low=-1.0, high=[1.0, 1.0])(
        sal.KerasProbe(net).at(None), pictures
    )

    turned = LRP(composite, low=0.0, high=255.0)
    found = turned(sal.KerasProbe(inside).at(None), (1 - pictures) * 127.5)

    assert_allclose(found, plain, rtol=1e-2, atol=1e-4 * np.abs(plain).max())
    with pytest.raises(InputError, match="between low and high"):
        LRP(composite, low=0.0)(sal.KerasProbe(net).at(0), pictures)


@pytest.mark.parametrize("composite", ["deep_taylor", "epsilon_gamma_box"])
def test_a_box_is_shared_within_a_separable_convolution(composite):
    """The step in each channel has the box, that across channels the rule of later layers."""
    inputs = keras.Input((5, 6, 2))
    tail = [layers.ReLU(), layers.Flatten(), layers.Dense(2, use_bias=False)]
    apart = [
        layers.DepthwiseConv2D(3, use_bias=False),
        layers.Conv2D(3, 1, use_bias=False),
    ]
    whole = [layers.SeparableConv2D(3, 3, use_bias=False)]
    one, two = (
        keras.Model(inputs, nets.chained([*way, *tail], inputs))
        for way in (whole, apart)
    )
    two.set_weights(nets.filled(one).get_weights())
    pictures = nets.pictures(2, (5, 6, 2))

    found, expected = (
        LRP(composite)(sal.KerasProbe(each).at(1), pictures) for each in (one, two)
    )

    assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_deep_taylor_keeps_a_positive_score():
    """Without biases nothing is lost, and no pixel speaks against (Montavon et al., section 4)."""
    bound = sal.KerasProbe(convolutional(bias=False)).at(None)
    pictures = nets.pictures(6, (5, 6, 2))
    score = bound.score(pictures).numpy()
    raised = score > 0.1
    assert np.count_nonzero(raised) > 2

    found = LRP("deep_taylor")(bound, pictures).numpy()[raised]

    assert_allclose(np.sum(found, (1, 2, 3)), score[raised], rtol=1e-3)
    assert np.min(found) >= -1e-6 * np.max(found)


def test_probabilities_have_no_relevance():
    """A softmax mixes classes: relevance starts at the logits."""
    bound = sal.KerasProbe(convolutional(), output="probability").at(1)
    with pytest.raises(ModelError, match="softmax"):
        LRP()(bound, nets.pictures(1, (5, 6, 2)))


def test_what_cannot_be_asked_is_refused():
    """Unknown composites, numbers not above 0, probes without layers."""
    with pytest.raises(InputError, match="epsilon_plus_flat"):
        LRP("plus")
    with pytest.raises(InputError, match="epsilon above 0"):
        LRP(epsilon=0)
    with pytest.raises(ExplainerError, match="LRP: expected a probe of a Keras model"):
        LRP()(
            sal.ClosedFormProbe(lambda x: tf.reduce_sum(x, (1, 2, 3))), nets.pictures()
        )


@pytest.mark.parametrize("composite", COMPOSITES)
def test_composites_keep_the_laws(composite):
    """Each is held to what every explainer is held to, and leaves the model as it was."""
    many = composite in ("epsilon_plus_flat", "epsilon_gamma")
    model, shape = (
        (several_layers(bias=True), SHAPE) if many else (convolutional(), (5, 6, 2))
    )
    before, probe = nets.snapshot(model), sal.KerasProbe(model)

    check_explainer(LRP(composite), probe.at(1), shape=shape)

    assert nets.snapshot(model) == before
