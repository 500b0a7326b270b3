"""Ray: a real cluster of several processes, one of which is killed in the middle."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from archive.small_model import save_small_model
from orthanc import APART, skip_without_namespace
from pydicom import dcmread
from pydicom.data import get_testdata_file

import saliency as sal

STEPS = Path(__file__).with_name("ray_steps.py")
COUNT = 400
#: What may differ between two runs: how long they took.
TIMES = ("seconds",)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A saved grey model with two classes."""
    return save_small_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files of other pixels each, one of them cut."""
    folder = tmp_path_factory.mktemp("files")
    source = dcmread(get_testdata_file("CT_small.dcm"))
    values = source.pixel_array[:24, :24]
    source.Rows, source.Columns = values.shape
    for number in range(COUNT):
        source.PixelData = np.roll(values + number, number, axis=0).tobytes()
        source.save_as(folder / f"{number:04}.dcm")
    whole = (folder / "0123.dcm").read_bytes()
    (folder / "0123.dcm").write_bytes(whole[:-300])
    return folder


@pytest.fixture(scope="module")
def said(model, folder, tmp_path_factory):
    """What the steps saw, and where their results lie."""
    pytest.importorskip("ray", reason="no Ray: pip install 'dicom-saliency[ray]'")
    skip_without_namespace()
    place = tmp_path_factory.mktemp("ray")
    script = 'ip link set lo up; exec "$@"'
    root = str(Path(__file__).parents[2])
    # Ray's sockets lie below this folder, and their names may not be longer than 107 bytes.
    small = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_TMPDIR": tempfile.gettempdir(),
        "RAY_DEDUP_LOGS": "0",
    }
    done = subprocess.run(
        [*APART, "bash", "-c", script, "-", sys.executable, STEPS, model, folder],
        cwd=place,
        env={**os.environ, **small, "PYTHONPATH": root, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return {**json.loads(done.stdout.splitlines()[-1]), "place": place}


def rows_of(table):
    """Return the rows of a table without what is different each time."""
    lines = table.read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return [{k: v for k, v in row.items() if k not in TIMES} for row in rows]


@pytest.mark.slow
def test_a_killed_worker_loses_nothing_and_doubles_nothing(
    said, model, folder, tmp_path
):
    """Rows and files are those of a run in this process, bit for bit, in the same order."""
    assert said["killed"] == [2]
    assert said["counts"] == [COUNT - 1, 0, 1]
    local = tmp_path / "local"
    summary = sal.explain_archive(
        model, folder, local, "gradient", target=1, batch_size=4
    )
    assert rows_of(said["place"] / "first.jsonl") == rows_of(summary.table)
    drawn, expected = (
        {path.name: path.read_bytes() for path in out.glob("*.png")}
        for out in (said["place"] / "out", local)
    )
    assert drawn == expected
    assert len(drawn) == COUNT - 1


@pytest.mark.slow
def test_a_second_run_does_what_is_missing(said):
    """What failed is tried again."""
    assert said["again"] == [0, COUNT - 1, 1]


@pytest.mark.slow
def test_the_cluster_is_somebody_else_s(said):
    """It is neither stopped nor started, and not asked for more than it has."""
    assert said["still there"] is True
    assert "expected a cluster of Ray, found none" in said["no cluster"]
    assert said["left"] == []
    assert "expected at most 2 workers" in said["too many"]


@pytest.mark.slow
def test_a_question_that_is_wrong_for_all_is_one_error(said):
    """As in this process, not a row for each file."""
    kind, words = said["wrong for all"]
    assert kind == "TargetError"
    assert "7" in words


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"engine": "spark"}, "engine: expected None"),
        ({"workers": 2}, "workers: expected 1 or more, and an engine"),
        ({"engine": "ray", "workers": 0}, "workers: expected 1 or more"),
    ],
)
def test_engines_that_cannot_be_are_refused(model, folder, tmp_path, options, match):
    with pytest.raises(sal.InputError, match=match):
        sal.explain_archive(model, folder, tmp_path / "out", "gradient", **options)
    assert not (tmp_path / "out").exists()
