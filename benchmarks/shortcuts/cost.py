"""What an audit costs: ``SALIENCY_SHARED=... python benchmarks/shortcuts/cost.py 100 [CORNERS]``.

For so many pictures, and corners that are zones of the user, one number a process: peak memory,
processor time, pictures shown to the model beside those of heatmaps, the time in forward passes of
the model, one picture at a time, and what the searches for zones took of it: a picture is searched
each time it is read. The pictures are the shared bench's 36 X-rays with names, over and over.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import saliency as sal
from saliency.dicom import read
from saliency.interventions import canvas
from saliency.interventions.scoring import Scorer
from saliency.zones import detect

PLACES = ("upper left", "upper right", "lower left", "lower right")


def corner(place: str) -> Callable[[sal.DicomImage], np.ndarray]:
    """Return a zone: an eighth of each side in a corner."""

    def mask(image: sal.DicomImage) -> np.ndarray:
        inside = np.zeros(image.size, bool)
        down, across = (side // 8 for side in image.size)
        rows = slice(down) if "upper" in place else slice(-down, None)
        columns = slice(across) if "left" in place else slice(-across, None)
        inside[rows, columns] = True
        return inside

    return mask


def row(count: int, corners: int) -> str:
    """Audit so many pictures."""
    place = Path(os.environ["SALIENCY_SHARED"]) / "models" / "shortcut"
    files = sorted((place / "dicom" / "test_poisoned").iterdir())
    rows = json.loads((place / "annotations.json").read_text())["images"]
    labels = {one["id"]: one["label"] for one in rows}
    chosen = [files[index % len(files)] for index in range(count)]
    probe = sal.KerasProbe(place / "models" / "clean.keras")
    pass_ = forward(probe)
    shown = []
    batches = Scorer.batches
    Scorer.batches = lambda self, images: counted(batches(self, images), shown)
    laps = []
    read.found_zones = canvas.found_zones = timed(detect.found_zones, laps)
    started = time.process_time()
    prepare = sal.Prepare(intensity="stored", scale=lambda stored: stored / 4095)
    report = sal.audit(
        probe,
        chosen,
        labels=[labels[one.stem] for one in chosen],
        prepare=prepare,
        zones={place: corner(place) for place in PLACES[:corners]},
    )
    spent = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"{count} pictures, {report.facts['asked']} tested, zones {', '.join(report.verdicts)}: "
        f"peak {peak:.0f} MiB, {spent:.0f} s of processor time, {sum(shown)} pictures shown "
        f"({sum(shown) / count:.0f} each, and 7 at most for heatmaps), "
        f"{spent / pass_ / count:.0f} forward passes a picture; {len(laps)} searches for zones "
        f"took {sum(laps):.2f} s, those after a picture's first about {_again(laps, count):.2f} s"
    )


def _again(laps: list[float], count: int) -> float:
    return sum(laps) * max(0, len(laps) - count) / len(laps)


def timed(search: Callable[..., object], laps: list[float]) -> Callable[..., object]:
    """Note the processor time of each search, which runs in a thread of its own."""

    def searched(*given: object) -> object:
        started = time.thread_time()
        zones = search(*given)
        laps.append(time.thread_time() - started)
        return zones

    return searched


def counted(batches: object, shown: list[int]) -> object:
    """Count the pictures of batches."""
    for batch in batches:
        shown.append(len(batch))
        yield batch


def forward(probe: sal.KerasProbe) -> float:
    """Return the median processor time of a forward pass of one picture."""
    bound, picture = probe.at(0), np.zeros((1, 256, 256, 1), np.float32)
    bound.score(picture)
    times = []
    for _ in range(15):
        started = time.process_time()
        bound.score(picture)
        times.append(time.process_time() - started)
    return float(np.median(times))


if __name__ == "__main__":
    print(row(*map(int, [*sys.argv[1:], 0][:2])), flush=True)
