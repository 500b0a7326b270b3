"""Explainers of transformers: numpy twins on a tiny vision transformer."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from probe import nets

import saliency as sal
from saliency.errors import ExplainerError, InputError, ModelError
from saliency.explainers.attention import (
    AttentionRollout,
    GradientAttention,
    patch_grid,
)
from saliency.explainers.propagation.attention import Attention
from saliency.testing import check_explainer

layers = keras.layers
SHAPE, GRID = (12, 20, 1), (3, 5)
RECIPES = [AttentionRollout(), GradientAttention()]


@keras.saving.register_keras_serializable("tests")
class ClassToken(layers.Layer):
    """Puts one learnt token before the others."""

    def build(self, shape):
        self.token = self.add_weight(shape=(1, 1, shape[-1]))

    def call(self, x):
        first = keras.ops.broadcast_to(
            self.token, (keras.ops.shape(x)[0], 1, x.shape[-1])
        )
        return keras.ops.concatenate([first, x], axis=1)

    def compute_output_shape(self, shape):
        return (shape[0], shape[1] + 1, shape[2])


def transformer(*, first=True, flash=None, seed=1):
    """Two blocks on 15 patches of 4 x 4."""
    inputs = keras.Input(SHAPE)
    x = layers.Reshape((15, 6))(layers.Conv2D(6, 4, strides=4)(inputs))
    x = ClassToken()(x) if first else x
    for index in range(2):
        made = layers.MultiHeadAttention(
            2, 3, flash_attention=flash, name=f"attention{index}"
        )
        y = layers.LayerNormalization()(x)
        x = layers.Add()([x, made(query=y, value=y) if index else made(y, y)])
        x = layers.Add()(
            [x, layers.Dense(6, activation="gelu")(layers.LayerNormalization()(x))]
        )
    x = x[:, 0] if first else layers.GlobalAveragePooling1D()(x)
    return nets.filled(
        keras.Model(inputs, layers.Dense(3, activation="softmax")(x)), seed
    )


def attention_of(model, pictures):
    """Ask each layer for its scores, by the layer's own call on its own inputs."""
    found = []
    for index in range(2):
        layer = model.get_layer(f"attention{index}")
        given = layer._inbound_nodes[0].input_tensors[0]
        y = keras.Model(model.inputs, given)(pictures)
        found.append(layer(y, y, return_attention_scores=True)[1].numpy())
    return found


def rollout_twin(attention, *, first):
    """Mix in the connection around, token by token, and multiply."""
    maps = []
    for sample in range(len(attention[0])):
        whole = np.eye(attention[0].shape[-1])
        for layer in attention:
            mixed = np.zeros_like(whole)
            for head in layer[sample]:
                mixed += head / len(layer[sample])
            whole = (0.5 * mixed + 0.5 * np.eye(len(mixed))) @ whole
        maps.append(whole[0, 1:] if first else whole.mean(0))
    return np.reshape(maps, (-1, *GRID))


def chefer_twin(attention, slopes, *, first):
    """Add each layer's positive attention times slope to what is known of each token."""
    maps = []
    for sample in range(len(attention[0])):
        known = np.eye(attention[0].shape[-1])
        for layer, slope in zip(attention, slopes, strict=True):
            raising = np.maximum(layer[sample] * slope[sample], 0).mean(0)
            known = known + raising @ known
        known = known - np.eye(len(known))
        maps.append(known[0, 1:] if first else known.mean(0))
    return np.reshape(maps, (-1, *GRID))


def resized(maps):
    return tf.image.resize(maps[..., None], SHAPE[:2])[..., 0]


@pytest.mark.parametrize("first", [True, False])
def test_rollout_by_hand(first):
    """The product of the layers' own scores, with a class token and with the mean."""
    model, pictures = transformer(first=first), nets.pictures(2, SHAPE)
    expected = rollout_twin(attention_of(model, pictures), first=first)

    found = AttentionRollout()(sal.KerasProbe(model).at(1), pictures)

    assert_allclose(found, resized(expected), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("first", [True, False])
def test_gradient_attention_by_hand(first):
    """Scores times derivatives, followed through the layers; derivatives as the probe has them."""
    model, pictures = transformer(first=first), nets.pictures(2, SHAPE)
    bound = sal.KerasProbe(model).at(1)
    attention, slopes = bound.study(Attention(), pictures)
    expected = chefer_twin(np.array(attention), np.array(slopes), first=first)

    found = GradientAttention()(bound, pictures)

    assert_allclose(
        np.array(attention), attention_of(model, pictures), rtol=1e-4, atol=1e-6
    )
    assert_allclose(found, resized(expected), rtol=1e-4, atol=1e-7)


def test_derivatives_by_attention_are_differences_of_scores():
    """One head that is the whole network: d score / d attention is value times weight."""
    inputs = keras.Input((2, 3, 1))
    x = layers.Reshape((6, 1))(inputs)
    x = layers.MultiHeadAttention(1, 1, use_bias=False)(x, x)
    model = nets.filled(
        keras.Model(inputs, layers.Dense(1)(layers.GlobalAveragePooling1D()(x)))
    )
    pictures = nets.pictures(1, (2, 3, 1))
    weights = [float(np.ravel(each)[0]) for each in model.get_weights()]
    _, _, value, out, dense, _ = weights

    _, (slope,) = sal.KerasProbe(model).at(0).study(Attention(), pictures)

    expected = np.broadcast_to(np.ravel(pictures) * value * out * dense / 6, (6, 6))
    assert_allclose(slope[0, 0], expected, rtol=1e-4, atol=1e-7)


def test_rollout_knows_no_class_and_the_gradient_does():
    """One map for all classes, and one for each."""
    probe, pictures = sal.KerasProbe(transformer()), nets.pictures(2, SHAPE)
    one, two = (AttentionRollout()(probe.at(each), pictures) for each in (0, 1))
    three, four = (GradientAttention()(probe.at(each), pictures) for each in (0, 1))

    assert_allclose(one, two)
    assert np.abs(three - four).max() > 0.1 * np.max(three)


def test_fused_attention_is_asked_too_and_left_as_it_is():
    """Scores are reached where the fused kernel is asked for, and the setting stays."""
    model, pictures = transformer(), nets.pictures(1, SHAPE)
    for index in range(2):
        model.get_layer(f"attention{index}")._flash_attention = True
    before, plain = nets.snapshot(model), transformer()

    found = AttentionRollout()(sal.KerasProbe(model).at(1), pictures)

    assert_allclose(
        found, AttentionRollout()(sal.KerasProbe(plain).at(1), pictures), rtol=1e-5
    )
    assert nets.snapshot(model) == before


def test_nested_transformers_are_reached():
    """A transformer inside a model has the same map."""
    model, pictures = transformer(), nets.pictures(1, SHAPE)
    inputs = keras.Input(SHAPE)
    nested = keras.Model(inputs, model(inputs))
    for recipe in RECIPES:
        one, two = (
            recipe(sal.KerasProbe(each).at(1), pictures) for each in (model, nested)
        )
        assert_allclose(one, two, rtol=1e-5)


@pytest.mark.parametrize(
    ("tokens", "size", "grid"),
    [(15, (12, 20), (3, 5)), (16, (12, 20), (3, 5)), (197, (224, 224), (14, 14))],
)
def test_the_grid_of_patches(tokens, size, grid):
    """Square patches of one side give the rows and columns, with or without a class token."""
    assert patch_grid(tokens, size) == grid


def test_where_no_grid_fits_it_has_to_be_given():
    """A number of tokens that no square patches give is refused; a given grid must fit."""
    with pytest.raises(ExplainerError, match=r"none does. Give grid="):
        patch_grid(17, (12, 20))
    bound, pictures = sal.KerasProbe(transformer()).at(1), nets.pictures(1, SHAPE)
    assert_allclose(
        AttentionRollout(grid=GRID)(bound, pictures),
        AttentionRollout()(bound, pictures),
    )
    with pytest.raises(ExplainerError, match="16 tokens, expected at least 4 x 5"):
        AttentionRollout(grid=(4, 5))(bound, pictures)


class Block(layers.Layer):
    """A layer of layers with attention inside."""

    def __init__(self):
        super().__init__(name="block")
        self.attention = layers.MultiHeadAttention(1, 2)

    def build(self, shape):
        self.attention.build(shape, shape)

    def call(self, x):
        return self.attention(x, x)


def test_attention_inside_a_layer_is_found():
    """A layer of layers gives the map that its attention gives in the open."""
    inputs, block, end = keras.Input(SHAPE), Block(), layers.Dense(2)
    x = layers.Reshape((15, 6))(layers.Conv2D(6, 4, strides=4)(inputs))
    inside, bare = (
        keras.Model(inputs, end(layers.Flatten()(y)))
        for y in (block(x), block.attention(x, x))
    )
    for recipe in RECIPES:
        maps = [
            recipe(sal.KerasProbe(m).at(0), nets.pictures(2, SHAPE))
            for m in (inside, bare)
        ]
        assert_allclose(maps[0], maps[1], rtol=1e-5, atol=1e-6)


def test_what_cannot_be_followed_is_refused():
    """Attention to another sequence, no attention, no layers, bad numbers."""
    inputs = keras.Input(SHAPE)
    x = layers.Reshape((15, 6))(layers.Conv2D(6, 4, strides=4)(inputs))
    crossed = layers.MultiHeadAttention(1, 2, name="crossed")(x, x[:, :4])
    cases = [
        (crossed, "'crossed' attends from 15 tokens to 4"),
        (x, r"no keras\.layers\.MultiHeadAttention"),
    ]
    for recipe in RECIPES:
        for output, message in cases:
            model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(output)))
            with pytest.raises(ModelError, match=message):
                recipe(sal.KerasProbe(model).at(0), nets.pictures(1, SHAPE))
        with pytest.raises(ExplainerError, match="expected a probe of a Keras model"):
            recipe(
                sal.ClosedFormProbe(lambda x: tf.reduce_sum(x, (1, 2, 3))),
                nets.pictures(),
            )
    with pytest.raises(InputError, match="auto, first or mean"):
        AttentionRollout("last")
    with pytest.raises(InputError, match="rows, columns"):
        GradientAttention(grid=(0, 3))


@pytest.mark.parametrize("recipe", RECIPES, ids=repr)
def test_they_keep_the_laws(recipe):
    """They are held to what every explainer is held to, and leave the model as it was."""
    model = transformer()
    before = nets.snapshot(model)

    check_explainer(recipe, sal.KerasProbe(model).at(1), shape=SHAPE)

    assert nets.snapshot(model) == before


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda made: type(made).__name__)
def test_volumes_are_refused(recipe):
    """A transformer of volumes: the error says what came, and what works."""
    inputs = keras.Input((4, 6, 8, 1))
    x = layers.Reshape((24, 5))(layers.Conv3D(5, 2, strides=2)(inputs))
    x = layers.GlobalAveragePooling1D()(layers.MultiHeadAttention(2, 3)(x, x))
    model = keras.Model(inputs, layers.Dense(2)(x))
    with pytest.raises(ExplainerError, match=r"got volumes of \(4, 6, 8\)"):
        recipe(sal.KerasProbe(model).at(1), np.ones((1, 4, 6, 8, 1), np.float32))
