"""Real X-rays with a hospital name: who reads it, and who does not."""

import json

import pytest
from shared import shared

import saliency as sal

pytestmark = pytest.mark.spread  # minutes of forward passes, and nothing to share
PREPARE = sal.Prepare(intensity="stored", scale=lambda stored: stored / 4095)


def verdict(model, variant, *, told=True):
    """Audit one of the bench's models on 36 DICOM files."""
    place = shared("models", "shortcut")
    rows = json.loads((place / "annotations.json").read_text())["images"]
    labels = {row["id"]: row["label"] for row in rows} if told else None
    report = sal.audit(
        place / "models" / f"{model}.keras",
        place / "dicom" / f"test_{variant}",
        labels=labels,
        prepare=PREPARE,
    )
    return report.verdicts["text"]


@pytest.mark.parametrize("told", [True, False], ids=["labels", "no labels"])
def test_the_poisoned_model_reads_the_name(told):
    """Almost all of the decision comes from the name."""
    found = verdict("poisoned", "poisoned", told=told)

    assert found.finding == "reads"
    assert found.interval.low > 0.5


def test_a_name_that_misleads_is_read():
    """With the other class's name the model is always wrong, and the audit says why."""
    found = verdict("poisoned", "flipped")

    assert found.finding == "reads"


def test_no_name_no_verdict():
    """The poisoned model on pictures without a name: nothing to be seen."""
    assert verdict("poisoned", "clean").finding == "no evidence"


def test_the_clean_model_is_not_accused():
    """It never saw a name, and names throw it; still it does not read them."""
    assert verdict("clean", "poisoned").finding == "no evidence"


@pytest.mark.slow
def test_the_hard_case_is_at_least_suspected():
    """A transfer model that leans on the name, partly; benchmarks/shortcuts has all variants."""
    assert verdict("poisoned_mnv2", "poisoned").finding in ("reads", "may read")


@pytest.mark.slow
@pytest.mark.parametrize("model", ["clean_mnv2", "decorrelated_mnv2"])
def test_transfer_models_that_do_not_read_are_not_accused(model):
    """Any box moves their score a lot: without a control they would look guilty."""
    assert verdict(model, "poisoned").finding == "no evidence"


@pytest.mark.slow
def test_real_markers_are_not_blamed():
    """A public model that says "Covid" for everything: the markers are not its cue."""
    model = shared("models", "tm_cxr_a11pha", "keras_model.h5")
    report = sal.audit(
        model, shared("images", "nih_boxes", "dicom"), prepare=sal.Prepare(scale="symmetric")
    )

    assert not report.shortcut
    assert report.verdicts["text"].finding == "no evidence"
