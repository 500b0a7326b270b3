"""How hot is hot: the number that full colour stands for."""

import numpy as np

from saliency.values.arrays import Array

#: Share of the pixels with heat that may be hotter than full colour.
CLIPPED = 0.005


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
    # The upper half of a float32 orders positive numbers into 32,768 bins. Two passes over them
    # take a fixed time; selection in NumPy takes 40 times as long on maps with many equal values.
    bins = (flat.view(np.uint32) >> 16).astype(np.uint16)
    counts = np.bincount(bins, minlength=1 << 15)
    counts[: 1 << 7] = 0  # 0 and the subnormal numbers
    below = np.cumsum(counts)
    if below[-1] == 0:
        return 0.0
    rank = int(np.ceil((1 - CLIPPED) * below[-1])) - 1
    at = int(np.searchsorted(below, rank, side="right"))
    return float(np.sort(flat[bins == at])[rank - int(below[at] - counts[at])])
