"""What a transformer attends to: the scores of its attention layers, and their derivatives."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import keras
import tensorflow as tf

from saliency.errors import ModelError
from saliency.probe.model.keras_internals import Operation, attending, sublayers
from saliency.probe.protocol import Tensor


@final
@dataclass(frozen=True)
class Attention:
    """The attention of each self-attention layer, and the score's derivative by it.

    Answers a pair of tuples, the earliest layer first: float32 (N, heads, T, T), rows of which sum
    to 1, and derivatives of the same shapes. Reached are ``keras.layers.MultiHeadAttention`` in the
    model's graph, nested models included.
    """

    def begin(self) -> "_Attention":
        """Return blank notes."""
        return _Attention()


@final
class _Attention:
    """Notes the scores of each attention layer."""

    def __init__(self) -> None:
        self.scores: list[Tensor] = []

    def __call__(
        self,
        name: str,
        operation: Operation,
        args: tuple[Any, ...],
        call: Callable[..., Any],
    ) -> Any:
        if any(_attends(layer) for layer in sublayers(operation)):
            msg = (
                f"The layer {name!r} has attention inside that cannot be reached: draw its layers "
                "in the model's graph, or use IntegratedGradients, SmoothGrad or Occlusion."
            )
            raise ModelError(msg)
        if not _attends(operation):
            return call(*args)
        named = getattr(call, "keywords", {})
        told = partial(
            attending(operation), **{**named, "return_attention_scores": True}
        )
        output, scores = told(*args)
        self._note(name, scores)
        return (output, scores) if named.get("return_attention_scores") else output

    def finish(self, forward: Any) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Return attention and derivatives.

        Raises
        ------
        ModelError
            There is no attention layer.
        """
        if not self.scores:
            msg = (
                "The model has no keras.layers.MultiHeadAttention in its graph: use "
                "IntegratedGradients, SmoothGrad or Occlusion."
            )
            raise ModelError(msg)
        slopes = tf.gradients(
            forward.score(), self.scores, unconnected_gradients="zero"
        )
        return _as_float32(self.scores), _as_float32(slopes)

    def _note(self, name: str, scores: Tensor) -> None:
        """Keep the scores of a layer where tokens attend to each other."""
        shape = scores.shape
        first = self.scores[0].shape if self.scores else shape
        if shape.rank != 4 or shape[2] != shape[3] or shape[2] != first[2]:
            msg = (
                f"The layer {name!r} attends from {shape[2]} tokens to {shape[3]}, expected the "
                f"same {first[2]} tokens in every layer: windows, merged tokens and attention to "
                "another sequence cannot be followed. Use IntegratedGradients or Occlusion."
            )
            raise ModelError(msg)
        self.scores.append(scores)


def _attends(operation: Operation) -> bool:
    layer = keras.layers.MultiHeadAttention
    return isinstance(operation, layer) and type(operation).call is layer.call


def _as_float32(tensors: list[Tensor]) -> tuple[Tensor, ...]:
    return tuple(tf.cast(each, tf.float32) for each in tensors)
