"""The gamma distribution that fits some activities: its scale, and its distribution function.

Everything here is computed in float64: ln k and digamma k cancel to the last digits of float32.
"""

import tensorflow as tf

from saliency.kernels.activity import EPSILON, unless_flat
from saliency.kernels.batches import Tensor

_NEWTON_STEPS = 10

#: The greatest shape that FastCAM's authors fit to a map.
_GREATEST_SHAPE = 18.0

#: Terms of the series at which the authors' code stops.
_TERMS = 8


def gamma_scale(activations: Tensor) -> Tensor:
    """Scale m / k of the gamma distribution with the channels' likelihood, (..., C) -> (...).

    The shape k solves ``ln k - digamma(k) = ln m - mean_c ln y`` for y = relu(A) + 1e-7 and
    m = mean_c y. SMOE Scale orders pixels as it does, without the solver.

    Returns
    -------
    tensor
        float32 (...), >= 0, in units of the activations; about 0 where all channels are equal.

    References
    ----------
    Mundhenk, Chen, Friedland, arXiv 1911.11293; Minka, Estimating a Gamma distribution, 2002.
    """
    values = tf.nn.relu(tf.cast(activations, tf.float64)) + EPSILON
    shape = _gamma_shape(values, [-1])[..., 0]
    return tf.cast(tf.reduce_mean(values, axis=-1) / shape, tf.float32)


def gamma_cdf(maps: Tensor) -> Tensor:
    """Read each map (N, H, W) as gamma distributed: the regularised P(k, x / scale), in [0, 1].

    Monotone in the pixel's value. A constant map gives 0.
    """
    shape, ratio = _shape_and_ratio(maps)
    return unless_flat(maps, tf.cast(tf.math.igamma(shape, ratio), tf.float32))


def gamma_cdf_truncated(maps: Tensor) -> Tensor:
    """:func:`gamma_cdf` as FastCAM's published code has it: its series after 8 terms.

    For comparison with published numbers only: it falls again beyond u = 3 (k = 0.5) to 21
    (k = 18), so that the most active pixel of a map can be given the lowest value of all.
    """
    shape, ratio = _shape_and_ratio(maps)
    total = tf.zeros_like(ratio)
    # P(k, u) = sum_n u^(k + n) e^(-u) / Gamma(k + n + 1).
    for term in range(_TERMS):
        power = shape + term
        total += tf.exp(
            power * tf.math.log(ratio) - ratio - tf.math.lgamma(power + 1.0)
        )
    finite = tf.where(tf.math.is_finite(total), total, 0.0)
    return unless_flat(maps, tf.cast(finite, tf.float32))


def _shape_and_ratio(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return the shape k, and each pixel over the scale θ; float64, shaped like ``maps``."""
    values = tf.cast(maps, tf.float64)
    axes = list(range(1, values.shape.rank))
    raised = values - tf.reduce_min(values, axis=axes, keepdims=True) + EPSILON
    shape = tf.minimum(_gamma_shape(raised + EPSILON, axes), _GREATEST_SHAPE)
    scale = tf.reduce_mean(raised + EPSILON, axis=axes, keepdims=True) / shape
    return tf.broadcast_to(shape, tf.shape(values)), raised / scale


def _gamma_shape(values: Tensor, axes: list[int]) -> Tensor:
    """Return the shape k of the gamma distribution of ``values`` > 0 by Newton's method."""
    mean = tf.reduce_mean(values, axis=axes, keepdims=True)
    logs = tf.reduce_mean(tf.math.log(values), axis=axes, keepdims=True)
    gap = tf.maximum(tf.math.log(mean) - logs, 1e-9)
    # The usual start, within 1.5 % of the root: (3 - s + sqrt((s - 3)^2 + 24 s)) / (12 s).
    shape = (3.0 - gap + tf.sqrt(tf.square(gap - 3.0) + 24.0 * gap)) / (12.0 * gap)
    for _ in range(_NEWTON_STEPS):
        # The derivative of ln k - digamma k; the trigamma function is polygamma of order 1.
        rise = 1.0 / shape - tf.math.polygamma(tf.ones_like(shape), shape)
        shape -= (tf.math.log(shape) - tf.math.digamma(shape) - gap) / rise
        shape = tf.maximum(shape, EPSILON)
    return shape
