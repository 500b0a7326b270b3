"""DeepLIFT: slopes between two pictures in place of derivatives at one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import keras
import tensorflow as tf

from saliency.probe.graph import Operation
from saliency.probe.kinds import Kind, elementwise, kind_of, linear_last, tensors
from saliency.probe.protocol import Tensor
from saliency.probe.rules import before, check_known, straight_through

CLOSE = 1e-6
"""Differences below have the derivative for a slope."""

_LINEAR = (Kind.MOVE, Kind.MEAN, Kind.SUM, Kind.NORM, Kind.PREPARE)


@final
@dataclass(frozen=True)
class Rescale:
    """The multipliers of pictures over baselines, by the rescale rule.

    Asked about a batch whose first half are pictures and whose second half are their baselines.
    Answers float32 (2 N, H, W, C); both halves are the same up to rounding.
    """

    def begin(self) -> "_Rescale":
        """Return blank notes."""
        return _Rescale()


@final
class _Rescale:
    """Replaces slopes, and notes the layers that have none."""

    def __init__(self) -> None:
        self.unknown: list[tuple[str, Operation, Any]] = []

    def __call__(
        self, name: str, operation: Operation, args: tuple[Any, ...], call: Callable[..., Any]
    ) -> Any:
        output, kind = call(*args), kind_of(operation)
        if kind in _LINEAR or (kind is Kind.LINEAR and linear_last(operation)):
            return self._checked(name, operation, args, output)
        if kind in (Kind.LINEAR, Kind.ACTIVATION):
            return self._bent(name, operation, before(operation, args, call), output)
        if kind is Kind.WINNER and len(tensors(args)) == 1:
            return _won(call, args[0], output)
        self.unknown.append((name, operation, output))
        return output

    def finish(self, forward: Any) -> Tensor:
        """Return the multipliers.

        Raises
        ------
        ModelError
            The score comes through a layer that no rule is known for.
        """
        ends = keras.tree.flatten(forward.explained())
        check_known("DeepLIFT", self.unknown, ends, forward.inputs)
        inputs = forward.inputs
        return tf.gradients(forward.score(), [inputs], unconnected_gradients="zero")[0]

    def _checked(self, name: str, operation: Operation, args: Any, output: Any) -> Any:
        """Note a product or quotient of two tensors, which is not linear."""
        if kind_of(operation) is Kind.PREPARE and len(tensors(args)) > 1:
            self.unknown.append((name, operation, output))
        return output

    def _bent(self, name: str, operation: Operation, z: Tensor, output: Tensor) -> Tensor:
        """Give an activation the slope between the halves; note one that mixes values."""
        if kind_of(operation) is Kind.LINEAR and not elementwise(operation):
            self.unknown.append((name, operation, output))
            return output
        rise, run = _difference(output), _difference(z)
        steep = tf.abs(run) > CLOSE
        slope = tf.where(steep, rise / tf.where(steep, run, 1.0), 0.0)
        secant = tf.stop_gradient(slope) * (z - tf.stop_gradient(z))
        tangent = output - tf.stop_gradient(output)
        return tf.stop_gradient(output) + tf.where(steep, secant, tangent)


def _halves(tensor: Tensor) -> tuple[Tensor, Tensor]:
    count = tf.shape(tensor)[0] // 2
    return tensor[:count], tensor[count:]


def _difference(tensor: Tensor) -> Tensor:
    """Return picture minus baseline, for both halves of the batch."""
    picture, baseline = _halves(tensor)
    return _twice(picture - baseline)


def _twice(tensor: Tensor) -> Tensor:
    return tf.concat([tensor, tensor], axis=0)


def _won(call: Callable[..., Any], x: Tensor, output: Tensor) -> Tensor:
    """Give a maximum slopes that account for its whole change.

    The change max(y, y') - y' belongs to the winner of the picture, y - max(y, y') to that of the
    baseline; each over the winner's own change.
    """
    picture, baseline = _halves(tf.stop_gradient(x))
    high, low = _halves(tf.stop_gradient(output))
    top, run = tf.maximum(high, low), picture - baseline
    steep = tf.abs(run) > CLOSE
    step = (x - tf.stop_gradient(x)) * _twice(tf.where(steep, 1.0 / tf.where(steep, run, 1.0), 0.0))
    gained = _twice(top - low) * call(_twice(picture) + step)
    lost = _twice(high - top) * call(_twice(baseline) + step)
    return straight_through(output, gained + lost)
