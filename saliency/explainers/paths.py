"""Explainers that integrate gradients along a path."""

from dataclasses import dataclass
from typing import final

from saliency.explainers.asking import check_positive, copies, settled, tensor
from saliency.kernels.paths import complete_path_gradient, path_gradient, relative_gap
from saliency.kernels.references import Reference, check_reference, reference
from saliency.probe.protocol import Probe, Tensor


@final
@dataclass(frozen=True)
class IntegratedGradients:
    """The score's change between a baseline and the picture, shared out among the pixels.

    Returns float32 (N, H, W, C), signed, in units of the score; its sum is score(picture) -
    score(baseline) up to ``gap``. A pixel that equals the baseline gets 0. Sundararajan et al.,
    arXiv 1703.01365, eq. 1, by the midpoint rule.

    Parameters
    ----------
    steps
        Gradients a picture. None: 32, and 96 or 288 for pictures whose gap is above 1 %.
    baseline
        What shows nothing: a name, number or array, see
        :func:`saliency.kernels.references.reference`.
    seed
        Of the baseline ``"noise"``.

    Raises
    ------
    InputError
        ``steps`` is not above 0, or the baseline is unknown.
    """

    steps: int | None = None
    baseline: Reference = "black"
    seed: int = 0

    def __post_init__(self) -> None:
        check_positive("IntegratedGradients", steps=1 if self.steps is None else self.steps)
        check_reference(self.baseline)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        probe, many = settled(probe, inputs), copies(probe, inputs)
        start = reference(inputs, self.baseline, self.seed)
        if self.steps is None:
            return complete_path_gradient(probe.gradient, probe.score, inputs, start, many)
        return path_gradient(probe.gradient, inputs, start, self.steps, many)

    def gap(self, probe: Probe, inputs: Tensor, attributions: Tensor) -> Tensor:
        """Return the completeness gap, float32 (N,), >= 0; 0.01 is one percent."""
        inputs = tensor(inputs)
        probe = settled(probe, inputs)
        start = reference(inputs, self.baseline, self.seed)
        return relative_gap(attributions, probe.score(inputs), probe.score(start))
