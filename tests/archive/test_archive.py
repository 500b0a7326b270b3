"""An archive run finds every result once, whatever happens to it."""

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from archive.small_model import save_small_model
from pydicom import dcmread
from pydicom.data import get_testdata_file

import saliency as sal
from saliency.archive.table import COLUMNS, Table
from saliency.cli.main import DONE, FAILED, INTERRUPTED, main
from saliency.errors import InputError
from saliency.pipeline.explain import versions
from saliency.pipeline.files import NothingFoundError

CT = get_testdata_file("CT_small.dcm")


@pytest.fixture(scope="module")
def path_of_model(tmp_path_factory):
    """A saved grey model with two classes."""
    return save_small_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def model(path_of_model):
    """The model, traced once."""
    return sal.KerasProbe(path_of_model)


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """Six small files, each of other pixels."""
    folder = tmp_path_factory.mktemp("originals")
    source = dcmread(CT)
    values = source.pixel_array[:24, :24]
    source.Rows, source.Columns = values.shape
    for number in range(6):
        source.PixelData = np.roll(values, number, axis=0).tobytes()
        source.save_as(folder / f"{number}.dcm")
    return folder


def linked(originals, folder, count):
    """Fill a folder with links to the files, by turns."""
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:04}.dcm").symlink_to(originals / f"{number % 6}.dcm")
    return folder


def rows(out):
    """Return the rows of the table."""
    return [
        json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()
    ]


def sources(out):
    """Return names of files in the table, in order of the alphabet."""
    return sorted(Path(row["source"]).name for row in rows(out))


def test_a_run_says_what_explain_says(model, originals, tmp_path):
    """Rows, files and counts; CSV and JSON lines hold the same rows."""
    out = tmp_path / "out"
    summary = sal.explain_archive(
        model, originals, out, "gradient", target=1, save=("npz",)
    )
    assert (summary.done, summary.skipped, summary.failed) == (6, 0, 0)
    assert summary.table == out / "results.jsonl"
    found = rows(out)
    for row in found:
        expected = sal.explain(model, row["source"], "gradient", target=1)
        assert row["score"] == pytest.approx(expected.score, rel=1e-5)
        kept = sal.load(out / row["outputs"][0])
        np.testing.assert_allclose(
            kept.heatmap.values, expected.heatmap.values, atol=1e-6
        )
    with (out / "results.csv").open() as file:
        table = list(csv.DictReader(file))
    assert tuple(table[0]) == COLUMNS
    assert [row["source"] for row in table] == [row["source"] for row in found]


def test_tensorflow_has_a_version_whatever_its_package_is_called(monkeypatch):
    """That of the container is tensorflow-cpu; a row of another version is no row of this one."""
    monkeypatch.setattr(
        "saliency.pipeline.explain._version", lambda name: f"{name} is unknown"
    )
    assert versions()["tensorflow"] == tf.__version__


def test_a_rerun_does_what_is_missing(model, originals, tmp_path):
    """Nothing where all is there; one where a file of a result is gone; a new file."""
    folder, out = tmp_path / "in", tmp_path / "out"
    shutil.copytree(originals, folder)
    sal.explain_archive(model, folder, out, "gradient")
    again = sal.explain_archive(model, folder, out, "gradient")
    assert (again.done, again.skipped) == (0, 6)
    next(out.glob("*.png")).unlink()
    shutil.copy(CT, folder / "new.dcm")
    third = sal.explain_archive(model, folder, out, "gradient")
    assert (third.done, third.skipped) == (2, 5)
    assert len(rows(out)) == 7
    all_anew = sal.explain_archive(model, folder, out, "gradient", overwrite=True)
    assert (all_anew.done, len(rows(out))) == (7, 7)


def test_equal_content_is_two_rows_and_one_set_of_files(model, originals, tmp_path):
    """At once, in one batch or in two, and in a later run."""
    folder, out = linked(originals, tmp_path / "in", 18), tmp_path / "out"
    sal.explain_archive(model, folder, out, "gradient", batch_size=4)
    assert len(rows(out)) == 18
    assert len(list(out.glob("*.png"))) == 6
    more = sal.explain_archive(model, originals, out, "gradient")
    assert (more.done, more.skipped) == (0, 6)
    assert len(rows(out)) == 24
    assert len(list(out.glob("*.png"))) == 6


def test_another_question_does_not_replace_files(model, originals, tmp_path):
    """Rows of an image asked two questions by one name are replaced; no row shows other heat."""
    out = tmp_path / "out"
    source = originals / "0.dcm"
    copy = tmp_path / "copy.dcm"
    shutil.copy(source, copy)
    sal.explain_archive(model, [source], out, "gradient", target=1, save=("npz",))
    crop = sal.Prepare(fit="crop")
    sal.explain_archive(
        model, [copy], out, "gradient", target=1, save=("npz",), prepare=crop
    )
    first, second = rows(out)
    assert first["outputs"] != second["outputs"]
    sal.explain_archive(
        model, [source], out, "gradient", target=1, save=("npz",), prepare=crop
    )
    assert len(rows(out)) == 2
    assert len(list(out.glob("*.npz"))) == 1
    assert {row["score"] for row in rows(out)} == {second["score"]}


def test_a_look_that_changed_is_painted_again_for_every_file(
    path_of_model, originals, tmp_path
):
    """Two files share a picture: where one was painted otherwise since, the other is not kept."""
    copy = tmp_path / "copy.dcm"
    shutil.copy(originals / "0.dcm", copy)
    call = ["--out", str(tmp_path / "out"), "--method", "gradient"]
    first = ["explain", str(path_of_model), str(originals / "0.dcm"), *call]
    main(first)
    png = next((tmp_path / "out").glob("*.png"))
    before = png.read_bytes()
    main(["explain", str(path_of_model), str(copy), *call, "--no-caption"])
    assert png.read_bytes() != before
    main(first)
    assert png.read_bytes() == before


def test_parts_are_disjoint_and_complete(model, originals, tmp_path):
    """By the names of files, whatever else lies there; they share one folder of results."""
    folder, out = linked(originals, tmp_path / "in", 40), tmp_path / "out"
    parts = [
        sal.explain_archive(model, folder, out, "gradient", part=f"{number}/3")
        for number in (1, 2, 3)
    ]
    counts = [part.done + part.skipped for part in parts]
    assert sources(out) == sorted(path.name for path in folder.iterdir())
    assert sum(counts) == 40
    assert min(counts) > 0
    for wrong in ("0/3", "4/3", "1", "a/b"):
        with pytest.raises(InputError, match="part"):
            sal.explain_archive(model, folder, out, part=wrong)


def test_a_list_of_files_is_a_source(model, originals, tmp_path):
    """A text, or a CSV with labels; names count from here or from the list's folder."""
    shutil.copytree(originals, tmp_path / "in")
    (tmp_path / "list.txt").write_text("in/0.dcm\n\nin/1.dcm\n")
    (tmp_path / "list.csv").write_text("label;file\nmass;in/2.dcm\nnone;in/3.dcm\n")
    lists = [tmp_path / "list.txt", tmp_path / "list.csv"]
    sal.explain_archive(model, lists, tmp_path / "out", "gradient")
    found = {Path(row["source"]).name: row["truth"] for row in rows(tmp_path / "out")}
    assert found == {"0.dcm": None, "1.dcm": None, "2.dcm": "mass", "3.dcm": "none"}
    (tmp_path / "bad.txt").write_text("gone.dcm\n")
    with pytest.raises(InputError, match=r"bad.txt: it lists gone.dcm"):
        sal.explain_archive(model, tmp_path / "bad.txt", tmp_path / "out")


def test_zips_globs_and_urls_are_sources(model, originals, tmp_path):
    """A member of a zip, a pattern, a folder behind a URL of fsspec."""
    fsspec = pytest.importorskip("fsspec")
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as archive:
        archive.write(originals / "0.dcm", "a/0.dcm")
    memory = fsspec.filesystem("memory")
    memory.pipe("/bucket/3.dcm", (originals / "3.dcm").read_bytes())
    given = [tmp_path / "study.zip", str(originals / "[12].dcm"), "memory://bucket/"]
    sal.explain_archive(model, given, tmp_path / "out", "gradient")
    assert sources(tmp_path / "out") == ["0.dcm", "1.dcm", "2.dcm", "3.dcm"]


def test_what_cannot_be_read_is_a_row_until_it_can(model, originals, tmp_path):
    """A failure is a row; mended, its row is replaced; nothing at all is an error."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    (folder / "a.dcm").write_text("no DICOM")
    first = sal.explain_archive(model, folder, out, "gradient")
    assert (first.done, first.failed) == (0, 1)
    sal.explain_archive(model, folder, out, "gradient")
    assert len(rows(out)) == 1
    shutil.copy(originals / "0.dcm", folder / "a.dcm")
    assert sal.explain_archive(model, folder, out, "gradient").done == 1
    assert [row["error"] for row in rows(out)] == [None]
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingFoundError):
        sal.explain_archive(model, tmp_path / "empty", tmp_path / "none")
    assert not (tmp_path / "none" / "results.jsonl").exists()


def test_a_torn_last_line_is_dropped(tmp_path):
    """Rows before it stay, rows after it begin a line of their own."""
    row = dict.fromkeys(COLUMNS)
    row |= {"outputs": [], "record": "", "stamp": "", "error": "x", "frame": 0}
    table = Table(tmp_path)
    table.append([row | {"source": "a"}, row | {"source": "b"}])
    with (tmp_path / "results.jsonl").open("a") as file:
        file.write('{"source": "c", "torn')
    torn = Table(tmp_path)
    torn.append([row | {"source": "d"}])
    assert [each["source"] for each in torn.rows()] == ["a", "b", "d"]
    assert sources(tmp_path) == ["a", "b", "d"]


def test_a_run_that_ends_takes_nothing_from_one_that_goes_on(tmp_path):
    """Two share a folder: rows move when the first ends; the other neither loses nor mixes any."""

    def row(name, record):
        known = {"source": name, "digest": "", "frame": 0, "outputs": []}
        return {**dict.fromkeys(COLUMNS), **known, "record": record, "stamp": ""}

    first, second = Table(tmp_path), Table(tmp_path)
    first.append([row("a", "a0"), row("a", "a1")])
    second.append([row("b", "b0"), row("c", "c0")])
    assert second.row_of("c0")["source"] == "c"
    first.finish({})
    assert (second.row_of("b0") or row("b", "b0"))["source"] == "b"
    second.append([row("d", "d0")])
    first.append([row("e", "e0")])
    second.finish({})
    assert [each["record"] for each in rows(tmp_path)] == ["a1", "b0", "c0", "d0", "e0"]
    assert second.row_of("b0")["source"] == "b"


@pytest.mark.parametrize(
    "text",
    ['{"loss": 0.25}\n', '{"loss": 0.25}', "\n", '{"source": "a"}\n{"source": "b"}\n'],
)
def test_a_table_of_another_program_is_left_as_it_is(tmp_path, text):
    """Its lines are no rows, and would be dropped when a run ends."""
    table = tmp_path / "results.jsonl"
    table.write_text(text)
    with pytest.raises(InputError, match="another program or version wrote"):
        Table(tmp_path)
    assert table.read_text() == text


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes on Linux")
def test_a_name_that_is_no_text_is_a_row_like_any_other(
    path_of_model, originals, tmp_path
):
    """It comes back as it was, from the table, and a rerun finds its row."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    name = os.fsdecode(b"\xff\xe4.dcm")
    shutil.copy(originals / "0.dcm", folder / name)
    call = [
        "explain",
        str(path_of_model),
        str(folder),
        "--out",
        str(out),
        "--method",
        "gradient",
    ]
    assert main(call) == DONE
    assert sources(out) == [name]
    assert main(call) == DONE
    assert len(rows(out)) == 1


def test_drafts_of_a_killed_run_are_removed(model, originals, tmp_path):
    """Those that are old; a young one may be another part's."""
    old, young = tmp_path / ".aa.part", tmp_path / ".bb.part"
    for draft in (old, young):
        draft.write_text("half")
    os.utime(old, (0, 0))
    sal.explain_archive(model, originals / "0.dcm", tmp_path, "gradient")
    assert (old.exists(), young.exists()) == (False, True)


def test_a_run_stops_at_its_limits(path_of_model, originals, tmp_path, capsys):
    """--limit, --since and --max-failures; the exit code says that not all was done."""
    folder = tmp_path / "in"
    shutil.copytree(originals, folder)
    for number in range(30):
        (folder / f"bad{number}.dcm").write_text("no DICOM")
    call = [
        "explain",
        str(path_of_model),
        str(folder),
        "--method",
        "gradient",
        "--batch-size",
        "2",
    ]
    limited = tmp_path / "limited"
    assert main([*call, "--out", str(limited), "--limit", "4"]) == DONE
    assert sources(limited) == ["0.dcm", "1.dcm", "2.dcm", "3.dcm"]
    stopped = tmp_path / "stopped"
    assert main([*call, "--out", str(stopped), "--max-failures", "3"]) == FAILED
    assert sum(bool(row["error"]) for row in rows(stopped)) == 3
    assert "--max-failures 3 was reached" in capsys.readouterr().err
    os.utime(folder / "0.dcm", (0, 2e9))
    recent = tmp_path / "recent"
    assert main([*call, "--out", str(recent), "--since", "2033-01-01"]) == DONE
    assert sources(recent) == ["0.dcm"]


def test_run_json_repeats_the_run(
    path_of_model, originals, tmp_path, monkeypatch, capsys
):
    """--from takes its arguments; what is given besides wins; an anonymous one says it has none."""
    monkeypatch.chdir(tmp_path)
    call = [
        "explain",
        str(path_of_model),
        str(originals),
        "--method",
        "gradient",
        "--scale",
        "pixel",
    ]
    assert main([*call, "--out", "first"]) == DONE
    assert main(["explain", "--from", "first/run.json", "--out", "second"]) == DONE
    told = [
        [(row["source"], row["score"]) for row in rows(Path(out))]
        for out in ("first", "second")
    ]
    assert told[0] == told[1]
    assert main([*call, "--out", "third", "--anonymous"]) == DONE
    assert str(originals) not in Path("third/run.json").read_text()
    capsys.readouterr()
    assert main(["explain", "--from", "third/run.json"]) == FAILED
    assert capsys.readouterr().err.startswith(
        "saliency: error: --from third/run.json: "
    )


def started(path_of_model, folder, out):
    """Start a run in a process of its own, which Ctrl-C reaches.

    A shell starts what runs in the background with that signal ignored, and its children inherit
    this: the suite may run so.
    """
    command = [
        sys.executable,
        "-m",
        "saliency",
        "explain",
        str(path_of_model),
        str(folder),
    ]
    options = ["--out", str(out), "--method", "gradient", "--batch-size", "4"]
    return subprocess.Popen(
        [*command, *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )


@pytest.mark.slow
def test_a_run_that_is_killed_three_times_has_each_row_once(
    path_of_model, originals, tmp_path
):
    """Kill -9 at random moments while rows are written; the fourth run finishes."""
    folder, out = linked(originals, tmp_path / "in", 300), tmp_path / "out"
    draw = random.Random(0)  # noqa: S311
    for _ in range(3):
        before = len(table_lines(out))
        process = started(path_of_model, folder, out)
        while process.poll() is None and len(table_lines(out)) < before + 20:
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 0.1))
        process.kill()
        process.communicate()
    assert 20 <= len(table_lines(out)) < 300
    process = started(path_of_model, folder, out)
    process.communicate()

    assert process.returncode == DONE
    assert sources(out) == sorted(path.name for path in folder.iterdir())
    for row in rows(out):
        assert all((out / name).is_file() for name in row["outputs"])


@pytest.mark.slow
def test_ctrl_c_ends_a_run_cleanly(path_of_model, originals, tmp_path):
    """What was done is in all tables, the exit code says what happened, there is no traceback."""
    folder, out = linked(originals, tmp_path / "in", 3000), tmp_path / "out"
    process = started(path_of_model, folder, out)
    while process.poll() is None and len(table_lines(out)) < 20:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()

    assert process.returncode == INTERRUPTED
    assert b"Traceback" not in said
    with (out / "results.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(rows(out)) >= 20


def table_lines(out):
    """Return the lines of a table that may not be there yet."""
    table = out / "results.jsonl"
    return table.read_bytes().splitlines() if table.is_file() else []
