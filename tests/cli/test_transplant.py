"""The shell puts a zone into other pictures as Python does."""

import re
import shutil

import numpy as np
import pytest
from marked_pictures import reader
from PIL import Image, ImageDraw, ImageFont
from pydicom import dcmread
from pydicom.data import get_testdata_file

from saliency.audit import transplant
from saliency.cli.hosts import transplant_lines
from saliency.cli.main import DONE, FAILED, main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A CT slice with a name burned in, two without, and a model of the top left corner."""
    place = tmp_path_factory.mktemp("transplant")
    (place / "others").mkdir()
    data = dcmread(get_testdata_file("CT_small.dcm"))
    data.save_as(place / "others" / "slice.dcm")
    mirrored = dcmread(get_testdata_file("CT_small.dcm"))
    mirrored.PixelData = data.pixel_array[:, ::-1].tobytes()
    mirrored.save_as(place / "others" / "mirrored.dcm")
    ink = Image.new("1", (data.Columns, data.Rows))
    font = ImageFont.load_default(size=15)
    ImageDraw.Draw(ink).text((4, 3), "MERCY CLINIC", fill=1, font=font)
    pixels = data.pixel_array.copy()
    pixels[np.asarray(ink)] = pixels.max()
    data.PixelData = pixels.tobytes()
    data.save_as(place / "donor.dcm")
    reader(40, 0).save(place / "model.keras")
    return place


def run(folder, *options):
    """Put the donor's zone into the others; return the exit code."""
    parts = ["transplant", folder / "model.keras", folder / "donor.dcm", *options]
    return main([str(part) for part in parts])


@pytest.mark.parametrize("zone", ["text", "no such zone"])
def test_what_is_wrong_with_the_donor_begins_with_its_name(
    folder, monkeypatch, capsys, zone
):
    """A file that is no DICOM, a picture that lacks the zone."""
    monkeypatch.chdir(folder)
    (folder / "bad.dcm").write_text("none")
    donor = "bad.dcm" if zone == "text" else "donor.dcm"
    code = main(["transplant", "model.keras", donor, "others", "--zone", zone])

    assert code == FAILED
    assert capsys.readouterr().err.startswith(f"saliency: error: {donor}: ")


def test_the_shell_says_what_python_says(folder, capsys):
    """Every option arrives: gains, controls and p-values are those of the call."""
    options = ("--target", "1", "--controls", "7", "--seed", "3")
    code = run(folder, folder / "others", *options)
    first, *ways = capsys.readouterr().out.splitlines()
    files = sorted((folder / "others").iterdir())
    found = transplant(
        folder / "model.keras",
        folder / "donor.dcm",
        "text",
        files,
        target=1,
        controls=7,
        seed=3,
    )

    assert code == DONE
    assert found.follows > 0.5
    assert first == (
        f"text: put into 2 pictures; their mean score {found.before.mean():+.3g} goes "
        f"{100 * found.follows:.0f} % of the way to {found.score:+.3g}, that of the picture it "
        f"came from (p = {found.p_value:.2g})."
    )
    assert ways == list(transplant_lines(found))[1:]
    assert all("7 times" in way for way in ways)


def test_pictures_that_have_the_zone_are_left_out(folder, tmp_path, capsys):
    """The donor lies in the folder too, beside a file that cannot be read: both are told of."""
    shutil.copytree(folder / "others", tmp_path / "all")
    shutil.copy(folder / "donor.dcm", tmp_path / "all" / "another.dcm")
    (tmp_path / "all" / "broken.dcm").write_bytes(b"broken")
    code = run(folder, tmp_path / "all", "--controls", "2")
    out, error = capsys.readouterr()

    assert code == FAILED
    assert "put into 2 pictures" in out
    assert "left out: 1 with a zone 'text'" in out
    assert error.count("\n") == 1
    assert "broken.dcm" in error


def test_no_more_pictures_are_read_than_asked_for(folder, capsys):
    """Of a long list the first are taken."""
    assert run(folder, folder / "others", "--most", "1", "--controls", "2") == DONE
    assert "put into 1 picture;" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (
            ("others", "--zone", "shutter"),
            r"a zone of the image \(.*text.*\), got 'shutter'",
        ),
        (("donor.dcm",), "1 have it already.*saliency audit"),
        (("others", "--most", "0"), "--most: expected 1 picture or more, got 0"),
        (("others", "--controls", "0"), "2 and 0"),
        (("nowhere",), "nowhere: no such file"),
    ],
    ids=["zone", "all have it", "most", "controls", "no file"],
)
def test_what_cannot_be_transplanted_is_told_in_a_line(
    folder, capsys, arguments, match
):
    """One line on standard error, no traceback."""
    hosts, *options = arguments

    assert run(folder, folder / hosts, *options) == FAILED
    error = capsys.readouterr().err
    assert re.search(match, error)
    assert error.count("\n") == 1


def test_a_donor_that_is_no_file_is_refused(folder, capsys):
    """A folder in its place is the likely mistake."""
    code = main(
        ["transplant", str(folder / "model.keras"), str(folder), str(folder / "others")]
    )

    assert code == FAILED
    assert "expected a DICOM file" in capsys.readouterr().err
