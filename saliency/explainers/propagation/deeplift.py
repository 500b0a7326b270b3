"""DeepLIFT: slopes between two pictures in place of derivatives at one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import keras
import tensorflow as tf

from saliency.explainers.propagation.deeplift_multipliers import (
    bent,
    product,
    quotient,
    standardised_multipliers,
    won,
)
from saliency.explainers.propagation.layer_kinds import (
    LayerKind,
    elementwise,
    kind_at,
    linear_last,
    tensors,
)
from saliency.explainers.propagation.normalisation import standardisation
from saliency.explainers.propagation.relu_rules import (
    before,
    check_known,
    straight_through,
)
from saliency.probe.model.keras_internals import Operation
from saliency.probe.protocol import Tensor

_LINEAR = (
    LayerKind.MOVE,
    LayerKind.MEAN,
    LayerKind.SUM,
    LayerKind.NORM,
    LayerKind.PREPARE,
)


@final
@dataclass(frozen=True)
class RescaleRule:
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
        self,
        name: str,
        operation: Operation,
        args: tuple[Any, ...],
        call: Callable[..., Any],
    ) -> Any:
        output = call(*args)
        slopes = _slopes(operation, args, call, output)
        if slopes is None:
            self.unknown.append((name, operation, output))
            return output
        return output if slopes is output else straight_through(output, slopes)

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


def _slopes(
    operation: Operation, args: tuple[Any, ...], call: Callable[..., Any], output: Any
) -> Any:
    """Return a surrogate of a call, the output where derivatives are slopes; None if unknown."""
    kind = kind_at(operation, args)
    if kind in _LINEAR or (kind is LayerKind.LINEAR and linear_last(operation)):
        return output
    if kind is LayerKind.ACTIVATION or (
        kind is LayerKind.LINEAR and elementwise(operation)
    ):
        return bent(before(operation, args, call), output)
    if kind is LayerKind.WINNER and len(tensors(args)) == 1:
        return won(call, args[0], output)
    if kind is LayerKind.PRODUCT:
        return _product_slopes(operation, args, output)
    if kind is LayerKind.STANDARDISE:
        surrogate = standardised_multipliers(
            standardisation(operation, len(output.shape)), args[0]
        )
        return tf.cast(surrogate, output.dtype)
    return None


def _product_slopes(
    operation: Operation, args: tuple[Any, ...], output: Tensor
) -> Tensor | None:
    """Return slopes of a product of tensors, or of a quotient; each is a batch of two halves."""
    given = [tf.cast(each, output.dtype) for each in tensors(args)]
    if any(len(each.shape) != len(output.shape) for each in given):
        return None
    if "Divide" in type(operation).__name__:
        one, other = (tf.cast(each, output.dtype) for each in args)
        return quotient(one, other, output)
    whole, *rest = given
    for each in rest:
        whole = straight_through(whole * each, product(whole, each))
    return whole
