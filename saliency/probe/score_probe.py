"""A probe that answers some of the questions, and says in words which it does not."""

from typing import Any, NoReturn, final

import keras

from saliency.errors import ExplainerError
from saliency.probe.protocol import Probe, Tensor


def is_probe(model: object) -> bool:
    """Return whether this answers questions itself: a probe, or what becomes one by ``at``."""
    questions = (getattr(model, name, None) for name in ("at", "score"))
    return not isinstance(model, keras.Model) and any(map(callable, questions))


def answering(probe: Any) -> Probe:
    """Return a probe as it is; one with fewer methods, as one that refuses the others in words."""
    return probe if isinstance(probe, Probe) else ScoreProbe(probe)


@final
class ScoreProbe:
    """A probe that has ``score`` and may have other methods: enough for occlusion and RISE.

    Parameters
    ----------
    probe
        Any object with a method ``score(inputs) -> (N,)``.
    """

    def __init__(self, probe: Any) -> None:
        self.probe = probe

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the tapped layers; () where the probe tells none."""
        return tuple(getattr(self.probe, "layers", ()))

    def score(self, inputs: Tensor) -> Tensor:
        """Return the target's score, float32 (N,)."""
        return self.probe.score(inputs)

    def gradient(self, inputs: Tensor) -> Tensor:
        """Return the derivative of the score, float32, shaped like ``inputs``."""
        return self._method("gradient")(inputs)

    def activations(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the output of each tapped layer, float32 (N, h, w, c)."""
        found: tuple[Tensor, ...] = self._method("activations")(inputs)
        return found

    def activation_gradients(self, inputs: Tensor) -> tuple[tuple[Tensor, Tensor], ...]:
        """Return for each tapped layer its activation and the score's derivative by it."""
        found: tuple[tuple[Tensor, Tensor], ...] = self._method("activation_gradients")(
            inputs
        )
        return found

    def __getattr__(self, name: str) -> Any:
        """Return what else the probe has: ``target``, ``labels``, ``chunk``."""
        return getattr(self.probe, name)

    def _method(self, name: str) -> Any:
        return getattr(self.probe, name, None) or self._refuse(name)

    def _refuse(self, name: str) -> NoReturn:
        msg = (
            f"This explainer asks the probe for {name}(inputs), and {type(self.probe).__name__} "
            "has no such method. A probe has score, gradient, activations and activation_gradients "
            "(saliency.probe.protocol.Probe). Where there is a score alone use Occlusion or RISE."
        )
        raise ExplainerError(msg)
