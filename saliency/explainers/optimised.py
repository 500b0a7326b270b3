"""Explainers that search for the part of the image that decides."""

from dataclasses import dataclass
from typing import final

import tensorflow as tf

from saliency.errors import InputError
from saliency.explainers.queries import check_positive, settled, tensor
from saliency.kernels.baselines import (
    Reference,
    check_reference,
    gaussian_blur,
    reference,
)
from saliency.kernels.batches import Function
from saliency.kernels.deletion import deletion_mask
from saliency.kernels.extremal import extremal_mask
from saliency.kernels.occlusion import blend
from saliency.kernels.resize import bilinear, size_of
from saliency.probe.protocol import Probe, Tensor


@final
@dataclass(frozen=True)
class MeaningfulPerturbation:
    """The smallest smooth patch of blur that removes the score.

    Returns float32 (N, H, W) in [0, 1]: how far each pixel is blurred in the cheapest image. The
    price is the score that is left, as a share of what blurring everything removes, plus the
    blurred area, plus roughness. Fong and Vedaldi, arXiv 1704.03296, section 4.3.

    Parameters
    ----------
    steps
        Gradients for each image (Adam), one after the other.
    grid
        Mask cells along each side.
    sigma
        Of the blur, in pixels of the model's input.
    smooth
        Price of roughness.
    """

    steps: int = 100
    grid: int = 14
    sigma: float = 10.0
    smooth: float = 10.0

    def __post_init__(self) -> None:
        check_positive(
            "MeaningfulPerturbation", steps=self.steps, grid=self.grid, sigma=self.sigma
        )

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        probe, blurred = settled(probe, inputs), gaussian_blur(inputs, self.sigma)
        loss = tf.abs(probe.score(inputs) - probe.score(blurred))
        keep = deletion_mask(
            _in_units_of(loss, probe),
            inputs,
            blurred,
            steps=self.steps,
            grid=self.grid,
            smooth=self.smooth,
        )
        return bilinear(1.0 - keep, size_of(inputs))


@final
@dataclass(frozen=True)
class ExtremalPerturbation:
    """The part of a given area that keeps the score highest when the rest is filled.

    Returns float32 (N, H, W) in [0, 1]: the smooth mask that shows this share of the image, with
    ``fill`` elsewhere. 0 everywhere if no such part has a score above that of ``fill``. Fong,
    Patrick and Vedaldi, arXiv 1910.08485, eq. 5 to 9.

    Parameters
    ----------
    area
        Share of the image, in (0, 1).
    steps
        Gradients for each image (Adam), one after the other.
    grid
        Mask cells along each side. A cell's patch is three cells wide: no smaller part is found.
    fill
        What replaces the rest, see :func:`saliency.kernels.baselines.reference`.
    seed
        Of the fill ``"noise"``.

    Raises
    ------
    InputError
        ``area`` is not in (0, 1), another number not above 0, or the fill unknown.
    """

    area: float = 0.1
    steps: int = 100
    grid: int = 14
    fill: Reference = "blur"
    seed: int = 0

    def __post_init__(self) -> None:
        check_positive("ExtremalPerturbation", steps=self.steps, grid=self.grid)
        check_reference(self.fill)
        if not 0 < self.area < 1:
            msg = (
                f"ExtremalPerturbation: expected area between 0 and 1, got {self.area}."
            )
            raise InputError(msg)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        probe, filled = settled(probe, inputs), reference(inputs, self.fill, self.seed)
        nothing = probe.score(filled)
        loss = tf.abs(probe.score(inputs) - nothing)
        mask = extremal_mask(
            _in_units_of(loss, probe),
            inputs,
            filled,
            area=self.area,
            steps=self.steps,
            grid=self.grid,
        )
        shown = bilinear(mask, size_of(inputs))
        score = probe.score(blend(inputs, filled, shown[tf.newaxis])[0])
        return tf.where(_of_rank(score <= nothing, shown.shape.rank), 0.0, shown)


def _in_units_of(loss: Tensor, probe: Probe) -> Function:
    """Return the gradient of the score in units of ``loss`` (N,)."""
    # Where hiding all costs nothing there is no unit: a millionth of a logit stands for it.
    scale = tf.maximum(loss, 1e-6)
    return lambda pictures: (
        probe.gradient(pictures) / _of_rank(scale, pictures.shape.rank)
    )


def _of_rank(values: Tensor, rank: int) -> Tensor:
    """Reshape (N,) to (N, 1, ...) of a rank."""
    return tf.reshape(values, [-1, *[1] * (rank - 1)])
