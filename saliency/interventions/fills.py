"""What to put in the place of a zone: three fills, so that no answer hangs on one of them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from saliency.values.arrays import Array

Fill: TypeAlias = Callable[[Array, Array, np.random.Generator], Array]
"""(pixels (rows, columns[, 3]), mask (rows, columns), generator) -> float32 like pixels."""


def background(pixels: Array, mask: Array, generator: np.random.Generator) -> Array:  # noqa: ARG001
    """Continue what lies around; see :func:`continued`."""
    return continued(pixels, mask)


def continued(pixels: Array, mask: Array) -> Array:
    """Continue what lies around a mask: push-pull interpolation (Gortler et al. 1996, section 3.4).

    The picture is averaged to ever coarser grids until every cell knows something, then unknown
    pixels take the bilinear value of the next coarser grid. Known pixels keep theirs.
    """
    planes = np.atleast_3d(pixels).astype(np.float32)
    known = np.repeat(~mask[..., np.newaxis], planes.shape[2], axis=2).astype(
        np.float32
    )
    filled = _push_pull(planes * known, known)
    return filled.reshape(pixels.shape)


def outside_mean(pixels: Array, mask: Array, generator: np.random.Generator) -> Array:  # noqa: ARG001
    """Put the mean of the pixels outside the zone."""
    result: Array = pixels.astype(np.float32)
    result[mask] = result[~mask].mean(axis=0)
    return result


def noise(pixels: Array, mask: Array, generator: np.random.Generator) -> Array:
    """Put pixels drawn at random from outside the zone: their histogram without their order."""
    result: Array = pixels.astype(np.float32)
    outside = result[~mask]
    result[mask] = outside[generator.integers(0, len(outside), int(mask.sum()))]
    return result


FILLS: Mapping[str, Fill] = MappingProxyType(
    {"background": background, "mean": outside_mean, "noise": noise}
)


def _push_pull(values: Array, weights: Array) -> Array:
    """Fill where weights are 0; values come multiplied by weights in 0..1."""
    # Where nothing is known both are 0, and so is the average.
    averages: Array = values / np.maximum(weights, 1e-12)
    if weights.all() or max(values.shape[:2]) == 1:
        return averages
    known: Array = np.minimum(weights, 1)
    coarser = _push_pull(_half(values), _half(weights))
    blend: Array = known * averages + (1 - known) * _double(coarser, values.shape[:2])
    return blend


def _half(planes: Array) -> Array:
    """Average 2 x 2 cells; an odd edge is repeated."""
    rows, columns = planes.shape[0] % 2, planes.shape[1] % 2
    even = np.pad(planes, ((0, rows), (0, columns), (0, 0)), mode="edge")
    # Axes: rows, 2, columns, 2, channels.
    cells = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2, -1)
    means: Array = cells.mean(axis=(1, 3))
    return means


def _double(planes: Array, size: tuple[int, int]) -> Array:
    """Bilinear to twice the grid, cut to ``size``."""
    for axis in (0, 1):
        first, last = planes.take([0], axis), planes.take([-1], axis)
        before = np.concatenate(
            [first, planes.take(range(planes.shape[axis] - 1), axis)], axis
        )
        after = np.concatenate(
            [planes.take(range(1, planes.shape[axis]), axis), last], axis
        )
        # The middles of the two halves of a cell lie a quarter of a cell from its own middle.
        lower = 0.75 * planes + 0.25 * before
        upper = 0.75 * planes + 0.25 * after
        shape = list(planes.shape)
        shape[axis] *= 2
        planes = np.stack([lower, upper], axis + 1).reshape(shape)
    return planes[: size[0], : size[1]]
