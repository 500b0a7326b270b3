"""Move maps between grids."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from saliency.kernels.batches import Tensor


def bilinear(maps: Tensor, size: tuple[int, ...]) -> Tensor:
    """Resize maps with half-pixel centres, edges held, no smoothing when shrinking.

    Volumes (N, d, h, w) are resized trilinearly: each slice, and then between slices.

    Parameters
    ----------
    maps
        float32 (N, h, w).
    size
        (H, W).

    Returns
    -------
    tensor
        float32 (N, H, W), inside the range of ``maps``.
    """
    if len(size) == 2:
        return tf.image.resize(maps[..., tf.newaxis], size, method="bilinear")[..., 0]
    # (N d, h, w): each slice on its own.
    flat = tf.reshape(maps, [-1, *maps.shape[2:]])
    slices = bilinear(flat, size[1:])
    # (N, d, H W): each pixel is a column through the slices; its width stays as it is.
    columns = tf.reshape(slices, [-1, maps.shape[1], size[1] * size[2]])
    resized = bilinear(columns, (size[0], size[1] * size[2]))
    return tf.reshape(resized, [-1, *size])


def laid(maps: Tensor, edges: Sequence[tuple[float, float]]) -> Tensor:
    """Lay maps that are stretched over a whole picture where their grid lies in it; 0 elsewhere.

    Parameters
    ----------
    maps
        float32 (N, H, W) or (N, H, W, L); (N, D, H, W) and (N, D, H, W, L) with three edges.
    edges
        For each axis of space, where the first and the last edge of the grid lie, in pixels of the
        picture: 0 to H leaves rows as they are; last below first turns them over.

    Returns
    -------
    tensor
        float32, shaped like ``maps``.
    """
    for axis, (start, end) in enumerate(edges, start=1):
        matrix = _interpolation_matrix(int(maps.shape[axis]), start, end)
        # tensordot puts the new axis first: back to its place.
        resampled = tf.tensordot(matrix, maps, [[1], [axis]])
        order = list(range(1, len(maps.shape)))
        order.insert(axis, 0)
        maps = tf.transpose(resampled, order)
    return maps


def _interpolation_matrix(count: int, start: float, end: float) -> Tensor:
    """Return the matrix (count, count) of linear interpolation along one axis."""
    # Pixel centres lie at half numbers; 0 and 1 are the two edges of the grid.
    share = (np.arange(count) + 0.5 - start) / (end - start)
    place = np.clip(share * count - 0.5, 0, count - 1)
    below = np.minimum(place.astype(int), max(count - 2, 0))
    above = np.minimum(below + 1, count - 1)
    matrix = np.zeros((count, count), np.float32)
    matrix[np.arange(count), below] += 1 - (place - below)
    matrix[np.arange(count), above] += place - below
    matrix[(share < 0) | (share > 1)] = 0
    return tf.constant(matrix)


def size_of(inputs: Tensor) -> tuple[Any, ...]:
    """(H, W) of (N, H, W, C), (D, H, W) of volumes: tensors where a graph leaves it open."""
    shape = tf.shape(inputs) if None in inputs.shape[1:-1] else inputs.shape
    return tuple(shape[axis] for axis in space_of(inputs))


def space_of(inputs: Tensor) -> list[int]:
    """Return the axes of a batch (N, H, W, C) that are space."""
    return list(range(1, len(inputs.shape) - 1))
