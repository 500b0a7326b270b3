"""Implementation invariance: one function, written as several networks.

Explainers that ask for scores and gradients alone must have one map for all of them (Sundararajan
et al., arXiv 1703.01365, section 2.2). Of every other one a rewriting is known that changes its
map, and its page says so.
"""

from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose
from probe import nets
from small_recipes import SMALL

import saliency as sal
from saliency.explainers.catalogue import DEMANDING, ENTRIES, resolve
from saliency.explainers.deeplift import DeepLIFT
from saliency.explainers.optimised import ExtremalPerturbation, MeaningfulPerturbation

layers = keras.layers
SHAPE, TARGET = (13, 17, 2), 2
RECIPES = SMALL | {
    "meaningful_perturbation": MeaningfulPerturbation(steps=10, grid=3, smooth=0.1),
    "extremal_perturbation": ExtremalPerturbation(0.5, 3, 3, "black"),
}
PAGES = Path(__file__).parents[2] / "docs" / "explainers"
ROWS = {**ENTRIES, **DEMANDING}
ALONE = [
    name
    for name, row in ROWS.items()
    if {*row.needs.split(", ")} <= {"score", "gradient", ""}
]

OTHERWISE = {
    **dict.fromkeys(
        ("fastcam", "smoe", "eigencam", "fem", "scorecam", "beta_smooth"),
        "rescaled",
    ),
    **dict.fromkeys(
        (
            "gradcam",
            "gradcam_plus_plus",
            "xgradcam",
            "hirescam",
            "layercam",
            "eigengradcam",
            "cam",
        ),
        "turned",
    ),
    **dict.fromkeys(("ablationcam", "reciprocam"), "turned"),
    **dict.fromkeys(("guided_backprop", "deconvnet", "guided_gradcam"), "in parts"),
    **dict.fromkeys(("lrp", "randomised_model"), "unfused"),
    "fullgrad": "folded",
}
"""Explainers that look into the network, and a rewriting that shows."""


@cache
def numbers():
    """Kernels and biases of three layers, and the factor and shift of a normalisation."""
    draw = np.random.default_rng(2).normal
    shapes = {"one": (3, 3, 2, 4), "two": (3, 3, 4, 5), "head": (5, 3)}
    weights = {
        name: [draw(0, 0.4, s), draw(0, 0.4, s[-1])] for name, s in shapes.items()
    }
    return weights | {
        "norm": [draw(1, 0.4, 4), draw(0, 0.3, 4), draw(0, 0.2, 4), np.full(4, 0.7)]
    }


def joined(*steps):
    """Build a network of layers and their weights; layers without weights have None."""
    inputs = keras.Input(SHAPE)
    model = keras.Model(inputs, nets.chained([layer for layer, _ in steps], inputs))
    for layer, weights in steps:
        layer.set_weights(weights or [])
    return model


def convolution(weights, activation="relu"):
    kernel = weights[0]
    return layers.Conv2D(
        kernel.shape[-1], kernel.shape[0], activation=activation
    ), weights


def dense(weights, activation="linear"):
    return layers.Dense(weights[0].shape[-1], activation=activation), weights


def start():
    """A convolution and a normalisation."""
    return convolution(numbers()["one"]), (
        layers.BatchNormalization(),
        numbers()["norm"],
    )


def end(head=None):
    """A mean over all places and a dense layer."""
    return (layers.GlobalAveragePooling2D(), None), dense(head or numbers()["head"])


def plain():
    return joined(*start(), convolution(numbers()["two"]), *end())


def folded():
    """The normalisation is in the next convolution's kernel and bias."""
    (gain, shift, mean, variance), (kernel, bias) = numbers()["norm"], numbers()["two"]
    factor = gain / np.sqrt(variance + 1e-3)
    moved = bias + np.einsum("hwio,i->o", kernel, shift - mean * factor)
    return joined(start()[0], convolution([kernel * factor[:, None], moved]), *end())


def unfused():
    """The second convolution and the head are two linear layers each."""
    (kernel, bias), (head, constant) = numbers()["two"], numbers()["head"]
    turn = np.random.default_rng(3).normal(size=(5, 5)) + 2 * np.eye(5)
    back = np.linalg.inv(turn)
    return joined(
        *start(),
        convolution([kernel @ back, np.zeros(5)], "linear"),
        convolution([turn[None, None], bias]),
        *end([turn, np.zeros(5)]),
        dense([back @ head, constant]),
    )


def doubled():
    """Each unit of the second convolution is there twice, with 0.3 and 0.7 of its say."""
    (kernel, bias), (head, constant) = numbers()["two"], numbers()["head"]
    twice = [np.concatenate([each, each], axis=-1) for each in (kernel, bias)]
    return joined(
        *start(),
        convolution(twice),
        *end([np.vstack([0.3 * head, 0.7 * head]), constant]),
    )


def rescaled():
    """Each unit of the second convolution is greater or smaller, and its say the reverse."""
    (kernel, bias), (head, constant) = numbers()["two"], numbers()["head"]
    size = np.array([0.1, 0.5, 1.0, 3.0, 9.0])
    return joined(
        *start(),
        convolution([kernel * size, bias * size]),
        *end([head / size[:, None], constant]),
    )


def in_parts():
    """What the normalisation gives, x, is written as 2 max(x, 0) - (max(x, 0) + max(-x, 0))."""
    one = np.eye(4)
    parts = [np.hstack([one, one, -one])[None, None], np.zeros(12)]
    summed = [np.vstack([2 * one, -one, -one])[None, None], np.zeros(4)]
    steps = convolution(parts), convolution(summed, "linear")
    return joined(*start(), *steps, convolution(numbers()["two"]), *end())


def turned():
    """The second convolution sees the grid upside down, with its kernel upside down.

    A layer of weights turns it, which nobody follows as a flip is followed.
    """
    kernel, bias = numbers()["two"]
    rows, columns, channels = SHAPE[0] - 2, SHAPE[1] - 2, 4
    upside_down = layers.EinsumDense("nhwc,hg->ngwc", (rows, columns, channels))
    return joined(
        *start(),
        (upside_down, [np.eye(rows)[::-1]]),
        convolution([kernel[::-1], bias]),
        *end(),
    )


WAYS = {
    "folded": folded,
    "unfused": unfused,
    "doubled": doubled,
    "rescaled": rescaled,
    "in parts": in_parts,
    "turned": turned,
}


@cache
def probe(way):
    return sal.KerasProbe({"plain": plain, **WAYS}[way]()).at(TARGET)


@cache
def found(way, name):
    recipe = RECIPES.get(name) or resolve(name)
    return np.asarray(recipe(probe(way), nets.pictures(2, SHAPE, seed=1)))


def apart(one, other):
    """Return the greatest difference as a share of the greatest value."""
    return np.abs(one - other).max() / np.abs(one).max()


@pytest.mark.parametrize("way", WAYS)
def test_it_is_one_function(way):
    """All ways give the same probabilities, with other layers or weights."""
    pictures = nets.pictures(5, SHAPE)
    ours, theirs = (probe(each).source for each in (way, "plain"))
    assert_allclose(
        ours.predict(pictures), theirs.predict(pictures), rtol=1e-3, atol=1e-5
    )
    same = [
        np.array_equal(*pair)
        for pair in zip(*map(weights_of, (ours, theirs)), strict=False)
    ]
    assert not all(same)


def weights_of(source):
    return [each.tolist() for each in source.model.get_weights()]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ALONE)
def test_scores_and_gradients_alone(name, way):
    """What knows nothing but the function has one map for all networks of the function."""
    assert apart(found("plain", name), found(way, name)) < 5e-4


@pytest.mark.parametrize("name", OTHERWISE)
def test_what_looks_inside_may_change(name):
    """A rewriting that changes its map by more than a twentieth is known."""
    assert apart(found("plain", name), found(OTHERWISE[name], name)) > 0.05


@pytest.mark.parametrize("name", ROWS)
def test_the_page_says_so(name):
    """Under "When it misleads", of those that look inside alone."""
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    misleads = page.split("## When it misleads")[1].split("## Reference")[0]
    assert ("computes the same" in misleads) == (name not in ALONE)


def saturating(inside):
    """Return max(max(a, 0) - 1 - max(b, 0), 0), or the same with the 1 taken off ``inside``.

    Figure 7 of the paper: for all a and b the two are equal.
    """
    inputs = keras.Input((1, 2, 1))
    a, b = (layers.Flatten()(inputs)[:, part] for part in (slice(0, 1), slice(1, 2)))
    relu = layers.ReLU
    first = relu()(a - 1.0) if inside else relu()(a) - 1.0
    return sal.KerasProbe(keras.Model(inputs, relu()(first - relu()(b)))).at(0)


PAPER = {
    "integrated_gradients": (
        sal.IntegratedGradients(steps=512),
        (1.5, -0.5),
        (1.5, -0.5),
    ),
    "deeplift": (DeepLIFT(), (1.5, -0.5), (2.0, -1.0)),
}


@pytest.mark.parametrize("name", PAPER)
def test_the_paper_s_own_networks(name):
    """At (3, 1), from (0, 0): the numbers that figure 7 gives."""
    recipe, *expected = PAPER[name]
    picture = np.array([[[[3.0], [1.0]]]], np.float32)
    maps = [np.ravel(recipe(saturating(inner), picture)) for inner in (False, True)]
    assert_allclose(maps, expected, atol=5e-3)


def attending(heads=1, *, idle=False):
    """A layer of self-attention, whose heads are there several times with a part of their say.

    ``idle``: a second one adds 0 to each token.
    """
    inputs, draw = keras.Input((12, 16, 2)), np.random.default_rng(4)
    tokens = layers.Reshape((12, 4))(layers.Conv2D(4, 4, strides=4)(inputs))
    attention = layers.MultiHeadAttention(2 * heads, 3)
    x = tokens + attention(tokens, tokens)
    other = layers.MultiHeadAttention(1, 3, kernel_initializer="ones")
    x = x + other(x, x) if idle else x
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling1D()(x)))
    for layer in (model.layers[1], model.layers[-1]):
        layer.set_weights(
            [draw.normal(0, 0.4, each.shape) for each in layer.get_weights()]
        )
    kernels = [draw.normal(0, 0.6, (4, 2, 3)) for _ in range(3)]
    ins = [each for kernel in kernels for each in (np.tile(kernel, (1, heads, 1)), 0)]
    shapes = [each.shape for each in attention.get_weights()]
    last = np.tile(draw.normal(0, 0.6, (2, 3, 4)), (heads, 1, 1)) / heads
    attention.set_weights(
        [
            np.broadcast_to(each, shape)
            for each, shape in zip([*ins, last, 0], shapes, strict=True)
        ]
    )
    if idle:
        *kept, kernel, bias = other.get_weights()
        other.set_weights([*kept, 0 * kernel, 0 * bias])
    return sal.KerasProbe(model).at(1)


ATTENDING = {
    "attention_rollout": lambda: attending(idle=True),
    "gradient_attention": lambda: attending(heads=2),
}


@pytest.mark.parametrize("name", ATTENDING)
def test_attention_is_no_function_of_the_score(name):
    """A layer that adds nothing counts in the rollout; heads with half a say count half."""
    pictures, plain, same = (
        nets.pictures(2, (12, 16, 2)),
        attending(),
        ATTENDING[name](),
    )
    assert_allclose(same.gradient(pictures), plain.gradient(pictures), atol=1e-5)
    ours, theirs = (np.asarray(resolve(name)(each, pictures)) for each in (same, plain))
    assert apart(theirs, ours) > 0.01


def test_no_explainer_is_left_out():
    """Each is a function of the score alone, or shown to be none."""
    assert sorted({*ALONE, *OTHERWISE, *PAPER, *ATTENDING}) == sorted(ROWS)
