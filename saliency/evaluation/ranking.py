"""Which pixels come first: attributions as an order of places."""

from typing import Any

import numpy as np
import tensorflow as tf

from saliency.errors import ExplainerError, InputError, NotFiniteError
from saliency.explainers.queries import tensor
from saliency.pipeline.checks import collapsed
from saliency.probe.protocol import Tensor
from saliency.values.arrays import Array


def maps_of(attribution: Any, inputs: Tensor, metric: str) -> Array:
    """Return an attribution as float32 (N, H, W): channels are summed.

    Raises
    ------
    InputError
        It is not shaped like the inputs, with channels or without, or is not finite.
    """
    try:
        return collapsed(np.asarray(attribution), tuple(inputs.shape), metric)
    except (ExplainerError, NotFiniteError) as error:
        raise InputError(str(error)) from error


def ranks_of(maps: Array) -> Array:
    """Return the place of each pixel in order of falling attribution, int (N, P), 0 the first.

    Of equal values the first in row order comes first.
    """
    flat = maps.reshape(len(maps), -1)
    order = np.argsort(-flat, axis=1, kind="stable")
    places = np.empty_like(order)
    np.put_along_axis(places, order, np.arange(flat.shape[1])[np.newaxis], axis=1)
    return places


def first(ranks: Array, share: float, inputs: Tensor) -> Tensor:
    """Return 1 at the first ``share`` of the pixels, else 0: float32 (N, H, W, 1)."""
    return shaped(ranks < round(share * ranks.shape[1]), inputs)


def shaped(chosen: Array, inputs: Tensor) -> Tensor:
    """Return bool (N, P) as a mask of the inputs: float32 (N, H, W, 1)."""
    return tf.constant(chosen.astype(np.float32).reshape(*inputs.shape[:-1], 1))


def cells_of(maps: Array, grid: int) -> tuple[Array, Array]:
    """Cut maps into cells of a grid, as even as pixels allow.

    Parameters
    ----------
    maps
        float32 (N, H, W) or (N, D, H, W).
    grid
        Cells along each side; a side of fewer pixels has a cell for each.

    Returns
    -------
    cells
        int (P,): the cell of each pixel.
    means
        float64 (N, cells): the mean of each cell.
    """
    sides = [
        np.arange(length) * min(grid, length) // length for length in maps.shape[1:]
    ]
    counts = [int(side[-1]) + 1 for side in sides]
    cells = np.ravel_multi_index(np.meshgrid(*sides, indexing="ij"), counts).ravel()
    sizes = np.bincount(cells)
    sums = [np.bincount(cells, heat.ravel(), minlength=len(sizes)) for heat in maps]
    return cells, np.asarray(sums) / sizes


def batch_of(inputs: Any) -> Tensor:
    """Return inputs as a float32 tensor (N, H, W, C) or (N, D, H, W, C)."""
    try:
        batch = tensor(inputs)
    except (TypeError, ValueError) as error:
        msg = f"inputs: expected numbers (N, H, W, C), got {type(inputs).__name__}."
        raise InputError(msg) from error
    if batch.shape.rank not in (4, 5) or 0 in batch.shape:
        msg = (
            "inputs: expected (N, H, W, C) or (N, D, H, W, C) with one image or more, got "
            f"{tuple(batch.shape)}."
        )
        raise InputError(msg)
    return batch
