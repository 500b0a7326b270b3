"""A recipe drawn into the graph of a probe's question: one call from the picture to the map."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias, final

import tensorflow as tf

from saliency.probe.compiled import signature_of, unwarned
from saliency.probe.plan import Plan
from saliency.probe.protocol import Tensor

Fuse: TypeAlias = Callable[[Callable[[Tensor], Tensor], Sequence[Tensor]], list[Tensor]]
"""Run a function of (..., C) -> (...) over each of several activations (N, h, w, C)."""


@final
@dataclass(frozen=True)
class Drawing:
    """What a recipe makes of the answer to a question: ``function(recipe, fuse, inputs, answer)``.

    Drawings of equal recipes share what was compiled for them.
    """

    function: Callable[..., Tensor]
    recipe: Any

    def __call__(self, fuse: Fuse, inputs: Tensor, answer: Any) -> Tensor:
        """Return the map of the inputs."""
        return self.function(self.recipe, fuse, inputs, answer)

    def behind(self, question: Any) -> Callable[..., Any]:
        """Ask first, then run operation by operation."""

        def asked(inputs: Tensor, *rest: Any) -> Any:
            answer, told = question(inputs, *rest)
            return self(one_by_one, inputs, answer), told

        return asked


def drawn(drawing: Drawing, question: Any, plan: Plan, traces: Counter[str]) -> Any:
    """Compile a drawing behind a question, as another question.

    The question's own trace is taken over, or made here and kept. What the drawing does not use
    of the answer is not computed.
    """

    @tf.function(autograph=False, input_signature=signature_of(plan))  # type: ignore[untyped-decorator]
    def traced(inputs: Tensor, *rest: Any) -> Any:
        traces["drawn"] += 1
        answer, told = question(inputs, *rest)
        return drawing(fused, inputs, answer), told

    return unwarned(traced)


def one_by_one(function: Callable[[Tensor], Tensor], activations: Sequence[Tensor]) -> list[Tensor]:
    """Be the :data:`Fuse` of a function that is not compiled."""
    return [function(each) for each in activations]


def fused(function: Callable[[Tensor], Tensor], activations: Sequence[Tensor]) -> list[Tensor]:
    """Be the :data:`Fuse` of a graph: one XLA kernel that reads each activation once or twice.

    XLA compiles for fixed shapes: so it is given one sample after another, and compiles once for
    all batch sizes. Where the sizes are free, or XLA cannot compile for the device, the function
    is drawn operation by operation.
    """
    static = all(each.shape[1:].is_fully_defined() for each in activations)
    if not static or not _xla():
        return one_by_one(function, activations)

    @tf.function(autograph=False, jit_compile=True)  # type: ignore[untyped-decorator]
    def kernel(*layers: Tensor) -> list[Tensor]:
        return one_by_one(function, layers)

    specs = [tf.TensorSpec(each.shape[1:-1], tf.float32) for each in activations]
    numbers = tf.range(tf.shape(activations[0])[0])
    # One number is mapped, and not the activations: those would be copied to be taken apart.
    sample = lambda number: kernel(*(each[number] for each in activations))  # noqa: E731
    return list(tf.map_fn(sample, numbers, fn_output_signature=specs))


@lru_cache(maxsize=1)
def _xla() -> bool:
    """Try it: some builds and devices of TensorFlow come without a compiler."""
    try:
        tf.function(tf.negative, autograph=False, jit_compile=True)(tf.zeros(1))
    except (tf.errors.OpError, ValueError):
        return False
    return True
