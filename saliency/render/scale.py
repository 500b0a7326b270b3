"""How hot is hot: the number that full colour stands for."""

import numpy as np

from saliency.values.arrays import Array

#: Share of the pixels with heat that may be hotter than full colour.
CLIPPED = 0.005

#: The least normal float32.
_LEAST = np.float32(2.0**-126)

#: Every which element is looked at first; prime, so that no picture is in step with it.
_STRIDE = 67


def full(magnitude: Array) -> float:
    """Return the heat that is painted in full: the 99.5th percentile of what is not 0.

    A single hot pixel among thousands would leave the rest unseen if the maximum were full colour.
    The zeros are left out, for how much of a picture is cold says nothing about how hot the hot is.
    Up to 200 pixels with heat this is the maximum itself.

    Parameters
    ----------
    magnitude
        float32, 0 or more, any shape.

    Returns
    -------
    float
        An element of ``magnitude``; 0 where every element is 0 or subnormal (below 1.2e-38 there
        are not enough bits left to tell heat from rounding).
    """
    flat = np.ascontiguousarray(magnitude).ravel()
    count = int(np.count_nonzero(flat >= _LEAST))
    if count == 0:
        return 0.0
    hotter = count - int(np.ceil((1 - CLIPPED) * count))
    hot = _hottest(flat, hotter)
    if hot is None:
        return _by_bins(flat, flat.size - 1 - hotter)
    return float(np.partition(hot, hot.size - 1 - hotter)[hot.size - 1 - hotter])


def shows_negative(values: Array) -> bool:
    """Return whether there is heat below 0, enough to be seen when painted.

    Paint has 255 steps: what is less than half of one is not painted.
    """
    low = float(values.min())
    return low < 0 and -low > full(np.abs(values)) / 510


def _hottest(flat: Array, hotter: int) -> Array | None:
    """Return a few per cent of the elements, the greatest; None where a sample does not find them.

    On 2048 x 2048 that takes half the time of counting all of them in bins.
    """
    sample = flat[::_STRIDE]
    rank = int(0.98 * sample.size)
    hot: Array = flat[flat >= np.partition(sample, rank)[rank]]
    return hot if hotter < hot.size < flat.size // 16 else None


def _by_bins(flat: Array, rank: int) -> float:
    """Return the element of a rank, 0 the least.

    The upper half of a float32 orders positive numbers into 32,768 bins. Two passes over them take
    a fixed time; selection in NumPy takes 40 times as long on maps with many equal values.
    """
    bins = (flat.view(np.uint32) >> 16).astype(np.uint16)
    counts = np.bincount(bins, minlength=1 << 15)
    below = np.cumsum(counts)
    at = int(np.searchsorted(below, rank, side="right"))
    return float(np.sort(flat[bins == at])[rank - int(below[at] - counts[at])])
