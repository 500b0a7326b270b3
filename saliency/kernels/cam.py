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

    With g the gradient and A the activation, ``alpha = g^2 / (2 g^2 + g^3 sum A)`` is written
    ``1 / (2 + g sum A)``, 0 where g is 0: no epsilon is needed, which would be the denominator on
    large maps, whose g is small. The factor exp(score) of eq. 19 is one number a picture and
    overflows float32 at a logit of 89: it is left out.
    """
    total = tf.reduce_sum(activation, axis=_space(activation), keepdims=True)
    alpha = tf.math.divide_no_nan(1.0, 2.0 + gradient * total)
    return tf.reduce_sum(alpha * tf.nn.relu(gradient), axis=_space(gradient))


def gradcampp_weights_summed(activation: Tensor, gradient: Tensor) -> Tensor:
    """Grad-CAM++ as FastCAM's authors have it, ``alpha = g^2 / (2 g^2 + sum A g^3 + 1e-7)``.

    Differs from :func:`gradcampp_weights` in the sum, where the gradient changes over the pixels,
    and in their epsilon: where ``2 g^2`` is not far above it, as on maps of 32 x 32 and more, it
    makes weak channels weaker.
    """
    third = tf.reduce_sum(
        activation * gradient**3, axis=_space(activation), keepdims=True
    )
    below = 2.0 * gradient**2 + third
    alpha = gradient**2 / (tf.where(below == 0.0, 1.0, below) + 1e-7)
    return tf.reduce_sum(alpha * tf.nn.relu(gradient), axis=_space(gradient))


def hirescam(activation: Tensor, gradient: Tensor) -> Tensor:
    """HiResCAM, eq. 6 (arXiv 2011.08891): activation times gradient, float32 (N, h, w), signed."""
    return tf.reduce_sum(activation * gradient, axis=-1)


def layercam(activation: Tensor, gradient: Tensor) -> Tensor:
    """LayerCAM, eq. 4 to 6 (IEEE TIP 30, 5875): positive gradients only, (N, h, w), >= 0."""
    return tf.nn.relu(tf.reduce_sum(tf.nn.relu(gradient) * activation, axis=-1))


def weighted(activation: Tensor, weights: Tensor) -> Tensor:
    """Sum the channels of (N, h, w, C) with weights (N, C): float32 (N, h, w), signed."""
    shape = tf.concat([tf.shape(weights)[:1], [1] * len(_space(activation)), [-1]], 0)
    return tf.reduce_sum(activation * tf.reshape(weights, shape), axis=-1)


def cam_mask(cam: Tensor, size: tuple[int, ...]) -> Tensor:
    """Make of a map (N, h, w) a factor (N, H, W) in [0, 1]: positive part, resized, stretched."""
    return unit_range(bilinear(tf.nn.relu(cam), size))


def _space(activation: Tensor) -> list[int]:
    return list(range(1, activation.shape.rank - 1))
