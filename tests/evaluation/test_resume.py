"""An evaluation that was killed goes on, and its files are those of a run without a stop."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from marked_pictures import CENTRE, SIZE, reader
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

from saliency.cli.labels_table import STATE
from saliency.cli.main import main
from saliency.pipeline.checkpoint import State

COUNT = 20
ROWS = 3 * (2 + 3) + 3 * 2
"""Three batches of two explainers and three baselines; three of two mean maps, one with curves."""
FILES = ("report.json", "report.html")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A model, radiographs of which one box tells the class, and masks of that box."""
    folder = tmp_path_factory.mktemp("killed")
    for name in ("files", "masks"):
        (folder / name).mkdir()
    mask = np.zeros(SIZE, np.uint8)
    mask[CENTRE] = 255
    generator = np.random.default_rng(0)
    for index in range(COUNT):
        pixels = generator.integers(60, 180, SIZE).astype(np.uint8)
        pixels[CENTRE] = 230 if index % 2 else 20
        written(folder / "files" / f"{index:02}.dcm", pixels, index)
        Image.fromarray(mask).save(folder / "masks" / f"{index:02}.png")
    reader(0.5, 8.0).save(folder / "model.keras")
    assert main(asked(folder, "whole")) == 0
    return folder


def written(path, pixels, index):
    """Write a radiograph of a patient of its own."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = f"1.2.9.{index}"
    image = Dataset()
    image.file_meta = meta
    image.SOPClassUID = meta.MediaStorageSOPClassUID
    image.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    image.PatientID = f"P{index}"
    image.Rows, image.Columns = pixels.shape
    image.SamplesPerPixel, image.PixelRepresentation = 1, 0
    image.PhotometricInterpretation = "MONOCHROME2"
    image.BitsAllocated = image.BitsStored = 8
    image.HighBit = 7
    image.PixelData = pixels.tobytes() + b"\0" * (pixels.size % 2)
    image.WindowCenter, image.WindowWidth = 128, 256
    image.save_as(path, enforce_file_format=True)


def asked(folder, out):
    """Return the arguments of the shell."""
    parts = [
        "evaluate",
        folder / "model.keras",
        folder / "files",
        "--out",
        folder / out,
    ]
    more = ["--truth", folder / "masks", "--method", "gradient,lrp", "--target", "1"]
    return [
        str(part) for part in (*parts, *more, "--metrics", "energy_inside,exchange")
    ]


def stopped_at(rows, state):
    """Wait until a file holds so many rows; return a connection that lets nobody write more."""
    while True:
        if state.is_file():
            connection = sqlite3.connect(f"file:{state}?mode=ro", uri=True)
            try:
                connection.execute("BEGIN")
                count = "SELECT count(*) FROM rows"
                if connection.execute(count).fetchone()[0] >= rows:
                    return connection
            except sqlite3.OperationalError:  # it has no table yet
                pass
            connection.close()
        time.sleep(0.002)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1, 16], ids=["maps", "mean maps"])
def test_a_killed_evaluation_goes_on(place, rows, monkeypatch, capsys):
    """SIGKILL while a row is written: what is missing is measured, to the same digit."""
    out = place / f"killed-{rows}"
    tests = Path(__file__).parents[1]
    child = subprocess.Popen(
        [sys.executable, "-m", "saliency", *asked(place, out.name)],
        env=os.environ | {"PYTHONPATH": str(tests.parent)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with closing(stopped_at(rows, out / STATE)) as connection:
        child.send_signal(signal.SIGKILL)
        child.wait()
        (kept,) = connection.execute("SELECT count(*) FROM rows").fetchone()
    assert rows <= kept < ROWS
    assert not any((out / name).exists() for name in FILES)

    again, keep = [], State.keep
    monkeypatch.setattr(
        State, "keep", lambda *given: again.append(given[1:3]) or keep(*given)
    )
    assert main(asked(place, out.name)) == 0

    assert len(again) == ROWS - kept
    assert "begun anew" not in capsys.readouterr().err
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)
    for name in FILES:
        assert (out / name).read_bytes() == (place / "whole" / name).read_bytes()
