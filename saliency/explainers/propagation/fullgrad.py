"""FullGrad: what the score owes to the picture, and what to each bias."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import keras
import tensorflow as tf

from saliency.explainers.propagation.layer_kinds import (
    LayerKind,
    homogeneous,
    kind_at,
    linear_last,
    tensors,
)
from saliency.explainers.propagation.linear_layers import (
    along_axis,
    factor_and_shift,
    linear_bias,
)
from saliency.explainers.propagation.relu_rules import before, called, check_known
from saliency.probe.model.keras_internals import Operation, is_sealed
from saliency.probe.protocol import Tensor


@final
@dataclass(frozen=True)
class BiasGradients:
    """The derivative by the pictures, and bias times derivative at every place of every bias.

    Answers three: float32 (N, H, W, C); a tuple of float32 (N, h, w, c) or (N, c), in the order of
    the network, channels last; and the names of their layers, a string tensor. Derivative times
    picture and all of the others sum to the score, where it is linear in the logits. What other
    inputs, which are held, add to the way of the picture is a bias too; it has no place on the
    picture: (N, 1). Nor has what a layer adds whose inside is not known.
    """

    def begin(self) -> "_BiasGradients":
        """Return blank notes."""
        return _BiasGradients()


@final
class _BiasGradients:
    """Notes where each bias enters, and the bias."""

    def __init__(self) -> None:
        self.unknown: list[tuple[str, Operation, Any]] = []
        self.entered: list[tuple[Tensor, Tensor]] = []
        self.placeless: list[tuple[Tensor, Tensor]] = []
        self.names: list[str] = []

    def __call__(
        self,
        name: str,
        operation: Operation,
        args: tuple[Any, ...],
        call: Callable[..., Any],
    ) -> Any:
        output = self._step(name, operation, args, call)
        self.names += [name] * (len(self.entered) - len(self.names))
        return output

    def _step(
        self,
        name: str,
        operation: Operation,
        args: tuple[Any, ...],
        call: Callable[..., Any],
    ) -> Any:
        kind = kind_at(operation, args)
        if kind is LayerKind.LINEAR:
            return self._linear(operation, args, call)
        if kind in (LayerKind.PRODUCT, LayerKind.STANDARDISE):
            return self._curved(name, operation, args, call, self.entered)
        if is_sealed(operation):
            output = call(*args)
            self.unknown.append((name, operation, output))
            return output
        if kind is LayerKind.UNKNOWN:
            return self._curved(name, operation, args, call, self.placeless)
        output = tf.nest.map_structure(tf.identity, call(*args))
        if kind is LayerKind.ACTIVATION:
            self._activated(operation, args[0], output)
        elif kind is LayerKind.NORM:
            rank = len(output.shape)
            _, shift = factor_and_shift(operation)
            self.entered.append(
                (output, along_axis(shift, rank, operation.axis % rank))
            )
        elif kind in (LayerKind.PREPARE, LayerKind.SUM) and len(tensors(args)) == 1:
            self.entered.append(
                (output, call(*keras.tree.map_structure(_zeros_if_symbolic, args)))
            )
        return output

    def finish(self, forward: Any) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
        """Return the derivative, bias times derivative, and the names of the layers.

        Raises
        ------
        ModelError
            The score comes through a layer whose biases are not known.
        """
        score = forward.score()
        ends, inputs = keras.tree.flatten(forward.explained()), forward.inputs
        check_known("FullGrad", self.unknown, ends, inputs)
        joined = _constants_met(forward) if forward.held else []
        entered, placeless = (
            {
                place: pair
                for place, pair in enumerate(pairs)
                if not joined or _depends(pair[0], inputs)
            }
            for pairs in (self.entered, self.placeless)
        )
        rest = [*placeless.values(), *((each, each) for each in joined)]
        slope = tf.gradients(score, [inputs], unconnected_gradients="zero")[0]
        found = dict(
            zip(
                entered, _bias_times_derivative(score, [*entered.values()]), strict=True
            )
        )
        named = [
            (self.names[place], part)
            for place, part in found.items()
            if part is not None
        ]
        parts = [_as_channels_last(forward, part) for _, part in named]
        others = [
            _total(part)
            for part in _bias_times_derivative(score, rest)
            if part is not None
        ]
        names = tf.constant(
            [*(name for name, _ in named), *[""] * len(others)], tf.string
        )
        return slope, (*parts, *others), names

    def _linear(
        self, operation: Operation, args: tuple[Any, ...], call: Callable[..., Any]
    ) -> Tensor:
        plain = linear_last(operation)
        linear = tf.identity(call(*args) if plain else before(operation, args, call))
        if operation.bias is not None:
            self.entered.append((linear, linear_bias(operation, len(linear.shape))))
        if plain:
            return linear
        output = tf.identity(operation.activation(linear))
        self._activated(operation, linear, output)
        return output

    def _curved(
        self,
        name: str,
        operation: Operation,
        args: tuple[Any, ...],
        call: Callable[..., Any],
        entered: list[tuple[Tensor, Tensor]],
    ) -> Any:
        """Note the bias that any differentiable step has at its inputs x: output - J x."""
        args, named = keras.tree.map_structure(
            _apart, (args, getattr(call, "keywords", {}))
        )
        output = tf.nest.map_structure(
            tf.identity, called(operation, call)(*args, **named)
        )
        given = _floating_tensors((args, named))
        try:
            biases = [
                each - _tangent(each, given) for each in _floating_tensors(output)
            ]
        except LookupError:  # TensorFlow has no derivative of a derivative
            self.unknown.append((name, operation, output))
            return output
        entered += zip(
            _floating_tensors(output), map(tf.stop_gradient, biases), strict=True
        )
        return output

    def _activated(self, operation: Operation, z: Tensor, output: Tensor) -> None:
        """Note the bias that a curved activation has at z: output - slope z."""
        if not homogeneous(operation):
            part = _tangent(output, [z])
            self.entered.append((output, tf.stop_gradient(output - part)))


def _apart(value: Any) -> Any:
    """Return a tensor of its own: what one argument owes to another does not count."""
    return tf.identity(value) if tf.is_symbolic_tensor(value) else value


def _tangent(output: Tensor, given: list[Tensor]) -> Tensor:
    """Return J x: the derivative of an output by all x, times x, by differentiating twice."""
    seed = tf.ones_like(output)
    back = tf.gradients(output, given, seed, unconnected_gradients="zero")
    return tf.gradients(back, seed, given, unconnected_gradients="zero")[0]


def _floating_tensors(values: Any) -> list[Tensor]:
    return [each for each in tensors(values) if each.dtype.is_floating]


def _zeros_if_symbolic(value: Any) -> Any:
    return tf.zeros_like(value) if tf.is_symbolic_tensor(value) else value


def _bias_times_derivative(
    score: Tensor, entered: list[tuple[Tensor, Tensor]]
) -> list[Tensor | None]:
    """Return bias times derivative for each place, None where the score depends on none."""
    places = [place for place, _ in entered]
    slopes = tf.gradients(score, places) if places else ()
    found = ((bias, slope) for (_, bias), slope in zip(entered, slopes, strict=True))
    return [
        None if slope is None else tf.cast(bias, slope.dtype) * slope
        for bias, slope in found
    ]


def _constants_met(forward: Any) -> list[Tensor]:
    """Return what does not come from the picture, where it meets what does."""
    inputs = forward.inputs
    met = [call for call in forward.walk.calls if _depends(call.output, inputs)]
    given = {
        id(each): each for call in met for each in call.inputs if each.dtype.is_floating
    }
    return [each for each in given.values() if not _depends(each, inputs)]


def _depends(tensor: Any, inputs: Tensor) -> bool:
    flat = _floating_tensors(tensor)
    return bool(flat) and tf.gradients(flat, [inputs]) != [None]


def _total(part: Tensor) -> Tensor:
    part = tf.cast(part, tf.float32)
    return tf.reduce_sum(
        tf.reshape(part, (tf.shape(part)[0], -1)), axis=1, keepdims=True
    )


def _as_channels_last(forward: Any, part: Tensor) -> Tensor:
    """Return a part as float32, channels last."""
    picture = len(part.shape) == forward.rank
    return forward.shown((part,))[0] if picture else tf.cast(part, tf.float32)
