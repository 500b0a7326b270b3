"""What is to be compiled: a model taken apart, without the model."""

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, NoReturn, TypeAlias, final

import keras
import numpy as np

from saliency.errors import InputError, ModelError
from saliency.probe.model.drawing import alike, candidate_graphs, random_samples
from saliency.probe.model.flat_ends import FarOutput, far_output, rows_of_numbers
from saliency.probe.model.geometry import (
    EntryTensors,
    SeenWindow,
    entry_of,
    front_steps,
)
from saliency.probe.model.graph import Graph, Rule, Walk
from saliency.probe.model.head import Head, head_of, pooled_dense
from saliency.probe.model.inputs import InputSpecs, doors_of
from saliency.probe.model.keras_internals import inference, is_sealed, sublayers
from saliency.probe.model.later_moves import moved_grid, moving_steps
from saliency.probe.model.pointwise import with_activations
from saliency.probe.model.reach import FieldOfView, reach_of
from saliency.probe.model.shapes import Outline, Shape, channels_last, outline_of
from saliency.probe.model.tail import seen_through
from saliency.probe.model.taps import end_of_scales, named_steps
from saliency.probe.protocol import Tensor
from saliency.probe.tensorflow_errors import one_line

Output: TypeAlias = Literal["logit", "probability"]


@final
@dataclass(frozen=True, eq=False)
class Plan:
    """A model taken apart.

    Parameters
    ----------
    run
        A tensor for each input as the model takes it, and a rule or None -> output and calls.
    doors
        The inputs.
    shape
        (H, W, C) of one sample of the explained input, channels last, None where free.
    head
        The end of the model.
    logit
        The logits are explained, not the output.
    model
        The model's name, for messages.
    taps, names
        Indices among the calls of the tapped layers, and their names; earliest first.
    grids
        (rows, columns) of each tapped layer; () where the size of the input is free.
    pooled
        Index of the Dense call of a global-mean head right behind the last tap, else None.
    channels_first
        The model itself takes (N, C, H, W).
    part
        Which of several outputs is explained, in flat order.
    opaque
        No calls are seen: there is nothing to tap.
    values
        Variables that have another value than their own, and that value.
    batch
        Number of samples that the model takes at a time; None where it takes any.
    entry
        Where the first layers look, if that may be another place than the whole input.
    moves
        Size of an input -> where the tapped layers look, as shares of what the first layers see;
        None where nothing behind these may move places.
    far_output
        What is explained where the last weights give numbers of some size; the logits are not.
    reach
        How far a fully convolutional network of images looks; None of any other model.
    factor
        What the model multiplies its input by before its first layers (``Rescaling``).
    """

    run: Callable[..., Walk]
    doors: InputSpecs
    shape: Shape
    head: Head
    logit: bool
    model: str
    taps: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    grids: tuple[tuple[int, int], ...] = ()
    pooled: int | None = None
    channels_first: bool = False
    part: int | None = None
    opaque: bool = False
    values: Sequence[tuple[Any, Any]] = ()
    batch: int | None = None
    entry: EntryTensors | None = None
    moves: Callable[[Sequence[int]], SeenWindow | None] | None = None
    far_output: FarOutput | None = None
    reach: FieldOfView | None = None
    factor: float = 1.0


@final
@dataclass(frozen=True)
class Choice:
    """What of a model is looked at and explained; see KerasProbe."""

    layers: tuple[str, ...] | None = None
    output: Output = "logit"
    part: str | int | None = None
    explained: int = 0
    """Index of the explained input."""


def plan_of(model: Any, choice: Choice) -> Plan:
    """Take a model apart.

    Raises
    ------
    ModelError
        It is no built Keras model on TensorFlow, or lacks a named layer or part.
    InputError
        ``output`` is neither "logit" nor "probability".
    """
    check_built_model(model)
    _check_output(choice.output)
    doors = InputSpecs(*doors_of(model), choice.explained)
    graph = _first_agreeing_graph(model, doors)
    if graph is None:
        return _opaque(model, doors, choice)
    return _plan_of_graph(model, graph, doors, choice)


def _plan_of_graph(model: Any, graph: Graph, doors: InputSpecs, choice: Choice) -> Plan:
    """Plan a model whose graph is known."""
    graph, shape = with_activations(graph), doors.shape
    names = _output_names(model, graph.outputs)
    part = _part(names, choice.part, graph.outputs)
    outline = outline_of(graph, shape, part, explained=doors.explained)
    several = part is None and len(names) > 1
    head = replace(head_of(outline), choices=names if several else ())
    if not several:
        run = partial(_explained_output, graph, part)
        head = seen_through(head, outline, run, doors)
    taps = _taps(outline, head, choice.layers, len(shape))
    logit = choice.output == "logit" and head.step is not None
    plain = (head.step is None or logit) and not head.columns
    return Plan(
        run=graph.run,
        doors=doors,
        shape=(channels_last(shape) if outline.channels_first else shape)[1:],
        head=head,
        logit=logit,
        model=model.name,
        taps=taps,
        names=tuple(outline.steps[tap].name for tap in taps),
        grids=_grids(outline, taps, shape),
        pooled=pooled_dense(outline, head, taps[-1]) if taps and plain else None,
        channels_first=outline.channels_first,
        part=part,
        batch=_fixed_batch(doors, graph.run),
        entry=entry_of(outline, len(shape)) if taps else None,
        moves=_moves(graph, outline, taps, doors),
        far_output=partial(far_output, graph, part),
        reach=reach_of(outline),
        factor=_factor(outline, len(shape)),
    )


def _factor(outline: Outline, rank: int) -> float:
    """Return the product of the rescalings before the first layers, the greatest of each."""
    if rank < 3:  # a vector is no picture, whatever its numbers are
        return 1.0
    front = front_steps(outline, rank)
    operations = (step.operation for step in outline.steps if step.index in front)
    return float(
        np.prod(
            [
                np.abs(each.scale).max()
                for each in operations
                if isinstance(each, keras.layers.Rescaling)
            ]
        )
    )


def _explained_output(
    graph: Graph, part: int | None, given: list[Tensor], rule: Rule
) -> Tensor:
    return keras.tree.flatten(graph.run(given, rule).output)[part or 0]


def _taps(
    outline: Outline, head: Head, layers: tuple[str, ...] | None, rank: int
) -> tuple[int, ...]:
    if layers is None:
        return end_of_scales(outline, rank, head.step) if rank > 2 else ()
    taps = named_steps(outline, layers, rank)
    if head.step in taps:
        name = outline.steps[head.step or 0].name
        msg = f"KerasProbe: {name!r} is the model's head: tap a layer before it."
        raise ModelError(msg)
    return taps


def _moves(
    graph: Graph, outline: Outline, taps: Sequence[int], doors: InputSpecs
) -> Callable[[Sequence[int]], SeenWindow | None] | None:
    """Return where tapped layers look, by the size of an input; None where nothing may move."""
    rank = len(doors.shape)
    if not taps or not moving_steps(outline, taps, rank):
        return None

    def of_size(size: Sequence[int]) -> SeenWindow | None:
        if None not in doors.shape[1:]:
            return moved_grid(outline, taps, rank)
        axes = iter(size)
        shape = [next(axes) if axis is None else axis for axis in doors.shape[1:]]
        known = outline_of(graph, (None, *shape), explained=doors.explained)
        return moved_grid(known, taps, rank)

    return of_size


def _grids(
    outline: Outline, taps: Sequence[int], shape: Shape
) -> tuple[tuple[int, int], ...]:
    if None in shape[1:] or len(shape) != 4:
        return ()
    shapes = (outline.steps[tap].shape for tap in taps)
    return tuple(
        (int(each[1] or 0), int(each[2] or 0)) for each in shapes if len(each) == 4
    )


def _output_names(model: Any, outputs: Any) -> tuple[str, ...]:
    """Return the names of a model's outputs in flat order: keys of a dict, else its own names."""
    if isinstance(outputs, dict):
        return tuple(keras.tree.flatten({key: key for key in outputs}))
    count = len(keras.tree.flatten(outputs))
    names = getattr(model, "output_names", None) or [
        f"output{index}" for index in range(count)
    ]
    return tuple(names)


def _part(names: tuple[str, ...], part: str | int | None, outputs: Any) -> int | None:
    """Return the flat index of the chosen output; of the only one that a list or dict holds."""
    if part is None:
        wrapped = len(names) == 1 and not isinstance(outputs, keras.KerasTensor)
        return 0 if wrapped else None
    if part in names:
        return names.index(str(part))
    if isinstance(part, int) and not isinstance(part, bool) and 0 <= part < len(names):
        return part
    msg = f"part: expected an output of the model ({', '.join(names)}) or its index, got {part!r}."
    raise ModelError(msg)


def _opaque(model: Any, doors: InputSpecs, choice: Choice) -> Plan:
    """Plan a model that can only be called. The closure must not keep it alive."""
    if choice.layers:
        no_layers(model)
    alive = weakref.ref(model)

    def run(inputs: list[Tensor], _: Rule | None) -> Walk:
        living: Any = alive()
        return Walk(inference(lambda: living(doors.packed(inputs), training=False)), ())

    def far(size: float) -> Any:
        given = [
            rows_of_numbers(door.shape, door.dtype, size, rows=2) for door in doors.each
        ]
        output = run(given, None).output
        return output if part is None else keras.tree.flatten(output)[part]

    outputs = _output_spec(model, doors)
    names = _output_names(model, outputs)
    part = _part(names, choice.part, outputs)
    output = outputs if part is None else keras.tree.flatten(outputs)[part]
    single = isinstance(output, keras.KerasTensor)
    head = Head(tuple(output.shape)) if single else Head((), choices=names)
    return Plan(
        run=run,
        doors=doors,
        shape=doors.shape[1:],
        head=head,
        logit=False,
        model=model.name,
        part=part,
        opaque=True,
        batch=_fixed_batch(doors, run),
        far_output=far,
    )


def _fixed_batch(doors: InputSpecs, run: Callable[..., Walk]) -> int | None:
    """Return the batch size that a model was built with, where it does not run with another."""
    sizes = {door.shape[0] for door in doors.each} - {None}
    if len(sizes) != 1:
        return None
    batch = [
        random_samples(keras.KerasTensor(door.shape, door.dtype)) for door in doors.each
    ]
    try:
        whole, first = (
            keras.tree.flatten(run(given, None).output)
            for given in (batch, [each[:1] for each in batch])
        )
        free = all(
            alike(each[:1], alone) for each, alone in zip(whole, first, strict=True)
        )
    except Exception:  # noqa: BLE001 - foreign code may fail in any way
        free = False
    return None if free else sizes.pop()


def _output_spec(model: Any, doors: InputSpecs) -> Any:
    try:
        return model.compute_output_spec(doors.packed(_symbols(doors)))
    except Exception as error:
        msg = (
            f"The model {model.name!r} could not be called on {', '.join(map(str, doors.each))}: "
            f"{one_line(error)}"
        )
        raise ModelError(msg) from error


def no_layers(model: Any, *, opaque: bool = True) -> NoReturn:
    """Refuse to look inside a model that can only be called, or that has nothing to look at."""
    names = ", ".join(layer.name for layer in model.layers[:12])
    sealed = ", ".join(layer.name for layer in sublayers(model) if is_sealed(layer))
    if sealed:
        why = f"runs a SavedModel ({sealed}), whose layers cannot be seen"
        way = "load the model that was exported"
    elif opaque:
        why = "runs TensorFlow operations in its own call(), so its layers "
        why += f"({names}) cannot be tapped"
        way = "build the model from layers or keras.ops"
    else:
        why = f"({names}) has no convolution whose end could be tapped"
        way = "name layers that give pictures with KerasProbe(layers=[...])"
    msg = (
        f"The model {model.name!r} {why}. Explainers that ask for scores and gradients of the "
        f"input work (gradient, integrated gradients, occlusion, RISE); for the others {way}."
    )
    raise ModelError(msg)


def _check_output(output: str) -> None:
    if output not in ("logit", "probability"):
        msg = f"output: expected 'logit' or 'probability', got {output!r}."
        raise InputError(msg)


def check_built_model(model: Any) -> None:
    """Check that this is a built Keras model on TensorFlow.

    Raises
    ------
    ModelError
        It is not.
    """
    if keras.backend.backend() != "tensorflow":
        msg = (
            f"KerasProbe needs Keras on TensorFlow, this one runs on {keras.backend.backend()}. "
            "Set KERAS_BACKEND=tensorflow before Keras is imported and load the model again."
        )
        raise ModelError(msg)
    if not isinstance(model, keras.Model):
        msg = (
            f"KerasProbe: expected a keras.Model or a path, got {type(model).__name__}. A model of "
            "another kind needs an object with score(inputs) -> (N,), and gradient, activations "
            "and activation_gradients for what asks for them (saliency.probe.protocol.Probe)."
        )
        raise ModelError(msg)
    if not model.built:
        msg = (
            f"The model {model.name!r} has no weights yet: call it once on a batch, build it "
            "with an input shape, or load its weights."
        )
        raise ModelError(msg)


def _symbols(doors: InputSpecs) -> list[Any]:
    return [
        keras.KerasTensor((None, *door.shape[1:]), door.dtype) for door in doors.each
    ]


def _first_agreeing_graph(model: Any, doors: InputSpecs) -> Graph | None:
    """Return a graph that was seen to do what the model does, and that can tell its shapes."""
    graphs = candidate_graphs(model, doors.packed(_symbols(doors)))
    return next((graph for graph in graphs if _has_shapes(graph, doors)), None)


def _has_shapes(graph: Graph, doors: InputSpecs) -> bool:
    try:
        outline_of(graph, doors.shape, explained=doors.explained)
    except Exception:  # noqa: BLE001 - a foreign layer may fail in any way
        return False
    return True
