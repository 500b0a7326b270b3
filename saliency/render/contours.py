"""Outlines of hot regions as polygons: the form of heat that other programs draw."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, cast

import numpy as np
from contourpy import FillType, contour_generator

from saliency.values.arrays import Array


def hot_outlines(heat: Array, level: float) -> Iterator[list[Array]]:
    """Yield the regions of as much heat and more.

    Parameters
    ----------
    heat
        float32 (rows, columns); beyond its edges there is none.
    level
        Above 0.

    Yields
    ------
    list
        Closed rings float64 (points, 2) of (row, column), the outer one first, then its holes. A
        cell (r, c) is centred at (r + 0.5, c + 0.5).
    """
    padded = np.pad(heat.astype(np.float64), 1)
    if not level > 0 or not (padded >= level).any():
        return
    made = contour_generator(z=padded, fill_type=FillType.OuterOffset)
    points, offsets = cast(Any, made.filled(level, np.inf))
    for outline, ends in zip(points, offsets, strict=True):
        # contourpy gives (column, row) between centres; the margin of one cell is taken off.
        places = outline[:, ::-1] - 0.5
        yield [places[a:b] for a, b in pairwise(ends)]
