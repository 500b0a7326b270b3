"""Areas of a frame: rectangles, circles, polygons, as shutters and collimators draw them.

Coordinates in these modules are columns and rows counted from 1 (PS3.3 C.7.6.11); masks are bool
(rows, columns).
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from saliency.values.arrays import Array

#: Share of a rectangle that may lie outside of the frame.
_MOST_OUTSIDE: Final = 0.1
#: A coordinate from here on is taken for a broken number.
_FAR: Final = 2**15
#: Vertices of a polygon: drawing one costs a walk over the rows for each.
_MOST_VERTICES: Final = 2**12


def rectangle(
    size: tuple[int, int], rows: tuple[float, float], columns: tuple[float, float]
) -> Array | None:
    """Return the area between two rows and two columns, edges included.

    None where the edges are no numbers, or describe another picture: more than a tenth of the
    rectangle lies outside this one.
    """
    if not all(math.isfinite(edge) for edge in (*rows, *columns)):
        return None
    mask = np.zeros(size, np.bool_)
    # Counted from 1 and edges included: row r is index r - 1, and the slice ends behind the last.
    top, bottom = (_slice_end(edge) for edge in (min(rows) - 1, max(rows)))
    left, right = (_slice_end(edge) for edge in (min(columns) - 1, max(columns)))
    mask[top:bottom, left:right] = True
    height, width = abs(rows[1] - rows[0]) + 1, abs(columns[1] - columns[0]) + 1
    return mask if mask.sum() >= (1 - _MOST_OUTSIDE) * height * width else None


def circle(
    size: tuple[int, int], center: Sequence[float], radius: float
) -> Array | None:
    """Return the disc around (row, column); None where the numbers are none."""
    if len(center) < 2 or not math.isfinite(sum(center[:2]) + radius) or radius <= 0:
        return None
    down = np.arange(1, size[0] + 1, dtype=np.float64)[:, np.newaxis] - center[0]
    across = np.arange(1, size[1] + 1, dtype=np.float64) - center[1]
    mask: Array = down**2 + across**2 <= radius**2
    return mask


def polygon(size: tuple[int, int], vertices: Sequence[float]) -> Array | None:
    """Return the inside of a polygon given as row, column, row, column, ..., outline included."""
    usable = 6 <= len(vertices) <= 2 * _MOST_VERTICES and len(vertices) % 2 == 0
    if not usable or not all(abs(coordinate) < _FAR for coordinate in vertices):
        return None
    # Pillow takes (x, y) from 0.
    points = [
        (column - 1, row - 1)
        for row, column in zip(vertices[::2], vertices[1::2], strict=True)
    ]
    canvas = Image.new("1", (size[1], size[0]))
    ImageDraw.Draw(canvas).polygon(points, fill=1, outline=1)
    return np.array(canvas, np.bool_)


def _slice_end(edge: float) -> int:
    return int(min(max(edge, 0), _FAR * 2))
