"""Fit the weights of saliency/zones/marker_classifier.json on the tune half and write them.

``OMP_NUM_THREADS=1 SALIENCY_SHARED=... python benchmarks/marker_fit.py``: every draw has a seed, so
the numbers that are shipped come again. The pictures are those of ``text_pictures.clean("tune")``.
"""

import zlib
from collections.abc import Iterator

import numpy as np
from marker_pictures import LEAD, changed, marked
from network_file import write
from text_detection import marker
from text_fit import fit
from text_pictures import Edges, Picture, clean, jpeg, variants

from saliency.values.placement import Box
from saliency.zones.marker_classifier import NETWORK
from saliency.zones.marker_features import signs
from saliency.zones.pyramid import ink_levels, picture_box

#: Signs are looked for a little further in than the detector does.
OUTER = 0.25


def letters(which: str) -> Iterator[np.ndarray]:
    """Yield the features of drawn signs, and of lead letters three times."""
    for picture in _large(which):
        for seed in range(7):
            display, truths = marked(picture, _generator(picture, seed))
            display = jpeg(display, 80) if seed in (2, 5) else display
            yield from (f for box, f in found(display) if _alike(box, truths) > 0.6)
        for display in variants(picture.display):
            lead = _lead(picture._replace(display=display))
            for box, features in found(display):
                if _alike(box, lead) > 0.5:
                    yield from (features,) * 3


def others(which: str) -> Iterator[np.ndarray]:
    """Yield the features of anatomy and of drawn devices."""
    for picture in _large(which):
        for display in (*variants(picture.display), *changed(picture)):
            shown = picture._replace(display=display)
            for box, features in found(display):
                if not marker(box, shown) and _alike(box, _lead(shown)) < 0.5:
                    yield features
        for seed in range(77, 80):
            display, truths = marked(picture, _generator(picture, seed), devices=True)
            yield from (f for box, f in found(display) if _alike(box, truths) > 0.3)


def _lead(picture: Picture) -> list[Edges]:
    """Return the lead letters of a picture that may have been resized: those listed are square."""
    full = 256 if picture.name.startswith("pub") else 1024
    scale = picture.display.shape[0] / full
    return [Edges(*np.multiply(edges, scale)) for edges in LEAD.get(picture.name, ())]


def found(display: np.ndarray) -> Iterator[tuple[Box, np.ndarray]]:
    """Yield all signs of a display, and what is measured on them."""
    for level in ink_levels(np.ascontiguousarray(display)):
        seen = signs(level.ridges, level.components, outer=OUTER)
        for corners, features in zip(seen.corners.tolist(), seen.features, strict=True):
            yield picture_box(tuple(corners), level.scale), features


def _large(which: str) -> Iterator[Picture]:
    yield from (
        picture for picture in clean(which) if min(picture.display.shape[:2]) >= 100
    )


def _generator(picture: Picture, seed: int) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(picture.name.encode()) + seed)


def _alike(box: Box, truths: list[Edges]) -> float:
    """Return the greatest intersection over union of a box with any truth."""
    best = 0.0
    for truth in truths:
        down = min(box.top + box.rows, truth.bottom) - max(box.top, truth.top)
        across = min(box.left + box.columns, truth.right) - max(box.left, truth.left)
        common = max(0.0, down) * max(0.0, across)
        area = (truth.bottom - truth.top) * (truth.right - truth.left)
        best = max(best, common / (box.rows * box.columns + area - common))
    return best


if __name__ == "__main__":
    examples = [np.array(list(kind("tune"))) for kind in (others, letters)]
    print(f"{len(examples[0])} signs that are no markers, {len(examples[1])} that are")
    is_marker = np.repeat([False, True], [len(part) for part in examples])
    values = fit(np.concatenate(examples), is_marker, units=10, steps=9000)
    write("marker_classifier", "benchmarks/marker_fit.py", NETWORK.features, values)
