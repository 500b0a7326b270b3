"""Outlines of hot regions as polygons: the form of heat that other programs draw."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final, cast

import numpy as np
from contourpy import FillType, contour_generator

from saliency.values.arrays import Array

#: Outlines run so little below the level, as a part of it: through centres that have exactly the
#: level they would touch or cross themselves.
_BELOW: Final = 1e-4


def hot_outlines(
    heat: Array, level: float, ends: tuple[float, float] | None = None
) -> Iterator[list[Array]]:
    """Yield the regions of as much heat and more.

    Parameters
    ----------
    heat
        float32 (rows, columns); it is that of the outermost centres up to the edge.
    level
        Above 0.
    ends
        Where the image ends, in (rows, columns) of cells: within the last ones. None: with them.

    Yields
    ------
    list
        Closed rings float64 (points, 2) of (row, column) within the image, the outer one first,
        then its holes. A cell (r, c) is centred at (r + 0.5, c + 0.5). Seen as (x, y) = (column,
        row) outer rings turn from x to y, and holes the other way (RFC 7946, right-hand rule).
    """
    if not level > 0 or not (heat >= level).any():
        return
    down, across = (
        _centres(count, end)
        for count, end in zip(heat.shape, ends or heat.shape, strict=True)
    )
    reaching = np.pad(heat.astype(np.float64), 1, mode="edge")
    made = contour_generator(
        x=across, y=down, z=reaching, fill_type=FillType.OuterOffset
    )
    points, offsets = cast(Any, made.filled(level * (1 - _BELOW), np.inf))
    for outline, rings in zip(points, offsets, strict=True):
        # contourpy gives (x, y), and rounds a place on the edge a hair beyond it.
        places = np.clip(outline[:, ::-1], 0, ends or heat.shape)
        yield [places[a:b] for a, b in pairwise(rings)]


def _centres(count: int, end: float) -> Array:
    """Return where cells have their value along an axis, and its two edges."""
    centres = np.arange(count) + 0.5
    # The image may end before the centre of its last cell.
    last = min(centres[-1], (count - 1 + end) / 2)
    return np.concatenate([[0.0], centres[:-1], [last], [end]])
