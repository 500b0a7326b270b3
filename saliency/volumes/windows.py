"""A sliding window: where it stands, and how much of its map counts at each voxel."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import ceil
from typing import final

import numpy as np

from saliency.errors import InputError
from saliency.values.arrays import Array
from saliency.volumes.grid import Size


@final
@dataclass(frozen=True, eq=False)
class WindowScores:
    """What a model told of each window.

    Parameters
    ----------
    starts
        int64 (windows, 3): the first (slice, row, column) of each window, on the model's grid.
    size
        (D, H, W) of a window.
    scores
        float32 (windows,): the target's score in each.
    """

    starts: Array
    size: Size
    scores: Array


@final
@dataclass(frozen=True, eq=False)
class Window3D:
    """One place of the window.

    Parameters
    ----------
    start
        Its first (slice, row, column).
    part
        The index of its voxels in the grid.
    weight
        float32 (D, H, W): how much its map counts. The weights of all windows sum to 1 at each
        voxel.
    """

    start: Size
    part: tuple[slice, slice, slice]
    weight: Array


def sliding(
    grid: Size, window: Size, overlap: float, halo: int | None
) -> Iterator[Window3D]:
    """Yield the places of a window that covers a grid.

    Parameters
    ----------
    grid
        (slices, rows, columns), nowhere smaller than the window.
    window
        (D, H, W).
    overlap
        The part of a window that the next one covers too, at least; 0 <= overlap < 1.
    halo
        Voxels at each side of a window whose heat is left out, but where the grid ends. None: a
        quarter of the overlap.

    Raises
    ------
    InputError
        A halo that leaves nothing of the window.
    """
    axes = [_axis(*each, overlap, halo) for each in zip(grid, window, strict=True)]
    for (a, deep), (b, down), (c, across) in product(*axes):
        weight = deep[:, None, None] * down[:, None] * across
        d, h, w = window
        part = slice(a, a + d), slice(b, b + h), slice(c, c + w)
        yield Window3D((a, b, c), part, weight)


def _axis(
    length: int, window: int, overlap: float, halo: int | None
) -> list[tuple[int, Array]]:
    """Return the starts of the windows along an axis, each with its weights, float32 (window,)."""
    if halo is not None and 2 * halo >= window and window < length:
        msg = (
            f"Prepare: expected a halo of less than half the window, got {halo} voxels at each "
            f"side of {window}."
        )
        raise InputError(msg)
    step = max(1, round(window * (1 - overlap)))
    if halo is not None:  # what one window leaves out the next must have
        step = max(1, min(step, window - 2 * halo))
    count = ceil((length - window) / step) + 1
    starts = np.linspace(0, length - window, count).round().astype(int)
    common = window - int(np.diff(starts).max(initial=0))
    margin = common // 4 if halo is None else halo
    raw = np.zeros((count, length))
    for k, start in enumerate(starts):
        raw[k, start : start + window] = _ramp(
            window, margin, first=k == 0, last=k == count - 1
        )
    # At each voxel they sum to one: products of three such axes do so too.
    shares = raw / raw.sum(axis=0)
    return [
        (int(start), shares[k, start : start + window].astype(np.float32))
        for k, start in enumerate(starts)
    ]


def _ramp(window: int, margin: int, *, first: bool, last: bool) -> Array:
    """Return weights that are 0 in the halo and rise towards the middle.

    A side that is the end of the grid has neither halo nor slope: the whole volume ends there too.
    """
    places = np.arange(window) + 0.5
    from_start = np.full(window, np.inf) if first else places - margin
    from_end = np.full(window, np.inf) if last else window - margin - places
    nearest = np.minimum(from_start, from_end)
    ramp: Array = np.clip(nearest, 0, window)
    return ramp
