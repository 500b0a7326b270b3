"""Layers that take a mean away and divide by a spread of the very tensor they are given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import keras
import tensorflow as tf

from saliency.probe.model.keras_internals import Operation
from saliency.probe.protocol import Tensor

_L = keras.layers


@final
@dataclass(frozen=True, eq=False)
class Standardisation:
    """y = gain c / sqrt(power(c^2) + epsilon) + shift, in float32; c is x, less its mean.

    Parameters
    ----------
    grouped
        Return x with an axis for groups, where the layer has groups.
    axes
        Of grouped x: what shares a mean and a spread.
    centred
        The mean is taken away.
    summed
        The power is the sum of squares, not their mean.
    epsilon
        Added to the power.
    gain, shift
        They spread over y.
    """

    grouped: Callable[[Tensor], Tensor]
    axes: tuple[int, ...]
    centred: bool
    summed: bool
    epsilon: float
    gain: Tensor
    shift: Tensor

    def centre(self, x: Tensor) -> Tensor:
        """Return c, grouped; linear in x."""
        x = self.grouped(x)
        return x - tf.reduce_mean(x, self.axes, keepdims=True) if self.centred else x

    def power(self, squares: Tensor) -> Tensor:
        """Return the mean (or sum) of squares, with an axis of 1 in place of each; linear."""
        reduce = tf.reduce_sum if self.summed else tf.reduce_mean
        return reduce(squares, self.axes, keepdims=True)

    def spread(self, c: Tensor) -> Tensor:
        """Return sqrt(power(c^2) + epsilon)."""
        return tf.sqrt(self.power(tf.square(c)) + self.epsilon)

    def scaled(self, c: Tensor, x: Tensor) -> Tensor:
        """Return gain times grouped values, shaped like x."""
        return self.gain * tf.reshape(c, tf.shape(x))


def standardisation(layer: Operation, rank: int) -> Standardisation:
    """Return what a layer of ``Kind.STANDARDISE`` does to a tensor of some rank."""
    if isinstance(layer, _L.GroupNormalization):
        return _in_groups(layer, rank)
    own = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]
    axes = tuple(sorted(axis % rank for axis in own))
    norm = isinstance(layer, _L.UnitNormalization)
    rms = type(layer).__name__ == "RMSNormalization"  # which older Keras has not
    gain = getattr(layer, "scale" if rms else "gamma", None)
    return Standardisation(
        grouped=tf.identity,
        axes=axes,
        centred=isinstance(layer, _L.LayerNormalization),
        summed=norm,
        epsilon=0.0 if norm else layer.epsilon or keras.backend.epsilon(),
        gain=_spread_weight(gain, rank, axes, 1.0),
        shift=_spread_weight(getattr(layer, "beta", None), rank, axes, 0.0),
    )


def _in_groups(layer: Operation, rank: int) -> Standardisation:
    axis, groups = layer.axis % rank, layer.groups

    def grouped(x: Tensor) -> Tensor:
        sizes = tf.unstack(tf.shape(x))
        split = [groups, sizes[axis] // groups]
        return tf.reshape(x, [*sizes[:axis], *split, *sizes[axis + 1 :]])

    return Standardisation(
        grouped=grouped,
        axes=tuple(each for each in range(1, rank + 1) if each != axis),
        centred=True,
        summed=False,
        epsilon=layer.epsilon,
        gain=_spread_weight(layer.gamma, rank, (axis,), 1.0),
        shift=_spread_weight(layer.beta, rank, (axis,), 0.0),
    )


def _spread_weight(
    weight: Operation, rank: int, axes: Sequence[int], otherwise: float
) -> Tensor:
    """Return a weight of some axes as float32 that spreads over a tensor of some rank."""
    if weight is None:
        return tf.constant(otherwise)
    sizes = iter(weight.shape)
    shape = [next(sizes) if axis in axes else 1 for axis in range(rank)]
    return tf.reshape(tf.cast(weight, tf.float32), shape)
