"""The questions that an explainer may ask of a model."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

Tensor: TypeAlias = Any
"""A TensorFlow tensor; TensorFlow ships no types."""

Target: TypeAlias = int | str | Callable[[Tensor], Tensor] | None
"""A class index, a label, a callable output -> (N,), or None for the predicted class."""


@runtime_checkable
class Probe(Protocol):
    """A model bound to a target. An explainer sees nothing else of it.

    ``inputs`` is a float32 tensor (N, H, W, C) in the range the model was trained on; every method
    accepts any N. A kernel that expands a batch k-fold repeats the whole batch k times
    (``tf.tile``), so that sample i of the batch stays at i, i + N, i + 2N, ...
    """

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the tapped layers, earliest first: the ends of the network's scales."""

    def score(self, inputs: Tensor) -> Tensor:
        """Return the target's score, float32 (N,): a logit where the model has one."""

    def gradient(self, inputs: Tensor) -> Tensor:
        """Return the derivative of the score, float32, shaped like ``inputs``."""

    def activations(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the output of each tapped layer, float32 (N, h, w, c)."""

    def activation_gradients(self, inputs: Tensor) -> tuple[tuple[Tensor, Tensor], ...]:
        """Return for each tapped layer its activation and the score's derivative by it."""


@runtime_checkable
class LastLayerProbe(Probe, Protocol):
    """A probe that differentiates by the last tapped layer alone: all that a CAM needs."""

    def last_gradient(self, inputs: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        """Return all activations, and the score's derivative by the last of them.

        One forward pass, and a backward pass through the head only; none where the head is a
        global average pooling and a dense layer, whose derivative is known in closed form.
        """


@runtime_checkable
class DrawingProbe(Probe, Protocol):
    """A probe that compiles what a recipe makes of an answer together with the question."""

    def draw(self, question: str, drawing: Any, inputs: Tensor) -> Tensor:
        """Return what a ``saliency.probe.fused_recipe.Drawing`` makes of a question's answer."""


@runtime_checkable
class SettlingProbe(Probe, Protocol):
    """A probe whose target may depend on the inputs (target None: the predicted class)."""

    def settled(self, inputs: Tensor) -> Probe:
        """Return a probe whose target is fixed, per sample, to what it is at ``inputs``.

        An explainer that asks about other pictures than ``inputs`` (noisy, on a path, occluded)
        must explain the class predicted for ``inputs``, not a class chosen anew each time.
        """


@runtime_checkable
class WindowedProbe(Probe, Protocol):
    """A probe that knows where in its input the layers look."""

    def window(self, size: Sequence[int]) -> Any:
        """Return the part (``model.geometry.Window``) of an input (H, W) that the layers see.

        None for all of it: a map of a layer is stretched over the whole input.
        """


@runtime_checkable
class StudiedProbe(Probe, Protocol):
    """A probe whose network can be watched, call by call."""

    def study(self, study: Any, inputs: Tensor) -> Any:
        """Return what a study (``model.graph.Study``) finds at ``inputs``: tensors."""


@runtime_checkable
class RuledProbe(Probe, Protocol):
    """A probe whose derivatives can follow other rules."""

    def ruled(self, rule: Callable[..., Any]) -> Probe:
        """Return a probe whose scores are the same, whose derivatives follow ``rule``."""
