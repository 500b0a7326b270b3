"""Move maps between grids."""

import tensorflow as tf

from saliency.kernels.batches import Tensor


def bilinear(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize maps with half-pixel centres, edges held, no smoothing when shrinking.

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
    return tf.image.resize(maps[..., tf.newaxis], size, method="bilinear")[..., 0]


def size_of(inputs: Tensor) -> tuple[int, int]:
    """(H, W) of a batch (N, H, W, C): numbers, or tensors where a graph leaves them free."""
    shape = tf.shape(inputs) if None in inputs.shape[1:3] else inputs.shape
    return shape[1], shape[2]
