"""What stands behind a squashing function and keeps its values: squeezed, reshaped, a column.

The steps are not known by name: they are run on values between 0 and 1, and what they give is
looked for among those values and their complements.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias, final

import keras
import numpy as np
import tensorflow as tf

from saliency.probe.model.drawing import random_samples
from saliency.probe.model.graph import Rule
from saliency.probe.model.head import Head, Squash, squash_at
from saliency.probe.model.inputs import InputSpecs
from saliency.probe.model.shapes import Outline
from saliency.probe.protocol import Tensor
from saliency.values.arrays import Array

Run: TypeAlias = Callable[[list[Tensor], Rule], Tensor]

ROWS: Final = 6
"""Samples that tell the outputs apart."""

LONGEST: Final = 24
"""Steps behind a squashing function that are followed."""

ROUNDING: Final = 1e-5
"""How far a kept value may be off; a clip at 1e-6 or a cast to half precision keep it."""


@final
@dataclass(frozen=True)
class Candidate:
    """A squashing step that alone makes the output, through steps without weights."""

    step: int
    kind: Squash


def seen_through(head: Head, outline: Outline, run: Run, doors: InputSpecs) -> Head:
    """Return the head with its logits found behind steps that keep values; else as it is.

    ``run`` takes a tensor for each input and a rule, and returns the output that is explained.
    """
    candidate = (
        _candidate(outline) if head.step is None and outline.last is not None else None
    )
    if candidate is None:
        return head
    try:
        squashed, output = _squashed_pairs(run, candidate.step, doors)
    except Exception:  # noqa: BLE001 - a foreign step may fail in any way
        return head
    if squashed.shape == output.shape and np.abs(squashed - output).max() <= ROUNDING:
        return Head(head.shape, candidate.kind, candidate.step)
    axis = getattr(outline.steps[candidate.step].operation, "axis", -1)
    return _relabelled(head, candidate, squashed, output.reshape(ROWS, -1), axis)


def _candidate(outline: Outline) -> Candidate | None:
    """Return the one squashing step at the end of every way back from the output."""
    waiting, seen, ends = list(outline.ends), set[int](), set[Candidate]()
    while waiting:
        index = waiting.pop()
        if index in seen or index < 0:
            continue
        seen.add(index)
        step = outline.steps[index]
        kind = squash_at(step)
        if kind is not None:
            ends.add(Candidate(index, kind))
        elif (
            getattr(step.operation, "weights", None)
            or not step.parents
            or len(seen) > LONGEST
        ):
            return None
        else:
            waiting += step.parents
    return ends.pop() if len(ends) == 1 else None


def _squashed_pairs(run: Run, step: int, doors: InputSpecs) -> tuple[Array, Array]:
    """Return values given in the place of a squashing step, and the output made of them."""
    given: list[Tensor] = []
    turns = iter(range(10**9))

    def answer(_: str, __: Any, args: tuple[Any, ...], call: Callable[..., Any]) -> Any:
        output = call(*args)
        if next(turns) != step:
            return output
        values = np.random.default_rng(0).uniform(0.02, 0.98, tuple(output.shape))
        given.append(tf.constant(values, output.dtype))
        return given[0]

    samples = [
        random_samples(keras.KerasTensor((ROWS, *door.shape[1:]), door.dtype))
        for door in doors.each
    ]
    output = run(samples, answer)
    return np.asarray(given[0], np.float64), np.asarray(output, np.float64)


def _relabelled(
    head: Head, candidate: Candidate, squashed: Array, output: Array, axis: Any
) -> Head:
    """Return a head whose classes are values of the squashing step, or their complements."""
    values = squashed.reshape(ROWS, -1)
    same = np.abs(values[:, :, None] - output[:, None]).max(0) <= ROUNDING
    turned = np.abs(1 - values[:, :, None] - output[:, None]).max(0) <= ROUNDING
    kept = same if candidate.kind == "softmax" else same | turned
    if not kept.any(0).all() or head.units is None:
        return head
    columns = kept.argmax(0)
    signs = np.where(same[columns, np.arange(len(columns))], 1, -1)
    found = replace(
        head,
        kind=candidate.kind,
        step=candidate.step,
        columns=tuple(map(int, columns)),
        signs=tuple(map(int, signs)),
    )
    return (
        found
        if candidate.kind == "sigmoid"
        else _of_softmaxes(found, _units_by_softmax(squashed.shape, axis))
    )


def _of_softmaxes(head: Head, softmaxes: Array) -> Head:
    """Return a head as it is where it has all units of one softmax; else with odds of its own."""
    if len(softmaxes) == 1 and sorted(head.columns) == sorted(softmaxes[0]):
        return head
    if softmaxes.shape[1] == 1:
        return Head(head.shape)
    rest = []
    for unit in head.columns:
        (own,) = softmaxes[(softmaxes == unit).any(axis=1)]
        rest.append(tuple(int(other) for other in own if other != unit))
    return replace(head, kind="sigmoid", rest=tuple(rest))


def _units_by_softmax(shape: Sequence[int], axis: Any) -> Array:
    """Return the flat indices (softmaxes, units of each) of what is made along an axis, or axes."""
    sizes = shape[1:]
    units = np.arange(np.prod(sizes)).reshape(sizes)
    # Counted without the batch, from the front.
    axes = [each % len(shape) - 1 for each in np.atleast_1d(axis)]
    of_each = int(np.prod([sizes[each] for each in axes]))
    last = np.moveaxis(units, axes, range(-len(axes), 0))
    return last.reshape(-1, of_each)
