"""What ``saliency explain`` can be told, and what it leaves behind."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

import saliency as sal
from saliency.archive.naming import safe
from saliency.cli.main import ALL_FAILED, DONE, FAILED, NOTHING, USAGE, main
from saliency.cli.methods import methods_in
from saliency.pipeline.writers import WRITERS

CT = get_testdata_file("CT_small.dcm")
MR = get_testdata_file("MR_small.dcm")
FORMS = ", ".join(sorted(["dicom", *(ending.lstrip(".") for ending in WRITERS)]))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A saved grey model with two classes."""
    keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("model") / "model.keras"
    keras.Sequential(
        [
            keras.Input((32, 48, 1)),
            keras.layers.Conv2D(4, 3, activation="relu", name="first"),
            keras.layers.Conv2D(4, 3, activation="relu", name="last"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    ).save(path)
    return str(path)


@pytest.fixture(scope="module")
def cine(tmp_path_factory):
    """A file of three frames."""
    source = dcmread(CT)
    frames = np.stack(
        [source.pixel_array, source.pixel_array[::-1], source.pixel_array[:, ::-1]]
    )
    source.NumberOfFrames = 3
    source.PixelData = frames.tobytes()
    path = tmp_path_factory.mktemp("cine") / "cine.dcm"
    source.save_as(path)
    return path


def run(*arguments):
    """Run the command; return its exit code."""
    return main(["explain", *(str(each) for each in arguments)])


def rows(out):
    """Return the rows of the table."""
    return [
        json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()
    ]


def test_the_tables_say_what_python_says(model, tmp_path):
    """results.jsonl, results.csv, run.json and index.html; every file that they name is there."""
    (tmp_path / "bad.dcm").write_text("no DICOM")
    code = run(
        model,
        CT,
        tmp_path / "bad.dcm",
        MR,
        "--out",
        tmp_path / "out",
        "--method",
        "gradcam",
    )
    first, bad, last = rows(tmp_path / "out")
    result = sal.explain(model, CT, "gradcam")

    assert code == FAILED
    assert (first["source"], first["digest"], first["frame"]) == (
        CT,
        result.image.digest,
        0,
    )
    assert (first["method"], first["target"]) == ("gradcam", result.target)
    assert first["score"] == pytest.approx(result.score, rel=1e-5)
    assert first["outside"] == pytest.approx(result.outside, abs=1e-5)
    assert bad["error"]
    assert not bad["outputs"]
    assert bad["source"] == str(tmp_path / "bad.dcm")
    for row in (first, last):
        assert all((tmp_path / "out" / name).is_file() for name in row["outputs"])
        assert row["digest"][:12] in row["outputs"][0]
    with (tmp_path / "out" / "results.csv").open() as file:
        assert [row["source"] for row in csv.DictReader(file)] == [
            CT,
            bad["source"],
            MR,
        ]
    about = json.loads((tmp_path / "out" / "run.json").read_text())
    assert (about["done"], about["failed"], about["options"]["model"]) == (
        2,
        1,
        "model.keras",
    )


def test_the_page_shows_all_without_a_name(model, tmp_path):
    """A figure for each map, with thumbnails beside it; no source, and no address, is in it."""
    source = tmp_path / "DOE^JANE.dcm"
    shutil.copy(CT, source)
    run(model, source, MR, "--out", tmp_path / "out", "--target", "0,1")
    page = (tmp_path / "out" / "index.html").read_text()

    assert page.count("<figure") == 4
    assert "DOE" not in page
    assert "://" not in page
    for name in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert (tmp_path / "out" / name).is_file()


def test_what_is_there_is_kept(model, tmp_path, capsys):
    """The same question again computes nothing; another look, or --overwrite, does."""
    run(model, CT, MR, "--out", tmp_path)
    png = next(tmp_path.glob("*.png"))
    before = png.stat().st_mtime_ns
    capsys.readouterr()

    assert run(model, CT, MR, "--out", tmp_path) == DONE
    assert capsys.readouterr().out.count("(kept)") == 2
    assert png.stat().st_mtime_ns == before
    run(model, CT, MR, "--out", tmp_path, "--strength", "0.9")
    assert png.stat().st_mtime_ns > before
    assert "(kept)" not in capsys.readouterr().out
    run(model, CT, MR, "--out", tmp_path, "--strength", "0.9", "--overwrite")
    assert "(kept)" not in capsys.readouterr().out
    assert len(rows(tmp_path)) == 2


def test_a_kept_row_among_new_ones_keeps_its_place(model, tmp_path):
    """Each row has the digest of its own file, whichever were there before."""
    names = "abcde"
    for number, name in enumerate(names):
        source = dcmread(CT)
        source.PixelData = np.roll(source.pixel_array, number, axis=0).tobytes()
        source.save_as(tmp_path / f"{name}.dcm")
    run(model, tmp_path / "b.dcm", tmp_path / "e.dcm", "--out", tmp_path / "out")
    run(model, *(tmp_path / f"{name}.dcm" for name in names), "--out", tmp_path / "out")
    found = {Path(row["source"]).stem: row["digest"] for row in rows(tmp_path / "out")}

    assert len(rows(tmp_path / "out")) == 5
    assert found == {n: sal.read_dicom(tmp_path / f"{n}.dcm").digest for n in names}


def test_names_hold_nothing_that_a_file_system_forbids(model, tmp_path):
    """A label with a slash is a label like any other, and two labels never share a file."""
    code = run(
        model,
        CT,
        "--out",
        tmp_path,
        "--labels",
        "no/ne,no:ne",
        "--target",
        "no/ne,no:ne",
    )
    found = [path.name for path in tmp_path.glob("*.png")]

    assert code == DONE
    assert len(found) == 2
    assert [row["target"] for row in rows(tmp_path)] == ["no/ne", "no:ne"]
    for text in (
        "no/ne",
        "CON:",
        'a"b<c>d|e?f*g\\h',
        "..",
        "x" * 300,
        "\n",
        "trailing. ",
    ):
        assert not set(safe(text)) & set('/\\:*?"<>|\n')
        assert safe(text).strip(". ") == safe(text)
        assert len(safe(text)) < 80


def test_frames_are_told_of_and_chosen(model, cine, tmp_path, capsys):
    """The first alone, with a word; all; one; some. They count from 1, rows from 0."""
    run(model, cine, "--out", tmp_path / "first")
    assert "frame 1 of 3; --frames all for the others" in capsys.readouterr().err
    for frames, expected in {
        "all": [0, 1, 2],
        "2": [1],
        "2:3": [1, 2],
        "2:9": [1, 2],
    }.items():
        out = tmp_path / frames.replace(":", "-")
        assert run(model, cine, "--out", out, "--frames", frames) == DONE
        found = rows(out)
        assert [row["frame"] for row in found] == expected
        for row in found:
            assert row["digest"] == sal.read_dicom(cine, frame=row["frame"]).digest
    assert run(model, cine, "--out", tmp_path / "gone", "--frames", "4") == ALL_FAILED


def test_exit_codes_are_distinct(model, tmp_path, capsys):
    """Each with a line on standard error."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.dcm").write_text("no DICOM")
    out = ("--out", tmp_path / "out")
    assert run(model, CT, *out) == DONE
    assert run(model, CT, tmp_path / "bad.dcm", *out) == FAILED
    assert run(model, tmp_path / "bad.dcm", *out) == ALL_FAILED
    capsys.readouterr()
    for verb in ("audit", "evaluate"):
        bad = str(tmp_path / "bad.dcm")
        assert main([verb, model, bad, *map(str, out)]) == ALL_FAILED
        assert f"error: {bad}: none of 1 images" in capsys.readouterr().err
    for verb in (("explain", model), ("info",), ("audit", model)):
        extra = () if verb == ("info",) else tuple(map(str, out))
        assert main([*verb, str(tmp_path / "empty"), *extra]) == NOTHING
        assert "found none" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        run(model, CT, *out, "--scale", "big")
    assert stop.value.code == USAGE
    assert len({DONE, FAILED, USAGE, NOTHING, ALL_FAILED, 130}) == 6


def test_the_culprit_is_named_as_it_was_given(model, tmp_path, capsys):
    """A model that is not there, a file that is none: the line begins with the path."""
    assert run("gone.keras", CT, "--out", tmp_path) == FAILED
    assert capsys.readouterr().err.startswith("saliency: error: gone.keras: ")
    (tmp_path / "bad.dcm").write_text("no DICOM")
    run(model, tmp_path / "bad.dcm", "--out", tmp_path)
    assert capsys.readouterr().err.startswith(
        f"saliency: error: {tmp_path / 'bad.dcm'}: "
    )


@pytest.mark.parametrize("first", [True, False], ids=["at once", "later"])
def test_a_full_disk_is_a_line_each(model, tmp_path, capsys, monkeypatch, first):
    """The others go on; nothing half is left; the exit code is 1."""
    really_open, drafts = Path.open, []

    def full(path, mode="r", *rest, **named):
        if mode == "wb" and path.suffix == ".part":
            drafts.append(path)
            if first or len(drafts) > 2:
                path.touch()
                return really_open(Path("/dev/full"), "wb")
        return really_open(path, mode, *rest, **named)

    monkeypatch.setattr(Path, "open", full)
    code = run(model, CT, MR, "--out", tmp_path / "out")
    errors = capsys.readouterr().err

    assert code == FAILED
    assert "No space left on device" in errors
    assert "Traceback" not in errors
    assert not list((tmp_path / "out").rglob("*.part"))
    assert any((tmp_path / "out").glob("*.png")) != first


def test_a_place_that_is_a_file_is_refused_before_the_model_runs(
    model, tmp_path, capsys
):
    """Nothing is computed that could not be kept."""
    (tmp_path / "file").write_text("mine")
    assert run(model, CT, "--out", tmp_path / "file") == FAILED
    assert capsys.readouterr().err.count("\n") == 1


def test_the_shell_prepares_as_python_does(model, tmp_path):
    """Every option arrives in Prepare."""
    options = {
        "--intensity modality --scale 4095": {"intensity": "modality", "scale": 4095.0},
        "--scale zscore --fit letterbox": {"scale": "zscore", "fit": "letterbox"},
        "--mean 0.5 --std 0.25": {"mean": 0.5, "std": 0.25},
        "--windows -600,1500": {"windows": ((-600, 1500),)},
        "--region 5,6,70,80": {"region": (5, 6, 70, 80)},
        "--spacing 1.5": {"spacing": 1.5},
    }
    for number, (words, how) in enumerate(options.items()):
        out = tmp_path / str(number)
        method = ("--method", "gradient", "--save", "npz")
        assert run(model, CT, "--out", out, *method, *words.split()) == DONE
        expected = sal.explain(model, CT, "gradient", prepare=sal.Prepare(**how))
        found = sal.load(next(out.glob("*.npz")))
        assert np.allclose(found.heatmap.values, expected.heatmap.values, atol=1e-6)


def test_a_preparation_of_ones_own(model, tmp_path, monkeypatch, capsys):
    """A function or a Prepare of a module in this folder, or JSON."""
    monkeypatch.chdir(tmp_path)
    text = "import saliency as sal\nready = sal.Prepare(scale='zscore')\n"
    text += "def made(image):\n    return sal.Prepare((32, 48), scale='zscore')(image).array[0]\n"
    Path("own_preparing.py").write_text(text)
    Path("prepare.json").write_text(json.dumps({"scale": "zscore", "size": [32, 48]}))
    maps = []
    for number, word in enumerate(
        ("own_preparing:ready", "own_preparing:made", "prepare.json")
    ):
        out = tmp_path / f"out{number}"
        method = ("--method", "gradient", "--save", "npz")
        assert run(model, CT, "--out", out, *method, "--prepare", word) == DONE
        maps.append(sal.load(next(out.glob("*.npz"))).heatmap.values)
    assert np.allclose(maps[0], maps[1])
    assert np.allclose(maps[0], maps[2])
    capsys.readouterr()
    for word in ("gone:made", "own_preparing:gone", "gone.json", "own_preparing:sal"):
        assert run(model, CT, "--out", tmp_path, "--prepare", word) == FAILED
        assert capsys.readouterr().err.count("\n") == 1
    assert (
        run(model, CT, "--out", tmp_path, "--prepare", "prepare.json", "--fit", "crop")
        == FAILED
    )
    assert "leave out --fit" in capsys.readouterr().err


def test_methods_take_arguments():
    """A name of the catalogue, and arguments of its class; several between commas."""
    found = methods_in(
        ["lrp:composite=epsilon_plus,epsilon=0.1,gradcam", "ig:steps=16"]
    )

    assert [method.name for method in found] == [
        "lrp:composite=epsilon_plus,epsilon=0.1",
        "gradcam",
        "ig:steps=16",
    ]
    assert (found[0].recipe.composite, found[0].recipe.epsilon) == ("epsilon_plus", 0.1)
    assert found[2].recipe.steps == 16
    with pytest.raises(sal.InputError, match="no argument step; it has"):
        methods_in(["integrated_gradients:step=1"])


def test_several_methods_and_targets_are_several_maps(model, tmp_path):
    """Each pair once, in order."""
    run(
        model,
        CT,
        "--out",
        tmp_path,
        "--method",
        "gradcam",
        "--method",
        "gradient",
        "--target",
        "0,1",
    )

    assert [(row["method"], row["target"]) for row in rows(tmp_path)] == [
        ("gradcam", 0),
        ("gradcam", 1),
        ("gradient", 0),
        ("gradient", 1),
    ]


def test_a_layer_is_chosen(model, tmp_path):
    """``--layer`` is the layer of the map, as ``layers=`` of a probe is."""
    run(
        model,
        CT,
        "--out",
        tmp_path,
        "--method",
        "gradcam",
        "--layer",
        "first",
        "--save",
        "npz",
    )
    expected = sal.explain(sal.KerasProbe(model, layers=("first",)), CT, "gradcam")
    found = sal.load(next(tmp_path.glob("*.npz")))

    assert np.allclose(found.heatmap.values, expected.heatmap.values, atol=1e-6)


def test_json_is_one_row_a_line(model, tmp_path, capsys):
    """Rows on standard output, and nothing else there."""
    run(model, CT, MR, "--out", tmp_path, "--json")
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert [row["source"] for row in found] == [CT, MR]
    main(["info", CT, "--json"])
    assert json.loads(capsys.readouterr().out)["rows"] == 128


def test_anonymous_tables_have_no_sources(model, tmp_path):
    """The digest alone says which picture it was."""
    run(model, CT, "--out", tmp_path, "--anonymous")

    assert rows(tmp_path)[0]["source"] == ""
    for path in tmp_path.iterdir():
        assert path.is_dir() or b"CT_small" not in path.read_bytes()


def test_notes_name_their_file(tmp_path, capsys):
    """What the reader notes begins with the file; -q is silent; --log-file keeps it."""
    source = dcmread(CT)
    source.RescaleSlope = 0
    source.save_as(tmp_path / "odd.dcm")
    log = tmp_path / "notes.log"
    verb = ("info", str(tmp_path / "odd.dcm"))
    main([*verb, "--log-file", str(log)])
    noted = capsys.readouterr().err
    main([*verb, "-q"])

    assert capsys.readouterr().err == ""
    if noted:  # info reads the header alone: its notes are few
        assert noted.startswith(f"saliency: note: {tmp_path / 'odd.dcm'}: ")


def test_zips_are_read(model, tmp_path):
    """A zip is a source like a folder; its members are named by it."""
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as archive:
        archive.write(CT, "a/1.dcm")
        archive.writestr("readme.txt", "text")
    assert run(model, tmp_path / "study.zip", "--out", tmp_path / "out") == DONE
    assert rows(tmp_path / "out")[0]["source"] == str(
        tmp_path / "study.zip" / "a" / "1.dcm"
    )


@pytest.mark.slow
def test_the_demo_speaks_first(tmp_path):
    """The first line is the demo's own, six overlays lie there, TensorFlow says nothing."""
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    command = [sys.executable, "-m", "saliency", "demo", "--out", str(tmp_path)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment
    )

    assert done.stdout.startswith("A small model")
    assert done.stderr == ""
    assert len(list(tmp_path.glob("*.png"))) == 6


@pytest.mark.slow
def test_a_result_comes_without_a_log(model, tmp_path):
    """Nothing of TensorFlow's start is on standard error of a command that went well."""
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    command = [
        sys.executable,
        "-m",
        "saliency",
        "explain",
        model,
        CT,
        "--out",
        str(tmp_path),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment
    )

    assert done.stderr == ""


def test_equal_pixels_shown_otherwise_are_another_result(model, tmp_path):
    """A second window is a second map and a second file, and each is kept in the next run."""
    source = dcmread(CT)
    source.save_as(tmp_path / "a.dcm")
    source.WindowCenter, source.WindowWidth = 100, 300
    source.save_as(tmp_path / "b.dcm")
    source.RescaleIntercept = 500
    source.save_as(tmp_path / "c.dcm")
    for _ in range(2):
        run(
            model,
            *(tmp_path / f"{name}.dcm" for name in "abc"),
            "--out",
            tmp_path / "out",
        )
        found = rows(tmp_path / "out")

        assert len({row["digest"] for row in found}) == 1
        assert len({row["outputs"][0] for row in found}) == 3
    assert run(model, tmp_path / "b.dcm", "--out", tmp_path / "alone") == DONE
    name = found[1]["outputs"][0]
    together = (tmp_path / "out" / name).read_bytes()
    assert (tmp_path / "alone" / name).read_bytes() == together


WRONG_CALLS = {
    "CT MODEL": (FAILED, "CT: expected the model first: MODEL"),
    "MODEL MODEL": (NOTHING, "MODEL: Expected DICOM images, found none"),
    "MODEL empty": (NOTHING, "empty: Expected DICOM images, found none"),
    "MODEL gone.dcm": (FAILED, "gone.dcm: no such file or folder"),
    "gone.keras CT": (FAILED, "gone.keras: no such model"),
    "MODEL CT --target mass": (FAILED, "--target mass: expected the index of a class"),
    "MODEL CT --target 9": (FAILED, "--target: expected a class index from 0 to 1"),
    "MODEL CT --labels a": (FAILED, "--labels: expected 2 distinct labels"),
    "MODEL CT --method gradcma": (FAILED, "--method: there is no 'gradcma'"),
    "MODEL CT --method ig:steps=no": (FAILED, "--method ig:steps=no: "),
    "MODEL CT --method ig:steps": (FAILED, "--method ig:steps: "),
    "MODEL CT --window 40": (USAGE, "argument --window: expected center and width"),
    "MODEL CT --window 40,0": (USAGE, "argument --window: expected center and width"),
    "MODEL CT --frames 0": (USAGE, "argument --frames: expected first, all"),
    "MODEL CT --frames 7": (ALL_FAILED, "CT: there is no frame 7"),
    "MODEL CT --scale 1/255": (USAGE, "argument --scale: expected one of unit"),
    "MODEL CT --size a": (USAGE, "argument --size: expected rows and columns"),
    "MODEL CT --batch-size 0": (
        USAGE,
        "argument --batch-size: expected a whole number",
    ),
    "MODEL CT --save jpg": (FAILED, f"--save jpg: expected some of {FORMS}"),
    "MODEL CT --prepare fields.json": (FAILED, "--prepare fields.json: "),
    "MODEL CT --log-file empty": (FAILED, "--log-file empty: "),
    "MODEL CT --colour red": (USAGE, "unrecognized arguments: --colour"),
}


@pytest.mark.parametrize("call", WRONG_CALLS)
def test_a_wrong_call_is_answered_in_a_sentence(
    model, tmp_path, monkeypatch, capsys, call
):
    """It begins with the file or the option as the user gave it, and no list pushes it away."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(model, "MODEL.keras")
    shutil.copy(CT, "CT")
    Path("empty").mkdir()
    Path("fields.json").write_text('{"sacle": "unit"}')
    expected, words = WRONG_CALLS[call]
    try:
        code = run(*call.replace("MODEL", "MODEL.keras").split(), "--out", "out")
    except SystemExit as stop:
        code = stop.code
    first, *others = capsys.readouterr().err.splitlines()

    assert code == expected
    assert first.startswith(f"saliency: error: {words.replace('MODEL', 'MODEL.keras')}")
    assert len(others) <= (code == ALL_FAILED)
