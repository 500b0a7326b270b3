"""The shell says what Python says, in one line, and leaves nothing half-written."""

import os
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file

import saliency as sal
from saliency.cli.main import (
    ALL_FAILED,
    DONE,
    FAILED,
    INTERRUPTED,
    NOTHING,
    USAGE,
    main,
    parser,
)

CT = get_testdata_file("CT_small.dcm")
MR = get_testdata_file("MR_small.dcm")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A saved model with two classes."""
    keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("model") / "model.keras"
    keras.Sequential(
        [
            keras.Input((32, 48, 1)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    ).save(path)
    return str(path)


def run(*arguments):
    """Run the command; return its exit code."""
    return main([str(each) for each in arguments])


def pixels(path):
    """Return the pixels of a PNG."""
    with Image.open(path) as image:
        return np.asarray(image)


def test_explain_writes_an_overlay_for_each_file(model, tmp_path, capsys):
    """Two files in, two PNGs out, on the pictures' own grids; each is named on a line."""
    code = run("explain", model, CT, MR, "--out", tmp_path / "out", "--target", "1")
    lines = capsys.readouterr().out.splitlines()
    written = [Path(line.split(" -> ")[1]) for line in lines]

    assert code == DONE
    assert [line.split(" -> ")[0] for line in lines] == [CT, MR]
    assert sorted(written) == sorted((tmp_path / "out").glob("*.png"))
    for path, file in zip(written, (CT, MR), strict=True):
        result = sal.explain(model, file, target=1)
        assert path.read_bytes() == result.save(tmp_path / "a.png").read_bytes()


def test_numbers_lie_beside_the_overlay(model, tmp_path):
    """With --numbers there is an NPZ of the heat on the picture's own grid, named like the PNG."""
    run("explain", model, CT, "--out", tmp_path, "--numbers")
    (overlay,), (numbers,) = tmp_path.glob("*.png"), tmp_path.glob("*.npz")

    assert (overlay.stem, overlay.suffix, numbers.suffix) == (
        numbers.stem,
        ".png",
        ".npz",
    )
    assert np.load(numbers)["values"].shape == (128, 128)


def test_names_of_outputs_hold_nothing_of_the_source(model, tmp_path):
    """A file named after a patient gives a picture named after its pixels."""
    source = tmp_path / "DOE^JANE.dcm"
    dcmread(CT).save_as(source)
    run("explain", model, source, "--out", tmp_path / "out")

    assert not [path for path in (tmp_path / "out").rglob("*") if "DOE" in path.name]


def test_a_folder_is_searched(model, tmp_path):
    """DICOM files of a folder are found by their magic; others are no failure."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    dcmread(CT).save_as(tmp_path / "in" / "deep" / "noending")
    (tmp_path / "in" / "notes.txt").write_text("notes")
    code = run("explain", model, tmp_path / "in", "--out", tmp_path / "out", "--figure")

    assert code == DONE
    assert len(list((tmp_path / "out").glob("*.png"))) == 2


def test_a_bad_file_fails_alone(model, tmp_path, capsys):
    """The others are written, the exit code is 1, the error is one readable line."""
    (tmp_path / "bad.dcm").write_text("no DICOM")
    code = run("explain", model, CT, tmp_path / "bad.dcm", "--out", tmp_path / "out")
    errors = capsys.readouterr().err

    assert code == FAILED
    assert len(list((tmp_path / "out").glob("*.png"))) == 1
    assert "1 of 2 files failed" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    "wrong",
    [
        ["--explainer", "gradcma"],
        ["--target", "9"],
        ["--palette", "blurple"],
        ["--strength", "3"],
    ],
    ids=lambda wrong: wrong[0],
)
def test_wrong_values_are_one_line(model, tmp_path, capsys, wrong):
    """What came and what was expected, without a traceback; nothing is written."""
    code = run("explain", model, CT, "--out", tmp_path / "out", *wrong)
    errors = capsys.readouterr().err

    assert code == FAILED
    assert errors.startswith("saliency: error:")
    assert errors.count("\n") == 1
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_debug_shows_where(model, tmp_path):
    """--debug raises."""
    with pytest.raises(ValueError, match="9"):
        run("explain", model, CT, "--out", tmp_path / "out", "--target", "9", "--debug")


@pytest.mark.parametrize(
    "wrong", [[], ["explane"], ["explain"], ["explain", "m", "d"]], ids=str
)
def test_wrong_usage_is_exit_code_2(wrong):
    """As conventions have it."""
    with pytest.raises(SystemExit) as stop:
        main(wrong)
    assert stop.value.code == USAGE


def test_info_says_what_is_shown_and_names_nobody(capsys):
    """Rows, columns and modality, but no patient, institution or date."""
    code = run("info", CT)
    text = capsys.readouterr().out
    source = dcmread(CT)

    assert code == DONE
    assert "128" in text
    assert "CT" in text
    assert str(source.PatientName) not in text
    assert source.StudyDate not in text


def test_explainers_are_listed(capsys):
    """Each name with its purpose and cost."""
    assert run("explainers") == DONE
    assert "integrated_gradients" in capsys.readouterr().out


def test_labels_are_targets(model, tmp_path):
    """A target may be a class name when the names are given."""
    code = run(
        "explain",
        model,
        CT,
        "--out",
        tmp_path,
        "--labels",
        "benign,mass",
        "--target",
        "mass",
    )
    assert code == DONE
    assert [path.name.rsplit("-", 1)[1] for path in tmp_path.glob("*.png")] == [
        "mass.png"
    ]


def test_help_answers_at_once():
    """No TensorFlow is imported for help: ten calls of it would cost more than this allows."""
    command = [sys.executable, "-X", "importtime", "-m", "saliency", "--help"]
    start = time.perf_counter()
    result = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "tensorflow" not in result.stderr
    assert "numpy" not in result.stderr
    assert time.perf_counter() - start < 5


def test_the_page_of_the_shell_holds_every_option_and_command():
    """docs/shell.md names each option of ``explain``, each command, and each exit code."""
    page = (Path(__file__).parents[2] / "docs" / "shell.md").read_text()
    commands = parser()._subparsers._group_actions[0].choices
    options = {
        word
        for action in commands["explain"]._actions
        for word in action.option_strings
        if word not in ("-h", "--help", "--explainer", "--verbose", "--quiet")
    }

    assert [
        word for word in options if f"`{word}" not in page and f"{word}`" not in page
    ] == []
    assert [name for name in commands if f"`saliency {name}" not in page] == []
    codes = (DONE, FAILED, USAGE, NOTHING, ALL_FAILED, INTERRUPTED)
    assert [code for code in codes if f"| {code} |" not in page] == []


def test_a_closed_pipe_is_no_traceback(tmp_path):
    """``saliency explainers | head -1`` ends quietly."""
    command = f"{sys.executable} -m saliency explainers | head -1"
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    shell = ["sh", "-c", command]
    result = subprocess.run(
        shell, capture_output=True, text=True, check=False, env=environment
    )

    assert "Traceback" not in result.stderr


def test_overlays_show_heat(model, tmp_path):
    """The PNG differs from the picture: of a model that learnt nothing, heat is hatched in grey."""
    run(
        "explain",
        model,
        CT,
        "--out",
        tmp_path,
        "--explainer",
        "gradient",
        "--no-caption",
    )
    painted = pixels(next(tmp_path.glob("*.png")))

    assert painted.shape == (128, 128, 3)

    assert (painted != sal.read_dicom(CT).display[..., np.newaxis]).any()
