"""The end of a classifier: where its logits are, and when their derivative is a closed form."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from types import FunctionType
from typing import Any, Literal, TypeAlias, final

import keras
import numpy as np
import tensorflow as tf

from saliency.probe.model.graph import Call, Rule
from saliency.probe.model.keras_internals import (
    KERAS_CODE,
    Operation,
    inference,
    shadow,
)
from saliency.probe.model.shapes import Outline, Shape, Step
from saliency.probe.protocol import Tensor
from saliency.values.arrays import Array

Squash: TypeAlias = Literal["softmax", "sigmoid"]

_AUGMENTATION = (
    *(
        "AugMix",
        "CutMix",
        "MixUp",
        "RandAugment",
        "RandomBrightness",
        "RandomColorDegeneration",
    ),
    *("RandomColorJitter", "RandomContrast", "RandomElasticTransform", "RandomErasing"),
    *(
        "RandomFlip",
        "RandomGaussianBlur",
        "RandomGrayscale",
        "RandomHue",
        "RandomInvert",
    ),
    *("RandomPerspective", "RandomPosterization", "RandomRotation", "RandomSaturation"),
    *("RandomSharpness", "RandomShear", "RandomTranslation", "RandomZoom"),
)
"""Names of layers for training, not all of which older Keras has."""

SAME_AT_INFERENCE = (
    *(
        getattr(keras.layers, name)
        for name in _AUGMENTATION
        if hasattr(keras.layers, name)
    ),
    keras.layers.ActivityRegularization,
    keras.layers.AlphaDropout,
    keras.layers.Dropout,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.Identity,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
)
"""Layers that hand their input on when training=False."""

FUSED = (
    keras.layers.Conv1D,
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
    keras.layers.Dense,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
    keras.layers.EinsumDense,
    keras.layers.SeparableConv1D,
    keras.layers.SeparableConv2D,
)
"""Layers that apply their ``activation`` last. Conv3D has the ``call`` of Conv2D."""

GLOBAL_MEANS = (
    keras.layers.GlobalAveragePooling1D,
    keras.layers.GlobalAveragePooling2D,
    keras.layers.GlobalAveragePooling3D,
)

KINDS: tuple[tuple[Squash, tuple[Any, ...]], ...] = (
    (
        "softmax",
        (
            keras.activations.softmax,
            keras.activations.log_softmax,
            keras.ops.softmax,
            keras.ops.log_softmax,
            tf.nn.softmax,
            tf.nn.log_softmax,
        ),
    ),
    ("sigmoid", (keras.activations.sigmoid, keras.ops.sigmoid, tf.nn.sigmoid)),
)
"""Squashing functions by what they undo: the logit is what they are applied to."""

OPERATIONS: tuple[tuple[Squash, tuple[str, ...]], ...] = (
    ("softmax", ("Softmax", "LogSoftmax")),
    ("sigmoid", ("Sigmoid",)),
)


@final
@dataclass(frozen=True, eq=False)
class Head:
    """What the model's output is made of.

    Parameters
    ----------
    shape
        Shape of the output; () where it is not a single tensor.
    kind
        The squashing function at the end, None where there is none that we know.
    step
        The call that squashes, None where there is none.
    choices
        Names of the model's outputs where it has several and none was chosen.
    columns, signs
        For each unit of the output, the unit of the squashing step that it repeats, and 1, or -1
        where it is its complement 1 - p; () where they are the same.
    rest
        For each unit the other units of its softmax, where the output leaves some of them out or
        has several softmaxes: the logit is log p - log(1 - p), as of a sigmoid. Else ().
    """

    shape: Shape
    kind: Squash | None = None
    step: int | None = None
    choices: tuple[str, ...] = ()
    columns: tuple[int, ...] = ()
    signs: tuple[int, ...] = ()
    rest: tuple[tuple[int, ...], ...] = ()

    @property
    def units(self) -> int | None:
        """Number of outputs of a (N,), (N, units) or (N, 1, 1, units) model; None of any other."""
        if len(self.shape) == 1:
            return 1
        single = self.shape and all(axis == 1 for axis in self.shape[1:-1])
        return self.shape[-1] if single else None

    @property
    def classes(self) -> int | None:
        """Number of classes to ask for: a single sigmoid unit tells two apart."""
        return 2 if (self.units, self.kind) == (1, "sigmoid") else self.units

    def logits(self, calls: Sequence[Call], rule: Rule | None = None) -> Tensor:
        """Return what the squashing function was applied to in this walk, made by the rule."""
        call = calls[self.step or 0]
        if not _fused(call.operation):
            return self._arranged(call.args[0])
        linear = shadow(call.operation, activation=keras.activations.linear)
        if rule is None:
            return self._arranged(linear(*call.args))
        return self._arranged(rule(call.name, linear, call.args, partial(linear)))

    def _arranged(self, logits: Tensor) -> Tensor:
        """Return logits in the order of the output's units."""
        if not self.columns:
            return logits
        flat = tf.reshape(logits, (tf.shape(logits)[0], -1))
        units = tf.gather(flat, self.columns, axis=1) * tf.constant(
            self.signs, flat.dtype
        )
        if self.rest:
            # log p / (1 - p) = z - log(sum of exp of all other logits)
            others = tf.gather(flat, self.rest, axis=1)
            units -= tf.reduce_logsumexp(others, axis=2)
        return tf.reshape(units, (-1, *self.shape[1:]))


def head_of(outline: Outline) -> Head:
    """Find the squashing function that gives the model's output, at any nesting depth."""
    if outline.last is None:
        return Head(outline.shape)
    step = skip_back(outline.steps, outline.last, SAME_AT_INFERENCE)
    kind = None if step is None else squash_at(step)
    return Head(outline.shape, kind, step.index if step and kind else None)


def pooled_dense(outline: Outline, head: Head, tap: int) -> int | None:
    """Return the Dense step of a global-mean head right after ``tap``; None for other heads.

    There the derivative of logit c by the tapped activation is kernel[:, c] / (h w) at each pixel.
    """
    step = _linear_dense(outline, head)
    if step is None:
        return None
    mean = skip_back(
        outline.steps, step.parents[0], (*SAME_AT_INFERENCE, keras.layers.Flatten)
    )
    if mean is None or not isinstance(mean.operation, GLOBAL_MEANS):
        return None
    source = skip_back(outline.steps, mean.parents[0], SAME_AT_INFERENCE)
    tapped = skip_back(outline.steps, tap, SAME_AT_INFERENCE)
    return step.index if source is not None and source is tapped else None


def skip_back(steps: Sequence[Step], index: int, over: tuple[type, ...]) -> Step | None:
    """Return the step at ``index``, or the first before it that is none of ``over``."""
    while index >= 0:
        step = steps[index]
        if not (
            isinstance(step.operation, over) or _is_linear_activation(step.operation)
        ):
            return step
        index = step.parents[0]
    return None


def _linear_dense(outline: Outline, head: Head) -> Step | None:
    """Return the Dense layer whose kernel makes the scores: the logits, or a linear output."""
    start = outline.last if head.step is None else head.step
    if start is None:
        return None
    if head.step is not None and not _fused(outline.steps[start].operation):
        start = outline.steps[start].parents[0]
    step = skip_back(outline.steps, start, SAME_AT_INFERENCE)
    return (
        step if step and _plain_dense(step, squashed=step.index == head.step) else None
    )


def applies_last(operation: Operation) -> bool:
    """Return whether an operation is a layer whose ``activation`` makes its output."""
    return _fused(operation) or isinstance(operation, keras.layers.Activation)


def _plain_dense(step: Step, *, squashed: bool) -> bool:
    """Return whether a step is inputs @ kernel + bias, for features (N, C)."""
    layer = step.operation
    if type(layer) is not keras.layers.Dense or len(step.inputs[0]) != 2:
        return False
    linear = squashed or layer.activation is keras.activations.linear
    return linear and layer.quantization_mode is None


def _fused(operation: Operation) -> bool:
    """Return whether an operation is a layer that applies its ``activation`` last."""
    return any(type(operation).call is each.call for each in FUSED)


def _is_linear_activation(operation: Operation) -> bool:
    activation = isinstance(operation, keras.layers.Activation)
    return activation and operation.activation is keras.activations.linear


def squash_at(step: Step) -> Squash | None:
    """Return the squashing function of one tensor that a step is; one with a mask is none."""
    return squash_of(step.operation) if len(step.inputs) == 1 else None


def squash_of(operation: Operation) -> Squash | None:
    """Return the squashing function that makes an operation's output, None for any other."""
    if isinstance(operation, keras.layers.Softmax):
        return "softmax"
    if isinstance(operation, keras.layers.Lambda):
        return _kind_of_function(operation.function)
    if applies_last(operation):
        return _kind_of_activation(operation.activation)
    if isinstance(operation, keras.Layer):
        return None
    names = {name: kind for kind, group in OPERATIONS for name in group}
    return names.get(type(operation).__name__)


def _kind_of_function(activation: Any) -> Squash | None:
    if isinstance(activation, keras.layers.Softmax):
        return "softmax"
    for kind, functions in KINDS:
        if any(activation is function for function in functions):
            return kind
    return None


def _kind_of_activation(activation: Any) -> Squash | None:
    """Return the kind of a layer's activation; one of somebody's own is seen by what it does."""
    module = str(getattr(activation, "__module__", ""))
    known = isinstance(activation, FunctionType) and module.startswith(KERAS_CODE)
    kind = _kind_of_function(activation)
    return kind if kind or known or activation is None else _kind_seen(activation)


def _kind_seen(activation: Any) -> Squash | None:
    """Return what a function of somebody's own does to numbers, however it is spelled."""
    numbers = np.linspace(-3, 4, 20, dtype=np.float32).reshape(4, 5)[:, ::-1]
    try:
        with tf.init_scope():
            found = np.asarray(inference(lambda: activation(tf.constant(numbers))))
    except Exception:  # noqa: BLE001 - foreign code may fail in any way
        return None
    for kind, functions in KINDS:
        values = (np.asarray(function(numbers)) for function in functions[:2])
        if any(_same(found, each) for each in values):
            return kind
    return None


def _same(one: Array, other: Array) -> bool:
    return one.shape == other.shape and np.allclose(one, other, 1e-5, 1e-6)
