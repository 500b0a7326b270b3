"""A sliding window: where it stands, and how much of its map counts at each voxel."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import final

from saliency.pipeline.sliding import stands
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
    axes = [stands(*each, overlap, halo) for each in zip(grid, window, strict=True)]
    d, h, w = window
    for deep, down, across in product(*axes):
        a, b, c = deep.start, down.start, across.start
        weight = deep.weights[:, None, None] * down.weights[:, None] * across.weights
        part = slice(a, a + d), slice(b, b + h), slice(c, c + w)
        yield Window3D((a, b, c), part, weight)
