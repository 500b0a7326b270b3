"""Frames in time: explained one after the other, shown at their own speed on one scale."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from dicom.build import dataset, written
from PIL import Image
from volumes.built import planes

import saliency as sal
from saliency.errors import InputError, MissingExtraError

PROBE = sal.ClosedFormProbe(lambda x: tf.reduce_sum(x**2, (1, 2, 3)), lambda x: 2 * x)
SIZE = (9, 11)  # odd: a film of 4:2:0 needs even ones


def cine(count=4, **attributes):
    """Return a file of frames of which each is brighter than the one before."""
    frames = np.zeros((count, *SIZE), np.uint8)
    for k in range(count):
        frames[k, 5, 5] = 60 * k
    window = {"WindowCenter": 127.5, "WindowWidth": 256}
    return written(dataset(frames, frames=count, **(window | attributes)))


@pytest.fixture(scope="module")
def results():
    """Explanations of the frames of one file."""
    frames = sal.read_frames(cine(FrameTime=40))
    return list(sal.explain_many(PROBE, frames, sal.Gradient()))


@pytest.mark.parametrize(
    ("attributes", "fps"),
    [
        ({"FrameTime": 40, "CineRate": 5}, 25),
        ({"FrameTimeVector": [0, 50, 50, 50], "RecommendedDisplayFrameRate": 5}, 20),
        ({"RecommendedDisplayFrameRate": 15, "CineRate": 5}, 15),
        ({"CineRate": 30}, 30),
        ({"FrameTime": 0, "CineRate": 30}, 30),
        ({}, 10),
    ],
)
def test_the_file_says_how_fast(attributes, fps):
    """Frame Time, its vector, the recommended rate, the cine rate: the first that is there."""
    frames = sal.read_frames(cine(**attributes))
    film = sal.animate(sal.explain_many(PROBE, frames, sal.Gradient()))
    assert film.fps == pytest.approx(fps)


def test_one_scale_and_the_caption(results):
    """Each frame is painted on the scale of the hottest; below it stands its caption."""
    scale = max(float(np.abs(result.heatmap.values).max()) for result in results)
    given = sal.animate(results, vmax=scale)
    for result, frame in zip(results, given.frames, strict=True):
        alone = sal.animate([result], vmax=scale).frames[0]
        rows = result.overlay().rgb.shape[0]
        assert rows < len(alone) <= len(frame)
        np.testing.assert_array_equal(alone, frame[: len(alone)])
        own = sal.animate([result]).frames[0][:rows]
        same = np.array_equal(own, alone[:rows])
        assert same == (result is results[0] or result is results[-1])


@pytest.mark.parametrize("ending", [".gif", ".webp", ".png"])
def test_films_keep_frames_and_time(results, tmp_path, ending):
    """Read back by Pillow: as many frames, 40 ms each."""
    with Image.open(sal.animate(results).save(tmp_path / f"cine{ending}")) as film:
        assert film.n_frames == len(results)
        film.seek(1)
        film.load()
        assert film.info["duration"] == 40


def test_mp4_keeps_frames_and_time(results, tmp_path):
    """Read back by FFmpeg: as many frames, 25 a second, no pixel of an odd size lost."""
    av = pytest.importorskip("av", reason="the extra video is not installed")
    film = sal.animate(results)
    with av.open(str(film.save(tmp_path / "cine.mp4"))) as opened:
        stream = opened.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in opened.decode(stream)]
        assert float(stream.average_rate) == 25
    rows, columns, _ = film.frames[0].shape
    assert len(frames) == 4
    assert frames[0].shape[0] - rows in (0, 1)
    assert frames[0].shape[1] - columns in (0, 1)
    difference = frames[3][:rows, :columns].astype(int) - film.frames[3]
    assert np.abs(difference).mean() < 12


def test_mp4_without_the_extra_says_so(results, tmp_path, monkeypatch):
    """One sentence that names the extra; no file is left."""
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"dicom-saliency\[video\]"):
        sal.animate(results).save(tmp_path / "cine.mp4")
    assert not list(tmp_path.iterdir())


def test_a_frame_that_failed_leaves_its_time_empty(results):
    """The curve is against time: what comes behind a failure is no earlier for it."""
    failed = sal.Failure(1, "DicomError", "cut")
    film = sal.animate([results[0], failed, *results[2:]])
    line = film.figure().axes[0].lines[0]
    np.testing.assert_allclose(line.get_xdata(), [0, 0.08, 0.12])
    np.testing.assert_allclose(line.get_ydata(), [results[k].score for k in (0, 2, 3)])


def test_nothing_to_show_is_refused():
    """Also where every frame failed."""
    with pytest.raises(InputError, match="expected explanations, got none"):
        sal.animate([sal.Failure(0, "DicomError", "cut")])


def test_a_volume_is_many_images(tmp_path):
    """explain_many goes through its slices; of a folder and a glob through the files."""
    files = [replace_file(tmp_path, k, each) for k, each in enumerate(planes())]
    volume = sal.read_series(tmp_path)
    slices = list(sal.explain_many(PROBE, volume, sal.Gradient()))
    assert len(slices) == 5
    for image, result in zip(volume, slices, strict=True):
        assert result.image.digest == image.digest
    for source in (tmp_path, str(tmp_path / "*.dcm"), files):
        assert len(list(sal.explain_many(PROBE, source, sal.Gradient()))) == 5


def replace_file(folder, number, made):
    """Write a slice, return where."""
    path = folder / f"{number}.dcm"
    path.write_bytes(written(made))
    return path


def test_a_bad_rate_is_refused(results):
    """Frames a second are above 0."""
    film = sal.animate(results)
    with pytest.raises(InputError, match="fps above 0"):
        replace(film, fps=float("nan"))
