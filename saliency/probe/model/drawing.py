"""The graph of a model: Keras's own, or drawn from the code of a call and checked against it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Literal, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from saliency.probe.model.graph import BATCH, Graph
from saliency.probe.model.keras_internals import (
    APPLICATIONS,
    KERAS_CODE,
    Operation,
    function_of,
    inference,
    inference_arguments,
    nodes_kept,
    nodes_of,
    outputs_of,
)
from saliency.probe.protocol import Tensor

Draw: TypeAlias = Literal["all", "checked", "none"]
"""Which layers with code of their own are drawn: all, those seen to agree one by one, or none."""

ROWS = 2
"""Samples on which a drawn graph is checked: a batch size left as a number shows with two."""

FREE_SIZE = 64
"""Size of the random samples along an axis that a model leaves free."""


def graph_of(model: Operation, *, draw: Draw = "all") -> Graph | None:
    """Return the graph of a Functional or Sequential model, nested ones included; else None.

    A model whose class brings its own ``call`` may do more than its graph says: it has None, or,
    nested in a graph, the graph that its call draws.
    """
    source = function_of(model)
    return None if source is None else _graph_of_source(source, draw)


def symbolic_graph(
    model: Operation, symbols: Any, *, draw: Draw = "all", batch: int | None = None
) -> Graph | None:
    """Return the graph that ``model.call`` draws when it is called on symbols; else None.

    ``symbols``: Keras tensors in the structure that the call takes; new ones like them are used,
    of ``batch`` rows. For subclassed models. None where the call uses TensorFlow's own operations,
    which do not accept symbols. The nodes that the call leaves on the layers are taken off again.
    """

    def entry(symbol: Any) -> Any:
        return keras.Input(batch_shape=(batch, *symbol.shape[1:]), dtype=symbol.dtype)

    with nodes_kept(model):
        try:
            inputs = keras.tree.map_structure(entry, symbols)
            output = inference(
                lambda: model.call(inputs, **inference_arguments(model, {}))
            )
            graph = _graph_of_source(
                keras.Function(inputs, output, name="probed"), draw
            )
        except Exception:  # noqa: BLE001 - a foreign call may fail in any way
            return None
    return replace(graph, drawn=True, counted=batch is not None)


def candidate_graphs(model: Operation, symbols: Any) -> Iterator[Graph]:
    """Yield graphs of a model that agree with it, the most telling first.

    ``symbols``: Keras tensors in the structure that the model's call takes. What one layer's code
    makes impossible to draw is left out in the next graph, and the layer runs as it is.
    """
    ways: tuple[Callable[[], Graph | None], ...] = (
        lambda: graph_of(model) or symbolic_graph(model, symbols),
        lambda: (
            graph_of(model, draw="checked")
            or symbolic_graph(model, symbols, draw="checked")
        ),
        lambda: symbolic_graph(model, symbols, draw="checked", batch=BATCH),
        lambda: graph_of(model, draw="none"),
    )
    for way in ways:
        graph = way()
        if graph is not None and (not graph.drawn or agrees(graph, model, symbols)):
            yield graph


def agrees(graph: Graph, operation: Operation, symbols: Any) -> bool:
    """Return whether a graph gives what the operation gives, on random samples."""
    try:
        samples = keras.tree.map_structure(random_samples, symbols)
        ours = keras.tree.flatten(graph.run(samples).output)
        theirs = keras.tree.flatten(_inferred(operation, samples))
        return len(ours) == len(theirs) and all(map(alike, ours, theirs))
    except Exception:  # noqa: BLE001 - foreign code may fail in any way
        return False


def _inferred(operation: Operation, samples: Any) -> Any:
    return inference(lambda: operation(samples, **inference_arguments(operation, {})))


def alike(one: Tensor, other: Tensor) -> bool:
    """Return whether two tensors are the same but for rounding."""
    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    return one.shape == other.shape and np.allclose(
        one, other, 1e-3, 1e-4, equal_nan=True
    )


def random_samples(symbol: Any) -> Tensor:
    """Return random rows of an input; zeros of what is no float, such as an index."""
    size = (symbol.shape[0] or ROWS, *(axis or FREE_SIZE for axis in symbol.shape[1:]))
    if tf.as_dtype(symbol.dtype).is_floating:
        return tf.constant(np.random.default_rng(0).random(size), symbol.dtype)
    return tf.zeros(size, symbol.dtype)


def _graph_of_source(source: Any, draw: Draw) -> Graph:
    nodes = tuple(nodes_of(source))
    children = {node: _child(node, draw) for node in nodes}
    inner = {node: graph for node, graph in children.items() if graph is not None}
    drawn = any(graph.drawn for graph in inner.values())
    return Graph(tuple(source.inputs), outputs_of(source), nodes, inner, drawn)


def _child(node: Any, draw: Draw) -> Graph | None:
    """Return the graph of what has one inside; code is drawn where it takes one argument."""
    operation = node.operation
    graph = graph_of(operation, draw=draw)
    if graph is not None or draw == "none" or not _has_code(operation):
        return graph
    given = node.arguments.args[:1]
    if len(keras.tree.flatten(given)) != len(node.input_tensors):
        return None
    graph = _drawn_and_checked(operation, given[0]) if draw == "checked" else None
    if draw == "all":
        graph = symbolic_graph(operation, given[0]) or symbolic_graph(
            operation, given[0], batch=BATCH
        )
    model = isinstance(operation, keras.Model)
    return graph if graph is None or model or graph.lasting else None


def _drawn_and_checked(operation: Operation, symbols: Any) -> Graph | None:
    """Return what an operation draws, seen to agree with it; None where nothing does."""
    free = keras.tree.map_structure(
        lambda each: keras.KerasTensor((None, *each.shape[1:]), each.dtype), symbols
    )
    for batch in (None, BATCH):
        graph = symbolic_graph(operation, free, draw="checked", batch=batch)
        if graph is not None and agrees(graph, operation, free):
            return graph
    return None


def _has_code(operation: Operation) -> bool:
    """Return whether this is a model or a layer whose call somebody else wrote."""
    if isinstance(operation, keras.Model | keras.layers.Lambda):
        return True
    module = type(operation).__module__
    own = not module.startswith(KERAS_CODE) or module.startswith(APPLICATIONS)
    return own and isinstance(operation, keras.Layer)
