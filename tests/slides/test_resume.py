"""A run over a slide that was stopped goes on: no tile is lost, none is asked or counted twice."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from slides.networks import RED, opened, red_detector, tissue

import saliency as sal

TESTS = Path(__file__).parents[1]
ON = {"target": 1, "spacing": 0.0005, "batch_size": 4}
RUN = """
import sys, time
from slides.test_resume import ON, slide
import saliency as sal

def tell(at):
    print(at.done, flush=True)
    time.sleep(0.1)

with slide() as held:
    sal.explain_slide(sys.argv[1], held, "gradient", out=sys.argv[2], progress=tell, **ON)
"""


def slide():
    """A disc of tissue with a red square."""
    scene = tissue(512, 640)
    scene[224:264, 352:392] = RED
    return opened(scene)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The file of a model: in each process its layers have the same names."""
    path = tmp_path_factory.mktemp("model") / "red.keras"
    red_detector().save(path)
    return path


@pytest.fixture(scope="module")
def whole(model):
    """What a run without a stop finds, and how far it said it was."""
    told = []
    with slide() as held:
        found = sal.explain_slide(model, held, "gradient", progress=told.append, **ON)
    return found, told


def test_progress_counts_every_tile_once(whole):
    """From none to all, with a rate and the time that is left."""
    found, told = whole
    assert (told[0].done, told[0].left) == (0, None)
    assert told[-1].done == told[-1].total == found.asked.sum()
    assert told[-1].left == 0
    steps = np.diff([at.done for at in told])
    assert set(steps[:-1]) == {4}
    assert told[-1].rate == pytest.approx(told[-1].done / told[-1].seconds)
    assert 0 < told[-1].model_seconds <= told[-1].seconds


def test_a_killed_run_goes_on(model, whole, tmp_path):
    """Kill -9 in the middle: what is missing is asked, and the answer is that of one run."""
    out = tmp_path / "out"
    path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, model, out],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    while int(process.stdout.readline()) < 20:
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    found, told = whole
    went_on = []
    with slide() as held:
        again = sal.explain_slide(
            model, held, "gradient", out=out, progress=went_on.append, **ON
        )
    assert 20 <= went_on[0].kept < found.asked.sum()
    assert went_on[-1].done == went_on[-1].total == told[-1].total
    np.testing.assert_array_equal(again.heatmap.values, found.heatmap.values)
    np.testing.assert_array_equal(again.scores, found.scores)
    assert (out / "record.json").exists()


def test_what_was_kept_serves_the_same_question_alone(model, tmp_path, caplog):
    """Another target begins anew and says so; so does resume=False."""

    def kept(**ways):
        told = []
        with slide() as held:
            sal.explain_slide(
                model,
                held,
                "gradient",
                out=tmp_path,
                progress=told.append,
                **(ON | ways),
            )
        return told[0].kept, told[-1].total

    assert kept()[0] == 0
    assert kept()[0] == kept()[1]
    assert kept(resume=False)[0] == 0
    assert kept(target=0)[0] == 0
    assert "begun anew" in caplog.text
