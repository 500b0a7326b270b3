"""``saliency slide``: the same question as explain_slide, from a shell."""

import json
import shutil

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from slides.built import halved, level
from slides.networks import RED, red_detector, tissue

from saliency.cli.main import DONE, FAILED, NOTHING, main


def run(*arguments):
    """Run a command in this process."""
    return main([str(each) for each in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the two levels of a slide that has a red square."""
    scene = tissue(256, 320)
    scene[96:160, 128:192] = RED
    place = tmp_path_factory.mktemp("slide")
    uids = {"StudyInstanceUID": "1.2.3.4", "FrameOfReferenceUID": "1.2.3.5"}
    fine = level(scene, tile=(64, 64), **uids)
    coarse = level(halved(scene), tile=(64, 64), spacing=(0.001, 0.001), **uids)
    for k, each in enumerate((fine, coarse)):
        each.save_as(place / f"level{k}.dcm", enforce_file_format=True)
    return place


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Class 1 where a tile holds red."""
    path = tmp_path_factory.mktemp("model") / "red.keras"
    red_detector().save(path)
    return path


@pytest.mark.parametrize(
    ("source", "code"), [("gone", FAILED), ("empty", NOTHING), ("ct.dcm", NOTHING)]
)
def test_what_is_no_slide_begins_with_its_name(
    model, tmp_path, monkeypatch, capsys, source, code
):
    """As the user gave it, and in the place of the verb of Python."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    shutil.copy(get_testdata_file("CT_small.dcm"), "ct.dcm")

    assert run("slide", model, source, "--out", "out", "-q") == code
    assert capsys.readouterr().err.startswith(f"saliency: error: {source}: ")


def test_a_slide_is_explained(model, folder, tmp_path, capsys):
    """At the spacing told, for the label told; what was found is printed and lies in the folder.

    Objects for a PACS are written at once, or later from what was saved: the same numbers.
    """
    out, later = tmp_path / "maps", tmp_path / "later"
    question = (
        "--method",
        "gradient",
        "--labels",
        "other,tumour",
        "--target",
        "tumour",
    )
    scale = ("--spacing", "0.0005", "--overlap", "0.5")
    form = ("--json", "--save", "dicom")
    assert run("slide", model, folder, "--out", out, *question, *scale, *form) == DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["target"], told["label"]) == ("tumour", "tumour")
    assert "heat.geojson" in told["outputs"]
    np.testing.assert_allclose(told["hottest_mm"], (0.064, 0.08), atol=0.016)
    record = json.loads((out / "record.json").read_text())
    assert record["tiles"]["spacing"] == [0.0005, 0.0005]
    assert run("slide", model, folder, "--out", out, *question, *scale) == DONE
    assert "probability of 50 % and more" in capsys.readouterr().out.lower()
    assert run("export", out, folder, "--out", later, "--kinds", "pm,seg") == DONE
    names = sorted(path.name for path in later.iterdir())
    at_once = sorted(path.name for path in (out / "dicom").iterdir())
    assert names == [name for name in at_once if not name.endswith("-sc.dcm")]
    assert len(at_once) == len(names) + 1
    for name in names:
        one, other = (pydicom.dcmread(at / name) for at in (out / "dicom", later))
        for keyword in ("PixelData", "FloatPixelData", "ImageOrientationSlide"):
            assert one.get(keyword) == other.get(keyword)


def test_several_questions_have_a_folder_each(model, folder, tmp_path, capsys):
    """Named by method and target."""
    question = (
        "--method",
        "gradient",
        "--target",
        "0,1",
        "--tissue",
        "none",
        "--quiet",
    )
    assert run("slide", model, folder, "--out", tmp_path, *question) == DONE
    assert sorted(place.name for place in tmp_path.iterdir()) == [
        "gradient-0",
        "gradient-1",
    ]
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_which_pixels_is_chosen(model, folder, tmp_path, capsys):
    """By the options of the shell, which its messages name."""
    ask = ("slide", model, folder, "--out", tmp_path / "o")
    for option, value, words in (
        ("--number", 9, "0 series have the number 9"),
        ("--optical-path", "green", "--optical-path: expected an index"),
        ("--focal-plane", 2, "--focal-plane: expected an index in 0..0, got 2"),
    ):
        assert run(*ask, option, value) == FAILED
        assert words in capsys.readouterr().err
    other = level(tissue(64, 64), SeriesInstanceUID="1.2.9", SeriesNumber=5)
    other.save_as(tmp_path / "other.dcm", enforce_file_format=True)
    fine = folder / "level0.dcm"
    both = ("slide", model, fine, tmp_path / "other.dcm", "--out", tmp_path / "o")
    assert run(*both) == FAILED
    assert "Choose with --number." in capsys.readouterr().err
    mask = ("--number", "5", "--tissue", "none", "--overlap", "0", "--quiet")
    assert run(*both, *mask, "--method", "gradient", "--target", "1", "--icc") == DONE
    record = json.loads((tmp_path / "o" / "record.json").read_text())
    assert record["slide"]["pixels"] == [64, 64]


def test_what_is_wrong_is_said(model, tmp_path, capsys):
    """In one line: a folder without a slide."""
    (tmp_path / "empty").mkdir()
    assert run("slide", model, tmp_path / "empty", "--out", tmp_path / "o") != DONE
    assert run("slide", model, model, "--out", tmp_path / "o") in (FAILED, 3, 4)
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_window_is_no_option_of_a_slide(model, folder, tmp_path, capsys):
    """Tiles are shown as the file says: what would change nothing is refused."""
    arguments = ("slide", model, folder, "--out", tmp_path / "o")
    assert run(*arguments, "--window", "40,400") != DONE
    assert "windows" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run("slide", "--help")
    assert "--window C,W" not in capsys.readouterr().out


def test_forms_and_results_that_are_none(model, folder, tmp_path, capsys):
    assert run("slide", model, folder, "--out", tmp_path / "o", "--save", "gif") != DONE
    assert "--save gif: expected dicom" in capsys.readouterr().err
    assert run("export", folder, folder, "--out", tmp_path / "o") == FAILED
    assert "found no file under that name" in capsys.readouterr().err
