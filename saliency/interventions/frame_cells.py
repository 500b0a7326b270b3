"""Cells of a grid and the outer ring: parts of the frame that need no search."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from saliency.values.arrays import Array

SIDE: Final = 4
"""Cells of the grid along each axis."""
MARGIN: Final = "margin"
DEPTH: Final = 0.06
"""Depth of the outer ring, as a share of each side."""

_ROWS: Final = ("top", "upper middle", "lower middle", "bottom")
_COLUMNS: Final = ("left", "left of the middle", "right of the middle", "right")

CELLS: Final = (
    *(f"row {row + 1}, column {column + 1}" for row in range(SIDE) for column in range(SIDE)),
    MARGIN,
)  # fmt: skip
"""Names of the cells from the upper left, row by row, and of the ring."""

PLACES: Mapping[str, str] = MappingProxyType(
    {
        **{
            f"row {row + 1}, column {column + 1}": f"{_ROWS[row]}, {_COLUMNS[column]}"
            for row in range(SIDE)
            for column in range(SIDE)
        },
        MARGIN: "the outer 6 % of each side",
    }
)
"""Where a reader of the report looks for each cell."""


def cell(name: str, size: tuple[int, int]) -> Array:
    """Return a cell of an image's frame.

    Parameters
    ----------
    name
        One of :data:`CELLS`.
    size
        (rows, columns) of the image.

    Returns
    -------
    Array
        bool (rows, columns). The cells of the grid part the frame; the ring overlaps them.
    """
    rows, columns = size
    mask = np.zeros(size, np.bool_)
    if name == MARGIN:
        mask[:] = True
        down, across = (max(1, round(DEPTH * side)) for side in size)
        mask[down : rows - down, across : columns - across] = False
        return mask
    row, column = divmod(CELLS.index(name), SIDE)
    top, bottom = (round(edge * rows / SIDE) for edge in (row, row + 1))
    left, right = (round(edge * columns / SIDE) for edge in (column, column + 1))
    mask[top:bottom, left:right] = True
    return mask


def sizes() -> Array:
    """Return the area of each cell, float (17,), in cells of the grid."""
    ring = 1 - (1 - 2 * DEPTH) ** 2
    return np.array([1.0] * SIDE**2 + [ring * SIDE**2])
