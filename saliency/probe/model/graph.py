"""A model's own operation graph, walked without touching the model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, TypeAlias, final, runtime_checkable

import keras
import tensorflow as tf

from saliency.probe.model.keras_internals import (
    Operation,
    inference,
    inference_arguments,
    shadow,
)

BATCH = 7919
"""Stands in for the batch size while a call is drawn: a prime that no layer has for a size.

Code that reads the batch size (``ops.reshape(x, (ops.shape(x)[0], -1))``) leaves it in the graph as
a number. A multiple of this one is taken back for the same multiple of the real batch size.
"""


@final
@dataclass(frozen=True, eq=False)
class PendingCall:
    """A call that a walk comes to, with its arguments filled in.

    Parameters
    ----------
    name, operation, args, kwargs
        As in :class:`Call`.
    symbols
        Keras tensors that stand for its outputs in the graph.
    """

    name: str
    operation: Operation
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    symbols: Sequence[Any]


Perform: TypeAlias = Callable[[PendingCall], Any]
"""What a walk does at each call: run it, or work out its shapes. Returns the output."""


@final
@dataclass(frozen=True, eq=False)
class Call:
    """One call of an operation: a shared layer has one for each place that it stands at.

    Parameters
    ----------
    name
        Where it stands: ``"conv1"``, inside a nested model ``"backbone/conv1"``.
    operation
        The layer, or the operation of ``keras.ops``.
    args, kwargs
        What it was called with.
    output
        What it gave.
    """

    name: str
    operation: Operation
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    output: Any

    @property
    def inputs(self) -> list[Any]:
        """The tensors among the arguments, in order."""
        given = keras.tree.flatten((self.args, dict(self.kwargs)))
        return [
            each for each in given if isinstance(each, tf.Tensor | keras.KerasTensor)
        ]


Rule: TypeAlias = Callable[[str, Operation, tuple[Any, ...], Callable[..., Any]], Any]
"""``rule(name, operation, args, call) -> output``; ``call(*args)`` is what happens without it."""


class Notes(Protocol):
    """A rule that remembers what it saw in one walk."""

    def __call__(
        self,
        name: str,
        operation: Operation,
        args: tuple[Any, ...],
        call: Callable[..., Any],
    ) -> Any:
        """Stand in for one call, as a rule does."""

    def finish(self, forward: Any) -> Any:
        """Return the answer, tensors, from ``forward`` (``saliency.probe.compiled.Pass``)."""


@runtime_checkable
class Study(Protocol):
    """A question that watches a whole walk. Hashable: equal studies share what was compiled."""

    def begin(self) -> Notes:
        """Return blank notes, before each walk."""


@final
@dataclass(frozen=True, eq=False)
class Walk:
    """What came out of a walk: the output structure, and every call in the order it was made."""

    output: Any
    calls: tuple[Call, ...]


@final
@dataclass(frozen=True, eq=False)
class Graph:
    """The operations of a model, in an order that can be run. It does not hold the model.

    Parameters
    ----------
    inputs
        Symbolic inputs (Keras tensors), flat.
    outputs
        Structure of symbolic outputs.
    nodes
        One for each call, parents first.
    children
        Graphs of nested models, by node.
    drawn
        It, or a child, comes from a subclassed model's ``call``: to be checked against the model.
    counted
        It was drawn with ``BATCH`` rows.
    """

    inputs: tuple[Any, ...]
    outputs: Any
    nodes: tuple[Any, ...]
    children: Mapping[Any, "Graph"] = field(repr=False)
    drawn: bool = False
    counted: bool = False

    @property
    def lasting(self) -> bool:
        """Whether it holds no values that were worked out, perhaps of weights, while drawing."""
        return not any(map(_worked_out, self.nodes))

    def run(self, inputs: Any, rule: Rule | None = None) -> Walk:
        """Run every operation on tensors in inference mode, and remember each call.

        ``inputs``: one tensor for each input, in flat order; or the tensor, where there is one.

        No variable is written, no loss is added, no node is made: the walk happens inside a
        stateless scope. ``rule`` may replace what an operation gives (and so its gradient).
        """

        def perform(pending: PendingCall) -> Any:
            operation = pending.operation
            call = partial(operation, **inference_arguments(operation, pending.kwargs))
            if rule is None:
                return call(*pending.args)
            return rule(pending.name, operation, pending.args, call)

        walk: Walk = inference(lambda: self._walk(inputs, perform))
        return walk

    def shapes(self, symbols: list[Any]) -> Walk:
        """Walk with shapes alone: Keras tensors in and out, nothing is computed or recorded."""
        with keras.StatelessScope():
            return self._walk(symbols, _shapes_of_call)

    def _walk(self, inputs: Any, perform: Perform) -> Walk:
        calls: list[Call] = []

        def remember(pending: PendingCall) -> Any:
            output = perform(pending)
            name, operation = pending.name, pending.operation
            calls.append(Call(name, operation, pending.args, pending.kwargs, output))
            return output

        output = _follow(self, keras.tree.flatten(inputs), remember, "")
        return Walk(output, tuple(calls))


def _worked_out(node: Any) -> bool:
    given = keras.tree.flatten((node.arguments.args, node.arguments.kwargs))
    return any(isinstance(each, tf.Tensor) for each in given)


def _follow(graph: Graph, tensors: list[Any], perform: Perform, prefix: str) -> Any:
    pairs = zip(graph.inputs, tensors)  # noqa: B905
    known = {id(symbol): _fit(each, symbol) for symbol, each in pairs}
    rows = _batch_size(tensors[0]) if graph.counted else None
    for node in graph.nodes:
        if any(id(symbol) not in known for symbol in node.input_tensors):
            continue
        args, kwargs = node.arguments.fill_in(known)
        name = f"{prefix}{node.operation.name}"
        inner = graph.children.get(node)
        if inner is None:
            pending = PendingCall(name, node.operation, args, kwargs, node.outputs)
            output = perform(pending if rows is None else _recounted(pending, rows))
        else:
            ordered = _reference_order(node.operation, args[0])
            output = _follow(inner, ordered, perform, f"{name}/")
        flat = keras.tree.flatten(output)
        known |= {
            id(symbol): each for symbol, each in zip(node.outputs, flat, strict=True)
        }
    return keras.tree.map_structure(lambda symbol: known[id(symbol)], graph.outputs)


def _batch_size(tensor: Any) -> Any:
    """Return the number of samples; None for a Keras tensor, which has shapes alone."""
    if isinstance(tensor, keras.KerasTensor):
        return None
    return tf.shape(tensor)[0] if tensor.shape[0] is None else tensor.shape[0]


def _recounted(pending: PendingCall, rows: Any) -> PendingCall:
    """Return a call with the real batch size where the drawn one was kept as a number."""

    def recount(value: Any) -> Any:
        if not _holds_batch(value):
            return value
        if type(value) is int:
            return value // BATCH * rows
        return type(value)(map(recount, value))

    operation = pending.operation
    if not isinstance(operation, keras.Layer):
        operation = shadow(
            operation,
            **{name: recount(value) for name, value in vars(operation).items()},
        )
    args = tuple(map(recount, pending.args))
    kwargs = {name: recount(value) for name, value in pending.kwargs.items()}
    return replace(pending, operation=operation, args=args, kwargs=kwargs)


def _holds_batch(value: Any) -> bool:
    """Return whether a multiple of ``BATCH`` is among the numbers of a plain tuple or list."""
    if type(value) in (tuple, list):
        return any(map(_holds_batch, value))
    return type(value) is int and value != 0 and value % BATCH == 0


def _reference_order(model: Operation, inputs: Any) -> list[Any]:
    """Flatten the inputs of a nested model in the order of its own inputs."""
    if isinstance(inputs, dict):
        names = [symbol.name for symbol in getattr(model, "inputs", ())]
        if names and set(names) <= set(inputs):
            return [inputs[name] for name in names]
    return list(keras.tree.flatten(inputs))


def _fit(tensor: Any, symbol: Any) -> Any:
    """Cast and reshape as a Functional model does at its door.

    One difference: an integer door (uint8 pictures) keeps the floats, since a cast to integers
    has no gradient.
    """
    if isinstance(tensor, keras.KerasTensor):
        return tensor
    if keras.backend.is_float_dtype(symbol.dtype) and tensor.dtype != symbol.dtype:
        tensor = tf.cast(tensor, symbol.dtype)
    if len(tensor.shape) == len(symbol.shape) + 1:
        return tf.squeeze(tensor, -1)
    if len(tensor.shape) == len(symbol.shape) - 1:
        return tf.expand_dims(tensor, -1)
    return tensor


def _shapes_of_call(pending: PendingCall) -> Any:
    """Return Keras tensors like the outputs: for this input, else as the model was built."""
    try:
        return pending.operation.compute_output_spec(*pending.args, **pending.kwargs)
    except Exception:  # noqa: BLE001 - a foreign layer may fail in any way
        as_built = [
            keras.KerasTensor((None, *symbol.shape[1:]), symbol.dtype)
            for symbol in pending.symbols
        ]
        return as_built[0] if len(as_built) == 1 else as_built
