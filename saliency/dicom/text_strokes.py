"""Pixels of thin bright strokes: what a drawn letter is made of."""

from collections.abc import Iterator

import numpy as np

from saliency.values.arrays import Array

#: A stroke is at most this many pixels wide; wider ones are met on a coarser level.
WIDTH = 3
#: Grey levels by which a stroke stands out at least.
FAINT = 24
#: Rows and columns of the tiles that are looked at one by one: they stay in the processor's cache.
TILE = (64, 512)


def strokes(grey: Array) -> Array:
    """Measure how far each pixel stands out of both its sides.

    Parameters
    ----------
    grey
        uint8 (rows, columns).

    Returns
    -------
    Array
        uint8 (rows, columns): grey levels above the higher one of two sides, across or down. The
        level of a side is the lowest of its next ``WIDTH`` pixels, so a ridge of that width
        stands out and a step does not. Zero where a tile holds no steep ascent.
    """
    found = np.zeros_like(grey)
    padded = np.pad(grey, WIDTH, mode="edge")
    for down, across in _tiles(grey.shape):
        patch = padded[down.start : down.stop + 2 * WIDTH, across.start : across.stop + 2 * WIDTH]
        if _steep(patch):
            found[down, across] = _ridges(patch)
    return found


def halve(grey: Array) -> Array:
    """Average blocks of 2 x 2 pixels of uint8 (rows, columns); an odd last row or column goes."""
    rows, columns = (size // 2 * 2 for size in grey.shape)
    wide = grey[:rows:2, :columns].astype(np.uint16)
    wide += grey[1:rows:2, :columns]
    halved = wide[:, ::2] + wide[:, 1::2]
    halved += 2
    halved >>= 2
    return halved.astype(np.uint8)


def _tiles(size: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    rows, columns = size
    for top in range(0, rows, TILE[0]):
        for left in range(0, columns, TILE[1]):
            yield (
                slice(top, min(top + TILE[0], rows)),
                slice(left, min(left + TILE[1], columns)),
            )


def _steep(patch: Array) -> bool:
    """Tell whether some pixel is brighter than the one two columns before, by 2/3 of FAINT."""
    before, after = patch[:, :-2], patch[:, 2:]
    return bool((after - np.minimum(before, after)).max() >= FAINT * 2 // 3)


def _ridges(patch: Array) -> Array:
    inner = slice(WIDTH, -WIDTH)
    across = _ridge(patch[inner].T).T
    return np.maximum(across, _ridge(patch[:, inner]))


def _ridge(padded: Array) -> Array:
    """Return the height of the ridges along the first axis of (rows + 2 WIDTH, columns)."""
    rows = padded.shape[0] - 2 * WIDTH
    middle = padded[WIDTH : WIDTH + rows]
    above, below = padded[WIDTH - 1 : WIDTH - 1 + rows], padded[WIDTH + 1 : WIDTH + 1 + rows]
    for step in range(2, WIDTH + 1):
        above = np.minimum(above, padded[WIDTH - step : WIDTH - step + rows])
        below = np.minimum(below, padded[WIDTH + step : WIDTH + step + rows])
    return np.asarray(middle - np.minimum(middle, np.maximum(above, below)))
