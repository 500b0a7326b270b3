"""Rules: other derivatives for the same forward pass.

A rule is a function ``rule(name, operation, args, call) -> output`` that stands in for each call
of the model's graph, nested models included; ``call(*args)`` is what happens without it. Bind one
with ``probe.at(target).ruled(rule)``.
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from saliency.errors import ModelError
from saliency.probe.graph import Operation, sublayers
from saliency.probe.head import applies_last
from saliency.probe.protocol import Tensor

RECTIFIERS = (
    keras.activations.relu,
    keras.activations.relu6,
    keras.ops.relu,
    keras.ops.relu6,
    tf.nn.relu,
    tf.nn.relu6,
)


def guided(name: str, operation: Operation, args: tuple[Any, ...], call: Callable[..., Any]) -> Any:
    """Let only positive derivatives through each ReLU: guided backpropagation.

    At the output of a ReLU the derivative r becomes max(r, 0); the ReLU's own derivative follows,
    so that r 1[r > 0] 1[x > 0] goes on (Springenberg et al., arXiv 1412.6806, section 3.4).

    Raises
    ------
    ModelError
        A ReLU is hidden inside a layer of layers, where it would silently stay as it is.
    """
    if any(rectifies(layer) for layer in sublayers(operation)):
        msg = (
            f"The layer {name!r} has a ReLU inside that a rule cannot reach: make it a model, or "
            "draw its layers in the graph."
        )
        raise ModelError(msg)
    output = call(*args)
    return _positive_derivative(output) if rectifies(operation) else output


def rectifies(operation: Operation) -> bool:
    """Return whether an operation ends in a ReLU (or ReLU6)."""
    if isinstance(operation, keras.layers.ReLU):
        return True
    if not isinstance(operation, keras.Layer):
        return type(operation).__name__ in ("Relu", "Relu6")
    last = applies_last(operation)
    return last and any(operation.activation is function for function in RECTIFIERS)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _positive_derivative(tensor: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    return tf.identity(tensor), tf.nn.relu
