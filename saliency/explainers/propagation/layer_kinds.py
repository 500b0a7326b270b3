"""What kind of step an operation is, for rules that treat kinds differently."""

from collections.abc import Callable
from enum import Enum, auto, unique
from typing import Any

import keras
import tensorflow as tf

from saliency.probe.model.head import (
    GLOBAL_MEANS,
    SAME_AT_INFERENCE,
    applies_last,
)
from saliency.probe.model.keras_internals import Operation
from saliency.probe.model.pointwise import Pointwise


@unique
class LayerKind(Enum):
    """Kinds of steps."""

    LINEAR = auto()
    """A kernel and a bias, then an activation."""
    NORM = auto()
    """Batch normalisation: a factor and a shift for each channel."""
    STANDARDISE = auto()
    """Takes a mean away and divides by a spread, both of the tensor itself."""
    PREPARE = auto()
    """Scales and shifts what comes in, by constants."""
    PRODUCT = auto()
    """Multiplies tensors, or divides one by another."""
    MOVE = auto()
    """Moves, copies, cuts or pads values with zeros."""
    WINNER = auto()
    """Takes the greatest."""
    MEAN = auto()
    """Linear without a bias: means and interpolations."""
    SUM = auto()
    """Adds tensors, with signs."""
    ACTIVATION = auto()
    """One function, value by value."""
    UNKNOWN = auto()
    """Anything else."""


_L = keras.layers

LINEAR = (
    _L.Conv1D,
    _L.Conv1DTranspose,
    _L.Conv2D,
    _L.Conv2DTranspose,
    _L.Conv3D,
    _L.Conv3DTranspose,
    _L.Dense,
    _L.DepthwiseConv1D,
    _L.DepthwiseConv2D,
    _L.EinsumDense,
    _L.SeparableConv1D,
    _L.SeparableConv2D,
)

LAYERS: tuple[tuple[LayerKind, tuple[type, ...]], ...] = (
    (LayerKind.LINEAR, LINEAR),
    (LayerKind.NORM, (_L.BatchNormalization,)),
    (
        LayerKind.STANDARDISE,
        (
            _L.GroupNormalization,
            _L.LayerNormalization,
            _L.UnitNormalization,
            *(getattr(_L, name) for name in ("RMSNormalization",) if hasattr(_L, name)),
        ),
    ),
    (LayerKind.PREPARE, (_L.Rescaling, _L.Normalization)),
    (LayerKind.PRODUCT, (_L.Multiply,)),
    (
        LayerKind.MOVE,
        (
            *SAME_AT_INFERENCE,
            _L.Concatenate,
            _L.Cropping1D,
            _L.Cropping2D,
            _L.Cropping3D,
            _L.Flatten,
            _L.Permute,
            _L.RepeatVector,
            _L.Reshape,
            _L.UpSampling1D,
            _L.UpSampling3D,
            _L.ZeroPadding1D,
            _L.ZeroPadding2D,
            _L.ZeroPadding3D,
        ),
    ),
    (
        LayerKind.WINNER,
        (
            _L.GlobalMaxPooling1D,
            _L.GlobalMaxPooling2D,
            _L.GlobalMaxPooling3D,
            _L.MaxPooling1D,
            _L.MaxPooling2D,
            _L.MaxPooling3D,
            _L.Maximum,
        ),
    ),
    (
        LayerKind.MEAN,
        (
            *GLOBAL_MEANS,
            _L.AveragePooling1D,
            _L.AveragePooling2D,
            _L.AveragePooling3D,
            _L.CenterCrop,
            _L.Resizing,
            _L.UpSampling2D,
        ),
    ),
    (LayerKind.SUM, (_L.Add, _L.Average, _L.Subtract)),
    (LayerKind.ACTIVATION, (_L.Activation, _L.ELU, _L.LeakyReLU, _L.PReLU, _L.ReLU)),
)
"""Layers by kind."""

_ZERO_AT_ZERO_OPERATIONS = (
    *(
        "Abs",
        "Absolute",
        "Celu",
        "Elu",
        "Gelu",
        "HardSilu",
        "LeakyRelu",
        "Mish",
        "Relu",
        "Relu6",
    ),
    *("Selu", "Silu", "Softsign", "Sqrt", "Square", "Tanh"),
)
_OTHER_OPERATIONS = (
    *(
        "Exp",
        "HardSigmoid",
        "Log",
        "Log1p",
        "LogSigmoid",
        "Reciprocal",
        "Rsqrt",
        "Sigmoid",
    ),
    "Softplus",
)

OPERATIONS: tuple[tuple[LayerKind, tuple[str, ...]], ...] = (
    (
        LayerKind.MOVE,
        (
            *(
                "BroadcastTo",
                "Cast",
                "Concatenate",
                "ExpandDims",
                "GetItem",
                "Moveaxis",
                "Pad",
            ),
            *(
                "Ravel",
                "Repeat",
                "Reshape",
                "Squeeze",
                "Stack",
                "Swapaxes",
                "Tile",
                "Transpose",
            ),
        ),
    ),
    (LayerKind.WINNER, ("Amax", "Max", "MaxPool", "Maximum")),
    (LayerKind.MEAN, ("AveragePool", "Mean", "Sum")),
    (LayerKind.SUM, ("Add", "Subtract")),
    (LayerKind.PREPARE, ("Negative",)),
    (LayerKind.PRODUCT, ("Divide", "Multiply", "TrueDivide")),
    (LayerKind.ACTIVATION, (*_ZERO_AT_ZERO_OPERATIONS, *_OTHER_OPERATIONS)),
)
"""Operations of ``keras.ops`` by kind, by the names of their classes."""

_ZERO_AT_ZERO = (
    *("elu", "gelu", "hard_silu", "hard_swish", "leaky_relu", "linear", "mish", "relu"),
    *("relu6", "selu", "silu", "softsign", "swish", "tanh"),
)
_OTHERS = ("exponential", "hard_sigmoid", "log_sigmoid", "sigmoid", "softplus")


def _functions(names: tuple[str, ...]) -> tuple[Any, ...]:
    homes = (keras.activations, keras.ops, tf.nn)
    found = (getattr(home, name, None) for home in homes for name in names)
    return tuple(function for function in found if function is not None)


ZERO_AT_ZERO = _functions(_ZERO_AT_ZERO)
"""Activation functions that give 0 for 0: what goes out is what came in, more or less of it."""

HOMOGENEOUS = _functions(("leaky_relu", "linear", "relu"))
"""Activation functions that scale as their argument does."""

ELEMENTWISE = (*ZERO_AT_ZERO, *_functions(_OTHERS))
"""Activation functions that work value by value."""

SQUASHING = _functions(("hard_sigmoid", "sigmoid", "softmax"))
"""Activation functions that end between 0 and 1: what they give is a gate in a product."""


FLOORED = _functions(
    ("hard_sigmoid", "relu", "relu6", "sigmoid", "softmax", "softplus")
)
"""Activation functions that give nothing below 0."""

KEEPS_SIGNS = frozenset(
    (
        *GLOBAL_MEANS,
        *SAME_AT_INFERENCE,
        *(_L.Add, _L.Average, _L.AveragePooling1D, _L.AveragePooling2D),
        *(_L.AveragePooling3D, _L.Concatenate, _L.Cropping1D, _L.Cropping2D),
        *(_L.Cropping3D, _L.Flatten, _L.GlobalMaxPooling1D, _L.GlobalMaxPooling2D),
        *(_L.GlobalMaxPooling3D, _L.MaxPooling1D, _L.MaxPooling2D, _L.MaxPooling3D),
        *(_L.Maximum, _L.Multiply, _L.Permute, _L.RepeatVector, _L.Reshape),
        *(_L.UpSampling1D, _L.UpSampling3D, _L.ZeroPadding1D, _L.ZeroPadding2D),
        *(_L.ZeroPadding3D,),
    )
)
"""Layers that give nothing below 0 where nothing below 0 goes in."""


def layer_kind_of(operation: Operation) -> LayerKind:
    """Return the kind of an operation; a subclass with a call of its own is unknown."""
    if not isinstance(operation, keras.Layer):
        return _kind_by_name(type(operation).__name__)
    for kind, layers in LAYERS:
        if any(_is(operation, layer) for layer in layers):
            return _kind_if_usable(kind, operation)
    return LayerKind.UNKNOWN


def kind_at(operation: Operation, args: Any) -> LayerKind:
    """Return the kind of a call: a product with constants alone only scales."""
    kind = layer_kind_of(operation)
    if kind is not LayerKind.PRODUCT or len(tensors(args)) > 1:
        return kind
    divides = "Divide" in type(operation).__name__
    return LayerKind.PRODUCT if divides and not tensors(args[0]) else LayerKind.PREPARE


def zero_at_zero(operation: Operation) -> bool:
    """Return whether what an operation applies last gives 0 for 0."""
    if not isinstance(operation, keras.Layer):
        return type(operation).__name__ in _ZERO_AT_ZERO_OPERATIONS
    function = getattr(operation, "activation", None)
    if isinstance(function, Pointwise):
        return function.zero_at_zero
    return _among(operation, ZERO_AT_ZERO)


def squashes(operation: Operation) -> bool:
    """Return whether an operation ends in a function whose values lie between 0 and 1."""
    if isinstance(operation, _L.Softmax):
        return True
    if not isinstance(operation, keras.Layer):
        return type(operation).__name__ in ("HardSigmoid", "Sigmoid", "Softmax")
    return any(getattr(operation, "activation", None) is each for each in SQUASHING)


def at_least_zero(
    operation: Operation, args: Any, is_nonnegative: Callable[[Any], bool]
) -> bool:
    """Return whether all that a step gives is 0 or more; False where that is not known.

    ``is_nonnegative`` says so of each tensor that goes in.
    """
    if not isinstance(operation, keras.Layer):
        return type(operation).__name__ in ("Relu", "Relu6", "Sigmoid", "Softmax")
    if type(operation) in KEEPS_SIGNS:
        return all(map(is_nonnegative, keras.tree.flatten(args)))
    if _is(operation, _L.ReLU):
        return not operation.negative_slope
    function = getattr(operation, "activation", None)
    known = layer_kind_of(operation) in (LayerKind.LINEAR, LayerKind.ACTIVATION)
    last = known and applies_last(operation) and any(function is f for f in FLOORED)
    return last or _is(operation, _L.Softmax)


def elementwise(operation: Operation) -> bool:
    """Return whether the activation of a layer works value by value, and is known."""
    function = getattr(operation, "activation", None)
    return isinstance(function, Pointwise) or _among(operation, ELEMENTWISE)


def homogeneous(operation: Operation) -> bool:
    """Return whether an activation of a z is a times that of z, for a > 0: no bias is in it."""
    if isinstance(operation, _L.ReLU):
        return operation.max_value is None and not operation.threshold
    if isinstance(operation, _L.LeakyReLU | _L.PReLU):
        return True
    if not isinstance(operation, keras.Layer):
        return type(operation).__name__ in ("LeakyRelu", "Relu")
    function = getattr(operation, "activation", None)
    if isinstance(function, keras.Layer):
        return homogeneous(function)
    if isinstance(function, Pointwise):
        return function.homogeneous
    return function is None or any(function is each for each in HOMOGENEOUS)


def tensors(args: Any) -> list[Any]:
    """Return the tensors among the arguments of a call, constants left out."""
    return [each for each in keras.tree.flatten(args) if tf.is_symbolic_tensor(each)]


def linear_last(operation: Operation) -> bool:
    """Return whether a layer applies no activation function, or one that changes nothing."""
    function = getattr(operation, "activation", None)
    return function is None or function is keras.activations.linear


def _is(operation: Operation, layer: Any) -> bool:
    return isinstance(operation, layer) and type(operation).call is layer.call


def _kind_if_usable(kind: LayerKind, operation: Operation) -> LayerKind:
    """Leave out layers whose kernel is made anew, and activations that mix values."""
    made = getattr(operation, "lora_enabled", False) or getattr(
        operation, "quantization_mode", 0
    )
    if kind is LayerKind.LINEAR and made:
        return LayerKind.UNKNOWN
    if kind is LayerKind.ACTIVATION and not elementwise(operation):
        return LayerKind.UNKNOWN
    if kind is LayerKind.STANDARDISE and getattr(operation, "rms_scaling", False):
        return LayerKind.UNKNOWN
    return kind


def _among(operation: Operation, functions: tuple[Callable[..., Any], ...]) -> bool:
    """Return whether the activation is one of some functions; one that is a layer says so."""
    function = getattr(operation, "activation", None)
    if function is None or isinstance(function, keras.Layer):
        return isinstance(
            function or operation, _L.ELU | _L.LeakyReLU | _L.PReLU | _L.ReLU
        )
    return any(function is each for each in functions)


def _kind_by_name(name: str) -> LayerKind:
    return next(
        (kind for kind, names in OPERATIONS if name in names), LayerKind.UNKNOWN
    )
