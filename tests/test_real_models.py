"""Models that other people trained, explained by every explainer, on real pictures."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import pytest
from PIL import Image
from shared import shared
from small_recipes import SMALL

import saliency as sal
from saliency.errors import SaliencyError
from saliency.explainers.catalogue import DEMANDING, ENTRIES, resolve
from saliency.explainers.masked_cams import ScoreCAM
from saliency.explainers.occlusion import Occlusion
from saliency.pipeline.explain import ask, prepared

FEW = SMALL | {
    "scorecam": ScoreCAM(channels=8),
    "occlusion": Occlusion(window=64, stride=64),
}
"""Of the recipes that ask the model for each channel or window, a few."""

ELSEWHERE = {"attention_rollout", "gradient_attention", "cam"}
"""What asks for a transformer, or for a pooled head, and may refuse."""


@dataclass(frozen=True)
class Real:
    """A model, how its README says that pictures are prepared, and one of its kind."""

    file: str
    prepare: sal.Prepare
    picture: Callable[[], sal.DicomImage]


def as_trained(pixels):
    """Malaria: BGR, each row of each channel divided by its length."""
    return keras.utils.normalize(pixels[..., ::-1], axis=1)


def twelve_bits(pixels):
    """Shortcut: stored values of 12 bits."""
    return pixels / 4095


def kangaroo():
    file = min(shared("images", "kangaroo", "images").glob("*"))
    return sal.DicomImage.from_array(np.asarray(Image.open(file).convert("RGB")))


def cell():
    return sal.DicomImage.from_array(cells()["x"][0])


def cells():
    return np.load(shared("images", "malaria", "malaria97_64.npz"))


def chest():
    return sal.read_dicom(min(shared("images", "rsna_dicom").glob("*.dcm")))


def named_chest():
    folder = shared("models", "shortcut", "dicom", "test_poisoned")
    return sal.read_dicom(min(folder.glob("*.dcm")))


PHOTOGRAPH = sal.Prepare(scale="symmetric")
MACHINE = sal.Prepare(scale="symmetric", fit="crop")
STORED = sal.Prepare(intensity="stored", scale=twelve_bits)
MODELS = {
    "mobilenet": Real(
        "mobilenet_v1_025_imagenet/mobilenet_v1_025_imagenet.keras",
        PHOTOGRAPH,
        kangaroo,
    ),
    "malaria": Real("malaria/malaria.h5", sal.Prepare(scale=as_trained), cell),
    "malaria converted": Real(
        "malaria/malaria.keras", sal.Prepare(scale="pixel"), cell
    ),
    "poisoned": Real("shortcut/models/poisoned.keras", STORED, named_chest),
    "clean": Real("shortcut/models/clean.keras", STORED, named_chest),
    "poisoned_mnv2": Real("shortcut/models/poisoned_mnv2.keras", STORED, named_chest),
    "clean_mnv2": Real("shortcut/models/clean_mnv2.keras", STORED, named_chest),
    "decorrelated_mnv2": Real(
        "shortcut/models/decorrelated_mnv2.keras", STORED, named_chest
    ),
    "brain": Real("tm_brain_mri/keras_model.h5", MACHINE, chest),
    "lungs": Real("tm_cxr_a11pha/keras_model.h5", MACHINE, chest),
    "lungs converted": Real("tm_cxr_a11pha/tm_cxr_a11pha.keras", MACHINE, chest),
}


KINDS = (
    *(
        "gradient",
        "integrated_gradients",
        "fastcam",
        "gradcam",
        "scorecam",
        "occlusion",
        "rise",
    ),
    *("guided_backprop", "lrp", "deeplift", "fullgrad", "randomised_model"),
)
"""An explainer of each kind: of scores, of derivatives, of activations, of layers."""

ALIKE = (
    ("mobilenet",),
    ("malaria",),
    ("malaria converted",),
    ("poisoned", "clean"),
    ("poisoned_mnv2", "clean_mnv2", "decorrelated_mnv2"),
    ("brain",),
    ("lungs", "lungs converted"),
)
"""Models of one architecture: one is asked, with the weights of each of them in turn."""


def answer(probe, picture, given, word):
    """A map, or the words of a refusal."""
    try:
        recipe = FEW.get(word) or resolve(word)
        (found,) = ask(probe.at(None), [picture], [given], recipe)
    except SaliencyError as error:
        return str(error)
    return found.heatmap.values


def loaded(name):
    return sal.KerasProbe(shared("models", *MODELS[name].file.split("/")))


def answered(probe, real, words):
    """Ask explainers of a model; a refusal says what to use instead."""
    picture = real.picture()
    given = prepared(probe, picture, real.prepare)
    for word in words:
        found = answer(probe, picture, given, word)
        if isinstance(found, str):
            assert word in ELSEWHERE, found
            assert "use " in found.lower()
        else:
            assert found.shape == picture.size, word


@pytest.mark.slow
@pytest.mark.spread
@pytest.mark.parametrize("names", ALIKE, ids=" and ".join)
def test_every_explainer_answers(names):
    """A map on the picture's own grid from every explainer, for every model we were given.

    What is compiled for the first is asked of the others too, by one explainer of each kind: new
    weights are seen, and the score is what their own file gives.
    """
    probe, words = loaded(names[0]), (*ENTRIES, *DEMANDING)
    for name in names:
        own = loaded(name)
        probe.model.set_weights(own.model.get_weights())
        answered(probe, MODELS[name], words)
        words = KINDS
        picture = prepared(own, MODELS[name].picture(), MODELS[name].prepare).array
        theirs = own.model(picture, training=False)
        np.testing.assert_allclose(probe.predict(picture), theirs, rtol=1e-3, atol=1e-5)


def test_no_model_is_left_out():
    """Each of them is in a group."""
    assert sorted(name for names in ALIKE for name in names) == sorted(MODELS)


def test_a_readme_s_preparation_can_be_said():
    """Malaria cells prepared as in training are told apart without a mistake: its README."""
    held, real = cells(), MODELS["malaria"]
    probe = sal.KerasProbe(shared("models", *real.file.split("/")))
    pictures = [sal.DicomImage.from_array(pixels) for pixels in held["x"]]
    inputs = np.concatenate(
        [prepared(probe, each, real.prepare).array for each in pictures]
    )
    np.testing.assert_array_equal(probe.at(None).classes(inputs), held["y"])
