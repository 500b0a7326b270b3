"""What volumes cost: opening and decoding a series, maps of a 3-D network, a sliding window.

``python benchmarks/volumes.py [open | decode | maps | window] ...``; without a word all of them.
SimpleITK and highdicom are timed where they are installed: ``pip install SimpleITK highdicom``.
"""

import importlib
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pydicom
import tensorflow as tf
from pydicom.data import get_testdata_file

import saliency as sal

SLICES = 1000
WINDOW, GRID = (96, 128, 128), (300, 512, 512)


def main() -> None:
    """Print a Markdown table of each part."""
    for part in sys.argv[1:] or PARTS:
        print(f"\n### {part}\n\n| what | seconds |\n|---|---|")
        for what, found in PARTS[part]():
            print(f"| {what} | {found} |", flush=True)


def series(folder: Path, side: int, count: int) -> Path:
    """Write slices with the header of a real CT, each 1 mm above the one before."""
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm", download=False))
    values = np.random.default_rng(0).integers(0, 2000, (side, side), np.uint16)
    dataset.Rows = dataset.Columns = side
    dataset.PixelData = values.tobytes()
    for k in range(count):
        dataset.ImagePositionPatient = [0, 0, k]
        dataset.InstanceNumber = k + 1
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = (
            f"1.2.3.{k}"
        )
        dataset.save_as(folder / f"{k:04d}.dcm")
    return folder


def opening() -> Iterator[tuple[str, str]]:
    """Time how long it takes until a series of small slices can be looked at."""
    with tempfile.TemporaryDirectory() as name:
        folder = series(Path(name), 64, SLICES)
        title = f"{SLICES} slices of 64 x 64"
        yield f"{title}: read_series", fastest(lambda: sal.read_series(folder))
        yield f"{title}: pydicom, headers alone", fastest(lambda: headers(folder))
        yield from peers(title, folder)


def decoding() -> Iterator[tuple[str, str]]:
    """Time all pixels of a series in modality units."""
    with tempfile.TemporaryDirectory() as name:
        folder = series(Path(name), 512, 200)
        title = "200 slices of 512 x 512, native"
        yield (
            f"{title}: read_series(...).pixels",
            fastest(lambda: sal.read_series(folder).pixels),
        )
        yield from peers(title, folder)


def headers(folder: Path) -> object:
    """Read what a stack by hand starts with."""
    tags = ["ImagePositionPatient", "ImageOrientationPatient"]
    paths = sorted(folder.iterdir())
    return [
        pydicom.dcmread(path, stop_before_pixels=True, specific_tags=tags)
        for path in paths
    ]


def peers(title: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Time the same folder in other libraries, pixels and all: they know no lazy volume."""
    for name, job in {"SimpleITK": by_itk, "highdicom": by_highdicom}.items():
        try:
            library = importlib.import_module(name)
        except ImportError:
            yield f"{title}: {name}", "not installed"
            continue
        yield (
            f"{title}: {name}, with pixels",
            fastest(lambda job=job, library=library: job(library, folder)),
        )


def by_itk(itk: Any, folder: Path) -> object:
    """Read a series as SimpleITK's documentation does."""
    reader = itk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return itk.GetArrayFromImage(reader.Execute())


def by_highdicom(highdicom: Any, folder: Path) -> object:
    """Read a series as highdicom's documentation does."""
    datasets = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
    return highdicom.get_volume_from_series(datasets).array


def maps() -> Iterator[tuple[str, str]]:
    """Time a gradient and Grad-CAM in F, the forward passes of the same 3-D network."""
    model = network((32, 64, 64))
    inputs = tf.constant(
        np.random.default_rng(0).normal(size=(1, 32, 64, 64, 1)), tf.float32
    )
    forward = tf.function(lambda x: model(x, training=False))
    probe = sal.KerasProbe(model).at(1)
    gradient, gradcam = sal.Gradient(), sal.GradCAM()
    jobs: dict[str, Callable[[], object]] = {
        "F": lambda: forward(inputs).numpy(),
        "gradient": lambda: np.asarray(gradient(probe, inputs)),
        "Grad-CAM": lambda: np.asarray(gradcam(probe, inputs)),
    }
    found: dict[str, list[float]] = {name: [] for name in jobs}
    for job in jobs.values():
        job()
    for _ in range(9):
        for name, job in jobs.items():
            started = time.process_time()
            job()
            found[name].append(time.process_time() - started)
    unit = np.median(found["F"])
    yield "F: one forward pass of 32 x 64 x 64", f"{unit:.3f} of the processor"
    for name in ("gradient", "Grad-CAM"):
        yield name, f"{np.median(np.divide(found[name], found['F'])):.2f} F"


def network(size: tuple[int | None, ...]) -> Any:
    """Return a small 3-D classifier, as those of nodules are."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    entry = x = keras.Input((*size, 1))
    for channels in (8, 16, 32):
        x = layers.Conv3D(channels, 3, strides=2, padding="same", activation="relu")(x)
        x = layers.Conv3D(channels, 3, padding="same", activation="relu")(x)
    x = layers.GlobalAveragePooling3D()(x)
    return keras.Model(entry, layers.Dense(2, activation="softmax")(x))


def window() -> Iterator[tuple[str, str]]:
    """Explain 300 slices of 512 x 512 by windows; the peak is that of the whole process."""
    voxels = np.random.default_rng(0).integers(0, 2000, GRID, np.uint16)
    volume = sal.DicomVolume.from_array(voxels, spacing=(1, 0.7, 0.7))
    del voxels
    prepare = sal.Prepare(intensity="modality", scale=1000, fit="sliding", overlap=0.25)
    started = time.perf_counter()
    result = sal.explain(network(WINDOW), volume, "gradient", target=1, prepare=prepare)
    taken = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    places = len(result.windows.scores) if result.windows else 0
    yield f"300 x 512 x 512 by {places} windows of 96 x 128 x 128", f"{taken:.0f}"
    yield (
        "peak memory of the process, with the volume and TensorFlow",
        f"{peak:.2f} GiB",
    )


def fastest(job: Callable[[], object], rounds: int = 3) -> str:
    """Return the least seconds by the clock, and of the processor, of some rounds."""
    found = []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        job()
        found.append((time.perf_counter() - wall, time.process_time() - cpu))
    wall, cpu = (min(each) for each in zip(*found, strict=True))
    return f"{wall:.2f} ({cpu:.2f} of the processor)"


PARTS: dict[str, Callable[[], Iterator[tuple[str, str]]]] = {
    "open": opening,
    "decode": decoding,
    "maps": maps,
    "window": window,
}

if __name__ == "__main__":
    main()
