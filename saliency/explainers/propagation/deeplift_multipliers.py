"""Slopes between the two halves of a batch, pictures and baselines, in place of derivatives.

Each function returns a surrogate: a tensor whose derivative is a multiplier. Multiplied by the
changes of what goes in, from baseline to picture, multipliers give the change of what comes out;
so chains of them do (Shrikumar et al., arXiv 1704.02685, eq. 3 and 5). Both halves have the same.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from saliency.explainers.propagation.normalisation import Standardisation
from saliency.explainers.propagation.relu_rules import straight_through
from saliency.probe.protocol import Tensor

CLOSE = 1e-6
"""Differences below have the derivative for a slope."""


def halves(tensor: Tensor) -> tuple[Tensor, Tensor]:
    """Return pictures and baselines."""
    picture, baseline = tf.split(tensor, 2)
    return picture, baseline


def twice(tensor: Tensor) -> Tensor:
    """Return the same values for both halves."""
    return tf.concat([tensor, tensor], axis=0)


def difference(tensor: Tensor) -> Tensor:
    """Return picture minus baseline, for both halves."""
    picture, baseline = halves(tensor)
    return twice(picture - baseline)


def middle(tensor: Tensor) -> Tensor:
    """Return the mean of picture and baseline, for both halves, as a constant."""
    picture, baseline = halves(tf.stop_gradient(tensor))
    return twice((picture + baseline) / 2)


def bent(z: Tensor, output: Tensor) -> Tensor:
    """Give a function of single values the slope of its secant."""
    rise, run = difference(output), difference(z)
    steep = tf.abs(run) > CLOSE
    slope = tf.stop_gradient(tf.where(steep, rise / tf.where(steep, run, 1.0), 0.0))
    secant = slope * (z - tf.stop_gradient(z))
    tangent = output - tf.stop_gradient(output)
    return tf.where(steep, secant, tangent)


def won(call: Callable[..., Any], x: Tensor, output: Tensor) -> Tensor:
    """Give a maximum slopes that account for its whole change.

    The change max(y, y') - y' belongs to the winner of the picture, y - max(y, y') to that of the
    baseline; each over the winner's own change.
    """
    picture, baseline = halves(tf.stop_gradient(x))
    high, low = halves(tf.stop_gradient(output))
    top, run = tf.maximum(high, low), picture - baseline
    steep = tf.abs(run) > CLOSE
    step = (x - tf.stop_gradient(x)) * twice(
        tf.where(steep, 1.0 / tf.where(steep, run, 1.0), 0.0)
    )
    gained = twice(top - low) * call(twice(picture) + step)
    lost = twice(high - top) * call(twice(baseline) + step)
    return gained + lost


def product(one: Tensor, other: Tensor) -> Tensor:
    """Share a product's change: each factor's own, times the mean of the other.

    That is the mean of changing the one first and of changing the other first: Shapley's share.
    """
    return middle(other) * one + middle(one) * other


def quotient(one: Tensor, other: Tensor, output: Tensor) -> Tensor:
    """Share a quotient's change: the rule of the product, on numerator = output x denominator.

    A small denominator in one half alone, as behind a black picture, then blows nothing up.
    """
    return tf.math.divide_no_nan(one - middle(output) * other, middle(other))


def standardised_multipliers(layer: Standardisation, x: Tensor) -> Tensor:
    """Share the change of a standardisation: mean, squares, root and quotient, each exactly."""
    x = tf.cast(x, tf.float32)
    c = layer.centre(x)
    spread = layer.spread(tf.stop_gradient(c))
    root = tf.math.divide_no_nan(layer.power(middle(c) * c), middle(spread))
    ratio = tf.math.divide_no_nan(tf.stop_gradient(c), spread)
    return layer.scaled(quotient(c, straight_through(spread, root), ratio), x)
