"""Every explainer on every shape of model: the flat twin's map, or a refusal that leads on."""

import re
from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from probe import nets, shapes
from probe.shapes import SHAPES
from small_recipes import SMALL

from saliency.errors import ModelError, SaliencyError
from saliency.explainers.catalogue import DEMANDING, ENTRIES, resolve
from saliency.explainers.fullgrad import FullGrad
from saliency.explainers.optimised import ExtremalPerturbation
from saliency.explainers.paths import GuidedIntegratedGradients
from saliency.explainers.relevance import LRP

PAGE = Path(__file__).parents[2] / "docs" / "models.md"
WORDS = (*ENTRIES, *DEMANDING)
RECIPES = SMALL | {"extremal_perturbation": ExtremalPerturbation(0.5, 3, 3, "black")}

MAYBE_BLANK = ("extremal_perturbation",)
"""0 everywhere where no part of the picture has a score above that of the fill."""

STEERED = ("guided_integrated_gradients",)
"""The path is chosen by the order of gradients: where two are alike, rounding decides, which
differs between processors. Most values, and the sum of all, do not depend on it."""

ADDED_UP = {"blur_integrated_gradients": 3e-3}
"""Differences of blurred pictures that are nearly the same: their rounding adds up on the path."""

ATTENTION = ("attention_rollout", "gradient_attention")
SEEN = (
    *(
        "fastcam",
        "smoe",
        "gradcam",
        "gradcam_plus_plus",
        "xgradcam",
        "hirescam",
        "layercam",
    ),
    *("eigencam", "eigengradcam", "fem", "scorecam"),
)
ASKING = {
    "CAMs, FastCAM": SEEN,
    "Ablation, Recipro": ("ablationcam", "reciprocam"),
    "CAM": ("cam",),
    "guided": ("guided_backprop", "deconvnet", "beta_smooth"),
    "guided Grad-CAM": ("guided_gradcam",),
    "LRP, DeepLIFT": ("lrp", "deeplift"),
    "FullGrad": ("fullgrad",),
    "attention": ATTENTION,
    "shuffled weights": ("randomised_model",),
}
COLUMNS = {
    "others": tuple(word for word in WORDS if word not in sum(ASKING.values(), ())),
    **ASKING,
}
"""Explainers that ask for the same of a model: a column of the table in docs/models.md."""


def answered(shape, probe, word):
    """Return a map, or the words of a refusal. Anything else is a fault of ours."""
    try:
        return shape.answered(RECIPES.get(word) or resolve(word), probe)
    except SaliencyError as error:
        return str(error)


@cache
def expected(twin, sized, word):
    """Return what the twin answers, once for all shapes that have it."""
    return answered(shapes.Shape(lambda: None, sized=sized), shapes.twin(twin), word)


def fault(shape, word, found):
    """Say what is wrong with a map; "" where nothing is."""
    if found.shape[1 : len(shape.sized)] != shape.sized[:-1]:
        return f"has shape {found.shape}"
    if not np.isfinite(found).all() or not (np.abs(found).max() or word in MAYBE_BLANK):
        return "is not finite, or 0"
    twin = expected(shape.twin, shape.sized, word)
    if word in shape.apart:
        return ""
    if isinstance(twin, str):
        return "is there, its twin's is not"
    distance = np.median if word in STEERED else np.max
    apart = distance(np.abs(found - twin)) / (np.abs(twin).max() or 1.0)
    most = max(shape.near, ADDED_UP.get(word, 0.0))
    if word in STEERED:
        sums = [each.reshape(len(each), -1).sum(1) for each in (found, twin)]
        apart = max(apart, np.abs(sums[0] - sums[1]).max() / np.abs(sums[1]).max())
    return f"is {apart:.2g} from its twin's" if not apart <= most else ""


def named(refusal):
    """Return the explainers that a refusal tells to use instead."""
    spoken = {
        word: (word.replace("_", " "), type(resolve(word)).__name__) for word in WORDS
    }
    advice = re.split(r"[Uu]se |Explainers that|\)\. |shuffled\.", refusal, maxsplit=1)[
        -1
    ]
    return {
        word
        for word, names in spoken.items()
        if any(re.search(rf"\b{name}\b", advice, re.IGNORECASE) for name in names)
    }


def row(found):
    """Return a row of the table: which columns answer."""
    cells = []
    for words in COLUMNS.values():
        kinds = {isinstance(found[word], str) for word in words}
        assert len(kinds) == 1, words
        cells.append("no" if kinds == {True} else "yes")
    return cells


def printed():
    """Return the rows of the table in docs/models.md."""
    text = PAGE.read_text(encoding="utf-8").split("## Every explainer, every shape")[1]
    lines = text.split("\n## ")[0].splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line[:2] == "| "]
    return {name: cells for name, *cells in rows}


def grouped():
    """Return the shapes, those with one twin in one process: it is asked once."""
    twins = {name: "logit" if shape.twin in shapes.HEADS else shape.twin
             for name, shape in SHAPES.items()}  # fmt: skip
    return [
        pytest.param(name, marks=pytest.mark.spread(twin))
        for name, twin in twins.items()
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", grouped())
def test_every_explainer(name):
    """One map however a model is built; a refusal names what answers; the docs' table is true."""
    shape = SHAPES[name]
    probe = shape.made()
    if name == "channels first" and not nets.channels_first_is_differentiable():
        with pytest.raises(ModelError, match=r"^TensorFlow stopped with .*NHWC"):
            shape.answered(resolve("gradient"), probe)
        pytest.skip(
            "TensorFlow has no channels-first derivative here; the user is told so"
        )

    found = {word: answered(shape, probe, word) for word in WORDS}

    maps = {word: each for word, each in found.items() if not isinstance(each, str)}
    refused = {word: each for word, each in found.items() if word not in maps}
    faults = {word: fault(shape, word, each) for word, each in maps.items()}
    assert {word: each for word, each in faults.items() if each} == {}
    assert {each for each in refused.values() if not named(each)} == set()
    assert {word for each in refused.values() for word in named(each)} <= set(maps)
    if "randomised_model" in maps:
        assert np.abs(maps["randomised_model"] - maps["gradient"]).max() > 0
    assert printed()[name] == row(found)


def test_the_table_has_every_shape():
    """And every explainer has a column."""
    title, *names = printed()
    assert (title, printed()[title]) == ("shape", [*COLUMNS])
    assert names == [*SHAPES]
    assert sorted(word for words in COLUMNS.values() for word in words) == sorted(WORDS)


PARTS = [name for name, shape in SHAPES.items() if shape.apart & shapes.OF_PARTS]


@pytest.mark.parametrize("name", PARTS)
def test_parts_of_the_score(name):
    """Where FullGrad's places are others than the twin's, its parts sum to the score all the same.

    With the epsilon rule for all layers, relevance of a head of convolutions is that of the twin.
    """
    shape = SHAPES[name]
    probe, inputs = shape.made(), shape.inputs()
    parts = FullGrad().decomposed(probe, inputs)
    assert_allclose(parts.total, probe.score(inputs), rtol=1e-3)
    if "lrp" in shape.apart:
        ours, theirs = (
            LRP("epsilon")(each, inputs) for each in (probe, shapes.twin(shape.twin))
        )
        assert_allclose(ours, theirs, atol=1e-3 * np.abs(theirs).max())


def test_a_chosen_path_in_half_precision():
    """Whatever path guided integrated gradients take, their map sums to the change of the score."""
    shape = SHAPES["mixed_float16"]
    probe, pictures = shape.made(), shape.pictures()
    recipe = GuidedIntegratedGradients(steps=64)
    gap = recipe.gap(probe, pictures, recipe(probe, pictures))
    assert np.max(gap) < 0.05
    half = recipe(probe, pictures) / 2
    assert np.min(recipe.gap(probe, pictures, half)) > 0.4


@pytest.mark.parametrize(
    "name", ["logit", "aged", "scaled", "inside", "untied", "transformer"]
)
def test_the_twins_have_tensorflow_s_own_gradient(name):
    """What all others are measured by is measured by a tape over the bare model."""
    twin = shapes.twin(name)
    model = keras.models.clone_model(twin.source.model)
    model.set_weights(twin.source.model.get_weights())
    model.layers[-1].activation = keras.activations.linear
    pictures = nets.pictures(2, model.input_shape[1:])
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        score = model(pictures, training=False)[:, shapes.CLASS]
    taped = tape.gradient(score, pictures)
    found = twin.gradient(pictures)
    assert_allclose(found, taped, rtol=1e-3, atol=1e-5 * np.abs(taped).max())
