"""Pixels of thin bright strokes: what a drawn letter is made of."""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

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

Tile: TypeAlias = tuple[slice, slice]


class Ridges(NamedTuple):
    """A picture, how far its ridges stand out (both uint8 (rows, columns)), and which are ink.

    ``ink`` holds the ascending flat indices where ``strength`` is ``contrast`` grey levels or more.
    """

    grey: Array
    strength: Array
    ink: Array
    contrast: int

    def above(self, contrast: int) -> "Ridges":
        """Return the ridges with less ink: that of a higher contrast."""
        strong = self.strength[np.divmod(self.ink, self.strength.shape[1])] >= contrast
        return self._replace(ink=self.ink[strong], contrast=contrast)

    def turned(self) -> "Ridges":
        """Return the ridges with rows for columns."""
        rows, columns = self.grey.shape
        row, column = np.divmod(self.ink, columns)
        ink = np.sort(column * rows + row)
        return Ridges(self.grey.T, self.strength.T, ink, self.contrast)


class PyramidLevel(NamedTuple):
    """A picture at one size, uint8 (rows, columns), and its tiles in which anything can be drawn.

    The tiles serve the picture in negative as well.
    """

    grey: Array
    tiles: tuple[Tile, ...]

    def inverted(self) -> "PyramidLevel":
        """Return the negative, in which dark writing is bright."""
        return PyramidLevel(~self.grey, self.tiles)


def pyramid_level(grey: Array) -> PyramidLevel:
    """Find the tiles with a steep rise and a steep fall along their rows."""
    steep = (tile for tile in _tiles(grey.shape) if _steep(_around(grey, tile)))
    return PyramidLevel(grey, tuple(steep))


def ridges_of(level: PyramidLevel) -> Ridges:
    """Find all ink of a level."""
    strength = ridge_strength(level)
    return Ridges(level.grey, strength, np.flatnonzero(strength >= FAINT), FAINT)


def ridge_strength(level: PyramidLevel) -> Array:
    """Measure how far each pixel stands out of both its sides.

    Returns
    -------
    Array
        uint8 (rows, columns): grey levels above the higher one of two sides, across or down. The
        level of a side is the lowest of its next ``WIDTH`` pixels, so a ridge of that width
        stands out and a step does not. Zero outside the tiles of the level.
    """
    found = np.zeros(level.grey.shape, np.uint8)
    padded = np.pad(level.grey, WIDTH, mode="edge")
    for down, across in level.tiles:
        patch = padded[down.start : down.stop + 2 * WIDTH, across.start : across.stop + 2 * WIDTH]
        found[down, across] = _ridges(patch)
    return found


def halve(grey: Array) -> Array:
    """Average blocks of 2 x 2 pixels of uint8 (rows, columns); an odd last row or column goes."""
    rows, columns = (size // 2 * 2 for size in grey.shape)
    return np.asarray(Image.fromarray(grey[:rows, :columns]).reduce(2))


def _tiles(size: tuple[int, ...]) -> Iterator[Tile]:
    rows, columns = size
    for top in range(0, rows, TILE[0]):
        for left in range(0, columns, TILE[1]):
            yield (
                slice(top, min(top + TILE[0], rows)),
                slice(left, min(left + TILE[1], columns)),
            )


def _around(grey: Array, tile: Tile) -> Array:
    """Return a tile and ``WIDTH`` pixels on each side of it, where the picture has them."""
    down, across = (slice(max(0, each.start - WIDTH), each.stop + WIDTH) for each in tile)
    return grey[down, across]


def _steep(patch: Array) -> bool:
    """Tell whether rows both rise and fall by 2/3 of FAINT in two columns, as a stroke does."""
    before, after = patch[:, :-2], patch[:, 2:]
    lower, least = np.minimum(before, after), FAINT * 2 // 3
    return bool((after - lower).max(initial=0) >= least <= (before - lower).max(initial=0))


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
