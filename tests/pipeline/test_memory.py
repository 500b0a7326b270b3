"""A service that explains with a model's file at each request stays flat."""

import gc
import os
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from tensorflow.python.eager import context

import saliency as sal
from saliency.kernels import xla
from saliency.pipeline.explain import probe_of
from saliency.probe import cache

layers = keras.layers


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small network's file."""
    inputs = keras.Input((8, 11, 1))
    seen = layers.Conv2D(3, 3, activation="relu")(inputs)
    outputs = layers.Dense(2, activation="softmax")(
        layers.GlobalAveragePooling2D()(seen)
    )
    path = tmp_path_factory.mktemp("service") / "model.keras"
    keras.Model(inputs, outputs).save(path)
    return path


def counts() -> tuple[int, int, int]:
    """Count what can pile up: objects of Python, functions of TensorFlow, compiled kernels."""
    gc.collect()
    functions = len(context.context().list_function_names())
    return len(gc.get_objects()), functions, xla._kernel.cache_info().currsize


@pytest.mark.parametrize("method", ["fastcam", "gradcam"])
def test_a_service_stays_flat(file: Path, method: str) -> None:
    """A hundred requests that name a file leave nothing: no function, no kernel, no network.

    A network of this size is some 3,000 objects of Python. What earlier tests left may go
    meanwhile.
    """
    image = sal.DicomImage.from_array(np.arange(88, dtype=np.uint8).reshape(8, 11))
    for _ in range(3):
        sal.explain(file, image, method, target=1)
    before = counts()
    for _ in range(100):
        sal.explain(str(file), image, method, target=1)
    after = counts()

    objects, functions, kernels = np.subtract(after, before)
    assert functions <= 0
    assert kernels <= 0
    assert objects < 400


def test_a_file_that_was_written_again_is_loaded_again(file: Path) -> None:
    """What is held is the file as it was; of many files the last two are held."""
    image = sal.DicomImage.from_array(np.arange(88, dtype=np.uint8).reshape(8, 11))
    before = sal.explain(file, image, "gradient", target=1)
    model = keras.models.load_model(file)
    model.set_weights([2 * weight for weight in model.get_weights()])
    model.save(file)
    after = sal.explain(file, image, "gradient", target=1)

    assert np.abs(after.heatmap.values - before.heatmap.values).max() > 0
    own = sal.explain(model, image, "gradient", target=1)
    np.testing.assert_allclose(after.heatmap.values, own.heatmap.values, rtol=1e-5)
    assert len(cache._FILES) <= 2


@pytest.mark.parametrize("clock", ["fine", "whole seconds", "kept"])
def test_other_weights_of_the_same_size_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: str
) -> None:
    """Written into the same file at once: times are coarse, or are put back as a copy does."""
    real = os.stat

    def coarse(path: object, **how: object) -> object:
        seen = real(path, **how)
        second = seen.st_mtime_ns // 10**9 * 10**9
        return SimpleNamespace(
            st_ino=seen.st_ino,
            st_size=seen.st_size,
            st_mode=seen.st_mode,
            st_mtime_ns=second,
            st_ctime_ns=second,
        )

    path = tmp_path / "model.h5"
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), layers.Flatten(), layers.Dense(1)]
    )
    model.save(path)
    first, times = path.read_bytes(), real(path)
    model.set_weights([2 * weight for weight in model.get_weights()])
    model.save(path)
    second = path.read_bytes()
    assert len(first) == len(second)
    path.write_bytes(first)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    if clock == "whole seconds":
        monkeypatch.setattr(cache.os, "stat", coarse)
    before = probe_of(path)
    assert probe_of(path).core is before.core
    path.write_bytes(second)
    if clock == "kept":
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        monkeypatch.setattr(cache, "_YOUNG", 0)
    after = probe_of(path)

    np.testing.assert_array_equal(after.model.get_weights()[0], model.get_weights()[0])
    assert (
        len([held for held in cache._FILES.values() if held.model is before.model]) == 0
    )


def test_an_old_file_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that nobody wrote lately is known by its times: its bytes are not read again."""
    path = tmp_path / "model.keras"
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), layers.Flatten(), layers.Dense(1)]
    )
    model.save(path)
    first = probe_of(path).model
    monkeypatch.setattr(cache, "_YOUNG", 0)  # two seconds later
    assert probe_of(path).model is first
    monkeypatch.setattr(cache, "_digest", None)
    assert probe_of(path).model is first


def test_an_old_file_is_known_by_its_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by the time of change, which a copy that keeps the time of writing cannot put back."""
    monkeypatch.setattr(cache, "_YOUNG", 0)
    paths = [tmp_path / f"{number}.h5" for number in range(3)]
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    for path in paths:
        model.save(path)
    before = [cache._model_of_file(path) for path in paths]
    assert len(cache._FILES) == 2  # of three that were asked for
    assert cache._model_of_file(paths[2]) is before[2]

    times = paths[2].stat()
    model.set_weights([weight + 1 for weight in model.get_weights()])
    model.save(paths[1])
    paths[2].write_bytes(paths[1].read_bytes())
    os.utime(paths[2], ns=(times.st_atime_ns, times.st_mtime_ns))
    after = cache._model_of_file(paths[2])

    assert paths[2].stat().st_size == times.st_size
    np.testing.assert_array_equal(after.get_weights()[0], model.get_weights()[0])


def test_what_is_asked_again_is_not_compiled_again(file: Path) -> None:
    """Of a file, and of a model of (H, W), which is asked by a twin of (H, W, 1)."""
    grey = keras.Sequential([keras.Input((8, 11)), layers.Flatten(), layers.Dense(2)])

    assert probe_of(file).core is probe_of(str(file)).core
    assert probe_of(grey).core is probe_of(grey).core
