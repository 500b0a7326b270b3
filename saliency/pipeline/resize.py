"""Change of grid: bilinear, half-pixel centres, averaging where the grid gets coarser."""

import numpy as np
from PIL import Image

from saliency.values.arrays import Array

BILINEAR = Image.Resampling.BILINEAR


def resized(pixels: Array, size: tuple[int, int]) -> Array:
    """Resize (rows, columns[, 3]) to ``size``, as float32.

    uint8 pixels stay whole numbers, as in every pipeline that resizes pictures with Pillow;
    others keep float32 precision. The same size gives the same values.
    """
    if pixels.shape[:2] == tuple(size):
        return pixels.astype(np.float32)
    if pixels.dtype == np.uint8:
        return _resize(Image.fromarray(pixels), size)
    if pixels.ndim == 2:
        return _resize(Image.fromarray(pixels.astype(np.float32, copy=False)), size)
    planes = [
        resized(plane, size) for plane in np.moveaxis(pixels.astype(np.float32), 2, 0)
    ]
    return np.stack(planes, axis=2)


def _resize(image: Image.Image, size: tuple[int, int]) -> Array:
    """Return float32 pixels, read-only, so that a value may keep them without a copy."""
    rows, columns = size
    return np.asarray(image.resize((columns, rows), BILINEAR)).astype(
        np.float32, copy=False
    )
