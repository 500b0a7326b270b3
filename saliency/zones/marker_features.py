"""Lone letters and arrows: components of ink that stand alone, and what is measured on them."""

from typing import NamedTuple

import numpy as np

from saliency.values.arrays import Array
from saliency.zones.components import Components
from saliency.zones.ridges import Ridges

#: Rows of a letter on its level of the pyramid.
HEIGHT = (7, 24)
#: Width and area to the height, and strokes that a mean row crosses.
WIDTH, AREA, RUNS = (0.3, 1.5), (1.2, 0.75), (0.9, 2.6)
#: Samples along each side of the square that is looked at, and how many make one cell of the shape.
SAMPLES, CELL = 24, 4
#: Margin of that square, to the longer side of the component; the outermost samples are its ring.
MARGIN, RING = 0.35, 3
#: More than this many components are texture.
MOST = 600


class Signs(NamedTuple):
    """Components like letters: corners (K, 4) as top, left, bottom, right; features (K, F)."""

    corners: Array
    features: Array


def signs(ridges: Ridges, components: Components, *, outer: float) -> Signs:
    """Pick the components like letters in the outer ``outer`` of the picture, and measure them.

    Returns
    -------
    Signs
        Features are float32: shape, contrast, evenness, quiet around, place; ratios all.
    """
    chosen = components[
        np.flatnonzero(_like_letters(components) & _outside(components, ridges, outer))
    ]
    if not 0 < len(chosen) <= MOST:
        return Signs(np.zeros((0, 4), np.intp), np.zeros((0, 1), np.float32))
    corners = np.stack([chosen.top, chosen.left, chosen.bottom, chosen.right], axis=1)
    return Signs(corners, _features(ridges, chosen))


def _like_letters(components: Components) -> Array:
    height, width = components.height, components.width
    tall = (height >= HEIGHT[0]) & (height <= HEIGHT[1])
    slim = (width >= WIDTH[0] * height) & (width <= WIDTH[1] * height)
    inked = (components.area >= AREA[0] * height) & (components.area <= AREA[1] * height * width)
    crossed = (components.runs >= RUNS[0] * height) & (components.runs <= RUNS[1] * height)
    return np.asarray(tall & slim & inked & crossed)


def _outside(components: Components, ridges: Ridges, outer: float) -> Array:
    rows, columns = ridges.grey.shape
    down = np.abs((components.top + components.bottom) / (2 * rows) - 0.5)
    across = np.abs((components.left + components.right) / (2 * columns) - 0.5)
    return np.asarray(np.maximum(down, across) >= 0.5 - outer)


def _features(ridges: Ridges, components: Components) -> Array:
    side = np.maximum(components.height, components.width) * (1 + 2 * MARGIN)
    rows, upright = _sampled(components.top, components.bottom, side, ridges.grey.shape[0])
    columns, level = _sampled(components.left, components.right, side, ridges.grey.shape[1])
    where = (rows[:, :, None], columns[:, None, :])
    patch = ridges.grey[where].astype(np.float32)
    strength = ridges.strength[where]
    inside = upright[:, :, None] & level[:, None, :]
    ring = np.sort(_ring(patch), axis=1)
    ground = ring[:, ring.shape[1] // 2]
    return np.concatenate(
        [
            _place(ridges, components),
            _tones(patch, strength, inside, ground, components.peak, ridges.contrast),
            _quiet(ring, ground, components.peak),
            _shape(patch, ground, components.peak),
        ],
        axis=1,
    ).astype(np.float32)


def _sampled(first: Array, last: Array, side: Array, limit: int) -> tuple[Array, Array]:
    """Return the pixels that are sampled along one axis (K, SAMPLES), and which lie in the box."""
    start = (first + last - side) / 2
    at = np.floor(start[:, None] + (np.arange(SAMPLES) + 0.5) * side[:, None] / SAMPLES)
    pixels = at.astype(np.intp)
    within = (pixels >= first[:, None]) & (pixels < last[:, None])
    return np.clip(pixels, 0, limit - 1), within


def _ring(patch: Array) -> Array:
    edge = np.ones((SAMPLES, SAMPLES), np.bool_)
    edge[RING:-RING, RING:-RING] = False
    return np.asarray(patch[:, edge])


def _place(ridges: Ridges, components: Components) -> Array:
    rows, columns = ridges.grey.shape
    height, width, least = components.height, components.width, min(rows, columns)
    near = np.minimum.reduce(
        [components.top, components.left, rows - components.bottom, columns - components.right]
    )
    return np.stack(
        [
            np.log(width / height),
            height / HEIGHT[1],
            components.runs / height,
            components.area / (height * width),
            np.minimum(near / least, 0.3),
            np.minimum(height / least, 0.2),
        ],
        axis=1,
    )


def _tones(
    patch: Array, strength: Array, inside: Array, ground: Array, peak: Array, contrast: int
) -> Array:
    ink = strength >= contrast
    inner, count = ink & inside, np.maximum((ink & inside).sum(axis=(1, 2)), 1)
    high = np.maximum(peak - ground, 1)
    tint = (patch * inner).sum(axis=(1, 2)) / count
    spread = (np.abs(patch - tint[:, None, None]) * inner).sum(axis=(1, 2)) / count
    gaps = inside & ~ink
    rough = (np.abs(patch - ground[:, None, None]) * gaps).sum(axis=(1, 2))
    return np.stack(
        [
            peak / 255,
            high / 255,
            (tint - ground) / high,
            np.minimum(spread / high, 1),
            ((patch >= peak[:, None, None] - 3) & inner).sum(axis=(1, 2)) / count,
            np.minimum((strength * inner).sum(axis=(1, 2)) / count / high, 1.5),
            np.minimum((ink & ~inside).sum(axis=(1, 2)) / count, 3),
            np.minimum(rough / np.maximum(gaps.sum(axis=(1, 2)), 1) / high, 2),
        ],
        axis=1,
    )


def _quiet(ring: Array, ground: Array, peak: Array) -> Array:
    """Return how far the ring leaves its median, at five places of its range."""
    high = np.maximum(peak - ground, 1)[:, None]
    at = (np.array([0.05, 0.25, 0.75, 0.95, 1.0]) * (ring.shape[1] - 1)).astype(np.intp)
    return np.asarray(np.clip((ring[:, at] - ground[:, None]) / high, -2, 2))


def _shape(patch: Array, ground: Array, peak: Array) -> Array:
    """Return the mean of each cell, 0 the ground and 1 the peak, flat."""
    cells = SAMPLES // CELL
    high = np.maximum(peak - ground, 1)[:, None, None]
    unit = np.clip((patch - ground[:, None, None]) / high, -0.5, 1.5)
    means = unit.reshape(len(unit), cells, CELL, cells, CELL).mean(axis=(2, 4))
    return np.asarray(means.reshape(len(unit), cells * cells))
