"""Pixels of thin bright strokes: what a drawn letter is made of."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image

from saliency.values.arrays import Array

#: Pixels that a stroke is wide at most; the middle of one twice as wide is found yet. Coarser
#: levels find the rest.
WIDTH = 3
#: Grey levels by which a stroke stands out at least.
FAINT = 24
#: Rows and columns of the tiles that are looked at one by one: they stay in the processor's cache.
TILE = (64, 512)


class Sheet(NamedTuple):
    """A picture, its ridges (both uint8 (rows, columns)), and those that count as ink.

    ``ink`` holds the ascending flat indices of the ridges of at least ``contrast`` grey levels.
    """

    grey: Array
    ridges: Array
    ink: Array
    contrast: int

    def above(self, contrast: int) -> "Sheet":
        """Return the sheet with less ink: that of a higher contrast."""
        strong = self.ridges[np.divmod(self.ink, self.ridges.shape[1])] >= contrast
        return self._replace(ink=self.ink[strong], contrast=contrast)

    def turned(self) -> "Sheet":
        """Return the sheet with rows for columns."""
        rows, columns = self.grey.shape
        row, column = np.divmod(self.ink, columns)
        ink = np.sort(column * rows + row)
        return Sheet(self.grey.T, self.ridges.T, ink, self.contrast)


def sheet(grey: Array) -> Sheet:
    """Find all ink of uint8 (rows, columns)."""
    ridges = strokes(grey)
    return Sheet(grey, ridges, np.flatnonzero(ridges >= FAINT), FAINT)


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
        stands out and a step does not. Zero in tiles without a steep ascent.
    """
    found = np.zeros(grey.shape, np.uint8)
    padded = np.pad(grey, WIDTH, mode="edge")
    for down, across in _tiles(grey.shape):
        patch = padded[down.start : down.stop + 2 * WIDTH, across.start : across.stop + 2 * WIDTH]
        if _steep(patch):
            found[down, across] = _ridges(patch)
    return found


def halve(grey: Array) -> Array:
    """Average blocks of 2 x 2 pixels of uint8 (rows, columns); an odd last row or column goes."""
    rows, columns = (size // 2 * 2 for size in grey.shape)
    return np.asarray(Image.fromarray(grey[:rows, :columns]).reduce(2))


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
    lowest = padded[: rows + WIDTH + 1]
    for step in range(1, WIDTH):
        lowest = np.minimum(lowest, padded[step : step + rows + WIDTH + 1])
    middle = padded[WIDTH : WIDTH + rows]
    higher = np.maximum(lowest[:rows], lowest[WIDTH + 1 :])
    return np.asarray(middle - np.minimum(middle, higher))
