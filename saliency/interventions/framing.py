"""How grey values are stepped, and how a body fills the frame: numbers of one image."""

from typing import Final, NamedTuple

import numpy as np

from saliency.pipeline.resize import resized
from saliency.values.arrays import Array

FEWEST_LEVELS: Final = 4
"""Grey levels below which an image has no step between them."""
CELLS: Final = 64
"""Cells a side of the grid that the body's ends are looked for on."""
BODY: Final = 0.15
"""Share of the range of grey values above the darkest, and of a line's cells, that are body."""


class Ends(NamedTuple):
    """First and last place along an axis, as shares of the frame."""

    first: float
    last: float


def grey_step(values: Array) -> float:
    """Return the median distance of neighbouring grey levels; 0 where there are too few."""
    levels = np.unique(values)
    if len(levels) < FEWEST_LEVELS:
        return 0.0
    return float(np.median(np.diff(levels.astype(np.float64))))


def body_ends(values: Array, inside: Array) -> tuple[Ends, Ends]:
    """Return where the body begins and ends, down and across; (0, 1) without dark surroundings.

    Parameters
    ----------
    values
        (rows, columns[, 3]).
    inside
        bool (rows, columns): what counts; the rest is taken for dark.
    """
    whole = Ends(0.0, 1.0)
    if not inside.any():
        return whole, whole
    grey = values if values.ndim == 2 else values.mean(axis=2)
    dark_outside = np.where(inside, grey, grey[inside].min()).astype(np.float32)
    cells = resized(dark_outside, (CELLS, CELLS))
    dark, bright = np.quantile(cells, (0.02, 0.98))
    body = cells > dark + BODY * (bright - dark)
    if not body.any():
        return whole, whole
    down, across = (_ends(body.mean(axis=axis)) for axis in (1, 0))
    return down, across


def _ends(shares: Array) -> Ends:
    """Return the first and the last line that the body lies in."""
    places = np.flatnonzero(shares >= min(BODY, shares.max()))
    return Ends(float(places[0]) / CELLS, float(places[-1] + 1) / CELLS)
