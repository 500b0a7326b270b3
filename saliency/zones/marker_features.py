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
    rows, columns = ridges.grey.shape
    # 0 in the middle of the picture, 0.5 at its edge.
    down = np.abs((components.top + components.bottom) / (2 * rows) - 0.5)
    across = np.abs((components.left + components.right) / (2 * columns) - 0.5)
    near_edge = np.maximum(down, across) >= 0.5 - outer
    chosen = components[np.flatnonzero(_like_one_letter(components) & near_edge)]
    if not 0 < len(chosen) <= MOST:
        return Signs(np.zeros((0, 4), np.intp), np.zeros((0, 1), np.float32))
    corners = np.stack([chosen.top, chosen.left, chosen.bottom, chosen.right], axis=1)
    return Signs(corners, _sign_features(ridges, chosen))


def _like_one_letter(components: Components) -> Array:
    """Return bool (components,): height, width, ink and strokes are those of a letter."""
    height, width = components.height, components.width
    tall = (height >= HEIGHT[0]) & (height <= HEIGHT[1])
    slim = (width >= WIDTH[0] * height) & (width <= WIDTH[1] * height)
    inked = (components.area >= AREA[0] * height) & (
        components.area <= AREA[1] * height * width
    )
    crossed = (components.runs >= RUNS[0] * height) & (
        components.runs <= RUNS[1] * height
    )
    return np.asarray(tall & slim & inked & crossed)


def _sign_features(ridges: Ridges, components: Components) -> Array:
    """Sample a square around each component, and return (K, 6 + 8 + 5 + 36) features."""
    side = np.maximum(components.height, components.width) * (1 + 2 * MARGIN)
    rows, in_rows = _sampled(
        components.top, components.bottom, side, ridges.grey.shape[0]
    )
    columns, in_columns = _sampled(
        components.left, components.right, side, ridges.grey.shape[1]
    )
    # Each is (K, SAMPLES, SAMPLES).
    square = (rows[:, :, None], columns[:, None, :])
    patch = ridges.grey[square].astype(np.float32)
    strength = ridges.strength[square]
    inside = in_rows[:, :, None] & in_columns[:, None, :]

    on_ring = np.ones((SAMPLES, SAMPLES), np.bool_)
    on_ring[RING:-RING, RING:-RING] = False
    ring = np.sort(patch[:, on_ring], axis=1)
    ground = ring[:, ring.shape[1] // 2]
    peak = components.peak
    features = (
        _size_and_place(ridges, components),
        _tone_features(patch, strength, inside, ground, peak, ridges.contrast),
        _ring_quantiles(ring, ground, peak),
        _cell_means(patch, ground, peak),
    )
    return np.concatenate(features, axis=1).astype(np.float32)


def _sampled(first: Array, last: Array, side: Array, limit: int) -> tuple[Array, Array]:
    """Return the pixels that are sampled along one axis (K, SAMPLES), and which lie in the box."""
    start = (first + last - side) / 2
    # The middle of each of SAMPLES equal parts; side is in pixels.
    middles = start[:, None] + (np.arange(SAMPLES) + 0.5) * side[:, None] / SAMPLES
    pixels = np.floor(middles).astype(np.intp)
    within = (pixels >= first[:, None]) & (pixels < last[:, None])
    return np.clip(pixels, 0, limit - 1), within


def _size_and_place(ridges: Ridges, components: Components) -> Array:
    """Return (K, 6): proportions, and how near the edge of the picture a component is."""
    rows, columns = ridges.grey.shape
    height, width = components.height, components.width
    below, beside = rows - components.bottom, columns - components.right
    to_edge = np.minimum.reduce([components.top, components.left, below, beside])
    shorter_side = min(rows, columns)
    features = (
        np.log(width / height),
        height / HEIGHT[1],
        components.runs / height,
        components.area / (height * width),
        np.minimum(to_edge / shorter_side, 0.3),
        np.minimum(height / shorter_side, 0.2),
    )
    return np.stack(features, axis=1)


def _tone_features(
    patch: Array,
    strength: Array,
    inside: Array,
    ground: Array,
    peak: Array,
    contrast: int,
) -> Array:
    """Return (K, 8): brightness, contrast and evenness of the ink; long tails are cut off."""
    ink = strength >= contrast
    inner = ink & inside
    gaps = inside & ~ink
    ink_count = np.maximum(_square_sum(inner), 1)
    gap_count = np.maximum(_square_sum(gaps), 1)
    range_of_ink = np.maximum(peak - ground, 1)
    tint = _square_sum(patch * inner) / ink_count
    uneven = _square_sum(np.abs(patch - tint[:, None, None]) * inner) / ink_count
    rough = _square_sum(np.abs(patch - ground[:, None, None]) * gaps)
    at_peak = (patch >= peak[:, None, None] - 3) & inner
    features = (
        peak / 255,
        range_of_ink / 255,
        (tint - ground) / range_of_ink,
        np.minimum(uneven / range_of_ink, 1),
        _square_sum(at_peak) / ink_count,
        np.minimum(_square_sum(strength * inner) / ink_count / range_of_ink, 1.5),
        np.minimum(_square_sum(ink & ~inside) / ink_count, 3),
        np.minimum(rough / gap_count / range_of_ink, 2),
    )
    return np.stack(features, axis=1)


def _square_sum(squares: Array) -> Array:
    """Sum (K, SAMPLES, SAMPLES) over each square."""
    return np.asarray(squares.sum(axis=(1, 2)))


def _ring_quantiles(ring: Array, ground: Array, peak: Array) -> Array:
    """Return (K, 5): how far quantiles of the sorted ring are from its median."""
    range_of_ink = np.maximum(peak - ground, 1)[:, None]
    last = ring.shape[1] - 1
    quantiles = np.array([0.05, 0.25, 0.75, 0.95, 1.0])
    places = (quantiles * last).astype(np.intp)
    distances = (ring[:, places] - ground[:, None]) / range_of_ink
    return np.asarray(np.clip(distances, -2, 2))


def _cell_means(patch: Array, ground: Array, peak: Array) -> Array:
    """Return the mean of each cell, 0 the ground and 1 the peak, flat."""
    cells = SAMPLES // CELL
    range_of_ink = np.maximum(peak - ground, 1)[:, None, None]
    unit = np.clip((patch - ground[:, None, None]) / range_of_ink, -0.5, 1.5)
    # (K, cells, CELL, cells, CELL): the mean over the pixels of a cell.
    means = unit.reshape(len(unit), cells, CELL, cells, CELL).mean(axis=(2, 4))
    return np.asarray(means.reshape(len(unit), cells * cells))
