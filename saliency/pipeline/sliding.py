"""A sliding window along one axis: where it stands, and how much each of its places counts.

What slides over an image or a volume does so along each axis; the weights of a window are the
products of those of its axes, and sum to one as they do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import final

import numpy as np

from saliency.errors import InputError
from saliency.values.arrays import Array


@final
@dataclass(frozen=True, eq=False)
class Stand:
    """One place of the window on an axis.

    Parameters
    ----------
    start
        Its first pixel.
    weights
        float32 (window,): how much it counts. Those of all places sum to 1 at each pixel.
    """

    start: int
    weights: Array


def stands(
    length: int, window: int, overlap: float, halo: int | None, *, stride: int = 1
) -> list[Stand]:
    """Return the places of a window that covers an axis.

    Parameters
    ----------
    length
        Pixels of the axis; at least the window.
    window
        Pixels of the window.
    overlap
        The part of a window that the next one covers too, at least; 0 <= overlap < 1.
    halo
        Pixels at each side of a window that do not count, but where the axis ends. None: a
        quarter of the overlap.
    stride
        Windows start at multiples of it; ``length - window`` is one.

    Raises
    ------
    InputError
        A halo that leaves less of the window than a stride, so that places of the axis would be
        in no window; or a stride longer than the window.
    """
    if 2 * (halo or 0) + stride > window and window < length:
        msg = (
            f"Prepare: expected a halo of less than half the window, got {halo or 0} voxels at "
            f"each side of {window}; {stride} or more must be left."
        )
        raise InputError(msg)
    step = max(1, round(window * (1 - overlap)))
    if halo is not None:  # what one window leaves out the next must have
        step = max(1, min(step, window - 2 * halo))
    step = max(stride, step // stride * stride)
    count = ceil((length - window) / step) + 1
    even = np.linspace(0, (length - window) / stride, count)
    starts = even.round().astype(int) * stride
    common = window - int(np.diff(starts).max(initial=0))
    margin = common // 4 if halo is None else halo
    ramps = [
        _ramp(window, margin, first=k == 0, last=k == count - 1) for k in range(count)
    ]
    return _sharing(starts, ramps, length)


def _sharing(starts: Array, ramps: Sequence[Array], length: int) -> list[Stand]:
    """Divide by the sum at each pixel; one window is in memory beside the sum, however many."""
    total = np.zeros(length)
    for start, ramp in zip(starts, ramps, strict=True):
        total[start : start + len(ramp)] += ramp
    return [
        Stand(
            int(start),
            (ramp / total[start : start + len(ramp)]).astype(np.float32),
        )
        for start, ramp in zip(starts, ramps, strict=True)
    ]


def _ramp(window: int, margin: int, *, first: bool, last: bool) -> Array:
    """Return weights that are 0 in the halo and rise towards the middle.

    A side that is the end of the axis has neither halo nor slope: the whole image ends there too.
    """
    places = np.arange(window) + 0.5
    from_start = np.full(window, np.inf) if first else places - margin
    from_end = np.full(window, np.inf) if last else window - margin - places
    nearest = np.minimum(from_start, from_end)
    ramp: Array = np.clip(nearest, 0, window)
    return ramp
