"""FullGrad: the parts of a score sum to it, and are what they are called."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from probe import nets

import saliency as sal
from saliency.errors import ExplainerError, ModelError
from saliency.explainers.fullgrad import FullGrad
from saliency.testing import check_explainer

layers = keras.layers
SHAPE = (9, 13, 2)


def network(activation="relu", *, prepared=False, nested=False):
    """Biases of convolutions, normalisation, dense layers, and a shift of the picture."""
    inputs = keras.Input(SHAPE)
    x = layers.Rescaling(0.5, -0.2)(inputs) if prepared else inputs
    body = [
        layers.Conv2D(4, 3, activation=activation),
        layers.MaxPooling2D(),
        layers.SeparableConv2D(3, 3, padding="same"),
        layers.BatchNormalization(),
        layers.Activation(activation),
    ]
    x = (
        keras.Sequential([keras.Input(SHAPE), *body])(x)
        if nested
        else nets.chained(body, x)
    )
    x = layers.Dense(4, activation=activation)(layers.GlobalAveragePooling2D()(x))
    return nets.filled(keras.Model(inputs, layers.Dense(3, activation="softmax")(x)))


@pytest.mark.parametrize("activation", ["relu", "relu6", "silu", "sigmoid"])
@pytest.mark.parametrize("prepared", [False, True])
def test_the_parts_sum_to_the_score(activation, prepared):
    """Gradient times picture and all bias gradients are the logit (eq. 2; curves: appendix)."""
    bound = sal.KerasProbe(network(activation, prepared=prepared)).at(2)
    pictures = nets.pictures(3, SHAPE)

    parts = FullGrad().decomposed(bound, pictures)

    score = bound.score(pictures)
    assert_allclose(parts.total, score, atol=1e-4 * np.abs(score).max())
    shortfall = np.abs(np.sum(parts.picture, (1, 2, 3)) - score)
    assert shortfall.min() > 1e-2 * np.abs(score).max()


def test_a_part_is_bias_times_derivative():
    """The part of a convolution's bias is b dscore/dz, by finite differences of the bias."""
    model, pictures = network(), nets.pictures(1, SHAPE)
    parts = FullGrad().decomposed(sal.KerasProbe(model).at(1), pictures)
    layer = next(each for each in model.layers if isinstance(each, layers.Conv2D))
    kernel, bias = layer.get_weights()
    scores = []
    for change in (-1e-3, 1e-3):
        layer.set_weights([kernel, bias + np.eye(len(bias))[2] * change])
        scores.append(float(sal.KerasProbe(model).at(1).score(pictures)[0]))

    found = float(tf.reduce_sum(parts.biases[0][..., 2]))

    assert_allclose(found, bias[2] * (scores[1] - scores[0]) / 2e-3, rtol=2e-2)
    assert parts.biases[0].shape == (1, 7, 11, 4)


def stretched(part):
    size = np.abs(part) - np.abs(part).min()
    return (size / size.max()).sum(-1)


def test_the_map_by_hand():
    """Each layer of maps is stretched, resized and added; dense biases have no place (eq. 4)."""
    bound, pictures = sal.KerasProbe(network()).at(0), nets.pictures(1, SHAPE)
    parts = FullGrad().decomposed(bound, pictures)
    expected = stretched(parts.picture[0].numpy())[..., None]
    for part in parts.biases:
        if len(part.shape) == 4:
            layer = stretched(part[0].numpy())[..., None]
            expected = expected + tf.image.resize(layer, SHAPE[:2])

    assert_allclose(
        FullGrad()(bound, pictures)[0], expected[..., 0], rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("nested", [False, True])
def test_layer_maps_and_the_picture_s_part_sum_to_the_map(nested):
    """One map a layer with places, under its name; the picture's own part is the rest (eq. 4)."""
    bound, pictures = (
        sal.KerasProbe(network("silu", nested=nested)).at(0),
        nets.pictures(2, SHAPE),
    )
    own = FullGrad().decomposed(bound, pictures).picture.numpy()

    maps, names = FullGrad().named_layer_maps(bound, pictures)

    rest = np.stack([stretched(each) for each in own])
    assert_allclose(
        np.sum(maps, -1) + rest, FullGrad()(bound, pictures), rtol=1e-4, atol=1e-5
    )
    kinds = [name.split("/")[-1].rstrip("_0123456789") for name in names]
    assert kinds == [
        "conv2d",
        "conv2d",
        "separable_conv2d",
        "batch_normalization",
        "activation",
    ]
    assert len(kinds) == maps.shape[-1]


def test_without_biases_there_are_no_layer_maps():
    """A network whose layers of maps have no bias has the picture's part alone."""
    inputs = keras.Input(SHAPE)
    x = layers.Flatten()(layers.Conv2D(2, 3, use_bias=False)(inputs))
    bound = sal.KerasProbe(keras.Model(inputs, layers.Dense(2)(x))).at(1)
    picture = FullGrad().decomposed(bound, nets.pictures(1, SHAPE)).picture[0].numpy()

    assert_allclose(
        FullGrad()(bound, nets.pictures(1, SHAPE))[0], stretched(picture), rtol=1e-4
    )
    with pytest.raises(ExplainerError, match="a layer of maps with a bias"):
        FullGrad().layer_maps(bound, nets.pictures(1, SHAPE))


def test_nested_and_flat_give_one_map():
    """Biases inside nested models count."""
    pictures = nets.pictures(1, SHAPE)
    one, two = (
        FullGrad()(sal.KerasProbe(network(nested=each)).at(1), pictures)
        for each in (False, True)
    )
    assert_allclose(one, two, rtol=1e-4)


def test_what_has_no_rule_is_refused():
    """A step whose derivative has no derivative in TensorFlow, and a probe without layers."""
    inputs = keras.Input(SHAPE)
    norm = layers.Lambda(
        tf.nn.local_response_normalization, lambda shape: shape, name="norm"
    )
    x = norm(layers.Conv2D(2, 3)(inputs))
    model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x)))
    with pytest.raises(ModelError, match="FullGrad has no rule for the layer 'norm'"):
        FullGrad()(sal.KerasProbe(model).at(0), nets.pictures(1, SHAPE))
    with pytest.raises(
        ExplainerError, match="FullGrad: expected a probe of a Keras model"
    ):
        FullGrad()(
            sal.ClosedFormProbe(lambda x: tf.reduce_sum(x, (1, 2, 3))), nets.pictures()
        )


def test_it_keeps_the_laws():
    """It is held to what every explainer is held to, and leaves the model as it was."""
    model = network(prepared=True)
    before = nets.snapshot(model)

    check_explainer(FullGrad(), sal.KerasProbe(model).at(1), shape=SHAPE)

    assert nets.snapshot(model) == before
