"""Change of grid: bilinear, half-pixel centres, averaging where the grid gets coarser."""

import math
from typing import Final

import numpy as np
from PIL import Image

from saliency.values.arrays import Array

try:
    from saliency.pipeline._shrink import shrink
except ImportError:  # nobody compiled it here
    shrink = None  # type: ignore[assignment]

BILINEAR = Image.Resampling.BILINEAR
_ONE: Final = 2**22  # the weight that is 1: with Pillow's, rounded sums are Pillow's
_BLOCK: Final = 8  # of neighbours, in _shrink.c


def resized(pixels: Array, size: tuple[int, int]) -> Array:
    """Resize (rows, columns[, 3]) to ``size``, as float32.

    uint8 pixels stay whole numbers, as in every pipeline that resizes pictures with Pillow;
    others keep float32 precision. The same size gives the same values.

    Rows get their new length first, then columns. Whole numbers are rounded after either step, and
    versions of Pillow differ in the order; with one of our own all of them give the same values.
    """
    if pixels.shape[:2] == tuple(size):
        return pixels.astype(np.float32)
    if pixels.dtype != np.uint8:
        pixels = pixels.astype(np.float32, copy=False)
        if pixels.ndim == 3:
            planes = [resized(plane, size) for plane in np.moveaxis(pixels, 2, 0)]
            return np.stack(planes, axis=2)
    rows, columns = size
    image = _with_columns(pixels, columns).resize((columns, rows), BILINEAR)
    # Read-only, so that a value may keep it without a copy.
    return np.asarray(image).astype(np.float32, copy=False)


def _with_columns(pixels: Array, columns: int) -> Image.Image:
    """Resize all rows; in C, if it was built, where it is faster: bytes of grey, to fewer."""
    rows, width = pixels.shape[:2]
    grey = pixels.dtype == np.uint8 and pixels.ndim == 2
    if shrink is None or not grey or not 0 < columns < width:
        return Image.fromarray(pixels).resize((columns, rows), BILINEAR)
    found: Array = np.empty((rows, columns), np.uint8)
    shrink(np.ascontiguousarray(pixels), width, *_neighbours(width, columns), found)
    return Image.fromarray(found)


def _neighbours(width: int, columns: int) -> tuple[Array, Array]:
    """Return of each new pixel its first neighbour (columns,), and the weights of all.

    A weight is a triangle's around the new pixel's centre, as wide as two new pixels and cut off
    at the ends of the row; all add up to 1. They are int16 (columns, neighbours, 2): the halves
    that ``_shrink.c`` multiplies.
    """
    scale = width / columns
    centres = (np.arange(columns) + 0.5) * scale
    count = min(width, 2 * math.ceil(scale) + 1)
    first = np.clip((centres - scale + 0.5).astype(np.int32), 0, width - count)
    places = first[:, np.newaxis] + np.arange(math.ceil(count / _BLOCK) * _BLOCK)
    away = (places - centres[:, np.newaxis] + 0.5) * (1 / scale)
    triangle = np.where(places < width, np.maximum(0, 1 - np.abs(away)), 0)
    # Added one by one, as a loop does: np.sum adds in pairs, and ends in another last bit.
    sums = np.cumsum(triangle, axis=1)[:, -1:]
    weights = np.minimum((triangle / sums * _ONE + 0.5).astype(np.int32), _ONE - 1)
    return first, np.stack([weights % 2**15, weights // 2**15 * 2**8], axis=2).astype(
        "i2"
    )
