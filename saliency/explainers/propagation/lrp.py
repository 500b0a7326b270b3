"""Layer-wise relevance propagation: the score, handed back layer by layer to the pictures.

Derivatives are replaced by relevance: what arrives at a tensor is its share of the score, with
nothing left to multiply. Each layer takes what arrived at its output and shares it among its
inputs (``saliency.explainers.propagation.lrp_rules``); where a tensor is used twice both shares
add up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, final

import keras
import tensorflow as tf

from saliency.explainers.propagation.handed_back import handed_back
from saliency.explainers.propagation.layer_kinds import (
    LayerKind,
    at_least_zero,
    kind_at,
    linear_last,
    squashes,
    tensors,
    zero_at_zero,
)
from saliency.explainers.propagation.linear_layers import (
    Linear,
    along_axis,
    factor_and_shift,
    folded,
    linear_steps,
)
from saliency.explainers.propagation.lrp_other_layers import (
    STABILISER,
    added,
    let_by,
    multiplied,
    routed,
    standardised_relevance,
)
from saliency.explainers.propagation.lrp_rules import (
    alpha_beta_share,
    box_share,
    epsilon_share,
    flat_share,
    gamma_share,
    plus_share,
    seed,
)
from saliency.explainers.propagation.relu_rules import (
    before,
    check_known,
    straight_through,
)
from saliency.probe.model.keras_internals import Operation
from saliency.probe.protocol import Tensor

Composite: TypeAlias = Literal[
    "epsilon",
    "epsilon_plus",
    "epsilon_plus_flat",
    "epsilon_gamma",
    "epsilon_gamma_box",
    "epsilon_alpha2_beta1",
    "epsilon_alpha2_beta1_flat",
    "excitation_backprop",
    "deep_taylor",
]


@final
@dataclass(frozen=True)
class Rules:
    """Which layers have which rule, by the names of :data:`SHARES`; ``first`` "": as others."""

    convolution: str
    dense: str = "epsilon"
    first: str = ""


COMPOSITES: Mapping[str, Rules] = MappingProxyType(
    {
        "epsilon": Rules("epsilon"),
        "epsilon_plus": Rules("plus"),
        "epsilon_plus_flat": Rules("plus", first="flat"),
        "epsilon_gamma": Rules("gamma"),
        "epsilon_gamma_box": Rules("gamma", first="box"),
        "epsilon_alpha2_beta1": Rules("alpha_beta"),
        "epsilon_alpha2_beta1_flat": Rules("alpha_beta", first="flat"),
        "excitation_backprop": Rules("plus", "plus"),
        "deep_taylor": Rules("plus", "plus", "box"),
    }
)

SHARES: Mapping[str, Callable[..., Tensor]] = MappingProxyType(
    {
        "alpha_beta": alpha_beta_share,
        "box": box_share,
        "epsilon": epsilon_share,
        "flat": flat_share,
        "gamma": gamma_share,
        "plus": plus_share,
    }
)

SPLITTING = ("alpha_beta", "gamma", "plus")
"""Rules that ask for what is above 0 and for what is below apart."""

WAYS: Mapping[
    LayerKind, Callable[[Operation, tuple[Any, ...], Tensor], Tensor | None]
] = MappingProxyType(
    {LayerKind.STANDARDISE: standardised_relevance, LayerKind.SUM: added}
)
"""Ways back of steps that ask nothing of the steps before them; others are let by."""


@final
@dataclass(frozen=True)
class Relevance:
    """The share of each input value in the score.

    Answers float32 (N, H, W, C). Where the first layer has the box rule the inputs are 3 N: the
    pictures, and the ends of their ranges, which get nothing.

    Parameters
    ----------
    composite
        Which layer has which rule, see :data:`COMPOSITES`.
    epsilon
        Of the epsilon rule: what it takes away from weak evidence.
    gamma
        Of the gamma rule.
    """

    composite: Composite
    epsilon: float = STABILISER
    gamma: float = 0.25

    def begin(self) -> "_Relevance":
        """Return blank notes."""
        return _Relevance(self)


@final
class _Relevance:
    """Shares relevance at each call, and notes what the next call must know."""

    def __init__(self, study: Relevance) -> None:
        self.study = study
        self._rules = COMPOSITES[study.composite]
        self.unknown: list[tuple[str, Operation, Any]] = []
        self._linear: dict[int, tuple[Tensor, Tensor, Linear]] = {}
        self._deep: dict[int, Tensor] = {}
        self._gates: dict[int, Tensor] = {}
        self._nonnegative: dict[int, Tensor] = {}

    def __call__(
        self,
        name: str,
        operation: Operation,
        args: tuple[Any, ...],
        call: Callable[..., Any],
    ) -> Any:
        kind = kind_at(operation, args)
        if kind is LayerKind.LINEAR:
            found = self._deeper(self._through_linear(name, operation, args, call))
        else:
            found = self._through_other(name, operation, args, call)
        if at_least_zero(operation, args, self._is_nonnegative):
            self._nonnegative |= {id(each): each for each in tensors(found)}
        gate = kind in (LayerKind.MOVE, LayerKind.PREPARE) and all(
            map(self._is_gate, tensors(args))
        )
        if gate or squashes(operation):
            self._gates |= {id(each): each for each in tensors(found)}
        return found

    def finish(self, forward: Any) -> Tensor:
        """Return the relevance of the pictures.

        Raises
        ------
        ModelError
            Relevance reaches a layer that no rule is known for.
        """
        ends = keras.tree.flatten(forward.explained())
        slopes = tf.gradients(forward.score(), ends, unconnected_gradients="zero")
        check_known("LRP", self.unknown, ends, forward.inputs)
        starts = [end * slope for end, slope in zip(ends, slopes, strict=True)]
        inputs = forward.inputs
        return tf.gradients(ends, [inputs], starts, unconnected_gradients="zero")[0]

    def _through_other(
        self,
        name: str,
        operation: Operation,
        args: tuple[Any, ...],
        call: Callable[..., Any],
    ) -> Any:
        """Share relevance of what has no kernel, and note what no way back is known for."""
        output = call(*args)
        if any(id(each) in self._deep for each in tensors(args)):
            self._deeper(output)
        shared = self._shared(kind_at(operation, args), operation, args, call, output)
        if shared is None:
            self.unknown.append((name, operation, output))
            return output
        return self._deeper(shared) if self._is_deep(output) else shared

    def _shared(
        self,
        kind: LayerKind,
        operation: Operation,
        args: tuple[Any, ...],
        call: Callable[..., Any],
        output: Any,
    ) -> Any:
        """Return the output with the way back that suits its kind; None where none is known."""
        if kind in (LayerKind.MOVE, LayerKind.WINNER):
            return output
        if kind is LayerKind.NORM:
            return self._through_norm(operation, args[0], output)
        if kind is LayerKind.MEAN:
            return routed(output, call(seed(args[0], args[0])), output)
        if kind is LayerKind.PRODUCT:
            return multiplied(operation, args, output, self._is_gate)
        return WAYS.get(kind, let_by)(operation, args, output)

    def _through_linear(
        self,
        name: str,
        operation: Operation,
        args: tuple[Any, ...],
        call: Callable[..., Any],
    ) -> Tensor:
        """Share a linear layer's relevance, and then let its activation pass."""
        plain = linear_last(operation)
        linear = call(*args) if plain else before(operation, args, call)
        x = tf.cast(args[0], tf.float32)
        if self._is_nonnegative(args[0]):
            self._nonnegative[id(x)] = x
        steps = linear_steps(operation, len(linear.shape))
        for step in steps[:-1]:
            x = self._step(step, x, args[0], step(x))
            if self._rules.first == "box":  # its ends are those of the step before
                self._deeper(x)
        routed = self._step(steps[-1], x, args[0], linear)
        if plain:
            self._linear[id(routed)] = (routed, x, steps[-1])
            return routed
        output = operation.activation(routed)
        if zero_at_zero(operation):
            return straight_through(output, routed)
        self.unknown.append((name, operation, output))
        return output

    def _through_norm(self, norm: Operation, x: Tensor, output: Tensor) -> Tensor:
        """Share a normalisation's relevance: as one with the linear layer before, else alone."""
        rank = len(output.shape)
        if id(x) in self._linear:
            _, source, step = self._linear[id(x)]
            whole = folded(step, norm, rank)
            if whole is not None:
                return self._step(whole, source, source, output)
        factor = along_axis(factor_and_shift(norm)[0], rank, norm.axis % rank)
        return routed(output, tf.cast(factor, x.dtype) * seed(x, x), output)

    def _step(self, step: Linear, x: Tensor, given: Tensor, output: Tensor) -> Tensor:
        first = not self._is_deep(given) and not self._is_deep(x)
        rule = self._rule(step, first=first, nonnegative=self._is_nonnegative(x))

        def share(x: Tensor) -> Tensor:
            return tf.cast(rule(step.apply, x, step.kernel, step.bias), output.dtype)

        return handed_back(output, x, share)

    def _rule(
        self, step: Linear, *, first: bool, nonnegative: bool
    ) -> Callable[..., Tensor]:
        rules = self._rules
        name = (first and rules.first) or (
            rules.dense if step.dense else rules.convolution
        )
        numbers: dict[str, Any] = {
            "epsilon": self.study.epsilon if name == "epsilon" else STABILISER
        }
        if name == "gamma":
            numbers["gamma"] = self.study.gamma
        if name in SPLITTING:
            numbers["nonnegative"] = nonnegative
        return partial(SHARES[name], **numbers)

    def _deeper(self, output: Any) -> Any:
        """Note that an output lies behind a linear layer."""
        self._deep |= {id(each): each for each in tensors(output)}
        return output

    def _is_deep(self, tensor: Any) -> bool:
        return any(id(each) in self._deep for each in tensors(tensor))

    def _is_nonnegative(self, tensor: Tensor) -> bool:
        return id(tensor) in self._nonnegative

    def _is_gate(self, tensor: Tensor) -> bool:
        return id(tensor) in self._gates
