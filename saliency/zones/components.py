"""Connected components of a mask, without an image library: runs of a row, and who touches whom."""

from dataclasses import dataclass, fields
from typing import NamedTuple, Self, final

import numpy as np

from saliency.values.arrays import Array


class Runs(NamedTuple):
    """Unbroken stretches of a mask's rows: row, first column, column after the last."""

    row: Array
    left: Array
    right: Array


@final
@dataclass(frozen=True, eq=False)
class Components:
    """One entry a component: its box, and what it is made of.

    ``runs`` counts the stretches of its rows, so ``runs / height`` is how many strokes a row
    crosses; ``peak`` is the brightest grey level in it.
    """

    top: Array
    bottom: Array
    left: Array
    right: Array
    area: Array
    runs: Array
    peak: Array

    def __len__(self) -> int:
        return len(self.top)

    @property
    def height(self) -> Array:
        """Rows of each component."""
        return np.asarray(self.bottom - self.top)

    @property
    def places(self) -> "Places":
        """Where each component is."""
        return Places(self.top, self.bottom, self.left, self.right, self.height)

    @property
    def width(self) -> Array:
        """Columns of each component."""
        return np.asarray(self.right - self.left)

    def __getitem__(self, chosen: Array) -> Self:
        return type(self)(
            *(getattr(self, field.name)[chosen] for field in fields(self))
        )


def runs_of(mask: Array) -> Runs:
    """List the runs of bool (rows, columns), in row order."""
    return runs_at(np.flatnonzero(mask), mask.shape[1])


def runs_at(pixels: Array, columns: int) -> Runs:
    """List the runs of pixels, given as ascending flat indices of rows so many columns wide."""
    row, column = np.divmod(pixels, columns)
    starts = np.flatnonzero((np.diff(pixels, prepend=-2) != 1) | (column == 0))
    length = np.diff(starts, append=len(pixels))
    return Runs(row[starts], column[starts], column[starts] + length)


def label(runs: Runs, columns: int) -> Array:
    """Return the number of each run's component: runs that touch, corners included, are one."""
    # Rows are laid end to end with two columns between: runs of two rows touch, corners included,
    # where one moved by a row meets the other.
    stride = columns + 2
    first, last = runs.row * stride + runs.left, runs.row * stride + runs.right
    begin = np.searchsorted(last, first + stride, side="left")
    end = np.searchsorted(first, last + stride, side="right")
    here, there = _pairs_of_ranges(begin, end)
    return unite(len(first), here, there)


def unite(count: int, here: Array, there: Array) -> Array:
    """Return the group of each of ``count`` things; ``here[k]`` and ``there[k]`` are of one."""
    parent = np.arange(count)
    while not np.array_equal(parent[here], parent[there]):
        of_here, of_there = parent[here], parent[there]
        least = np.minimum(of_here, of_there)
        np.minimum.at(parent, of_here, least)
        np.minimum.at(parent, of_there, least)
        # Each follows its parent's parent, until every one points at the root of its tree.
        while not np.array_equal(grandparent := parent[parent], parent):
            parent = grandparent
    return np.asarray(np.unique(parent, return_inverse=True)[1])


def components_of(pixels: Array, grey: Array, columns: int) -> Components:
    """Measure the 8-connected components of a selection of pixels.

    Parameters
    ----------
    pixels
        Ascending flat indices of a picture with so many ``columns``.
    grey
        The grey level of each of them, for ``peak``.
    """
    runs = runs_at(pixels, columns)
    if not len(pixels):
        return Components(*(np.zeros(0, np.intp) for _ in fields(Components)))
    length = runs.right - runs.left
    peak = np.maximum.reduceat(grey, np.cumsum(length) - length)
    component = label(runs, columns)
    order = np.argsort(component, kind="stable")
    starts = np.flatnonzero(np.diff(component[order], prepend=-1))
    row, left, right = (values[order] for values in runs)
    return Components(
        top=np.minimum.reduceat(row, starts),
        bottom=np.maximum.reduceat(row, starts) + 1,
        left=np.minimum.reduceat(left, starts),
        right=np.maximum.reduceat(right, starts),
        area=np.add.reduceat(right - left, starts),
        runs=np.diff(starts, append=len(row)),
        peak=np.maximum.reduceat(peak[order], starts).astype(np.intp),
    )


class Reach(NamedTuple):
    """How far two things may be from each other that stand side by side, in the higher's height.

    ``alike`` is the least the lower may be; ``apart`` and ``overlap`` are across, ``off`` is down.
    """

    alike: float
    apart: float
    overlap: float
    off: float


class Places(NamedTuple):
    """Where things are on a page, one entry each."""

    top: Array
    bottom: Array
    left: Array
    right: Array
    height: Array


def side_by_side(things: Places, reach: Reach, tallest: float) -> tuple[Array, Array]:
    """Pair things that stand side by side on a common top or bottom; twice those on both."""
    tops = _on_common_edge(things, things.top, reach, tallest)
    bottoms = _on_common_edge(things, things.bottom, reach, tallest)
    return np.concatenate([tops[0], bottoms[0]]), np.concatenate([tops[1], bottoms[1]])


def _on_common_edge(
    things: Places, edge: Array, reach: Reach, tallest: float
) -> tuple[Array, Array]:
    here, there = near(edge, max(1, reach.off * tallest))
    height = things.height
    low = np.minimum(height[here], height[there])
    high = np.maximum(height[here], height[there])
    # Below 0 where the two overlap.
    gap = np.maximum(things.left[here], things.left[there])
    gap = gap - np.minimum(things.right[here], things.right[there])
    level = np.abs(edge[here] - edge[there]) <= np.maximum(1, reach.off * high)
    close = (gap <= reach.apart * high) & (gap >= -reach.overlap * high)
    joined = level & close & (low >= reach.alike * high)
    return here[joined], there[joined]


def near(keys: Array, reach: float) -> tuple[Array, Array]:
    """List all pairs whose keys differ by at most ``reach``, each pair once."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    end = np.searchsorted(ordered, ordered + reach, side="right")
    here, there = _pairs_of_ranges(np.arange(1, len(keys) + 1), end)
    return order[here], order[there]


def _pairs_of_ranges(begin: Array, end: Array) -> tuple[Array, Array]:
    """Pair each index k with all of begin[k] .. end[k] - 1."""
    count = np.maximum(end - begin, 0)
    here = np.repeat(np.arange(len(begin)), count)
    # 0, 1, ... anew for each k: the place among all pairs, less where those of k begin.
    offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return here, np.repeat(begin, count) + offset
