"""Pixels of thin bright strokes: what a drawn letter is made of."""

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
    rows, columns = grey.shape
    steep_tiles: list[Tile] = []
    for top in range(0, rows, TILE[0]):
        for left in range(0, columns, TILE[1]):
            bottom, right = min(top + TILE[0], rows), min(left + TILE[1], columns)
            # With the pixels that a stroke on the tile's edge rises from.
            down = slice(max(0, top - WIDTH), bottom + WIDTH)
            across = slice(max(0, left - WIDTH), right + WIDTH)
            if _rises_and_falls(grey[down, across]):
                steep_tiles.append((slice(top, bottom), slice(left, right)))
    return PyramidLevel(grey, tuple(steep_tiles))


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
    strength = np.zeros(level.grey.shape, np.uint8)
    padded = np.pad(level.grey, WIDTH, mode="edge")
    inner = slice(WIDTH, -WIDTH)
    for down, across in level.tiles:
        patch = padded[
            down.start : down.stop + 2 * WIDTH, across.start : across.stop + 2 * WIDTH
        ]
        along_rows = _ridge_heights(patch[inner].T).T
        strength[down, across] = np.maximum(along_rows, _ridge_heights(patch[:, inner]))
    return strength


def halve(grey: Array) -> Array:
    """Average blocks of 2 x 2 pixels of uint8 (rows, columns); an odd last row or column goes."""
    rows, columns = (size // 2 * 2 for size in grey.shape)
    return np.asarray(Image.fromarray(grey[:rows, :columns]).reduce(2))


def _rises_and_falls(patch: Array) -> bool:
    """Tell whether rows both rise and fall by 2/3 of FAINT in two columns, as a stroke does."""
    before, after = patch[:, :-2], patch[:, 2:]
    # uint8 wraps below 0: what is taken away is the lower of the two.
    lower = np.minimum(before, after)
    rise = (after - lower).max(initial=0)
    fall = (before - lower).max(initial=0)
    least = FAINT * 2 // 3
    return bool(rise >= least and fall >= least)


def _ridge_heights(padded: Array) -> Array:
    """Return the height of the ridges along the first axis of (rows + 2 WIDTH, columns)."""
    rows = padded.shape[0] - 2 * WIDTH
    # lowest[k] is the minimum of padded[k : k + WIDTH].
    lowest = padded[: rows + WIDTH + 1]
    for step in range(1, WIDTH):
        lowest = np.minimum(lowest, padded[step : step + rows + WIDTH + 1])
    middle = padded[WIDTH : WIDTH + rows]
    # Pixel r stands at padded[r + WIDTH]; its sides begin at r and at r + WIDTH + 1.
    higher_side = np.maximum(lowest[:rows], lowest[WIDTH + 1 :])
    return np.asarray(middle - np.minimum(middle, higher_side))
