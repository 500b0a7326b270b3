"""A run over a slide that was stopped goes on: no tile is lost, none is asked or counted twice."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from slides.built import halved, level, places_of, scene, tiles_of
from slides.networks import RED, opened, red_detector, tissue

import saliency as sal
from saliency.slides import explain_setup
from saliency.slides.explain_keep import key_of
from saliency.slides.explain_setup import Tiling, setting

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


TILING = {
    "prepare": sal.Prepare(),
    "spacing": 0.0005,
    "tile": 8,
    "overlap": 0.25,
    "tissue": None,
}


def key(slide, **ways):
    """Return what tells a question about a slide from others."""
    with slide, setting(None, slide, Tiling(**(TILING | ways))) as given:
        return key_of(given, "asked")


def planes(fine, coarse, **attributes):
    """Return a slide of two focal planes, of which the coarse level has one."""
    frames = [tiles_of(each, (5, 7), places_of((24, 36), (5, 7))) for each in fine]
    first = level(
        fine[0],
        frames=np.concatenate(frames),
        TotalPixelMatrixFocalPlanes=2,
        **attributes,
    )
    return [first, level(coarse, spacing=(0.001, 0.001))]


def test_slides_that_look_alike_are_told_apart(monkeypatch):
    """By focal plane and by the files, where all have one coarse level and so one thumbnail."""
    monkeypatch.setattr(explain_setup, "THUMBNAIL", 18)
    pixels = scene(24, 36)
    coarse = halved(pixels)
    files = planes((pixels, 255 - pixels), coarse)
    others = planes((scene(24, 36, 1), pixels), coarse, SOPInstanceUID="1.2.9")
    near = key(sal.open_slide(files, focal_plane=0))
    assert near == key(sal.open_slide(files[::-1], focal_plane=0))
    assert near != key(sal.open_slide(files, focal_plane=1))
    assert near != key(sal.open_slide(others, focal_plane=0))


@pytest.mark.parametrize(
    "other",
    [
        {"prepare": sal.Prepare(halo=1)},
        {"prepare": sal.Prepare(scale="pixel")},
        {"spacing": (0.0005, 0.0006)},
        {"tile": (8, 9)},
        {"overlap": 0.5},
        {"tissue": np.ones((24, 36), np.bool_)},
    ],
    ids="-".join,
)
def test_another_way_of_asking_is_another_question(other):
    """What was kept for one is never taken for the other."""
    files = [level(scene(24, 36))]
    assert key(sal.open_slide(files), **other) != key(sal.open_slide(files))


def test_files_are_opened_once_for_a_run(monkeypatch):
    """The thumbnail is read from the slide that is open."""
    sources = []

    def counted(source):
        sources.append(source)
        return sal.open_slide(source)

    monkeypatch.setattr(explain_setup, "open_slide", counted)
    with setting(None, [level(scene(24, 36))], Tiling(**TILING)) as given:
        assert given.slide.thumbnail(explain_setup.THUMBNAIL).size == (24, 36)
    assert len(sources) == 1
