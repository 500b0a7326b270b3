"""Explainers that search for the smallest part that matters."""

from dataclasses import dataclass
from typing import final

import tensorflow as tf

from saliency.explainers.asking import check_positive, settled, tensor
from saliency.kernels.batches import Tensor
from saliency.kernels.deletion import deletion_mask
from saliency.kernels.references import gaussian_blur
from saliency.kernels.resize import bilinear, size_of
from saliency.probe.protocol import Probe


@final
@dataclass(frozen=True)
class MeaningfulPerturbation:
    """The smallest smooth blot that takes the score away.

    Returns float32 (N, H, W) in [0, 1]: how far the pixel is blurred in the picture that costs
    least: score left, as a share of what blurring everything takes, plus blurred area, plus
    roughness. Fong and Vedaldi, arXiv 1704.03296, section 4.3.

    Parameters
    ----------
    steps
        Gradients a picture (Adam), one after the other.
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
        check_positive("MeaningfulPerturbation", steps=self.steps, grid=self.grid, sigma=self.sigma)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        probe, blurred = settled(probe, inputs), gaussian_blur(inputs, self.sigma)
        loss = tf.abs(probe.score(inputs) - probe.score(blurred))
        keep = deletion_mask(
            lambda pictures: probe.gradient(pictures) / _column(loss, pictures.shape.rank),
            inputs,
            blurred,
            steps=self.steps,
            grid=self.grid,
            smooth=self.smooth,
        )
        return bilinear(1.0 - keep, size_of(inputs))


def _column(loss: Tensor, rank: int) -> Tensor:
    return tf.reshape(tf.maximum(loss, 1e-6), [-1, *[1] * (rank - 1)])
