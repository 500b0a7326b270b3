"""What the text detector finds, what it finds wrongly, and how long it takes.

``python benchmarks/text_detection.py`` with SALIENCY_SHARED set prints the tables of
benchmarks/zones.md;
``... speed`` prints the cost alone.
The weights of the detector were fitted on the half "tune" alone (benchmarks/text_fit.py).
"""

import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable

import numpy as np
from marker_pictures import marked
from text_pictures import (
    UNLIKE,
    Edges,
    Picture,
    burned,
    clean,
    consoles,
    drawn,
    hard,
    scripts,
    short_word,
    unlike,
)

import saliency as sal
from saliency.values.placement import Box
from saliency.zones.detect import Hints, found_zones
from saliency.zones.markers import marker_boxes
from saliency.zones.text import text_boxes


def report(which: str) -> None:
    """Print recall, precision and false alarms of one half."""
    found: dict[str, list[bool]] = defaultdict(list)
    right: list[bool] = []
    for kind, pictures in (
        ("drawn", drawn(which)),
        ("short words", drawn(which, 30, short_word)),
        ("burned", burned(which)),
        ("hard", hard(which)),
        ("script", scripts()),
        ("black screen", consoles(which)),
        *(("unlike", unlike(which, each)) for each in UNLIKE),
    ):
        for picture in pictures:
            boxes = text_boxes(picture.display)
            for truth in picture.truths:
                hit = _covered(truth.box, boxes, picture.display.shape)
                for name in (
                    f"{kind}: all",
                    *(f"{kind}: {each}" for each in truth.kinds),
                ):
                    found[name].append(hit)
            if kind == "drawn":
                right += [
                    _on_text(box, picture) for box in boxes if not marker(box, picture)
                ]
    print(f"\n{which}: share of text boxes found (at least half covered)")
    for name, hits in sorted(found.items()):
        print(f"  {name:48} {np.mean(hits):.2f} of {len(hits)}")
    print(
        f"  precision of boxes on drawn pictures: {np.mean(right):.3f} of {len(right)}"
    )
    _alarms(which)


def markers(which: str) -> None:
    """Print how many drawn letters and arrows are found, and what else is."""
    found: dict[str, list[bool]] = defaultdict(list)
    accused, pictures = [], 0
    for picture in clean(which):
        modality, size = "DX" if picture.radiograph else "", picture.display.shape
        display, truths = marked(picture, np.random.default_rng(99))
        boxes = marker_boxes(display, modality)
        kind = "radiographs" if picture.radiograph else "other pictures"
        found[kind] += [_covered(truth, boxes, size) for truth in truths]
        alone = marker_boxes(picture.display, modality)
        pictures += 1
        accused += [picture.name] * any(not marker(box, picture) for box in alone)
    for name, hits in found.items():
        print(f"  markers drawn on {name}: {np.mean(hits):.2f} of {len(hits)}")
    print(
        f"  clean pictures with a marker elsewhere: {len(accused)} of {pictures}: {accused}"
    )


def speed(turns: int = 25) -> None:
    """Print what all zones of a radiograph cost beside a forward pass, in turns with it.

    Processor time of all threads, the median of so many turns and the least: what else runs on the
    machine can only add, and it adds more to the search, which waits for memory.
    """
    greys = (picture for picture in clean("tune") if picture.display.ndim == 2)
    picture = max(greys, key=lambda each: each.display.size)
    forward = densenet()
    for side in (256, 512, 1024, 2048):
        rows, columns = (
            np.arange(side) * side_of // side for side_of in picture.display.shape[:2]
        )
        display = np.ascontiguousarray(picture.display[np.ix_(rows, columns)])
        laps = np.array(
            [
                (
                    spent(forward),
                    spent(lambda shown=display: found_zones(shown, Hints("DX"))),
                    spent(lambda shown=display: text_boxes(shown)),
                )
                for _ in range(turns + 1)
            ]
        )[1:]  # the first turn warms up
        for which, (model, zones, text) in (
            ("median", 1000 * np.median(laps, axis=0)),
            ("least", 1000 * laps.min(axis=0)),
        ):
            print(
                f"  {side} x {side}, {which}: all zones {zones:.0f} ms, text alone {text:.0f} ms, "
                f"forward pass {model:.0f} ms; {zones / model:.2f} and {text / model:.2f} of it"
            )


def densenet() -> Callable[[], object]:
    """Return a forward pass of DenseNet121 on one picture of 224 x 224."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras  # noqa: PLC0415 - the tables of recall need no model

    model = keras.applications.DenseNet121(weights=None)
    bound = sal.KerasProbe(model).at(0)
    return lambda: bound.score(np.zeros((1, 224, 224, 3), np.float32))


def spent(work: Callable[[], object]) -> float:
    """Return the processor time of some work, in seconds."""
    start = time.process_time()
    work()
    return time.process_time() - start


def _alarms(which: str) -> None:
    pictures, accused, area = 0, [], 0.0
    for picture in clean(which):
        boxes = [box for box in text_boxes(picture.display) if not marker(box, picture)]
        pictures += 1
        area += sum(b.rows * b.columns for b in boxes) / np.prod(
            picture.display.shape[:2]
        )
        accused += [picture.name] * bool(boxes)
    print(
        f"  clean pictures accused: {len(accused)} of {pictures}: {', '.join(accused)}"
    )
    print(f"  area falsely masked on clean pictures: {area / pictures:.4%}")


def marker(box: Box, picture: Picture) -> bool:
    """Tell whether a box may be a lead marker: real text, but nobody noted where it is."""
    rows, columns = picture.display.shape[:2]
    down, across = (
        (box.top + box.rows / 2) / rows,
        (box.left + box.columns / 2) / columns,
    )
    return picture.radiograph and down < 0.33 and not 0.3 < across < 0.7


def _covered(truth: Edges, boxes: tuple[Box, ...], size: tuple[int, ...]) -> bool:
    mask = np.zeros(size[:2], bool)
    for box in boxes:
        mask[box.slices] = True
    top, left, bottom, right = (round(edge) for edge in truth)
    return bool(mask[max(0, top) : bottom, max(0, left) : right].mean() >= 0.5)


def _on_text(box: Box, picture: Picture) -> bool:
    """Tell whether 40 % of a box lie on drawn text, or within 12 px of it."""
    mask = np.zeros(picture.display.shape[:2], bool)
    for truth in picture.truths:
        top, left, bottom, right = (round(edge) for edge in truth.box)
        mask[max(0, top - 12) : bottom + 12, max(0, left - 12) : right + 12] = True
    return bool(mask[box.slices].mean() >= 0.4)


if __name__ == "__main__":
    if sys.argv[1:] != ["speed"]:
        report("tune")
        report("hold")
        markers("tune")
        markers("hold")
    print("\nspeed")
    speed()
