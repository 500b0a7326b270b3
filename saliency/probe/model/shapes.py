"""The outline of a model: which call feeds which, and in what shapes. Nothing is computed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, final

import keras

from saliency.probe.model.graph import Call, Graph
from saliency.probe.model.keras_internals import Operation

Shape: TypeAlias = tuple[int | None, ...]

FREE = 256
"""Stands in for a free spatial axis while shapes are worked out."""

_TURNS = frozenset({"Moveaxis", "Permute", "Swapaxes", "Transpose"})

HELD = -2
"""Stands among a step's parents for an input of the model that is not explained."""


@final
@dataclass(frozen=True, eq=False)
class Step:
    """One call in the outline.

    Parameters
    ----------
    index
        Its place in the order of calls, the same in every walk of the graph.
    name
        As in the call; with a count where the layer is called more than once.
    operation
        As in the call.
    parents
        Indices of the steps that feed it, in the order of its arguments; -1 is the explained
        input, ``HELD`` another one.
    inputs
        Shapes of its tensor arguments, parallel to ``parents``.
    shape
        Shape of its output, () where it has several.
    args, kwargs
        As in the call.
    """

    index: int
    name: str
    operation: Operation
    parents: tuple[int, ...]
    inputs: tuple[Shape, ...]
    shape: Shape
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@final
@dataclass(frozen=True, eq=False)
class Outline:
    """All steps of a model.

    Parameters
    ----------
    steps
        In the order of calls.
    ends
        Indices of the steps that give what is explained: one, or one for each of several outputs.
    last
        Index of the step that gives the output; None where the output is not a single tensor.
    shape
        Shape of the output, () where it is not a single tensor.
    channels_first
        The model takes pictures as (N, C, H, W). Shapes of pictures in ``steps`` are given as
        (N, H, W, C) all the same.
    """

    steps: tuple[Step, ...]
    ends: tuple[int, ...]
    last: int | None
    shape: Shape
    channels_first: bool = False


def outline_of(
    graph: Graph, shape: Shape, part: int | None = None, *, explained: int = 0
) -> Outline:
    """Work out all shapes for inputs of ``shape``; free axes but the batch count as 256.

    ``part`` chooses among several outputs, ``explained`` among several inputs, by their order in
    the flat structure.
    """
    shapes = [tuple(symbol.shape) for symbol in graph.inputs]
    shapes[explained] = shape
    symbols = [
        keras.KerasTensor(_free_filled(each), symbol.dtype)
        for each, symbol in zip(shapes, graph.inputs, strict=True)
    ]
    walk = graph.shapes(symbols)
    held = (symbol for index, symbol in enumerate(symbols) if index != explained)
    producers = {id(symbol): HELD for symbol in held}
    steps = tuple(
        _step(index, call, producers) for index, call in enumerate(walk.calls)
    )
    steps = _calls_told_apart(steps)
    output = walk.output if part is None else keras.tree.flatten(walk.output)[part]
    single = isinstance(output, keras.KerasTensor)
    ends = (producers.get(id(each), -1) for each in keras.tree.flatten(output))
    given = tuple(index for index in ends if index >= 0)
    last = given[0] if single and given else None
    outline = Outline(steps, given, last, tuple(output.shape) if single else ())
    return (
        _channels_last(outline, len(shape)) if _takes_channels_first(steps) else outline
    )


def _free_filled(shape: Shape) -> Shape:
    return (shape[0], *(FREE if axis is None else axis for axis in shape[1:]))


def _calls_told_apart(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Tell the calls of a shared layer apart: ``"conv#1"``, ``"conv#2"``."""
    totals, seen = Counter(step.name for step in steps), Counter[str]()
    numbered: list[Step] = []
    for step in steps:
        seen[step.name] += 1
        shared = totals[step.name] > 1
        numbered.append(
            replace(step, name=f"{step.name}#{seen[step.name]}") if shared else step
        )
    return tuple(numbered)


def channels_last(shape: Shape) -> Shape:
    """Return the shape (N, C, ...) of a picture or volume as (N, ..., C)."""
    return (shape[0], *shape[2:], shape[1])


def _takes_channels_first(steps: Sequence[Step]) -> bool:
    """Return what the first layer that knows an axis order says, if nothing turned axes before."""
    for step in steps:
        if type(step.operation).__name__ in _TURNS or not step.shape:
            return False
        if _has_axis_order(step):
            return bool(step.operation.data_format == "channels_first")
    return False


def is_turned(step: Step, *, channels_first: bool) -> bool:
    """Return whether a layer takes another axis order than the model's input has."""
    order = "channels_first" if channels_first else "channels_last"
    return _has_axis_order(step) and step.operation.data_format != order


def _has_axis_order(step: Step) -> bool:
    told = getattr(step.operation, "data_format", None)
    return isinstance(told, str) and not _hands_on(step)


def _hands_on(step: Step) -> bool:
    """Return whether a layer leaves all as it is: augmentation has an axis order of its own."""
    same = step.inputs == (step.shape,)
    return same and not hasattr(step.operation, "strides")


def _channels_last(outline: Outline, rank: int) -> Outline:
    def turned(shape: Shape) -> Shape:
        return channels_last(shape) if len(shape) == rank else shape

    steps = (
        replace(step, inputs=tuple(map(turned, step.inputs)), shape=turned(step.shape))
        for step in outline.steps
    )
    return replace(outline, steps=tuple(steps), channels_first=True)


def _step(index: int, call: Call, producers: dict[int, int]) -> Step:
    """Make a step, and note its outputs: an operation may hand its input on unchanged."""
    parents = tuple(producers.get(id(each), -1) for each in call.inputs)
    shapes = tuple(tuple(each.shape) for each in call.inputs)
    for each in keras.tree.flatten(call.output):
        producers.setdefault(id(each), index)
    return Step(
        index,
        call.name,
        call.operation,
        parents,
        shapes,
        _shape(call.output),
        call.args,
        call.kwargs,
    )


def _shape(output: Any) -> Shape:
    return tuple(output.shape) if isinstance(output, keras.KerasTensor) else ()
