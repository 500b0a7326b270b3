"""One batch, asked about without asking anything twice."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, final

from saliency.probe.fused_recipe import Drawing
from saliency.probe.keras_probe import BoundProbe, check_rows, checked_inputs
from saliency.probe.model.geometry import SeenWindow
from saliency.probe.model.graph import Rule, Study
from saliency.probe.protocol import Target, Tensor


@final
class About:
    """A bound probe and one batch: its class is settled there, and its score is known there.

    For target None the class of each sample is the one predicted for the batch, learnt from the
    first answer about it: no pass is made only to learn it. It is a Probe, a LastLayerProbe and a
    SettlingProbe, made for one explanation.

    Parameters
    ----------
    bound
        The probe.
    batch
        float32 tensor (N, H, W, C). A question about this very tensor is one about the batch.
    """

    def __init__(self, bound: BoundProbe, batch: Tensor) -> None:
        self.bound = bound
        self.batch = checked_inputs(batch, bound.source.core.plan)
        check_rows(self.batch.shape[0], bound.source.held)
        self._told: tuple[Tensor, ...] = ()

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the tapped layers, earliest first."""
        return self.bound.layers

    @property
    def target(self) -> Target:
        """What was asked for."""
        return self.bound.target

    @property
    def targets(self) -> Tensor:
        """int32 (k,): class of sample i is entry i modulo k."""
        if self.bound.target is not None:
            return self.bound.targets
        if not self._told:
            self._ask("score", self.batch)
        return self._told[1]

    @property
    def probability(self) -> Tensor | None:
        """float32 (N,): the model's own probability of each sample's class; None without one."""
        if not self._told:
            self._ask("score", self.batch)
        return self._told[3] if len(self._told) > 3 else None

    @property
    def class_scores(self) -> Tensor | None:
        """float32 (N, classes): the score of every class; None for a callable target."""
        if not self._told:
            self._ask("score", self.batch)
        return self._told[2] if len(self._told) > 2 else None

    def probability_of(self, inputs: Tensor) -> Tensor:
        """Return the model's own probability, float32 (N,), of the batch's classes for others.

        Only where ``probability`` is not None.
        """
        return self._fixed().answer("score", inputs)[1][3]

    def settled(self, inputs: Tensor) -> "About | BoundProbe":
        """Return this probe where ``inputs`` are its batch; else one settled on them."""
        return self if inputs is self.batch else self.bound.settled(inputs)

    def score(self, inputs: Tensor) -> Tensor:
        """Return the target's score, float32 (N,)."""
        if inputs is self.batch and self._told:
            return self._told[0]
        return self._ask("score", inputs)

    def gradient(self, inputs: Tensor) -> Tensor:
        """Return the derivative of the score, float32, shaped like ``inputs``."""
        return self._ask("gradient", inputs)

    def activations(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the output of each tapped layer, float32 (N, h, w, c)."""
        found: tuple[Tensor, ...] = self._ask("activations", inputs)
        return found

    def activation_gradients(self, inputs: Tensor) -> tuple[tuple[Tensor, Tensor], ...]:
        """Return for each tapped layer its activation and the score's derivative by it."""
        found: tuple[tuple[Tensor, Tensor], ...] = self._ask(
            "activation_gradients", inputs
        )
        return found

    def last_gradient(self, inputs: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        """Return all activations, and the score's derivative by the last of them."""
        found: tuple[tuple[Tensor, ...], Tensor] = self._ask("last_gradient", inputs)
        return found

    def window(self, size: Sequence[int]) -> SeenWindow | None:
        """Return the part of an input of ``size`` (H, W) that the layers see; None: all of it."""
        return self.bound.window(size)

    def head(self, activation: Tensor) -> Tensor:
        """Return the score, float32 (N,), that the rest of the network gives to an activation."""
        return self._fixed().head(activation)

    def randomised(self, seed: int, *, top: float = 1.0) -> BoundProbe:
        """Return a probe of the same classes on a copy whose (last) weights are shuffled."""
        return self._fixed().randomised(seed, top=top)

    def ruled(self, rule: Rule) -> "About":
        """Return this probe with derivatives that follow a rule."""
        return About(self.bound.ruled(rule), self.batch)

    def study(self, study: Study, inputs: Tensor) -> Any:
        """Return what a study (``model.graph.Study``) finds in a walk of the network."""
        if inputs is not self.batch:
            return self._fixed().study(study, inputs)
        answer, told = self.bound.watched(study).answer("study", inputs)
        self._told = self._told or told
        return answer

    def draw(self, question: str, drawing: Drawing, inputs: Tensor) -> Tensor:
        """Return what a drawing makes of the answer to a question, compiled as one."""
        return self._ask(question, inputs, drawing)

    def _fixed(self) -> BoundProbe:
        return replace(self.bound, targets=self.targets)

    def _ask(
        self, question: str, inputs: Tensor, drawing: Drawing | None = None
    ) -> Any:
        if inputs is not self.batch:
            return self._fixed().answer(question, inputs, drawing)[0]
        answer, told = self.bound.answer(question, inputs, drawing)
        self._told = self._told or told
        return answer
