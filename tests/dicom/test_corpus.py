"""Real files against what independent renderers show of them."""

import csv
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from shared import ROOT, shared

from saliency.dicom import read_dicom, read_frames
from saliency.errors import DicomError, SaliencyError

#: References that this library does not follow, and why.
DISAGREED = {
    "TOSHIBA_J2K_SIZ1_PixRep0_c14634.dcm": (
        "The codestream is signed, the header says unsigned. The reference drops the sign, and "
        "shows air (-2048) white. PS3.5 8.2.4: the codestream's own description is used."
    ),
}


def table(*parts: str) -> list[dict[str, str]]:
    """Rows of a table of the shared data; none where it is absent."""
    path = ROOT.joinpath(*parts)
    if not path.exists():
        return []
    with path.open() as file:
        return list(csv.DictReader(file))


def references() -> list:
    """One parameter a trusted reference."""
    rows = (row for row in table("corpus", "refs", "refs.csv") if row["trust"] == "yes")
    return [pytest.param(row, id=f"{row['file']}-{row['frame']}") for row in rows]


@pytest.mark.parametrize("row", references())
def test_display_is_the_reference(row: dict[str, str]) -> None:
    """At most 0.1 % of the samples differ from an independent renderer by more than 2 levels."""
    if row["file"] in DISAGREED:
        pytest.skip(DISAGREED[row["file"]])
    expected = np.asarray(Image.open(shared("corpus", "refs", row["ref"]))).astype(int)
    path = shared("corpus", "corpus", row["file"])

    shown = read_dicom(path, frame=int(row["frame"]) - 1).display

    if shown.ndim != expected.ndim:
        shown, expected = (
            a if a.ndim == 3 else np.stack([a] * 3, -1) for a in (shown, expected)
        )
    assert (np.abs(shown - expected) > 2).mean() <= 0.001


@pytest.mark.parametrize(
    "row",
    [pytest.param(r, id=r["file"]) for r in table("corpus", "corpus", "corpus.csv")],
)
def test_every_file_is_shown_or_refused(row: dict[str, str]) -> None:
    """A file that can be shown is; any other raises SaliencyError, and nothing else."""
    path = shared("corpus", "corpus", row["file"])
    try:
        shown = read_dicom(path).display is not None
    except SaliencyError:
        shown = False

    assert shown or not row["expect"].startswith("render")


@pytest.mark.parametrize(
    "row", [pytest.param(r, id=r["file"]) for r in table("facts", "tfio_table.csv")]
)
def test_files_of_tensorflow_io(row: dict[str, str]) -> None:
    """The files of tensorflow-io's own tests have the frames and shapes that it expects."""
    images = list(read_frames(shared("tfio", row["file"])))

    found = (len(images), *images[0].size, 3 if images[0].display.ndim == 3 else 1)
    assert found == tuple(
        int(row[k]) for k in ("frames", "rows", "columns", "channels")
    )


SMALL = [
    p for p in sorted(ROOT.glob("corpus/corpus/*.dcm")) if p.stat().st_size < 120_000
]


@pytest.mark.parametrize("path", [pytest.param(p, id=p.name) for p in SMALL])
def test_two_readers_agree(path: Path) -> None:
    """Our reader of a path and pydicom's of a Dataset lead to one picture with one description."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path, force=True)
        before = dict(dataset._dict)
        try:
            first, second = read_dicom(path), read_dicom(dataset)
        except DicomError as error:
            pytest.skip(f"refused: {error.reason}")

    np.testing.assert_array_equal(first.display, second.display)
    np.testing.assert_array_equal(first.pixels, second.pixels)
    for name in ("spacing", "digest", "window", "modality", "info", "frames"):
        assert getattr(first, name) == getattr(second, name)
    assert [zone.name for zone in first.zones] == [zone.name for zone in second.zones]
    assert all(dataset._dict[tag] is element for tag, element in before.items())


def test_one_reference_is_adjudicated() -> None:
    """The list of disagreements stays as short as it is: below one in a hundred."""
    assert len(DISAGREED) <= max(1, len(references()) // 100)
    assert all(len(reason) > 40 for reason in DISAGREED.values())
    assert isinstance(ROOT, Path)
