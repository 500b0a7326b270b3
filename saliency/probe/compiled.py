"""The only place where the library compiles: a probe's questions as TensorFlow functions."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import tensorflow as tf

from saliency.errors import ModelError
from saliency.probe.graph import Walk
from saliency.probe.plan import Plan
from saliency.probe.protocol import Tensor
from saliency.probe.targets import check_score, class_score, classes

Question: TypeAlias = Callable[..., Any]

Ask: TypeAlias = Callable[[Tensor], Tensor]
"""A callable target: the model's output -> (N,)."""


@final
@dataclass(frozen=True, eq=False)
class Questions:
    """Compiled functions of ``inputs`` float32 (N, H, W, C) and ``targets`` int32 (k,).

    Each is traced at its first call, once for all batch sizes, classes and free picture sizes.
    """

    score: Question
    gradient: Question
    activations: Question
    activation_gradients: Question
    last_gradient: Question
    classes: Question
    predict: Question


def compiled(plan: Plan, traces: Counter[str], ask: Ask | None = None) -> Questions:
    """Compile a plan's questions; with ``ask`` about a callable target.

    ``traces`` counts, by question, how often TensorFlow has traced.
    """

    def score(inputs: Tensor, targets: Tensor) -> Tensor:
        return _score(plan, plan.run(_door(plan, inputs)), targets, ask)

    def gradient(inputs: Tensor, targets: Tensor) -> Tensor:
        (found,) = tf.gradients(score(inputs, targets), [inputs])
        return _connected(found)

    def activations(inputs: Tensor, _: Tensor) -> tuple[Tensor, ...]:
        return _shown(plan, _tapped(plan, plan.run(_door(plan, inputs))))

    def activation_gradients(inputs: Tensor, targets: Tensor) -> tuple[tuple[Tensor, Tensor], ...]:
        walk = plan.run(_door(plan, inputs))
        taps = _tapped(plan, walk)
        found = tf.gradients(_score(plan, walk, targets, ask), taps, unconnected_gradients="zero")
        return tuple(zip(_shown(plan, taps), _shown(plan, found), strict=True))

    def last_gradient(inputs: Tensor, targets: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        walk = plan.run(_door(plan, inputs))
        taps = _shown(plan, _tapped(plan, walk))
        if plan.pooled is not None and ask is None:
            return taps, _pooled_gradient(plan, walk, targets, taps[-1])
        last = _tapped(plan, walk)[-1:]
        found = tf.gradients(_score(plan, walk, targets, ask), last, unconnected_gradients="zero")
        return taps, _shown(plan, found)[0]

    def settle(inputs: Tensor, targets: Tensor) -> Tensor:
        outputs = _explained(plan, plan.run(_door(plan, inputs)))
        return classes(outputs, targets, plan.head, logit=plan.logit)

    def predict(inputs: Tensor, _: Tensor) -> Any:
        return plan.run(_door(plan, inputs)).output

    bodies = (score, gradient, activations, activation_gradients, last_gradient, settle, predict)
    return Questions(*(_traced(body, plan, traces) for body in bodies))


def _traced(body: Question, plan: Plan, traces: Counter[str]) -> Question:
    inputs = tf.TensorSpec((None, *plan.shape), tf.float32)
    targets = tf.TensorSpec((None,), tf.int32)

    @tf.function(autograph=False, input_signature=(inputs, targets))  # type: ignore[untyped-decorator]
    def traced(inputs: Tensor, targets: Tensor) -> Any:
        traces[body.__name__] += 1
        return body(inputs, targets)

    question: Question = traced
    return question


def _door(plan: Plan, inputs: Tensor) -> Tensor:
    if not plan.channels_first:
        return inputs
    rank = len(plan.shape) + 1
    return tf.transpose(inputs, (0, rank - 1, *range(1, rank - 1)))


def _shown(plan: Plan, tensors: Any) -> tuple[Tensor, ...]:
    """Return tapped tensors as float32, channels last."""
    rank = len(plan.shape) + 1
    order = (0, *range(2, rank), 1)
    cast = (tf.cast(each, tf.float32) for each in tensors)
    return tuple(tf.transpose(each, order) if plan.channels_first else each for each in cast)


def _tapped(plan: Plan, walk: Walk) -> tuple[Tensor, ...]:
    return tuple(walk.calls[tap].output for tap in plan.taps)


def _explained(plan: Plan, walk: Walk) -> Any:
    """Return what is explained: the logits, or the output as it is."""
    outputs = plan.head.logits(walk.calls) if plan.logit else walk.output
    if tf.is_tensor(outputs) and outputs.dtype.is_floating:
        return tf.cast(outputs, tf.float32)
    return outputs


def _score(plan: Plan, walk: Walk, targets: Tensor, ask: Ask | None) -> Tensor:
    outputs = _explained(plan, walk)
    if ask is not None:
        return check_score(ask(outputs), ask)
    index = classes(outputs, targets, plan.head, logit=plan.logit)
    return class_score(outputs, index, plan.head, logit=plan.logit)


def _pooled_gradient(plan: Plan, walk: Walk, targets: Tensor, last: Tensor) -> Tensor:
    """Return d score / d activation behind a global mean: kernel[:, class] / (h w) everywhere."""
    index = classes(_explained(plan, walk), targets, plan.head, logit=plan.logit)
    kernel = tf.transpose(tf.cast(walk.calls[plan.pooled or 0].operation.kernel, tf.float32))
    single = plan.head.classes != plan.head.units
    rows = tf.where(index[:, None] == 1, kernel, -kernel) if single else tf.gather(kernel, index)
    middle = [1] * (len(plan.shape) - 1)
    shape = tf.shape(last)
    pixels = tf.cast(tf.reduce_prod(shape[1:-1]), tf.float32)
    rows = tf.reshape(rows / pixels, (shape[0], *middle, shape[-1]))
    return tf.broadcast_to(rows, shape)


def _connected(gradient: Tensor | None) -> Tensor:
    if gradient is None:
        msg = (
            "The score does not depend on the inputs through differentiable operations (a cast "
            "to integers, an argmax, stop_gradient, or a target that ignores the output)."
        )
        raise ModelError(msg)
    return gradient
