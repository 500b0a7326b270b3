"""Connected pieces of a mask, without an image library: runs of a row, and who touches whom."""

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
class Pieces:
    """One entry a piece: its box, and what it is made of.

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
        """Rows of each piece."""
        return np.asarray(self.bottom - self.top)

    @property
    def width(self) -> Array:
        """Columns of each piece."""
        return np.asarray(self.right - self.left)

    def __getitem__(self, chosen: Array) -> Self:
        return type(self)(*(getattr(self, field.name)[chosen] for field in fields(self)))


def runs_of(mask: Array) -> Runs:
    """List the runs of bool (rows, columns), in row order."""
    rows, columns = mask.shape
    framed = np.zeros((rows, columns + 2), np.bool_)
    framed[:, 1:-1] = mask
    flat = framed.ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    row, left = np.divmod(changes[::2], columns + 2)
    return Runs(row, left - 1, left - 1 + changes[1::2] - changes[::2])


def label(runs: Runs, columns: int) -> Array:
    """Return the number of each run's piece; runs that touch, corners included, are one piece."""
    stride = columns + 2
    first, last = runs.row * stride + runs.left, runs.row * stride + runs.right
    begin = np.searchsorted(last, first + stride, side="left")
    end = np.searchsorted(first, last + stride, side="right")
    here, there = _expand(begin, end)
    return unite(len(first), here, there)


def unite(count: int, here: Array, there: Array) -> Array:
    """Return the group of each of ``count`` things; ``here[k]`` and ``there[k]`` are of one."""
    parent = np.arange(count)
    while not np.array_equal(parent[here], parent[there]):
        ours, theirs = parent[here], parent[there]
        least = np.minimum(ours, theirs)
        np.minimum.at(parent, ours, least)
        np.minimum.at(parent, theirs, least)
        parent = _roots(parent)
    return np.asarray(np.unique(parent, return_inverse=True)[1])


def pieces(mask: Array, grey: Array) -> Pieces:
    """Measure the 8-connected pieces of a mask.

    Parameters
    ----------
    mask
        bool (rows, columns).
    grey
        uint8 (rows, columns), for ``peak``.
    """
    runs = runs_of(mask)
    piece = label(runs, mask.shape[1])
    order = np.argsort(piece, kind="stable")
    row, left, right = (values[order] for values in runs)
    starts = np.flatnonzero(np.diff(piece[order], prepend=-1))
    if not len(starts):
        return Pieces(*(np.zeros(0, np.intp) for _ in fields(Pieces)))
    return Pieces(
        top=np.minimum.reduceat(row, starts),
        bottom=np.maximum.reduceat(row, starts) + 1,
        left=np.minimum.reduceat(left, starts),
        right=np.maximum.reduceat(right, starts),
        area=np.add.reduceat(right - left, starts),
        runs=np.diff(starts, append=len(row)),
        peak=np.maximum.reduceat(_peaks(Runs(row, left, right), grey), starts),
    )


def near(keys: Array, reach: float) -> tuple[Array, Array]:
    """List all pairs whose keys differ by at most ``reach``, each pair once."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    end = np.searchsorted(ordered, ordered + reach, side="right")
    here, there = _expand(np.arange(1, len(keys) + 1), end)
    return order[here], order[there]


def _peaks(runs: Runs, grey: Array) -> Array:
    """Return the brightest grey level of each run."""
    length = runs.right - runs.left
    starts = np.cumsum(length) - length
    flat = runs.row * grey.shape[1] + runs.left
    pixels = np.repeat(flat - starts, length) + np.arange(length.sum())
    return np.maximum.reduceat(grey.ravel()[pixels], starts).astype(np.intp)


def _expand(begin: Array, end: Array) -> tuple[Array, Array]:
    """Pair each index k with all of begin[k] .. end[k] - 1."""
    count = np.maximum(end - begin, 0)
    here = np.repeat(np.arange(len(begin)), count)
    offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return here, np.repeat(begin, count) + offset


def _roots(parent: Array) -> Array:
    while True:
        above = parent[parent]
        if np.array_equal(above, parent):
            return parent
        parent = above
