"""Which tiles are asked about, and which pixels are painted: those with tissue."""

from typing import Any

import numpy as np

from saliency.errors import InputError
from saliency.slides.stitch import TileGrid, TilePlace
from saliency.values.arrays import Array
from saliency.values.mask import Mask


def tissue_mask(given: Any) -> Array:
    """Return a mask of the whole slide as bool (rows, columns), on any grid of its own.

    Raises
    ------
    InputError
        It is neither a Mask nor a bool array of rank 2, or has no pixel.
    """
    values = given.values if isinstance(given, Mask) else np.asarray(given)
    if values.dtype != np.bool_ or values.ndim != 2 or not values.size:
        msg = (
            "explain_slide: expected tissue to be 'auto', None, or a mask of the whole slide "
            f"(bool, rows x columns), got {values.dtype} {values.shape}."
        )
        raise InputError(msg)
    return values


def tiles_with_tissue(grid: TileGrid, mask: Array) -> Array:
    """Return bool (tile rows, tile columns): where a pixel of tissue lies in a tile's core.

    One pixel is enough: each pixel of tissue is then in a tile that is asked about and has a say.
    """
    sums = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), np.int64)
    sums[1:, 1:] = mask.cumsum(axis=0).cumsum(axis=1)
    top, bottom = _reach(grid.down, grid.size[0], mask.shape[0])
    left, right = _reach(grid.across, grid.size[1], mask.shape[1])
    count = (
        sums[np.ix_(bottom, right)]
        - sums[np.ix_(top, right)]
        - sums[np.ix_(bottom, left)]
        + sums[np.ix_(top, left)]
    )
    found: Array = count > 0
    return found


def _reach(
    places: tuple[TilePlace, ...], length: int, size: int
) -> tuple[Array, Array]:
    """Return the first pixel of a mask, and the one behind the last, that each core meets."""
    scale = size / length
    cores = np.array([place.core for place in places], float) * scale
    # An edge that lies on a pixel's edge, but for rounding, does not reach into the next.
    first = np.floor(cores[:, 0] + 1e-6).astype(int)
    last = np.ceil(cores[:, 1] - 1e-6).astype(int)
    return np.clip(first, 0, size), np.clip(last, 0, size)
