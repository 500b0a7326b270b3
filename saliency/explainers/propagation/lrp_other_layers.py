"""How relevance goes back through steps that have no kernel.

Each function returns its step's output, with a derivative that hands relevance on to what went in;
None where no way back is known.
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from saliency.explainers.propagation.layer_kinds import (
    LayerKind,
    kind_at,
    tensors,
    zero_at_zero,
)
from saliency.explainers.propagation.lrp_rules import seed, stabilised
from saliency.explainers.propagation.normalisation import standardisation
from saliency.explainers.propagation.relu_rules import straight_through
from saliency.probe.model.keras_internals import Operation
from saliency.probe.protocol import Tensor

STABILISER = 1e-6
"""Keeps divisions by 0 away, where a rule has no epsilon of its own."""


def routed(output: Tensor, share: Tensor, total: Tensor) -> Tensor:
    """Share in proportion to what each part added to the total (epsilon rule)."""
    held = tf.stop_gradient(stabilised(tf.cast(total, tf.float32), STABILISER))
    shares = tf.cast(tf.cast(share, tf.float32) / held, output.dtype)
    return tf.stop_gradient(output) + shares


def let_by(
    operation: Operation, args: tuple[Any, ...], output: Tensor
) -> Tensor | None:
    """Hand relevance on through activations, and through constants; else None."""
    kind = kind_at(operation, args)
    if kind is LayerKind.ACTIVATION and zero_at_zero(operation):
        return straight_through(output, args[0])
    alone = kind is LayerKind.PREPARE and len(tensors(args)) == 1
    return _passed(tensors(args)[0], output) if alone else None


def _passed(x: Tensor, output: Tensor) -> Tensor | None:
    """Hand relevance on as it is, through what scales and shifts by constants."""
    same = x.shape.is_compatible_with(output.shape)
    return straight_through(output, tf.cast(x, output.dtype)) if same else None


def added(operation: Operation, args: tuple[Any, ...], output: Tensor) -> Tensor | None:
    """Share a sum's relevance in proportion to what each tensor added to it (epsilon rule)."""
    given = tensors(args)
    if len(given) == 1:
        return _passed(given[0], output)
    less = type(operation).__name__ == "Subtract"
    over = len(given) if isinstance(operation, keras.layers.Average) else 1
    signs = (1.0, *[-1.0 if less else 1.0] * (len(given) - 1))
    seeds = (
        sign / over * seed(each, each) for sign, each in zip(signs, given, strict=True)
    )
    return routed(output, sum(seeds, tf.zeros_like(output)), output)


def multiplied(
    operation: Operation,
    args: tuple[Any, ...],
    output: Tensor,
    is_gate: Callable[[Tensor], bool],
) -> Tensor | None:
    """Hand a product's relevance to its signal: gates and denominators say how much, not what.

    Signal takes all (Arras et al., arXiv 1706.07206, section 3.2). A gate is a factor behind a
    sigmoid or softmax, or one that is spread over the other; factors that are alike share evenly
    (Achtibat et al., arXiv 2402.05602, uniform rule).
    """
    given = tensors(args)
    if "Divide" in type(operation).__name__:
        signals = tensors(args[0])
    else:
        signals = _widest([each for each in given if not is_gate(each)] or given)
    if not signals:
        return None
    zeros = tf.zeros_like(output)
    parts = (tf.cast(each, output.dtype) + zeros for each in signals)
    return straight_through(output, sum(parts, zeros) / len(signals))


def _widest(given: list[Tensor]) -> list[Tensor]:
    """Return the tensors that are spread along the fewest axes."""
    spread = [list(each.shape).count(1) - len(each.shape) for each in given]
    return [
        each for each, count in zip(given, spread, strict=True) if count == min(spread)
    ]


def standardised_relevance(
    operation: Operation, args: tuple[Any, ...], output: Tensor
) -> Tensor:
    """Hand relevance on through a standardisation with its spread held: the mean is linear.

    Ali et al., arXiv 2202.07304, LN-rule, with the epsilon rule for gain, mean and shift.
    """
    parts = standardisation(operation, len(output.shape))
    x = tf.cast(args[0], tf.float32)
    spread = tf.stop_gradient(parts.spread(parts.centre(x)))
    share = tf.math.divide_no_nan(parts.centre(seed(x, x)), spread)
    return routed(output, parts.scaled(share, x), output)
