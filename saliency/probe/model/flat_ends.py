"""Where the output of a model is flat: the values that it tends to when its last weights go far.

Nothing is known by name. What the last layers with weights give is replaced by numbers far out, and
what the steps behind them make of it is looked at, twice: an output that stays the same is flat.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from saliency.probe.model.graph import Graph
from saliency.probe.model.head import applies_last
from saliency.probe.model.keras_internals import (
    KERAS_CODE,
    Operation,
    has_weights,
    inference,
    inference_arguments,
    is_sealed,
)
from saliency.probe.protocol import Tensor

FAR: Final = (1e4, 3e4)
"""Sizes of the numbers; float16 ends at 6.5e4."""

ROWS: Final = 8
"""Draws: a softmax of several classes is at an end for each of them."""

FREE: Final = 8
"""Stands in for axes that a model leaves free."""

_SAME: Final = 1e-6
"""What of an output may change, as a share of it, where it is flat."""

FarOutput: TypeAlias = Callable[[float], Any]
"""What a model gives, as tensors, where its last weights give numbers of some size."""


def flat_ends(far_output: FarOutput) -> tuple[float, ...]:
    """Return the values of an output at which it has no slope.

    -1 and 1 of tanh, 0 and 1 of softmax, 0 of ReLU, whatever stands behind them; () of a linear
    output, and where a step of somebody's own fails on numbers of this size.
    """
    try:
        near, far = (
            np.concatenate([np.ravel(np.asarray(each, np.float64)) for each in values])
            for values in (keras.tree.flatten(far_output(size)) for size in FAR)
        )
        kept = np.abs(near - far) <= _SAME * np.maximum(1, np.abs(near))
    except Exception:  # noqa: BLE001 - foreign code may fail in any way
        return ()
    flat = near[kept & np.isfinite(near)]
    return tuple(float(each) for each in np.unique(np.round(flat, 6)))


def rows_of_numbers(
    shape: Sequence[int | None], dtype: Any, size: float, rows: int = ROWS
) -> Tensor:
    """Return rows of numbers of a size and of either sign, the same rows for every size."""
    axes = (rows, *(axis or FREE for axis in shape[1:]))
    return tf.cast(size * np.random.default_rng(0).standard_normal(axes), dtype)


def far_output(graph: Graph, part: int | None, size: float) -> Any:
    """Return the output of a graph, or a part of it, where its last weights give far numbers."""
    flat = keras.tree.flatten(graph.outputs)
    found = inference(lambda: _Tail(graph, size).values(flat))
    return found if part is None else found[part]


class _Tail:
    """Runs the steps behind the last weights of a graph, and no others."""

    def __init__(self, graph: Graph, size: float) -> None:
        self._graph, self._size = graph, size
        self._producers = {
            id(out): node for node in graph.nodes for out in node.outputs
        }
        self._known: dict[int, Tensor] = {}

    def values(self, symbols: Sequence[Any]) -> list[Tensor]:
        """Return what these symbols stand for."""
        return [self._value(symbol) for symbol in symbols]

    def _value(self, symbol: Any) -> Tensor:
        if id(symbol) not in self._known:
            node = self._producers.get(id(symbol))
            given = [rows_of_numbers(symbol.shape, symbol.dtype, self._size)]
            found = given if node is None else self._given(node)
            symbols = [symbol] if node is None else node.outputs
            self._known |= {
                id(each): value for each, value in zip(symbols, found, strict=True)
            }
        return self._known[id(symbol)]

    def _given(self, node: Any) -> list[Tensor]:
        """Return the outputs of a node: far numbers where it has weights, else what it makes."""
        child = self._graph.children.get(node)
        if child is not None and has_weights(node.operation):
            return _Tail(child, self._size).values(keras.tree.flatten(child.outputs))
        if _is_linear(node.operation):
            far = [
                rows_of_numbers(each.shape, each.dtype, self._size)
                for each in node.outputs
            ]
            return [_activated(node.operation, each) for each in far]
        known: Mapping[int, Tensor] = {
            id(each): self._value(each) for each in node.input_tensors
        }
        args, kwargs = node.arguments.fill_in(known)
        output = node.operation(*args, **inference_arguments(node.operation, kwargs))
        return list(keras.tree.flatten(output))


def _is_linear(operation: Operation) -> bool:
    """Return whether this is a layer of Keras whose weights make numbers of any size."""
    own = type(operation).__module__.startswith(KERAS_CODE)
    return own and has_weights(operation) and not is_sealed(operation)


def _activated(operation: Operation, far: Tensor) -> Tensor:
    return operation.activation(far) if applies_last(operation) else far
