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
        return np.asarray(_resize(Image.fromarray(pixels), size), np.float32)
    planes = np.atleast_3d(pixels).astype(np.float32)
    done = [_resize(Image.fromarray(plane), size) for plane in np.moveaxis(planes, 2, 0)]
    stack: Array = np.stack([np.asarray(plane, np.float32) for plane in done], axis=2)
    return stack if pixels.ndim == 3 else stack[..., 0]


def _resize(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    rows, columns = size
    return image.resize((columns, rows), BILINEAR)
