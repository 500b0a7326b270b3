"""Linear layers as kernel and bias, with the batch normalisation behind them folded in."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import final

import keras
import tensorflow as tf

from saliency.probe.model.keras_internals import Operation, inference, linear_twin
from saliency.probe.protocol import Tensor

_L = keras.layers

TRANSPOSED = (_L.Conv1DTranspose, _L.Conv2DTranspose, _L.Conv3DTranspose)
DEPTHWISE = (_L.DepthwiseConv1D, _L.DepthwiseConv2D)
SEPARABLE = (_L.SeparableConv1D, _L.SeparableConv2D)


@final
@dataclass(frozen=True, eq=False)
class Linear:
    """One linear step, z = apply(x, kernel) + bias, in float32.

    Parameters
    ----------
    apply
        ``apply(x, kernel) -> z``, linear in both.
    kernel
        float32.
    bias
        float32, of a shape that spreads over z; 0 where there is none.
    spread
        A vector of output channels -> a tensor that spreads over the kernel.
    axis
        The channels' axis of z, counted from the front; None where channels cannot be told.
    dense
        Each output sees every input.
    """

    apply: Callable[[Tensor, Tensor], Tensor]
    kernel: Tensor
    bias: Tensor
    spread: Callable[[Tensor], Tensor]
    axis: int | None
    dense: bool

    def __call__(self, x: Tensor) -> Tensor:
        """Return z."""
        return self.apply(x, self.kernel) + self.bias


def linear_steps(layer: Operation, rank: int) -> tuple[Linear, ...]:
    """Return a linear layer as steps, the last with the bias: two where it is separable.

    ``rank`` is that of the layer's output.
    """
    if isinstance(layer, SEPARABLE):
        return _separable(layer, rank)
    kernel = tf.cast(layer.kernel, tf.float32)
    axis = _channel_axis(layer, rank)
    return (
        Linear(
            apply=partial(_with_kernel, layer),
            kernel=kernel,
            bias=linear_bias(layer, rank),
            spread=_spreader_of(layer, kernel),
            axis=None if isinstance(layer, _L.EinsumDense) else axis,
            dense=isinstance(layer, _L.Dense | _L.EinsumDense),
        ),
    )


def factor_and_shift(norm: Operation) -> tuple[Tensor, Tensor]:
    """Return a batch normalisation at inference as two float32 vectors: y = factor x + shift."""
    variance = tf.cast(norm.moving_variance, tf.float32)
    factor = tf.math.rsqrt(variance + norm.epsilon)
    factor = factor * tf.cast(norm.gamma, tf.float32) if norm.scale else factor
    shift = -tf.cast(norm.moving_mean, tf.float32) * factor
    return factor, shift + tf.cast(norm.beta, tf.float32) if norm.center else shift


def folded(step: Linear, norm: Operation, rank: int) -> Linear | None:
    """Return the step and the normalisation behind it as one; None where axes differ."""
    if step.axis is None or step.axis != norm.axis % rank:
        return None
    factor, shift = factor_and_shift(norm)
    return replace(
        step,
        kernel=step.kernel * step.spread(factor),
        bias=step.bias * along_axis(factor, rank, step.axis)
        + along_axis(shift, rank, step.axis),
    )


def along_axis(vector: Tensor, rank: int, axis: int) -> Tensor:
    """Return a vector as a tensor of some rank, lying along one axis."""
    return tf.reshape(vector, [-1 if place == axis else 1 for place in range(rank)])


def _with_kernel(layer: Operation, x: Tensor, kernel: Tensor) -> Tensor:
    def call() -> Tensor:
        with keras.StatelessScope(state_mapping=[(layer.kernel, kernel)]):
            return linear_twin(layer)(x)

    return inference(call)


def _channel_axis(layer: Operation, rank: int) -> int:
    return 1 if getattr(layer, "data_format", None) == "channels_first" else rank - 1


def linear_bias(layer: Operation, rank: int) -> Tensor:
    """Return the bias of a linear layer, float32, as it spreads over an output of some rank."""
    if layer.bias is None:
        return tf.zeros(())
    bias = tf.cast(layer.bias, tf.float32)
    return (
        bias
        if isinstance(layer, _L.EinsumDense)
        else along_axis(bias, rank, _channel_axis(layer, rank))
    )


def _spreader_of(layer: Operation, kernel: Tensor) -> Callable[[Tensor], Tensor]:
    if isinstance(layer, TRANSPOSED):
        return lambda vector: vector[:, None]
    if isinstance(layer, DEPTHWISE):
        return lambda vector: tf.reshape(vector, kernel.shape[-2:])
    return lambda vector: vector


def _separable(layer: Operation, rank: int) -> tuple[Linear, ...]:
    """Return a separable convolution as one in each channel and one across channels."""
    axis = _channel_axis(layer, rank)
    depthwise = partial(
        keras.ops.depthwise_conv,
        strides=layer.strides,
        padding=layer.padding,
        dilation_rate=layer.dilation_rate,
        data_format=layer.data_format,
    )
    pointwise = partial(keras.ops.conv, data_format=layer.data_format)
    across, inside = (
        tf.cast(layer.pointwise_kernel, tf.float32),
        layer.depthwise_kernel,
    )
    bias = linear_bias(layer, rank)
    first = Linear(
        depthwise,
        tf.cast(inside, tf.float32),
        tf.zeros(()),
        _unspread,
        None,
        dense=False,
    )
    return first, Linear(pointwise, across, bias, _unspread, axis, dense=False)


def _unspread(vector: Tensor) -> Tensor:
    return vector
