"""Grow a region by the segments that hold the densest attribution (XRAI)."""

import math
from collections.abc import Sequence

import tensorflow as tf

from saliency.kernels.batches import Tensor
from saliency.kernels.resize import size_of
from saliency.kernels.superpixels import superpixels


def region_masks(inputs: Tensor, grids: Sequence[int]) -> Tensor:
    """Return superpixels of several sizes as masks: float32 (N, S, H * W), S over all grids."""
    masks, size = [], size_of(inputs)
    for grid in grids:
        labels = tf.reshape(superpixels(inputs, grid), [-1, math.prod(size)])
        # (N, P, S) to (N, S, P).
        masks.append(tf.transpose(tf.one_hot(labels, grid ** len(size)), [0, 2, 1]))
    return tf.concat(masks, 1)


def grow(attribution: Tensor, masks: Tensor) -> Tensor:
    """Add, one after the other, the segment whose new pixels have the greatest mean.

    Parameters
    ----------
    attribution
        float32 (N, P), signed.
    masks
        float32 (N, S, P) of 0 and 1.

    Returns
    -------
    tensor
        float32 (N, P): for each pixel the mean attribution of the pixels that joined with it.
        Sums of a joined part are kept, so that the whole sum is.
    """
    free, result = tf.ones_like(attribution), tf.zeros_like(attribution)
    for _ in range(masks.shape[1]):
        gain = tf.linalg.matvec(masks, free * attribution)
        area = tf.linalg.matvec(masks, free)
        # A segment without a free pixel never comes first.
        density = tf.where(area > 0.5, gain / tf.maximum(area, 1.0), -float("inf"))
        best = tf.argmax(density, axis=1)
        joined = tf.gather(masks, best, batch_dims=1) * free
        level = tf.gather(density, best, batch_dims=1)[:, tf.newaxis]
        result += tf.where(joined > 0, level, 0.0)
        free -= joined
        if tf.executing_eagerly() and not bool(tf.reduce_any(free > 0)):
            break
    return result
