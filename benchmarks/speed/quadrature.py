"""Integrated gradients on trained models and real pictures: how many gradients, how near the limit.

Needs the shared test data (SALIENCY_SHARED, else ../shared).
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import tensorflow as tf
from clock import Row

import saliency as sal
from saliency.kernels.baselines import reference
from saliency.kernels.paths import path_gradient, relative_gap

SHARED = Path(os.environ.get("SALIENCY_SHARED", Path(__file__).parents[3] / "shared"))
LIMIT = 1000
PICTURES = 2


def rows(rounds: int) -> Iterator[Row]:  # noqa: ARG001
    """Yield one line a picture, and the medians."""
    counts, errors, gaps = [], [], []
    for name, file, pictures in _cases():
        probe = sal.KerasProbe(SHARED / "models" / file)
        for one in pictures():
            count, error, gap, plain = _judged(probe, tf.constant(one[np.newaxis]))
            counts.append(count)
            errors.append(error)
            gaps.append(gap)
            text = f"{count} gradients, {error:.1%} off, gap {gap:.1e}"
            yield Row(
                f"{name}", text, f"midpoint 32: {plain[0]:.1%} off, gap {plain[1]:.1%}"
            )
    for what, numbers, goal, text in (
        ("gradients", counts, 32, "{:.0f}"),
        ("distance to 1,000 steps", errors, 0.05, "{:.1%}"),
        ("completeness gap", gaps, 0.01, "{:.1e}"),
    ):
        middle = median(numbers)
        shown = f"{text.format(middle)} ({text.format(min(numbers))}-{text.format(max(numbers))})"
        yield Row(f"median: {what}", shown, goal=f"<= {goal:g}", met=middle <= goal)


def _judged(probe: Any, one: Any) -> tuple[int, float, float, tuple[float, float]]:
    bound, asked = probe.at(None).settled(one), []

    class Counting:
        """The probe, counting gradients."""

        score = staticmethod(bound.score)
        layers = ()
        activations = activation_gradients = staticmethod(bound.activations)

        def gradient(self, inputs: Any) -> Any:
            asked.append(int(inputs.shape[0]))
            return bound.gradient(inputs)

    found = sal.IntegratedGradients()(Counting(), one)
    start = reference(one, "black")
    ends = bound.score(one), bound.score(start)
    limit = path_gradient(bound.gradient, one, start, LIMIT, 16)
    plain = path_gradient(bound.gradient, one, start, 32, 8)
    off, gap = _off(found, limit), float(relative_gap(found, *ends)[0])
    return (
        sum(asked),
        off,
        gap,
        (_off(plain, limit), float(relative_gap(plain, *ends)[0])),
    )


def _off(found: Any, limit: Any) -> float:
    return float(tf.norm(found - limit) / tf.norm(limit))


def _cases() -> Iterator[tuple[str, str, Callable[[], Any]]]:
    teachable = sal.Prepare((224, 224), channels=3, scale="symmetric")
    shortcut = sal.Prepare(
        (256, 256), channels=1, intensity="stored", scale=lambda values: values / 4095
    )
    chests, names = "images/nih_boxes/dicom", "models/shortcut/dicom/test_"
    yield "malaria, 64", "malaria/malaria.h5", _cells
    yield (
        "MobileNet, 128",
        "mobilenet_v1_025_imagenet/mobilenet_v1_025_imagenet.keras",
        _animals,
    )
    for name in ("tm_cxr_a11pha", "tm_brain_mri"):
        yield f"{name}, 224", f"{name}/{name}.keras", lambda: _dicom(chests, teachable)
    for name, kind in (
        ("poisoned", "poisoned"),
        ("clean", "clean"),
        ("clean_mnv2", "clean"),
    ):
        file = f"shortcut/models/{name}.keras"
        yield f"{name}, 256", file, lambda kind=kind: _dicom(names + kind, shortcut)


def _dicom(folder: str, prepare: Any) -> Any:
    files = sorted((SHARED / folder).glob("*.dcm"))[:PICTURES]
    return [prepare(sal.read_dicom(file)).array[0] for file in files]


def _cells() -> Any:
    """Blue first, rows of unit length: how this model was trained."""
    cells = np.load(SHARED / "images/malaria/malaria97_64.npz")["x"][[5, 90], ..., ::-1]
    cells = cells.astype(np.float32)
    return cells / np.maximum(np.linalg.norm(cells, axis=2, keepdims=True), 1e-9)


def _animals() -> Any:
    from PIL import Image  # noqa: PLC0415

    files = sorted((SHARED / "images/kangaroo/images").glob("*"))[:PICTURES]
    opened = (Image.open(file).convert("RGB").resize((128, 128)) for file in files)
    return [np.asarray(each, np.float32) / 127.5 - 1 for each in opened]
