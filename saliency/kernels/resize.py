"""Move maps between grids."""

from typing import Any

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
    slices = bilinear(tf.reshape(maps, [-1, *maps.shape[2:]]), size[1:])
    between = tf.reshape(slices, [-1, maps.shape[1], size[1] * size[2]])
    return tf.reshape(bilinear(between, (size[0], size[1] * size[2])), [-1, *size])


def size_of(inputs: Tensor) -> tuple[Any, ...]:
    """(H, W) of (N, H, W, C), (D, H, W) of volumes: tensors where a graph leaves it open."""
    shape = tf.shape(inputs) if None in inputs.shape[1:-1] else inputs.shape
    return tuple(shape[axis] for axis in space_of(inputs))


def space_of(inputs: Tensor) -> list[int]:
    """Return the axes of a batch (N, H, W, C) that are space."""
    return list(range(1, len(inputs.shape) - 1))
