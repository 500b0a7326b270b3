"""Derivatives of single steps that draw no more than is asked for.

TensorFlow's derivative of ``x + y`` sums over the axes along which an operand was spread. Where the
batch size is not known while a graph is drawn, it works the axes out while the graph runs: ten
operations for each addition. It draws the derivatives by all operands, too, those by weights as
well. Drawing takes a millisecond an operation, and a rule adds dozens of them to each layer.

Here two things are proved while the graph is drawn: that two tensors have the same rows, since one
was made of the other row by row; and that a tensor is made of weights alone. What comes out is
TensorFlow's own derivative, to the bit.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeAlias, final

import tensorflow as tf

from saliency.probe.protocol import Tensor

Derivatives: TypeAlias = tuple[Tensor | None, ...]

_PREFIX: Final = "SaliencyLean"

_ROWS_OF: Final[dict[str, int]] = dict.fromkeys(
    (
        *("Abs", "AddN", "AvgPool", "AvgPool3D", "BiasAdd", "Cast", "CheckNumerics"),
        *("Conv2D", "Conv3D", "DepthwiseConv2dNative", "Elu", "EluGrad", "Erf", "Exp"),
        *("FusedBatchNormV3", "Identity", "LeakyRelu", "LeakyReluGrad", "Log", "Log1p"),
        *("MaxPool", "MaxPool3D", "Neg", "OnesLike", "PlaceholderWithDefault", "Relu"),
        *("Reciprocal", "Relu6", "Relu6Grad", "ReluGrad", "Rsqrt", "Selu", "SeluGrad"),
        *("Sigmoid", "SigmoidGrad", "Sign", "Softmax", "Softplus", "SoftplusGrad"),
        *("Softsign", "Sqrt", "Square", "StopGradient", "Tanh", "TanhGrad"),
        *("ZerosLike",),
    ),
    0,
) | {"Conv2DBackpropInput": 2, "DepthwiseConv2dNativeBackpropInput": 2, "Split": 1}
"""Operations whose answer has the rows of one argument, and which; a split has parts of them."""

_SHAPE_AT: Final = {"BroadcastTo": 1, "Fill": 0, "Reshape": 1}
"""Operations that are told the shape of their answer, and by which argument."""

_SPREADING: Final = frozenset(
    (
        *("AddV2", "DivNoNan", "Equal", "Greater", "GreaterEqual", "Less", "LessEqual"),
        *("Maximum", "Minimum", "Mul", "RealDiv", "SelectV2", "SquaredDifference"),
        *("Sub",),
    )
)
"""Operations that spread each argument over the others."""

_LEAVES: Final = frozenset(("Const", "ReadVariableOp", "StopGradient"))
_OF_LEAVES: Final = frozenset(
    (
        *("AddV2", "Cast", "ExpandDims", "Maximum", "Minimum", "Mul", "Neg", "RealDiv"),
        *("Relu", "Reshape", "Rsqrt", "Sqrt", "Square", "Squeeze", "Sub", "Transpose"),
    )
)
"""What is made by these of weights and constants has no derivative that anybody asks for."""


@final
class _Proofs:
    """What was proved of a graph's tensors."""

    def __init__(self) -> None:
        self._rows: dict[Any, Any] = {}
        self._fixed: dict[Any, bool] = {}

    def same_shape(self, one: Tensor, other: Tensor) -> bool:
        """Return whether two tensors are proved to have one shape."""
        sizes, others = one.shape, other.shape
        if sizes.rank is None or sizes.rank != others.rank:
            return False
        if None in (*sizes[1:], *others[1:]) or sizes[1:] != others[1:]:
            return False
        return not sizes.rank or self._row_source(one) == self._row_source(other)

    def is_fixed(self, tensor: Tensor) -> bool:
        """Return whether nobody asks for a derivative by a tensor: it is made of weights alone.

        Only while a graph is drawn: who differentiates the whole function later may ask for those
        by weights.
        """
        return _DRAWING.get() and _walked(tensor, self._fixed, _fixed_needs, _fixed_of)

    def _row_source(self, tensor: Tensor) -> Any:
        """Return how many rows a tensor has: a number, or the name of the tensor they come from."""
        return _walked(tensor, self._rows, _rows_needs, _rows_of)


_DRAWING: Final[ContextVar[bool]] = ContextVar("drawing", default=False)


@contextmanager
def lean_gradients() -> Iterator[None]:
    """Return a context in which the current graph's steps have derivatives that draw less."""
    graph = tf.compat.v1.get_default_graph()
    names = {kind: f"{_PREFIX}{kind}" for kind in _DERIVATIVES}
    token = _DRAWING.set(True)
    try:
        with graph.gradient_override_map(names):
            yield
    finally:
        _DRAWING.reset(token)


def _walked(
    tensor: Tensor,
    known: dict[Any, Any],
    needs: Callable[[Tensor], list[Tensor]],
    answer: Callable[[Tensor, list[Any]], Any],
) -> Any:
    """Answer for a tensor from the answers for what it needs; graphs are too deep to recurse."""
    waiting = [tensor]
    while waiting:
        last = waiting[-1]
        needed = needs(last)
        missing = [each for each in needed if each.ref() not in known]
        if missing:
            waiting += missing
        else:
            known[last.ref()] = answer(last, [known[each.ref()] for each in needed])
            waiting.pop()
    return known[tensor.ref()]


def _fixed_needs(tensor: Tensor) -> list[Tensor]:
    operation = tensor.op
    return list(operation.inputs) if operation.type in _OF_LEAVES else []


def _fixed_of(tensor: Tensor, needed: list[bool]) -> bool:
    return tensor.op.type in _LEAVES or (
        tensor.op.type in _OF_LEAVES and bool(needed) and all(needed)
    )


def _rows_needs(tensor: Tensor) -> list[Tensor]:
    """Return the tensors whose rows a tensor may have; none where its own are known."""
    kind, given, shape = tensor.op.type, list(tensor.op.inputs), tensor.shape
    if not shape.rank or shape[0] is not None:
        return []
    if kind in _ROWS_OF:
        return [given[_ROWS_OF[kind]]]
    if kind in _SPREADING:
        return [each for each in given if _may_have_rows(each.shape, shape.rank)]
    if kind in _SHAPE_AT and given[_SHAPE_AT[kind]].op.type == "Shape":
        return [given[_SHAPE_AT[kind]].op.inputs[0]]
    if kind == "IdentityN":
        return [given[tensor.value_index]]
    return given[:-1] if kind == "ConcatV2" else []


def _may_have_rows(shape: Any, rank: int) -> bool:
    """Return whether an argument, spread over an answer of some rank, may have all its rows."""
    return shape.rank is None or (shape.rank == rank and shape[0] != 1)


def _rows_of(tensor: Tensor, needed: list[Any]) -> Any:
    shape = tensor.shape
    if shape.rank and shape[0] is not None:
        return shape[0]
    operation, same = tensor.op, len(set(needed)) == 1
    if operation.type == "Split" and _along_rows(operation.inputs[0], shape.rank):
        return (operation.get_attr("num_split"), needed[0])
    if operation.type == "ConcatV2" and _along_rows(operation.inputs[-1], shape.rank):
        parts, whole = needed[0] if isinstance(needed[0], tuple) else (0, None)
        return whole if same and parts == len(needed) else tensor.name
    return needed[0] if same else tensor.name


def _along_rows(axis: Tensor, rank: int | None) -> bool:
    """Return whether an axis may be the first."""
    known = tf.get_static_value(axis)
    return known is None or rank is None or int(known) % rank == 0


def _proofs(graph: Any) -> _Proofs:
    """Return what was proved of a graph's tensors before; the graph keeps it."""
    kept: list[_Proofs] = graph.get_collection_ref(_PREFIX)
    if not kept:
        kept.append(_Proofs())
    return kept[0]


def _by_each(operation: Any, *ways: Callable[[], Tensor]) -> Derivatives:
    """Return the derivatives by arguments that were spread; None for what is made of weights."""
    proofs = _proofs(operation.graph)
    given, output = list(operation.inputs)[-len(ways) :], operation.outputs[0]
    return tuple(
        None
        if proofs.is_fixed(each)
        else way()
        if proofs.same_shape(each, output)
        else _summed(way(), each, output)
        for each, way in zip(given, ways, strict=True)
    )


def _summed(derivative: Tensor, argument: Tensor, output: Tensor) -> Tensor:
    """Sum a derivative over the axes along which an argument was spread, if it was."""
    shape = tf.shape(argument)
    axes, _ = tf.raw_ops.BroadcastGradientArgs(s0=shape, s1=tf.shape(output))
    return tf.reshape(tf.reduce_sum(derivative, axes, keepdims=True), shape)


def _addition(operation: Any, slope: Tensor) -> Derivatives:
    return _by_each(operation, lambda: slope, lambda: slope)


def _subtraction(operation: Any, slope: Tensor) -> Derivatives:
    return _by_each(operation, lambda: slope, lambda: -slope)


def _multiplication(operation: Any, slope: Tensor) -> Derivatives:
    one, other = map(tf.math.conj, operation.inputs)
    return _by_each(operation, lambda: slope * other, lambda: one * slope)


def _division(operation: Any, slope: Tensor) -> Derivatives:
    one, other = map(tf.math.conj, operation.inputs)
    return _by_each(
        operation, lambda: slope / other, lambda: slope * (-one / other / other)
    )


def _selection(operation: Any, slope: Tensor) -> Derivatives:
    chosen, zero = operation.inputs[0], tf.zeros((), slope.dtype)
    return None, *_by_each(
        operation,
        lambda: tf.where(chosen, slope, zero),
        lambda: tf.where(chosen, zero, slope),
    )


def _convolution(operation: Any, slope: Tensor) -> Derivatives:
    pictures, kernel = operation.inputs
    attributes = {
        name: operation.get_attr(name)
        for name in (
            "strides",
            "padding",
            "explicit_paddings",
            "data_format",
            "dilations",
        )
    }
    attributes |= {
        name: attributes[name].decode() for name in ("padding", "data_format")
    }
    wide = operation.type == "Conv2D"
    back, by_kernel = (
        (tf.raw_ops.Conv2DBackpropInput, tf.raw_ops.Conv2DBackpropFilter)
        if wide
        else (
            tf.raw_ops.DepthwiseConv2dNativeBackpropInput,
            tf.raw_ops.DepthwiseConv2dNativeBackpropFilter,
        )
    )
    found = back(
        input_sizes=tf.shape(pictures),
        filter=kernel,
        out_backprop=slope,
        **attributes,
    )
    if _proofs(operation.graph).is_fixed(kernel):
        return found, None
    return found, by_kernel(
        input=pictures,
        filter_sizes=tf.shape(kernel),
        out_backprop=slope,
        **attributes,
    )


_DERIVATIVES: Final[dict[str, Callable[[Any, Tensor], Derivatives]]] = {
    "AddV2": _addition,
    "Conv2D": _convolution,
    "DepthwiseConv2dNative": _convolution,
    "Mul": _multiplication,
    "RealDiv": _division,
    "SelectV2": _selection,
    "Sub": _subtraction,
}


def _registered(derivative: Callable[[Any, Tensor], Derivatives]) -> Callable[..., Any]:
    def of_tensor(operation: Any, slope: Any) -> Derivatives:
        return derivative(
            operation, tf.convert_to_tensor(slope)
        )  # slices are rows, too

    return of_tensor


for _kind, _derivative in _DERIVATIVES.items():
    tf.RegisterGradient(f"{_PREFIX}{_kind}")(_registered(_derivative))
