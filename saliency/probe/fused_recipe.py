"""A recipe drawn into the graph of a probe's question: one call from the picture to the map."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import tensorflow as tf

from saliency.probe.compiled import GraphQuestion, signature_of
from saliency.probe.model.plan import Plan
from saliency.probe.protocol import Tensor


@final
@dataclass(frozen=True)
class Drawing:
    """What a recipe makes of the answer to a question: ``function(recipe, inputs, answer)``.

    Drawings of equal recipes share what was compiled for them.
    """

    function: Callable[..., Tensor]
    recipe: Any

    def __call__(self, inputs: Tensor, answer: Any) -> Tensor:
        """Return the map of the inputs."""
        return self.function(self.recipe, inputs, answer)

    def behind(self, question: Any) -> Callable[..., Any]:
        """Ask first, then draw."""

        def asked(inputs: Tensor, *rest: Any) -> Any:
            answer, told = question(inputs, *rest)
            return self(inputs, answer), told

        return asked


def drawn(drawing: Drawing, question: Any, plan: Plan, traces: Counter[str]) -> Any:
    """Compile a drawing behind a question, as another question.

    The question's own trace is taken over, or made here and kept. What the drawing does not use
    of the answer is not computed.
    """
    behind = drawing.behind(question)

    @tf.function(autograph=False, input_signature=signature_of(plan))  # type: ignore[untyped-decorator]
    def traced(inputs: Tensor, *rest: Any) -> Any:
        traces["drawn"] += 1
        return behind(inputs, *rest)

    return GraphQuestion(traced, plan)
