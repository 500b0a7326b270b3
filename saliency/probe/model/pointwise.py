"""Activation functions, however they are spelled.

A step that works value by value and is not affine is an activation: ``maximum(x, 0)``,
``x * sigmoid(x)``, ``where(x > 0, x, 0)`` or a function of one's own. What a step does is seen by
running it on numbers; its name does not count.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, final

import keras
import numpy as np
import tensorflow as tf

from saliency.probe.model.graph import Graph
from saliency.probe.model.head import FUSED, SAME_AT_INFERENCE
from saliency.probe.model.keras_internals import Operation, shadow
from saliency.probe.protocol import Tensor

_L = keras.layers

_NAMES = (
    *(
        "elu",
        "exponential",
        "gelu",
        "hard_sigmoid",
        "hard_silu",
        "leaky_relu",
        "log_sigmoid",
    ),
    *(
        "mish",
        "relu",
        "relu6",
        "selu",
        "sigmoid",
        "silu",
        "softplus",
        "softsign",
        "tanh",
    ),
)

PUBLISHED: tuple[Callable[[Tensor], Tensor], ...] = tuple(
    getattr(keras.activations, name)
    for name in _NAMES
    if hasattr(keras.activations, name)
)
"""Activation functions of Keras that work value by value."""

_KNOWN = (
    *PUBLISHED,
    *(getattr(home, name, None) for home in (keras.ops, tf.nn) for name in _NAMES),
    *(
        keras.activations.linear,
        keras.activations.softmax,
        keras.activations.log_softmax,
    ),
    *(keras.ops.softmax, keras.ops.log_softmax, tf.nn.softmax, tf.nn.log_softmax),
)

_KNOWN_LAYERS = (
    _L.ELU,
    _L.LeakyReLU,
    _L.PReLU,
    _L.ReLU,
    _L.Softmax,
    *SAME_AT_INFERENCE,
)

_KNOWN_OPERATIONS = frozenset(
    {
        "Elu",
        "Gelu",
        "HardSigmoid",
        "HardSilu",
        "LeakyRelu",
        "LogSigmoid",
        "LogSoftmax",
        "Mish",
    }
    | {
        "Relu",
        "Relu6",
        "Selu",
        "Sigmoid",
        "Silu",
        "Softmax",
        "Softplus",
        "Softsign",
        "Tanh",
    }
)

_AFFINE = frozenset({"Add", "Cast", "Multiply", "Negative", "Subtract"})
"""Operations that are affine where one tensor comes in, once."""

_LONGEST = 8
"""Steps that an activation may be spelled in, one behind the other."""

_SMALL = 8
"""Greatest spatial axis of the numbers that a step is tried on."""

_ROUNDING = {
    tf.float64: 2**-23,
    tf.float32: 2**-23,
    tf.float16: 2**-10,
    tf.bfloat16: 2**-7,
}
"""What one rounding changes, as a share; double precision is often made of float32."""

_BLOCK = 256
"""Numbers drawn at a time; the first of them tell functions apart."""

_FAR = 1e4
"""Far out, yet a number of float16: where a function is flat that has a greatest value."""


@final
@dataclass(frozen=True, eq=False)
class Pointwise:
    """An activation function that Keras has no name for.

    Parameters
    ----------
    function
        Tensor -> tensor of the same shape, value by value, not affine.
    zero_at_zero
        It gives 0 for 0.
    homogeneous
        f(a x) = a f(x) for a > 0: no bias is in it.
    """

    function: Callable[[Tensor], Tensor]
    zero_at_zero: bool
    homogeneous: bool

    def __call__(self, x: Tensor) -> Tensor:
        """Return the function's values."""
        return self.function(x)


def with_activations(graph: Graph) -> Graph:
    """Return the graph with each spelled-out activation as one layer of Keras.

    Calls keep their number, order and names; what was computed on the way stays beside them.
    """
    children = {node: with_activations(child) for node, child in graph.children.items()}
    reader = _Reader(replace(graph, children=children))
    nodes = tuple(reader.read(node) for node in graph.nodes)
    return replace(graph, nodes=nodes, children=children)


@final
@dataclass(frozen=True, eq=False)
class _Node:
    """Stands in for a node of Keras's graph."""

    operation: Operation
    arguments: Any
    input_tensors: tuple[Any, ...]
    outputs: tuple[Any, ...]


@final
@dataclass(frozen=True, eq=False)
class _Argument:
    """The arguments of a call with one tensor, as Keras keeps them."""

    symbol: Any

    @property
    def args(self) -> tuple[Any, ...]:
        return (self.symbol,)

    @property
    def kwargs(self) -> dict[str, Any]:
        return {}

    def fill_in(
        self, known: Mapping[int, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return positional and named arguments with a tensor for the symbol."""
        return (known[id(self.symbol)],), {}


class _Reader:
    """Reads nodes in order, and remembers which tensors may be functions of which."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._producers = {
            id(out): node for node in graph.nodes for out in node.outputs
        }
        self._lines: dict[int, tuple[Any, ...]] = {}
        self._bent: set[int] = set()

    def read(self, node: Any) -> Any:
        """Return the node, or one whose operation is an activation that does the same."""
        if node in self._graph.children:
            self._note(node)
            return node
        if _fuses_unknown(node.operation):
            return self._with_its_function(node)
        lines = self._note(node)
        spelled = self._spelled(node, lines) if lines else None
        return spelled or node

    def _note(self, node: Any) -> tuple[Any, ...]:
        """Note and return what the output may be a function of, value by value; nearest first."""
        lines = [self._line(symbol) for symbol in _unique(node.input_tensors)]
        if not lines or len(node.outputs) != 1 or not _may_be_pointwise(node):
            return ()
        nearest, *others = sorted(lines, key=len, reverse=True)
        shared = [
            symbol
            for symbol in nearest
            if all(any(symbol is each for each in line) for line in others)
        ]
        out = node.outputs[0]
        self._lines[id(out)] = (out, *shared)[:_LONGEST]
        return tuple(shared)

    def _line(self, symbol: Any) -> tuple[Any, ...]:
        return self._lines.get(id(symbol), (symbol,))

    def _with_its_function(self, node: Any) -> Any:
        """Return a layer with an activation of its own, this one known for what it does."""
        layer, out = node.operation, node.outputs[0]
        seen = _step_seen(layer.activation, out)
        if seen is None:
            return node
        function = getattr(seen, "activation", seen)
        return _Node(
            shadow(layer, activation=function),
            node.arguments,
            node.input_tensors,
            node.outputs,
        )

    def _spelled(self, node: Any, line: tuple[Any, ...]) -> Any:
        """Return the activation that a node gives the value of, or None."""
        sources, out = _unique(node.input_tensors), node.outputs[0]
        alone = len(sources) == 1
        if alone and (_is_known(node.operation) or self._behind_squashing(sources[0])):
            return None
        affine = (
            len(node.input_tensors) == 1 and type(node.operation).__name__ in _AFFINE
        )
        nearest = None if affine else self._activation(line[0], out)
        behind = alone and id(sources[0]) in self._bent
        if nearest is None and not behind:
            return None
        longer = ((root, self._activation(root, out)) for root in reversed(line[1:]))
        published = (each for each in longer if _is_published(each[1]))
        root, activation = next(published, (line[0], nearest))
        if activation is None:
            return None
        if isinstance(activation, Pointwise):
            self._bent.add(id(out))
        operation = _layer(activation, out, node.operation.name)
        return _Node(operation, _Argument(root), (root,), node.outputs)

    def _activation(self, root: Any, out: Any) -> Any:
        """Return the activation that makes one tensor of another; None where there is none."""
        seen = _step_seen(self._function(root, out), root)
        return None if seen is keras.activations.linear else seen

    def _behind_squashing(self, symbol: Any) -> bool:
        """Return whether probabilities come in: what follows belongs to the model's head."""
        producers = (self._producers.get(id(each)) for each in self._line(symbol))
        return any(node is not None and _squashes(node.operation) for node in producers)

    def _function(self, root: Any, out: Any) -> Callable[[Tensor], Tensor]:
        """Return the way from one tensor to another as a function."""
        needed: dict[int, Any] = {}
        waiting = [out]
        while waiting:
            symbol = waiting.pop()
            if symbol is root or id(symbol) in needed:
                continue
            needed[id(symbol)] = node = self._producers[id(symbol)]
            waiting += node.input_tensors
        chosen = {id(node) for node in needed.values()}
        nodes = tuple(node for node in self._graph.nodes if id(node) in chosen)
        way = Graph((root,), out, nodes, {})
        return lambda x: way.run(x).output


def _is_published(activation: Any) -> bool:
    return activation is not None and not isinstance(activation, Pointwise)


def _unique(symbols: Any) -> list[Any]:
    return list({id(symbol): symbol for symbol in symbols}.values())


def _may_be_pointwise(node: Any) -> bool:
    """Return whether shapes allow it, and nothing in the operation is trained."""
    shape = tuple(node.outputs[0].shape)
    alike = all(tuple(symbol.shape) == shape for symbol in node.input_tensors)
    return alike and (
        not _weights_of_step(node.operation) or _is_foreign(node.operation)
    )


def _weights_of_step(operation: Operation) -> Any:
    return isinstance(operation, keras.Layer) and operation.weights


def _is_foreign(operation: Operation) -> bool:
    return not type(operation).__module__.startswith("keras.")


def _is_known(operation: Operation) -> bool:
    """Return whether the tables of taps and rules have this step, or it has a window."""
    if isinstance(operation, _L.Activation):
        return _is_known_function(operation.activation)
    if isinstance(operation, _KNOWN_LAYERS) or hasattr(operation, "strides"):
        return True
    layer = isinstance(operation, keras.Layer)
    return not layer and type(operation).__name__ in _KNOWN_OPERATIONS


def _is_known_function(function: Any) -> bool:
    return isinstance(function, keras.Layer) or any(function is each for each in _KNOWN)


def _fuses_unknown(operation: Operation) -> bool:
    """Return whether this is a layer with a kernel that ends in a function of somebody's own."""
    fused = any(type(operation).call is each.call for each in FUSED)
    return fused and not _is_known_function(operation.activation)


def _squashes(operation: Operation) -> bool:
    function = getattr(operation, "activation", None)
    squashing = (keras.activations.sigmoid, keras.activations.softmax)
    by_name = type(operation).__name__ in {"LogSoftmax", "Sigmoid", "Softmax"}
    return by_name or any(function is each for each in squashing)


def _layer(activation: Any, out: Any, name: str) -> Operation:
    """Return a layer of Keras that applies an activation in the tensor's own precision."""
    if not isinstance(activation, keras.Layer):
        return _L.Activation(activation, name=name, dtype=out.dtype)
    same = {**activation.get_config(), "name": name, "dtype": out.dtype}
    return type(activation).from_config(same)


def _step_seen(function: Callable[[Tensor], Tensor], symbol: Any) -> Any:
    """Return what a function of a tensor does: an activation, ``linear`` where affine, or None.

    An activation is a function of Keras, a ReLU or LeakyReLU layer, or a :class:`Pointwise`. None:
    it is no function of single floating values.
    """
    if not tf.as_dtype(symbol.dtype).is_floating:
        return None
    for small in (True, False):
        with suppress(Exception):  # a foreign step may fail in any way
            return _step_tried(function, _Numbers.like(symbol, small=small))
    return None


@final
@dataclass(frozen=True, eq=False)
class _Numbers:
    """Two tensors of either sign and many sizes, and a choice among their places."""

    one: Tensor
    other: Tensor
    chosen: Tensor

    @classmethod
    def like(cls, symbol: Any, *, small: bool) -> "_Numbers":
        """Draw numbers for a symbol: as it is, or of few places."""
        batch, *middle, last = (
            symbol.shape if len(symbol.shape) > 1 else (*symbol.shape, 1)
        )
        middle = [
            min(axis or _SMALL, _SMALL) if small else axis or _SMALL for axis in middle
        ]
        rows = batch or max(
            2, -(-2 * _BLOCK // (int(np.prod(middle)) * (last or _SMALL)))
        )
        size = (rows, *middle, last or _SMALL)[: len(symbol.shape)]
        places = int(np.prod(size))
        one, other = (
            tf.cast(tf.reshape(drawn[:places], size), symbol.dtype)
            for drawn in (_drawn(0, places), _drawn(1, places))
        )
        chosen = np.random.default_rng(2).random(size) < 0.5
        return cls(one, other, tf.constant(chosen))


def _drawn(seed: int, count: int) -> Any:
    """Return float64 numbers, the first of which are the same for every count."""
    draw = np.random.default_rng(seed)
    blocks = [_block(draw) for _ in range(-(-count // _BLOCK))]
    return np.concatenate(blocks)


def _block(draw: np.random.Generator) -> Any:
    return draw.choice((-1.0, 1.0), _BLOCK) * 10 ** draw.uniform(-2, 1.5, _BLOCK)


def _step_tried(function: Callable[[Tensor], Tensor], numbers: _Numbers) -> Any:
    one, other = numbers.one, numbers.other
    ends = function(one), function(other)
    if ends[0].shape != one.shape or not ends[0].dtype.is_floating:
        return None
    mixed = function(tf.where(numbers.chosen, one, other))
    # f(where(m, x, y)) = where(m, f(x), f(y)): each value is a function of its own place alone.
    if not _close(mixed, tf.where(numbers.chosen, *ends), one):
        return None
    # f((x + y) / 2) = (f(x) + f(y)) / 2: affine.
    if _close(function((one + other) / 2), (ends[0] + ends[1]) / 2, one):
        return keras.activations.linear
    return _named_activation(function, one, ends[0]) or Pointwise(
        function, **_traits_of(function, one, ends[0])
    )


def _named_activation(
    function: Callable[[Tensor], Tensor], x: Tensor, y: Tensor
) -> Any:
    """Return the activation of Keras that gives the same values, or None."""
    top, low = (
        float(_first_value(function(tf.fill(x.shape, tf.cast(at, x.dtype)))))
        for at in (_FAR, -1)
    )
    if _close(y, tf.clip_by_value(x, 0, max(top, 0)), x):
        return _rectifier(top)
    if -1 < low < 0 and _close(y, tf.where(x > 0, x, tf.cast(-low, x.dtype) * x), x):
        return _L.LeakyReLU(negative_slope=-low)
    few = min(_BLOCK, int(tf.size(x)))
    start, ours = tf.reshape(x, [-1])[:few], tf.reshape(y, [-1])[:few]
    alike = (
        function
        for function, values in zip(PUBLISHED, _published_values(x.dtype), strict=True)
        if _close(ours, values[:few], start)
    )
    return next((each for each in alike if _close(y, each(x), x)), None)


@lru_cache(maxsize=8)
def _published_values(dtype: Any) -> tuple[Tensor, ...]:
    """Return what Keras's activations give for the first numbers."""
    numbers = tf.cast(_drawn(0, _BLOCK), dtype)
    return tuple(function(numbers) for function in PUBLISHED)


def _rectifier(top: float) -> Any:
    if abs(top - _FAR) < 0.01 * _FAR:
        return keras.activations.relu
    return keras.activations.relu6 if top == 6 else _L.ReLU(max_value=top)


def _traits_of(
    function: Callable[[Tensor], Tensor], x: Tensor, y: Tensor
) -> dict[str, bool]:
    zero = function(tf.zeros_like(x))
    return {
        "zero_at_zero": bool(tf.reduce_all(zero == 0)),
        "homogeneous": _close(function(x * 2), y * 2, x)
        and _close(function(x / 4), y / 4, x),
    }


def _first_value(values: Tensor) -> Tensor:
    return tf.reshape(values, [-1])[0]


def _close(values: Tensor, others: Tensor, x: Tensor) -> bool:
    """Return whether values are the same up to rounding, wherever both are finite."""
    coarse = max(_ROUNDING[each.dtype] for each in (values, others, x))
    a, b, size = (np.asarray(tf.cast(each, tf.float64)) for each in (values, others, x))
    finite = np.isfinite(a) & np.isfinite(b)
    if not finite.any():
        return False
    room = 8 * coarse * (np.abs(a) + np.abs(b) + np.abs(size))
    return bool((np.abs(a - b) <= room)[finite].all())
