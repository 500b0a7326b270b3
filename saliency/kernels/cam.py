"""Class activation maps: a weight for each channel of a layer, and their sum."""

import tensorflow as tf

from saliency.kernels.activity import unit_range
from saliency.kernels.batches import Tensor
from saliency.kernels.resize import bilinear


def gradcam_weights(activation: Tensor, gradient: Tensor) -> Tensor:
    """Grad-CAM, eq. 1 (arXiv 1610.02391): the mean gradient of each channel.

    Parameters
    ----------
    activation
        float32 (N, h, w, C).
    gradient
        The score's derivative by it, of the same shape.

    Returns
    -------
    tensor
        float32 (N, C), signed.
    """
    return tf.reduce_mean(gradient, axis=_space(activation))


def xgradcam_weights(activation: Tensor, gradient: Tensor) -> Tensor:
    """XGrad-CAM, eq. 8 (arXiv 2008.02312): the mean gradient, weighted by the activation."""
    axes = _space(activation)
    total = tf.reduce_sum(activation, axis=axes)
    return tf.reduce_sum(gradient * activation, axis=axes) / (total + 1e-6)


def gradcampp_weights(activation: Tensor, gradient: Tensor) -> Tensor:
    """Grad-CAM++, eq. 11 and 19 (arXiv 1710.11063) for the score's exponential.

    The factor exp(score) of eq. 19 is one number a picture and overflows float32 at a logit of 89:
    it is left out.
    """
    third = gradient**3 * tf.reduce_sum(activation, axis=_space(activation), keepdims=True)
    return _plusplus(gradient, third)


def gradcampp_weights_summed(activation: Tensor, gradient: Tensor) -> Tensor:
    """Grad-CAM++ as FastCAM's authors have it: the sum runs over activation times gradient³.

    Equal to :func:`gradcampp_weights` where the gradient does not change over the pixels.
    """
    third = tf.reduce_sum(activation * gradient**3, axis=_space(activation), keepdims=True)
    return _plusplus(gradient, third)


def weighted(activation: Tensor, weights: Tensor) -> Tensor:
    """Sum the channels of (N, h, w, C) with weights (N, C): float32 (N, h, w), signed."""
    shape = tf.concat([tf.shape(weights)[:1], [1] * len(_space(activation)), [-1]], 0)
    return tf.reduce_sum(activation * tf.reshape(weights, shape), axis=-1)


def cam_mask(cam: Tensor, size: tuple[int, ...]) -> Tensor:
    """Make of a map (N, h, w) a factor (N, H, W) in [0, 1]: positive part, resized, stretched."""
    return unit_range(bilinear(tf.nn.relu(cam), size))


def _plusplus(gradient: Tensor, third: Tensor) -> Tensor:
    below = 2.0 * gradient**2 + third
    below = tf.where(below == 0.0, 1.0, below)
    alpha = gradient**2 / (below + 1e-7)
    return tf.reduce_sum(alpha * tf.nn.relu(gradient), axis=_space(gradient))


def _space(activation: Tensor) -> list[int]:
    return list(range(1, activation.shape.rank - 1))
