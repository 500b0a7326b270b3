"""The only place where the library compiles: a probe's questions as TensorFlow functions."""

import logging
import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cache
from itertools import count
from typing import Any, Final, TypeAlias, final

import keras
import numpy as np
import tensorflow as tf

from saliency.errors import ModelError
from saliency.probe.class_targets import (
    check_score,
    class_probability,
    class_score,
    class_scores,
    classes,
)
from saliency.probe.lean_gradients import lean_gradients
from saliency.probe.max_pool_3d import one_winner
from saliency.probe.model.graph import Notes, Rule, Study, Walk
from saliency.probe.model.inputs import rows_tiled
from saliency.probe.model.keras_internals import standing_in
from saliency.probe.model.plan import Plan
from saliency.probe.model.taps import keeps_last_frame
from saliency.probe.protocol import Tensor
from saliency.probe.tensorflow_errors import drawn_plainly, told_plainly

Ask: TypeAlias = Callable[[Tensor], Tensor]
"""A callable target: the model's output -> (N,)."""

Question: TypeAlias = Callable[[Tensor, Tensor, tuple[Tensor, ...]], Any]


@final
@dataclass(frozen=True, eq=False)
class Questions:
    """Compiled functions of ``inputs`` float32 (N, H, W, C), ``targets`` int32 (k,), ``held``.

    ``held``: a tensor (k, ...) for each input of the model that is not explained, in flat order.

    Each returns its answer and what :meth:`Pass.told` adds: the same forward pass has it anyway.
    Each is traced at its first call, once for all batch sizes, classes and free picture sizes.
    """

    score: Question
    gradient: Question
    activations: Question
    activation_gradients: Question
    last_gradient: Question
    classes: Question
    class_scores: Question
    predict: Question
    study: Question


@final
@dataclass(frozen=True)
class Terms:
    """What compiled questions differ in: a callable target, a rule for derivatives, a study."""

    ask: Ask | None = None
    rule: Rule | None = None
    study: Study | None = None


def compiled(plan: Plan, traces: Counter[str], terms: Terms) -> Questions:
    """Compile a plan's questions; ``traces`` counts, by question, how often TensorFlow traced."""
    return Questions(
        *(_compiled(field.name, plan, traces, terms) for field in fields(Questions))
    )


def _compiled(name: str, plan: Plan, traces: Counter[str], terms: Terms) -> Question:
    body = BODIES[name]

    @tf.function(autograph=False, input_signature=signature_of(plan))  # type: ignore[untyped-decorator]
    def traced(inputs: Tensor, targets: Tensor, held: tuple[Tensor, ...]) -> Any:
        traces[name] += 1
        with standing_in(plan.values), one_winner(), lean_gradients():
            forward = Pass(plan, terms, inputs, targets, held)
            return body(forward), forward.told()

    return GraphQuestion(traced, plan)


def compiled_head(
    plan: Plan, traces: Counter[str], terms: Terms, shape: tuple[int | None, ...]
) -> Question:
    """Compile the way from the last tapped activation (N, h, w, c) to the score.

    The model is walked with the tapped call answered by the activation; what lies before it is
    drawn, found to lead nowhere, and left out by TensorFlow.
    """

    @tf.function(autograph=False, input_signature=signature_of(plan, shape))  # type: ignore[untyped-decorator]
    def traced(activation: Tensor, targets: Tensor, held: tuple[Tensor, ...]) -> Any:
        traces["head"] += 1
        pictures = tf.zeros(
            (tf.shape(activation)[0], *(size or _FREE for size in plan.shape))
        )
        answered = replace(terms, rule=_answered(plan, activation))
        with standing_in(plan.values), one_winner(), lean_gradients():
            score = Pass(plan, answered, pictures, targets, held).score()
        if tf.gradients(score, [pictures]) != [None]:
            msg = (
                "The last tapped layer is not the only way to the output: there is a connection "
                "around it, so the head cannot be asked alone. Tap a later layer, or use GradCAM."
            )
            raise ModelError(msg)
        return score

    return GraphQuestion(traced, plan)


@final
class GraphQuestion:
    """A compiled function that always runs as a graph, and fails in one sentence.

    Its only graph is called, not the function: ``run_functions_eagerly(True)`` would run the code
    of that, where TensorFlow gives no gradients. Of a model that draws random numbers the first
    question is asked twice; where the answers differ, the logger ``saliency.probe`` says so.

    Parameters
    ----------
    traced
        A TensorFlow function with one signature.
    plan
        The model it asks.
    """

    def __init__(self, traced: Any, plan: Plan) -> None:
        # TensorFlow counts traces by the line of code: five models look like one traced five times.
        traced._omit_frequent_tracing_warning = True  # noqa: SLF001 - there is no other switch
        self.get_concrete_function = cache(traced.get_concrete_function)
        self.draws = cache(lambda: draws(self.get_concrete_function().graph))
        self.plan = plan

    def __call__(self, *given: Any) -> Any:
        """Return the answer; at the first call the graph is traced."""
        with told_plainly(self.plan.model):
            graph = self.get_concrete_function()
            answer = graph(*given)
            if self.draws() and self.plan not in _ASKED_TWICE:
                _ASKED_TWICE.add(self.plan)
                _tell_if_random(self.plan.model, answer, graph(*given))
        return answer


#: Models with random numbers whose answers were compared.
_ASKED_TWICE: Final[weakref.WeakSet[Plan]] = weakref.WeakSet()


def _tell_if_random(model: str, first: Any, second: Any) -> None:
    """Say so in the logger ``saliency.probe`` where two answers to one question differ."""
    pairs = zip(tf.nest.flatten(first), tf.nest.flatten(second), strict=True)
    # Threads add in another order: a thousandth of the largest number is no draw.
    same = all(
        np.allclose(one, other, 0, 1e-3 * np.abs(one).max(initial=0), equal_nan=True)
        for one, other in ((np.asarray(pair[0]), np.asarray(pair[1])) for pair in pairs)
    )
    if not same:
        logging.getLogger("saliency.probe").warning(
            "The model %r answers the same input otherwise each time: a layer draws random numbers "
            "although training=False (dropout or noise of your own, sampling). A map is one draw "
            "of many; have the layer heed training, or compare several maps.",
            model,
        )


def signature_of(
    plan: Plan, shape: tuple[int | None, ...] | None = None
) -> tuple[Any, ...]:
    """Return what a question takes: pictures (or what has ``shape``), targets, held inputs."""
    first = tf.TensorSpec((None, *(plan.shape if shape is None else shape)), tf.float32)
    rows = (
        tf.TensorSpec((None, *door.shape[1:]), door.dtype) for door in plan.doors.held
    )
    return first, tf.TensorSpec((None,), tf.int32), tuple(rows)


def draws(graph: Any) -> bool:
    """Return whether a TensorFlow graph, or a function that it calls, draws random numbers."""
    names = {operation.type for operation in graph.get_operations()}
    if graph._functions:  # noqa: SLF001 - only the graph knows whether it has some
        library = graph.as_graph_def().library
        names |= {node.op for each in library.function for node in each.node_def}
    return any("Random" in name or "Multinomial" in name for name in names)


#: Height and width of the blank picture that stands in where a model leaves them free.
_FREE = 64


def _answered(plan: Plan, activation: Tensor) -> Rule:
    """Return the rule that answers the last tapped call with an activation."""
    turns, tap, rank = count(), plan.taps[-1], len(plan.shape) + 1

    def step(
        name: str,  # noqa: ARG001
        operation: Any,
        args: tuple[Any, ...],
        call: Callable[..., Any],
    ) -> Any:
        if next(turns) != tap:
            return call(*args)
        last_first = (0, rank - 1, *range(1, rank - 1))
        if keeps_last_frame(operation):
            shown = tf.squeeze(activation, 1)
        else:
            shown = (
                tf.transpose(activation, last_first)
                if plan.channels_first
                else activation
            )
        return tf.cast(shown, getattr(operation, "compute_dtype", None) or tf.float32)

    return step


@final
class Pass:
    """One forward pass, drawn once, and what may be asked of it."""

    def __init__(
        self,
        plan: Plan,
        terms: Terms,
        inputs: Tensor,
        targets: Tensor,
        held: tuple[Tensor, ...] = (),
    ) -> None:
        self.plan, self.terms, self.inputs, self.targets = plan, terms, inputs, targets
        self.held = tuple(rows_tiled(each, tf.shape(inputs)[0]) for each in held)
        self.notes: Notes | None = terms.study.begin() if terms.study else None
        self.rule: Rule | None = self.notes or terms.rule
        self.walk: Walk = self._walked()
        self._explained: Any = None
        self._classes: Tensor | None = None
        self._score: Tensor | None = None

    @property
    def rank(self) -> int:
        """Number of axes of a batch of pictures."""
        return len(self.plan.shape) + 1

    @property
    def taps(self) -> tuple[Tensor, ...]:
        """The tapped tensors as the model has them."""
        return tuple(self.walk.calls[tap].output for tap in self.plan.taps)

    def explained(self) -> Any:
        """Return what is explained: the logits, or the output as it is. Drawn once."""
        if self._explained is None:
            logits = self.plan.logit
            calls = self.walk.calls
            found = (
                self.plan.head.logits(calls, self.rule) if logits else self._chosen()
            )
            floats = tf.is_tensor(found) and found.dtype.is_floating
            self._explained = tf.cast(found, tf.float32) if floats else found
        return self._explained

    def classes(self) -> Tensor:
        """Return the class of each sample. Drawn once."""
        if self._classes is None:
            outputs, head = self.explained(), self.plan.head
            self._classes = classes(outputs, self.targets, head, logit=self.plan.logit)
        return self._classes

    def score(self) -> Tensor:
        """Return the target's score. Drawn once."""
        if self._score is None:
            self._score = self._scored()
        return self._score

    def _scored(self) -> Tensor:
        if self.terms.ask is not None:
            return check_score(self.terms.ask(self.explained()), self.terms.ask)
        outputs = self.explained()
        return class_score(
            outputs, self.classes(), self.plan.head, logit=self.plan.logit
        )

    def class_scores(self) -> Tensor:
        """Return the score of every class."""
        return class_scores(self.explained(), self.plan.head, logit=self.plan.logit)

    def probability(self) -> Tensor:
        """Return the probability of the class: from the logits, or the output as it is."""
        if not self.plan.logit:
            return self.score()
        return class_probability(self.explained(), self.classes(), self.plan.head)

    def told(self) -> tuple[Tensor, ...]:
        """Return what this pass knows besides its answer.

        The score; where classes are explained the class, too, and the scores of all; and the
        probability of the class where the model ends in softmax or sigmoid. () without any of them.
        """
        if self.terms.ask is not None:
            return (self.score(),)
        if self.plan.head.classes is None:
            return ()
        told = self.score(), self.classes(), self.class_scores()
        return told if self.plan.head.step is None else (*told, self.probability())

    def shown(self, tensors: Any) -> tuple[Tensor, ...]:
        """Return tapped tensors as float32, channels last; a last frame as a sequence of one."""
        order = (0, *range(2, self.rank), 1)
        whole = (self._timed(each) for each in tensors)
        cast = (tf.cast(each, tf.float32) for each in whole)
        turn = self.plan.channels_first
        return tuple(tf.transpose(each, order) if turn else each for each in cast)

    def _timed(self, tapped: Tensor) -> Tensor:
        return tapped if len(tapped.shape) == self.rank else tf.expand_dims(tapped, 1)

    def _walked(self) -> Walk:
        given = self.plan.doors.whole(self._door(self.inputs), self.held)
        if self.rule is not None:
            return self.plan.run(given, self.rule)
        with drawn_plainly(self.plan.model):
            return self.plan.run(given, None)

    def _chosen(self) -> Any:
        part, output = self.plan.part, self.walk.output
        return output if part is None else keras.tree.flatten(output)[part]

    def _door(self, inputs: Tensor) -> Tensor:
        order = (0, self.rank - 1, *range(1, self.rank - 1))
        return tf.transpose(inputs, order) if self.plan.channels_first else inputs


def _score_gradient(forward: Pass) -> Tensor:
    (found,) = tf.gradients(forward.score(), [forward.inputs])
    if found is None:
        msg = (
            "The score does not depend on the inputs through differentiable operations (a cast "
            "to integers, an argmax, stop_gradient, or a target that ignores the output)."
        )
        raise ModelError(msg)
    return found


def _activation_gradients(forward: Pass) -> tuple[tuple[Tensor, Tensor], ...]:
    found = _gradients(forward, forward.taps)
    return tuple(zip(forward.shown(forward.taps), forward.shown(found), strict=True))


def _last_gradient(forward: Pass) -> tuple[tuple[Tensor, ...], Tensor]:
    shown = forward.shown(forward.taps)
    if forward.plan.pooled is not None and forward.terms == Terms():
        return shown, _pooled_gradient(forward, shown[-1])
    return shown, forward.shown(_gradients(forward, forward.taps[-1:]))[0]


def _gradients(forward: Pass, tensors: Any) -> Any:
    """Return derivatives by activations; zero for one that the target does not use."""
    return tf.gradients(forward.score(), tensors, unconnected_gradients="zero")


def _pooled_gradient(forward: Pass, last: Tensor) -> Tensor:
    """Return d score / d activation behind a global mean: kernel[:, class] / (h w) everywhere."""
    plan, index = forward.plan, forward.classes()
    dense = forward.walk.calls[plan.pooled or 0].operation
    signed = plan.head.classes != plan.head.units
    columns = tf.gather(dense.kernel, tf.zeros_like(index) if signed else index, axis=1)
    rows = tf.cast(tf.transpose(columns), tf.float32)
    rows = tf.where(index[:, None] == 1, rows, -rows) if signed else rows
    shape = tf.shape(last)
    pixels = tf.cast(tf.reduce_prod(shape[1:-1]), tf.float32)
    middle = [1] * (forward.rank - 2)
    return tf.broadcast_to(
        tf.reshape(rows / pixels, (shape[0], *middle, shape[-1])), shape
    )


def _study(forward: Pass) -> Any:
    if forward.notes is None:
        msg = "study: expected a study on the probe's terms, got none: ask BoundProbe.study."
        raise ModelError(msg)
    return forward.notes.finish(forward)


BODIES: dict[str, Callable[[Pass], Any]] = {
    "score": Pass.score,
    "gradient": _score_gradient,
    "activations": lambda forward: forward.shown(forward.taps),
    "activation_gradients": _activation_gradients,
    "last_gradient": _last_gradient,
    "classes": Pass.classes,
    "class_scores": Pass.class_scores,
    "predict": lambda forward: forward.walk.output,
    "study": _study,
}
