"""A probe made of functions: for tests, and for authors of explainers. No Keras."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, final

import tensorflow as tf

from saliency.errors import ModelError
from saliency.probe.protocol import Tensor

Function: TypeAlias = Callable[[Tensor], Tensor]


@final
@dataclass(frozen=True)
class ClosedFormProbe:
    """A function of images whose gradient is known on paper.

    The score is ``function(inputs)``; with stages, ``function(stage_k(... stage_1(inputs)))``,
    and the output of each stage is a tapped activation. It is a Probe, a LastLayerProbe and a
    SettlingProbe.

    Parameters
    ----------
    function
        Inputs, or the last stage's output -> score (N,).
    derivative
        Inputs -> derivative of the score, shaped like them; None: by automatic differentiation.
    stages
        Functions (N, h, w, c) -> (N, h', w', c'), earliest first.

    Examples
    --------
    >>> probe = ClosedFormProbe(lambda x: tf.reduce_sum(x**2, (1, 2, 3)), lambda x: 2 * x)
    >>> float(probe.score(tf.ones((1, 2, 3, 1)))[0])
    6.0
    """

    function: Function
    derivative: Function | None = None
    stages: tuple[Function, ...] = ()

    @property
    def layers(self) -> tuple[str, ...]:
        """``("stage1", "stage2", ...)``."""
        return tuple(f"stage{index + 1}" for index in range(len(self.stages)))

    def score(self, inputs: Tensor) -> Tensor:
        """Return the score, float32 (N,)."""
        return self.function(self._staged(inputs)[-1])

    def gradient(self, inputs: Tensor) -> Tensor:
        """Return the derivative of the score, shaped like ``inputs``."""
        inputs = _float(inputs)
        if self.derivative is not None:
            return self.derivative(inputs)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            score = self.score(inputs)
        return tape.gradient(score, inputs, unconnected_gradients="zero")

    def activations(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the output of each stage.

        Raises
        ------
        ModelError
            There are no stages.
        """
        if not self.stages:
            msg = "ClosedFormProbe: expected stages to look at, got none: ClosedFormProbe(stages=)."
            raise ModelError(msg)
        return self._staged(inputs)[1:]

    def activation_gradients(self, inputs: Tensor) -> tuple[tuple[Tensor, Tensor], ...]:
        """Return for each stage its output and the score's derivative by it."""
        tensors = self.activations(inputs)
        found = (self._derivative(index, each) for index, each in enumerate(tensors))
        return tuple(zip(tensors, found, strict=True))

    def last_gradient(self, inputs: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        """Return all outputs of stages, and the score's derivative by the last of them."""
        tensors = self.activations(inputs)
        return tensors, self._derivative(len(tensors) - 1, tensors[-1])

    def head(self, activation: Tensor) -> Tensor:
        """Return the score, float32 (N,), of an output of the last stage."""
        return self.function(_float(activation))

    def settled(self, inputs: Tensor) -> "ClosedFormProbe":
        """Return itself: a function has no classes."""
        del inputs
        return self

    def _staged(self, inputs: Tensor) -> tuple[Tensor, ...]:
        return self._onwards(_float(inputs), self.stages)

    def _onwards(
        self, tensor: Tensor, stages: tuple[Function, ...]
    ) -> tuple[Tensor, ...]:
        tensors = [tensor]
        for stage in stages:
            tensors.append(stage(tensors[-1]))
        return tuple(tensors)

    def _derivative(self, index: int, activation: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            tape.watch(activation)
            score = self.function(
                self._onwards(activation, self.stages[index + 1 :])[-1]
            )
        return tape.gradient(score, activation, unconnected_gradients="zero")


def _float(inputs: Tensor) -> Tensor:
    return tf.cast(inputs, tf.float32)
