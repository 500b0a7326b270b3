"""Real X-rays with a hospital name: who reads it, and who does not.

A few pictures of two models; ``benchmarks/shortcuts/verdicts.py`` asks all models of all pictures.
"""

import json

import pytest
from shared import shared

import saliency as sal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.spread,
]  # forward passes, and nothing to share
PREPARE = sal.Prepare(intensity="stored", scale=lambda stored: stored / 4095)


def verdict(model, variant, *, told=True, each=6):
    """Audit one of the bench's models on so many DICOM files of each class."""
    place = shared("models", "shortcut")
    rows = json.loads((place / "annotations.json").read_text())["images"]
    labels = {row["id"]: row["label"] for row in rows}
    files = sorted((place / "dicom" / f"test_{variant}").glob("*.dcm"))
    classes = (
        [file for file in files if labels[file.stem] == kind][:each] for kind in (0, 1)
    )
    chosen = [file for files_of_one in classes for file in files_of_one]
    report = sal.audit(
        place / "models" / f"{model}.keras",
        chosen,
        labels=[labels[file.stem] for file in chosen] if told else None,
        prepare=PREPARE,
    )
    return report.verdicts["text"]


def test_the_poisoned_model_reads_the_name():
    """Most of the decision comes from the name."""
    found = verdict("poisoned", "poisoned", each=8)

    assert found.finding == "reads"
    assert found.interval.low > 0.4
    assert found.effect > 0.6


def test_the_poisoned_model_reads_the_name_without_labels():
    """Its own predictions divide the pictures."""
    found = verdict("poisoned", "poisoned", told=False)

    assert found.finding == "reads"
    assert found.effect > 0.6


def test_a_name_that_misleads_is_read():
    """With the other class's name the model is always wrong, and the audit says why."""
    assert verdict("poisoned", "flipped", each=8).finding == "reads"


def test_no_name_no_verdict():
    """The poisoned model on pictures without a name: nothing to be seen."""
    assert verdict("poisoned", "clean").finding == "no evidence"


def test_the_clean_model_is_not_accused():
    """It never saw a name, and names throw it; still it does not read them."""
    assert verdict("clean", "poisoned").finding == "no evidence"


@pytest.mark.parametrize("model", ["clean_mnv2", "decorrelated_mnv2"])
def test_transfer_models_that_do_not_read_are_not_accused(model):
    """Any box moves their score a lot: without a control they would look guilty."""
    assert verdict(model, "poisoned").finding == "no evidence"


def test_real_markers_are_not_blamed():
    """A public model that says "Covid" for everything: the markers are not its cue."""
    model = shared("models", "tm_cxr_a11pha", "keras_model.h5")
    files = sorted(shared("images", "nih_boxes", "dicom").glob("*.dcm"))[:12]
    report = sal.audit(model, files, prepare=sal.Prepare(scale="symmetric"))

    assert not report.shortcut
    assert report.verdicts["text"].finding == "no evidence"
