"""The shell asks which explainer to trust."""

import json
import shutil

import numpy as np
import pytest
from marked_pictures import reader
from PIL import Image
from pydicom.data import get_testdata_file

from saliency.cli.main import FAILED, main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four DICOM files, masks, a table, and a model."""
    place = tmp_path_factory.mktemp("evaluate")
    for name in ("files", "masks"):
        (place / name).mkdir()
    for index in range(4):
        name = ("CT_small.dcm", "MR_small.dcm")[index % 2]
        shutil.copy(get_testdata_file(name), place / "files" / f"{index}.dcm")
    mask = np.zeros((128, 128), np.uint8)
    mask[:20, :40] = 255
    for index in (0, 2):
        Image.fromarray(mask).save(place / "masks" / f"{index}.png")
    rows = "".join(f"{index}.dcm,p{index // 2}\n" for index in range(4))
    (place / "cases.csv").write_text(f"file,patient\n{rows}")
    reader(40, 0).save(place / "model.keras")
    return place


def run(folder, *options):
    """Evaluate two methods; return the exit code."""
    parts = [
        "evaluate",
        folder / "model.keras",
        folder / "files",
        "--out",
        folder / "out",
    ]
    more = ["--method", "gradient,smoothgrad:samples=2", *options]
    return main([str(part) for part in (*parts, *more)])


def test_a_verdict_and_a_report(folder, capsys):
    table = ("--table", folder / "cases.csv", "--patients", "patient")
    code = run(
        folder,
        "--truth",
        folder / "masks",
        *table,
        "--metrics",
        "energy_inside,deletion",
    )
    printed = capsys.readouterr()
    assert code == 0
    assert printed.out.startswith(
        "Cannot tell which is best by energy_inside on 2 of 4 images:"
    )
    assert "2 of 4 files have no mask" in printed.err
    assert "saliency: mean maps: 4 of 4 images" in printed.err
    told = json.loads((folder / "out" / "report.json").read_text())
    assert told["patients"] == 2
    assert {row["explainer"] for row in told["scores"]} == {
        "gradient",
        "SmoothGrad(inner=Gradient(), samples=2, spread=0.15, seed=0)",
    }
    assert (folder / "out" / "report.html").is_file()


def test_classes_of_a_table_are_numbers(folder, capsys):
    """A CSV holds text; class 1 is explained where it says 1."""
    rows = "".join(f"{index}.dcm,{index % 2}\n" for index in range(4))
    (folder / "classes.csv").write_text(f"file,class\n{rows}")
    table = ("--table", folder / "classes.csv", "--column", "class")
    assert run(folder, *table, "--metrics", "sparseness") == 0
    # Two of the four are copies of one file each: one patient; of two the maps are blank.
    assert "by sparseness on 2 of 4 images of 1 patient" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--patients", "patient"), "--patients: expected --table"),
        (("--truth", "nowhere"), "as 0.png; found none"),
        (("--metrics", "beauty"), "beauty"),
    ],
)
def test_refusals(folder, capsys, options, words):
    assert run(folder, *options) == FAILED
    assert words in capsys.readouterr().err


def test_files_of_one_name_share_no_mask(folder, tmp_path, capsys):
    """The mask of a/0.dcm is not that of b/0.dcm, another image."""
    for name in ("a", "b"):
        shutil.copytree(folder / "files", tmp_path / "files" / name)
    shutil.copytree(folder / "masks", tmp_path / "masks")
    shutil.copy(folder / "model.keras", tmp_path)
    assert run(tmp_path, "--truth", tmp_path / "masks") == FAILED
    assert "found 2 files of that name" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["evaluate", "audit"])
def test_a_place_that_nobody_can_write_to_is_refused_first(folder, capsys, verb):
    """Before hours of work: below a file not even root can make a folder."""
    out = folder / "cases.csv" / "out"
    parts = [verb, folder / "model.keras", folder / "files", "--out", out]
    assert main([str(part) for part in parts]) == FAILED
    said = capsys.readouterr().err
    assert "--out: expected a folder that can be written, got: Not a directory" in said
    (folder / "taken" / "report.html").mkdir(parents=True, exist_ok=True)
    parts[-1] = folder / "taken"
    assert main([str(part) for part in parts]) == FAILED
    assert "--out: expected a folder for report.html" in capsys.readouterr().err
