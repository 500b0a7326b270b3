"""Outlines of hot regions in the units of DICOM: pixels from the upper left corner."""

from itertools import chain

import numpy as np

from saliency.render.contours import hot_outlines
from saliency.values.arrays import Array


def outlines_by_area(heat: Array, level: float) -> list[Array]:
    """Return the rings around what has at least as much heat, and around holes in it.

    Parameters
    ----------
    heat
        float32 (rows, columns).
    level
        Above 0.

    Returns
    -------
    list of Array
        float64 (points, 2) of (column, row), closed, that of the largest area first. The upper
        left corner of the image is (0, 0) (PS3.3 C.10.5.1.2, C.18.6.1.1); no ring leaves the image.
    """
    rings = chain.from_iterable(hot_outlines(heat, level))
    turned = [ring[:, ::-1] for ring in rings]
    return sorted(turned, key=_polygon_area, reverse=True)


def _polygon_area(corners: Array) -> float:
    """Return the area inside a closed polygon, by the shoelace formula."""
    columns, rows = corners.T
    twice = np.sum(columns[:-1] * rows[1:] - columns[1:] * rows[:-1])
    return float(abs(twice)) / 2
