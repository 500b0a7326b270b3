"""The model that comes with the repository is small, and has learned what it says."""

import zipfile
from typing import Any

import keras
import numpy as np
import pytest
from examples.running import ROOT

import saliency as sal
from saliency.probe.model.load import NEWER

MODEL = ROOT / "examples" / "demo_model.keras"


@pytest.fixture(scope="module")
def model() -> Any:
    return keras.models.load_model(MODEL)


def test_it_is_small() -> None:
    """A clone stays quick: the model takes less than half a megabyte."""
    assert MODEL.stat().st_size < 500_000


def test_it_opens_in_every_keras_that_is_promised() -> None:
    """It asks for nothing that came after Keras 3.5, whichever version wrote it."""
    with zipfile.ZipFile(MODEL) as packed:
        config = packed.read("config.json").decode()

    assert not [option for option in NEWER if f'"{option}"' in config]


def test_it_finds_lesions_it_has_not_seen(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is right on more than 95 % of pictures that it was not trained on."""
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    from lesions import pictures

    images, labels = pictures(300, seed=77)

    assert (model.predict_on_batch(images).argmax(axis=1) == labels).mean() > 0.95


def test_it_sees_no_lesion_in_real_slices(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slices as they are in their files, without the noise of training, have no lesion."""
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    from lesions import slices

    prepare = sal.Prepare((128, 128), channels=1)
    shown = [
        sal.DicomImage.from_array(one * 255, window=sal.Window(128, 256))
        for one in slices()
    ]
    inputs = np.concatenate([prepare(image).array for image in shown])

    assert model.predict_on_batch(inputs).argmax(axis=1).tolist() == [0] * len(shown)


def test_covering_the_lesion_takes_its_answer_away(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covering the lesion lowers its probability, covering as much elsewhere does not."""
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    from lesions import ring, slices

    sick = np.clip(ring(slices()[0], (112, 100), (26, 26), 0.57), 0, 1) * 255
    given = sal.Prepare((128, 128), channels=1)(
        sal.DicomImage.from_array(sick, window=sal.Window(128, 256))
    )
    before = float(model.predict_on_batch(given.array)[0, 1])
    top, left = (
        round(place) for place in given.placement.forward((112 - 34, 100 - 34))
    )
    down, across = (round(68 * factor) for factor in given.placement.scale)

    def fall(row: int, column: int) -> float:
        covered = given.array.copy()
        covered[:, row : row + down, column : column + across] = given.array.mean()
        return before - float(model.predict_on_batch(covered)[0, 1])

    assert before > 0.9
    assert fall(top, left) > 5 * max(fall(top, column) for column in (60, 80, 100))
