"""Which parts of a slide are tissue: saturation above a threshold, specks left out."""

from typing import Final

import numpy as np

from saliency.values.arrays import Array

#: mm of a pixel at which tissue is told from glass: a nucleus is one pixel, and noise averages out.
SPACING: Final = 0.008
#: The threshold lies between these saturations (of 255), whatever Otsu says: less is the noise and
#: the tint of glass, more is a faint stain beside a strong one, or one part of a slide full of it.
LEAST: Final = 10
MOST: Final = 22


def tissue_in(rgb: Array, absent: Array | None) -> Array:
    """Return bool (rows, columns), True where there is tissue.

    Saturation of HSV above Otsu's threshold (1979), kept within :data:`LEAST` .. :data:`MOST`, then
    an opening by 3 x 3 pixels.

    Parameters
    ----------
    rgb
        uint8 (rows, columns, 3), pixels of about :data:`SPACING`.
    absent
        bool (rows, columns), True where nothing was scanned; None: all was.
    """
    saturation = saturation_of(rgb)
    scanned = np.ones(saturation.shape, np.bool_) if absent is None else ~absent
    if not scanned.any():
        return scanned
    threshold = min(max(otsu(saturation[scanned]), LEAST), MOST)
    return opened(np.greater(saturation, threshold) & scanned)


def saturation_of(rgb: Array) -> Array:
    """Return the saturation of HSV as uint8: (max - min) / max."""
    top = rgb.max(axis=-1).astype(np.int32)
    spread = top - rgb.min(axis=-1)
    share: Array = spread * 255 // np.maximum(top, 1)
    return share.astype(np.uint8)


def otsu(values: Array) -> int:
    """Return the value up to which uint8 values are the lower class (Otsu 1979).

    Between equal ones the least: it leaves more above.
    """
    counts = np.bincount(values.ravel(), minlength=256).astype(np.float64)
    below = np.cumsum(counts)
    sums = np.cumsum(counts * np.arange(256))
    above = below[-1] - below
    split = (below > 0) & (above > 0)
    means = np.divide(sums, below, out=np.zeros(256), where=split)
    rest = np.divide(sums[-1] - sums, above, out=np.zeros(256), where=split)
    return int(np.argmax(below * above * (means - rest) ** 2))


def opened(mask: Array) -> Array:
    """Return the mask without what is narrower than 3 pixels."""
    return _grown(~_grown(~mask))


def _grown(mask: Array) -> Array:
    """Return the mask with every neighbour of its pixels, eight a pixel."""
    padded = np.pad(mask, 1)
    rows = padded[:-2] | padded[1:-1] | padded[2:]
    grown: Array = rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:]
    return grown


def on_grid(mask: Array, size: tuple[int, int]) -> Array:
    """Return a mask on another grid of the same area: True where any of a pixel is True."""
    for axis in (0, 1):
        count, length = size[axis], mask.shape[axis]
        edges = np.arange(count + 1) * length / count
        first = np.floor(edges[:-1]).astype(np.int64)
        if count >= length:  # each pixel of the finer grid lies in one of the coarser
            centres = ((np.arange(count) + 0.5) * length / count).astype(np.int64)
            mask = np.take(mask, centres, axis=axis)
        else:
            mask = np.logical_or.reduceat(mask, first, axis=axis)
    return mask
