"""A preparation is a Prepare, preprocess_input, or a function; all else is one clear sentence."""

from functools import partial

import keras
import numpy as np
import pytest
from keras.applications.mobilenet_v2 import preprocess_input

import saliency as sal
from saliency.errors import SaliencyError

L = keras.layers


def test_one_number_is_a_square():
    """``Prepare(224)`` is what people write."""
    assert sal.Prepare(224) == sal.Prepare((224, 224))


def test_preprocess_input_is_a_scale(model, image):
    """Bare, it is what ``Prepare(scale=preprocess_input)`` is."""
    bare, inside = (
        sal.explain(model, image, "gradient", prepare=prepare).heatmap.values
        for prepare in (preprocess_input, sal.Prepare(scale=preprocess_input))
    )

    assert (bare == inside).all()


def test_a_function_of_the_image_is_asked(model, image):
    """An array (H, W, C) or (H, W) in which the picture fills the grid."""

    def mine(picture):
        return sal.Prepare((40, 56))(picture).array[0]

    for function in (mine, lambda picture: mine(picture)[..., 0]):
        got = sal.explain(model, image, "gradient", prepare=function)
        assert (
            got.heatmap.values == sal.explain(model, image, "gradient").heatmap.values
        ).all()


def asked(verb, model, image, prepare):
    """Ask with a verb; return what came of it."""
    if verb == "explain_many":
        return next(sal.explain_many(model, [image], "gradient", prepare=prepare))
    return getattr(sal, verb)(model, image, "fastcam", prepare=prepare)


@pytest.mark.parametrize("verb", ["explain", "explain_layers", "explain_many"])
@pytest.mark.parametrize("wrong", [224, "unit", sal.Prepare, {"size": 3}], ids=repr)
def test_what_is_none_is_refused_with_the_right_form(model, image, verb, wrong):
    """Before anything is read, wherever a preparation is told."""
    with pytest.raises(sal.InputError, match=r"prepare=Prepare\(224\)"):
        asked(verb, model, image, wrong)


@pytest.mark.parametrize("verb", ["explain", "explain_many"])
def test_a_function_of_arrays_is_told_where_it_goes(model, image, verb):
    """It stops on a DicomImage; the message says Prepare(scale=...)."""

    def norm(array):
        return array / 255

    try:
        words = asked(verb, model, image, norm).message
    except sal.InputError as error:
        words = str(error)

    assert "Prepare(scale=norm)" in words


def test_a_model_without_channels_is_its_twin():
    """(H, W) is asked as (H, W, 1)."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((16, 16)), L.Flatten(), L.Dense(3)])
    entry = keras.Input((16, 16, 1))
    twin = keras.Model(entry, model(L.Reshape((16, 16))(entry)))
    image = sal.DicomImage.from_array(np.random.default_rng(0).normal(size=(20, 24)))
    for explainer in ("gradient", "occlusion"):
        one, other = (
            sal.explain(each, image, explainer, target=1) for each in (model, twin)
        )
        assert np.allclose(one.heatmap.values, other.heatmap.values, atol=1e-5)


@pytest.mark.parametrize(
    "shape", [(256,), (4, 16, 16, 1), (16, 16, 5), (16, 16, 2)], ids=str
)
def test_other_inputs_name_the_model_s_shape(shape):
    """And a way out; nobody is blamed for a Prepare that was never written."""
    model = keras.Sequential([keras.Input(shape), L.Flatten(), L.Dense(3)])
    image = sal.DicomImage.from_array(np.eye(8))
    words = str(shape).strip("(,)")
    with pytest.raises(sal.InputError, match=words) as caught:
        sal.explain(model, image, "gradient", target=1)
    assert "prepare=f" in str(caught.value)
    failure = next(sal.explain_many(model, [image], "gradient", target=1))
    assert words in failure.message
    for ask in (sal.audit, partial(sal.evaluate, explainers=("gradient", "random"))):
        with pytest.raises(SaliencyError, match=words):
            ask(model, [image, image], target=1)


def test_a_function_makes_what_a_picture_cannot():
    """Five channels, from a function of the image."""
    model = keras.Sequential([keras.Input((8, 8, 5)), L.Flatten(), L.Dense(3)])
    image = sal.DicomImage.from_array(np.eye(8))
    prepare = lambda picture: np.repeat(picture.display[..., None] / 255, 5, axis=2)  # noqa: E731
    result = sal.explain(model, image, "gradient", target=1, prepare=prepare)

    assert result.heatmap.values.shape == (8, 8)
