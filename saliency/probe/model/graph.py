"""A model's own operation graph, walked without touching the model.

Every private name of Keras that the library needs is in this file.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, TypeAlias, final, runtime_checkable

import keras
import tensorflow as tf
from keras.src.backend.common.stateless_scope import in_stateless_scope
from keras.src.models.functional import Functional

from saliency.probe.protocol import Tensor

Operation: TypeAlias = Any
"""A Keras layer or ``keras.ops`` operation; Keras ships no types."""

Perform: TypeAlias = Callable[[str, Operation, tuple[Any, ...], dict[str, Any]], Any]


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
        return [each for each in given if isinstance(each, tf.Tensor | keras.KerasTensor)]


Rule: TypeAlias = Callable[[str, Operation, tuple[Any, ...], Callable[..., Any]], Any]
"""``rule(name, operation, args, call) -> output``; ``call(*args)`` is what happens without it."""


class Notes(Protocol):
    """A rule that remembers what it saw in one walk."""

    def __call__(
        self, name: str, operation: Operation, args: tuple[Any, ...], call: Callable[..., Any]
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
    """

    inputs: tuple[Any, ...]
    outputs: Any
    nodes: tuple[Any, ...]
    children: Mapping[Any, "Graph"] = field(repr=False)
    drawn: bool = False

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

        def perform(name: str, operation: Operation, args: Any, kwargs: Any) -> Any:
            call = partial(operation, **_inference(operation, kwargs))
            return rule(name, operation, args, call) if rule else call(*args)

        walk: Walk = inference(lambda: self._walk(inputs, perform))
        return walk

    def shapes(self, symbols: list[Any]) -> Walk:
        """Walk with shapes alone: Keras tensors in and out, nothing is computed or recorded."""
        with keras.StatelessScope():
            return self._walk(symbols, _specify)

    def _walk(self, inputs: Any, perform: Perform) -> Walk:
        calls: list[Call] = []

        def remember(name: str, operation: Operation, args: Any, kwargs: Any) -> Any:
            output = perform(name, operation, args, kwargs)
            calls.append(Call(name, operation, args, kwargs, output))
            return output

        output = _follow(self, keras.tree.flatten(inputs), remember, "")
        return Walk(output, tuple(calls))


def graph_of(model: Operation, *, draw: bool = True) -> Graph | None:
    """Return the graph of a Functional or Sequential model, nested ones included; else None.

    A model whose class brings its own ``call`` may do more than its graph says: it has None, or,
    nested in a graph and with ``draw``, the graph that its call draws.
    """
    source = _functional(model)
    return None if source is None else _graph(source, draw=draw)


def symbolic_graph(model: Operation, symbols: Any) -> Graph | None:
    """Return the graph that ``model.call`` draws when it is called on symbols; else None.

    ``symbols``: Keras tensors in the structure that the call takes; new ones like them are used.

    For subclassed models. None where the call uses TensorFlow's own operations, which do not
    accept symbols. The nodes that the call leaves on the model's layers are taken off again.
    """
    with _nodes_kept(model):
        try:
            inputs = keras.tree.map_structure(_input_like, symbols)
            output = inference(lambda: model.call(inputs, **_inference(model, {})))
            return replace(_graph(keras.Function(inputs, output, name="probed")), drawn=True)
        except Exception:  # noqa: BLE001 - a foreign call may fail in any way
            return None


def inference(function: Callable[[], Any]) -> Any:
    """Run ``function`` so that layers see training=False and cannot write a variable."""
    result: list[Any] = []
    failed: list[Exception] = []

    def kept() -> None:
        """Keep an error from Keras, which would wrap it in remarks on the frame."""
        try:
            result.append(function())
        except Exception as error:  # noqa: BLE001 - raised again below
            failed.append(error)

    with nullcontext() if in_stateless_scope() else keras.StatelessScope():
        _Frame(kept)(tf.zeros(()), training=False)
    if failed:
        raise failed[0]
    return result[0]


def standing_in(values: Sequence[tuple[Any, Any]]) -> AbstractContextManager[Any]:
    """Return a context in which variables have other values; the variables stay as they are."""
    return keras.StatelessScope(state_mapping=values) if values else nullcontext()


def shadow(layer: Operation, **attributes: Any) -> Operation:
    """Return an object that is ``layer`` but for some attributes; the layer stays as it is.

    It shares the layer's variables and code. ``copy.copy`` would go through Keras's serializer
    and make new variables.
    """
    twin = object.__new__(type(layer))
    twin.__dict__.update(layer.__dict__)
    twin.__dict__.update(attributes)
    return twin


def linear_twin(layer: Operation) -> Operation:
    """Return a shadow of a layer that computes in float32, without bias and activation."""
    return shadow(
        layer,
        activation=keras.activations.linear,
        bias=None,
        use_bias=False,
        _dtype_policy=keras.DTypePolicy("float32"),
    )


def attending(layer: Operation) -> Operation:
    """Return a shadow of an attention layer that can tell its scores: without the fused kernel."""
    return shadow(layer, _flash_attention=False)


def sublayers(operation: Operation) -> list[Operation]:
    """Return all layers inside an operation, itself left out; none for ``keras.ops``."""
    if not isinstance(operation, keras.Layer):
        return []
    return list(operation._flatten_layers(include_self=False))  # noqa: SLF001


def is_sealed(operation: Operation) -> bool:
    """Return whether an operation runs a SavedModel, into which nobody can look."""
    return isinstance(operation, keras.layers.TFSMLayer)


def fingerprint(model: Operation) -> tuple[Any, ...]:
    """Return the objects that a compiled graph depends on, to be compared with ``is``.

    Layers, their activations, calls and variables: a popped layer, a replaced activation or an
    adapter added to a kernel changes it; a training step does not. The model itself is left out.
    """
    inner = (item for layer in sublayers(model) for item in (layer, *_traits(layer)))
    return (*_traits(model), *inner)


@final
class _Frame(keras.Layer):  # type: ignore[misc]
    """Opens Keras's call context, so that inner layers inherit training=False."""

    def __init__(self, function: Callable[[], Any]) -> None:
        super().__init__(name="frame", dtype="float32", autocast=False)
        self.function = function
        self.built = True

    def call(self, inputs: Tensor, *, training: bool = False) -> Tensor:
        del training
        self.function()
        return inputs


def _traits(layer: Operation) -> list[Any]:
    own: list[Any] = [getattr(layer, "activation", None), layer.__dict__.get("call")]
    return [*own, *layer._trainable_variables, *layer._non_trainable_variables]  # noqa: SLF001


def _functional(model: Operation) -> Any:
    """Return the Keras Function that ``model.call`` runs, or None."""
    if isinstance(model, keras.Sequential):
        own = type(model).call is keras.Sequential.call
        return model._functional if own else None  # noqa: SLF001
    own = isinstance(model, Functional) and type(model).call is Functional.call
    return model if own else None


def _graph(source: Any, *, draw: bool = True) -> Graph:
    nodes = tuple(_nodes(source))
    children = {node: _child(node, draw=draw) for node in nodes}
    inner = {node: graph for node, graph in children.items() if graph is not None}
    outputs = source._outputs_struct  # noqa: SLF001
    drawn = any(graph.drawn for graph in inner.values())
    return Graph(tuple(source.inputs), outputs, nodes, inner, drawn)


def _child(node: Any, *, draw: bool) -> Graph | None:
    """Return the graph of what has one inside; code is drawn where it takes one argument."""
    graph = graph_of(node.operation, draw=draw)
    if graph is not None or not draw or not _has_code(node.operation):
        return graph
    given = keras.tree.flatten(node.arguments.args[:1])
    if len(given) != len(node.input_tensors):
        return None
    drawn = symbolic_graph(node.operation, node.arguments.args[0])
    model = isinstance(node.operation, keras.Model)
    return drawn if drawn is None or model or drawn.lasting else None


def _has_code(operation: Operation) -> bool:
    """Return whether this is a model or a layer whose call somebody else wrote."""
    if isinstance(operation, keras.Model | keras.layers.Lambda):
        return True
    module = type(operation).__module__
    own = not module.startswith("keras.") or module.startswith("keras.src.applications.")
    return own and isinstance(operation, keras.Layer)


def _worked_out(node: Any) -> bool:
    given = keras.tree.flatten((node.arguments.args, node.arguments.kwargs))
    return any(isinstance(each, tf.Tensor) for each in given)


def _input_like(symbol: Any) -> Any:
    return keras.Input(batch_shape=tuple(symbol.shape), dtype=symbol.dtype)


def _nodes(source: Any) -> Iterator[Any]:
    by_depth = source._nodes_by_depth  # noqa: SLF001
    for depth in sorted(by_depth, reverse=True):
        yield from (node for node in by_depth[depth] if not node.is_input)


def _follow(graph: Graph, tensors: list[Any], perform: Perform, prefix: str) -> Any:
    known = {id(symbol): _fit(each, symbol) for symbol, each in zip(graph.inputs, tensors)}  # noqa: B905
    for node in graph.nodes:
        if any(id(symbol) not in known for symbol in node.input_tensors):
            continue
        output = _step(graph, node, node.arguments.fill_in(known), perform, prefix)
        flat = keras.tree.flatten(output)
        known |= {id(symbol): each for symbol, each in zip(node.outputs, flat, strict=True)}
    return keras.tree.map_structure(lambda symbol: known[id(symbol)], graph.outputs)


def _step(graph: Graph, node: Any, given: Any, perform: Perform, prefix: str) -> Any:
    args, kwargs = given
    name = f"{prefix}{node.operation.name}"
    inner = graph.children.get(node)
    if inner is None:
        return perform(name, node.operation, args, kwargs)
    return _follow(inner, _reference_order(node.operation, args[0]), perform, f"{name}/")


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


def _specify(_: str, operation: Operation, args: Any, kwargs: Any) -> Any:
    return operation.compute_output_spec(*args, **kwargs)


def _inference(operation: Operation, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for inference, also where the graph was drawn with training=True."""
    takes = isinstance(operation, keras.Layer) and operation._call_has_training_arg  # noqa: SLF001
    return {**kwargs, "training": False} if takes else dict(kwargs)


@contextmanager
def _nodes_kept(model: Operation) -> Iterator[None]:
    """Put the node lists of all layers back as they were."""
    layers = list(model._flatten_layers())  # noqa: SLF001
    before = [(len(each._inbound_nodes), len(each._outbound_nodes)) for each in layers]  # noqa: SLF001
    try:
        yield
    finally:
        for layer, (inbound, outbound) in zip(layers, before, strict=True):
            del layer._inbound_nodes[inbound:]  # noqa: SLF001
            del layer._outbound_nodes[outbound:]  # noqa: SLF001
