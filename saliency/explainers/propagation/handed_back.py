"""A tensor with a way back that is drawn only where something comes back along it.

A convolution with a normalisation behind it shares relevance as one step with that, and its own
way back is never gone. Drawn all the same, such ways were half of a network's graph.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import tensorflow as tf

from saliency.probe.protocol import Tensor

Surrogate: TypeAlias = Callable[[Tensor], Tensor]
"""A tensor x -> a tensor like the output, whose derivative by x is what is handed back."""

_NAME: Final = "SaliencyHandedBack"


def handed_back(output: Tensor, x: Tensor, surrogate: Surrogate) -> Tensor:
    """Return ``output`` to the bit, with the derivative of ``surrogate(x)`` by x alone.

    The surrogate is called when a derivative is asked for. The graph keeps it: TensorFlow's
    registry would keep what a custom gradient holds.
    """
    graph: Any = tf.compat.v1.get_default_graph()
    with graph.gradient_override_map({"IdentityN": _NAME}):
        routed, _ = tf.raw_ops.IdentityN(input=[output, x])
    graph.get_collection_ref(_NAME).append((routed.op.name, surrogate))
    return routed


@tf.RegisterGradient(_NAME)  # type: ignore[untyped-decorator]
def _derivatives(operation: Any, relevance: Tensor, _: Tensor) -> tuple[None, Tensor]:
    """Return nothing for the output, and for x what the surrogate hands back."""
    surrogates = dict(operation.graph.get_collection_ref(_NAME))
    x = operation.inputs[1]
    # A tensor of its own: what else is made of x is no part of this way.
    start = tf.raw_ops.PlaceholderWithDefault(input=x, shape=x.shape)
    output = surrogates[operation.name](start)
    return None, tf.gradients(output, [start], relevance)[0]
