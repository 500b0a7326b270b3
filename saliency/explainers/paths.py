"""Explainers that integrate gradients along a path."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import tensorflow as tf

from saliency.explainers.queries import (
    check_positive,
    copies,
    gap_from,
    settled,
    tensor,
)
from saliency.kernels.baselines import (
    Reference,
    References,
    check_reference,
    gaussian_blur,
    reference,
    several,
)
from saliency.kernels.batches import along_batch, chunks, each
from saliency.kernels.curved_paths import (
    blur_path,
    decision_gradient,
    guided_path_gradient,
    polyline_gradient,
)
from saliency.kernels.paths import complete_path_gradient, path_gradient, relative_gap
from saliency.probe.protocol import Probe, Tensor

#: Samples of a background from which their midpoints fill its path evenly enough.
_MANY = 8

#: (sqrt 5 - 1) / 2: its multiples modulo 1 never come close to each other.
_GOLDEN = 0.6180339887498949


@final
@dataclass(frozen=True)
class IntegratedGradients:
    """The score's change between a baseline and the image, shared among the pixels.

    Returns float32 (N, H, W, C), signed, in units of the score; its sum is score(image) -
    score(baseline) up to ``gap``. A pixel that equals the baseline gets 0. Sundararajan et al.,
    arXiv 1703.01365, eq. 1; with ``steps`` by the midpoint rule.

    Parameters
    ----------
    steps
        Gradients for each image. None: 31, 63, 127 or 255, until the map settles within about 5 %;
        the map is then made complete. See :func:`saliency.kernels.paths.complete_path_gradient`.
    baseline
        The image that shows nothing: a name, number or array, see
        :func:`saliency.kernels.baselines.reference`. A tuple of several: the mean of their maps,
        each at the full cost.
    seed
        Of the baseline ``"noise"``.

    Raises
    ------
    InputError
        ``steps`` is not above 0, or the baseline is unknown.
    """

    steps: int | None = None
    baseline: References = "black"
    seed: int = 0

    def __post_init__(self) -> None:
        check_positive(
            "IntegratedGradients", steps=1 if self.steps is None else self.steps
        )
        several(self.baseline)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        probe, kinds = settled(probe, inputs), several(self.baseline)
        starts = (reference(inputs, kind, self.seed) for kind in kinds)
        return sum(self._from_baseline(start, probe, inputs) for start in starts) / len(
            kinds
        )

    def _from_baseline(self, start: Tensor, probe: Probe, inputs: Tensor) -> Tensor:
        many = copies(probe, inputs)
        if self.steps is None:
            return complete_path_gradient(
                probe.gradient, probe.score, inputs, start, many
            )
        return path_gradient(probe.gradient, inputs, start, self.steps, many)

    def gap(self, probe: Probe, inputs: Tensor, attributions: Tensor) -> Tensor:
        """Return the completeness gap, float32 (N,), >= 0; 0.01 is one percent."""
        return gap_from(probe, inputs, attributions, self.baseline, self.seed)


@final
@dataclass(frozen=True)
class ExpectedGradients:
    """Integrated gradients, averaged over several baselines.

    Returns float32 (N, H, W, C), signed, in units of the score; its sum tends to score(image) -
    mean score of the background. Erion et al., arXiv 1906.10670, eq. 3.

    Parameters
    ----------
    background
        Baselines: images (H, W, C) of the model's input, such as some of the training set, or
        names, see :func:`saliency.kernels.baselines.reference`. Or an array (M, H, W, C).
    samples
        Gradients for each image. Sample i uses background i mod M.
    seed
        Of the baseline ``"noise"``.

    Raises
    ------
    InputError
        ``samples`` is not above 0, or there is no background.
    """

    background: Sequence[Reference] = ("black", "white", "mean", "blur")
    samples: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        check_positive(
            "ExpectedGradients", samples=self.samples, background=len(self.background)
        )
        for kind in self.background:
            check_reference(kind)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        probe, total = settled(probe, inputs), tf.zeros_like(inputs)
        for chunk in chunks(range(self.samples), copies(probe, inputs)):
            way = inputs - self._starts(inputs, chunk)
            places = along_batch(
                tf.constant([self._path_place(draw) for draw in chunk]), inputs
            )
            slopes = each(probe.gradient, inputs - (1 - places) * way)
            total += tf.reduce_sum(way * slopes, axis=0)
        return total / self.samples

    def gap(self, probe: Probe, inputs: Tensor, attributions: Tensor) -> Tensor:
        """Return the completeness gap, float32 (N,), >= 0."""
        inputs = tensor(inputs)
        probe, many = settled(probe, inputs), copies(probe, inputs)
        scores = [
            each(probe.score, self._starts(inputs, chunk))
            for chunk in chunks(range(self.samples), many)
        ]
        at_start = tf.reduce_mean(tf.concat(scores, 0), axis=0)
        return relative_gap(attributions, probe.score(inputs), at_start)

    def _path_place(self, draw: int) -> float:
        """Return where on its path sample ``draw`` lies, in (0, 1).

        With eight samples or more for a background: at its midpoints. With fewer the path is
        filled over all of them, by multiples of the golden ratio.
        """
        backgrounds = len(self.background)
        samples_each = -(-self.samples // backgrounds)
        if samples_each < _MANY:
            return (draw + 0.5) * _GOLDEN % 1.0
        return (draw // backgrounds + 0.5) / samples_each

    def _starts(self, inputs: Tensor, draws: Sequence[int]) -> Tensor:
        """Return baselines (k, N, H, W, C)."""
        kinds = [self.background[draw % len(self.background)] for draw in draws]
        return tf.stack([reference(inputs, kind, self.seed) for kind in kinds])


@final
@dataclass(frozen=True)
class GuidedIntegratedGradients:
    """Integrated gradients along a path of small gradients, which is less noisy.

    Returns float32 (N, H, W, C), signed, in units of the score; complete up to ``gap``.
    Kapishnikov et al., arXiv 2106.09788.

    Parameters
    ----------
    steps
        Gradients for each image, one after the other.
    baseline
        As in :class:`IntegratedGradients`.
    fraction
        Share of the values moved together, in (0, 1].
    distance
        How far a value may leave the straight path, as a share of its change; 1: any distance.
    """

    steps: int = 64
    baseline: Reference = "black"
    fraction: float = 0.25
    distance: float = 0.02

    def __post_init__(self) -> None:
        name = "GuidedIntegratedGradients"
        check_positive(name, steps=self.steps, fraction=self.fraction)
        check_reference(self.baseline)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        return guided_path_gradient(
            settled(probe, inputs).gradient,
            inputs,
            reference(inputs, self.baseline),
            self.steps,
            fraction=self.fraction,
            distance=self.distance,
        )

    def gap(self, probe: Probe, inputs: Tensor, attributions: Tensor) -> Tensor:
        """Return the completeness gap, float32 (N,), >= 0."""
        return gap_from(probe, inputs, attributions, self.baseline)


@final
@dataclass(frozen=True)
class BlurIntegratedGradients:
    """The score's change as a blurred image becomes sharp, shared among the pixels.

    Returns float32 (N, H, W, C), signed, in units of the score; sums to score(image) -
    score(blurred) up to ``gap``. No colour has to stand for "nothing". Xu et al., arXiv 2004.03383.

    Parameters
    ----------
    steps
        Gradients for each image, less one.
    sigma
        Standard deviation of the first blur in pixels of the model's input.
    """

    steps: int = 64
    sigma: float = 50.0

    def __post_init__(self) -> None:
        check_positive("BlurIntegratedGradients", steps=self.steps, sigma=self.sigma)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        probe, many = settled(probe, inputs), copies(probe, inputs)
        points = blur_path(inputs, self.sigma, self.steps)
        return polyline_gradient(probe.gradient, points, many)

    def gap(self, probe: Probe, inputs: Tensor, attributions: Tensor) -> Tensor:
        """Return the completeness gap, float32 (N,), >= 0."""
        return gap_from(
            probe, inputs, attributions, gaussian_blur(tensor(inputs), self.sigma)
        )


@final
@dataclass(frozen=True)
class IntegratedDecisionGradients:
    """Integrated gradients, weighted with the score's change along the path.

    Returns float32 (N, H, W, C), signed, in squared units of the score; not complete. Walker et
    al., arXiv 2305.20052.

    Parameters
    ----------
    steps
        Gradients for each image, besides half as many forward passes.
    baseline
        As in :class:`IntegratedGradients`.
    """

    steps: int = 32
    baseline: Reference = "black"

    def __post_init__(self) -> None:
        check_positive("IntegratedDecisionGradients", steps=self.steps)
        check_reference(self.baseline)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        probe, many = settled(probe, inputs), copies(probe, inputs)
        start = reference(inputs, self.baseline)
        return decision_gradient(
            probe.gradient, probe.score, inputs, start, self.steps, many
        )
