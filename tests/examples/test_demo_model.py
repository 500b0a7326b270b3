"""The model that comes with the repository is small, and has learned what it says."""

from typing import Any

import keras
import numpy as np
import pytest
from examples.running import ROOT

import saliency as sal

MODEL = ROOT / "examples" / "demo_model.keras"


@pytest.fixture(scope="module")
def model() -> Any:
    return keras.models.load_model(MODEL)


def test_it_is_small() -> None:
    """A clone stays quick: the model takes less than half a megabyte."""
    assert MODEL.stat().st_size < 500_000


def test_it_finds_lesions_it_has_not_seen(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is right on more than 95 % of pictures that it was not trained on."""
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    from lesions import pictures

    images, labels = pictures(300, seed=77)

    assert (model.predict_on_batch(images).argmax(axis=1) == labels).mean() > 0.95


def test_it_sees_no_lesion_in_real_slices(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices as they are in their files, without the noise of training, have no lesion."""
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    from lesions import slices

    prepare = sal.Prepare((128, 128), channels=1)
    shown = [sal.DicomImage.from_array(one * 255, window=sal.Window(128, 256)) for one in slices()]
    inputs = np.concatenate([prepare(image).array for image in shown])

    assert model.predict_on_batch(inputs).argmax(axis=1).tolist() == [0] * len(shown)


def test_covering_the_lesion_takes_its_answer_away(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covering the lesion lowers its probability, covering as much elsewhere does not."""
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    from lesions import ring, slices

    head = np.clip(ring(slices()[1][::4, ::4], (82, 38), (9, 9), 0.6), 0, 1).astype(np.float32)
    inputs = head[np.newaxis, ..., np.newaxis]
    before = float(model.predict_on_batch(inputs)[0, 1])

    def without(row: int, column: int) -> float:
        covered = inputs.copy()
        covered[:, row - 12 : row + 12, column - 12 : column + 12] = head.mean()
        return before - float(model.predict_on_batch(covered)[0, 1])

    elsewhere = [without(row, column) for row in (30, 82) for column in (64, 100)]
    assert before > 0.5
    assert without(82, 38) > 3 * max(*elsewhere, 0.05)
