"""What regions of an image contribute: each missing alone, or joining in random orders."""

from dataclasses import dataclass
from typing import Any, final

import tensorflow as tf

from saliency.explainers.queries import (
    check_positive,
    gap_from,
    score_copies,
    settled,
    tensor,
)
from saliency.explainers.superpixels import check_regions, parts
from saliency.kernels import superpixels
from saliency.kernels.baselines import Reference, check_reference, reference
from saliency.probe.protocol import Probe, Tensor


@final
@dataclass(frozen=True)
class FeatureAblation:
    """The drop of the score when a region is filled.

    Returns float32 (N, H, W), signed, in units of the score: each pixel has the drop of its region.
    Occlusion (Zeiler and Fergus, arXiv 1311.2901, section 4.2) with regions for windows.

    Parameters
    ----------
    grid
        Superpixels along each side; not used where ``regions`` are given.
    fill
        What replaces the missing region, see :func:`saliency.kernels.baselines.reference`.
    regions
        int (H, W), the number of each pixel's region, the same for all pictures: lobes, a
        segmentation, zones. None: superpixels of each image.
    seed
        Of the fill ``"noise"``.

    Raises
    ------
    InputError
        A number is not above 0, the fill is unknown, or regions are not whole numbers. On the call:
        their size is not the image's.
    """

    grid: int = 7
    fill: Reference = "mean"
    regions: Any = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_positive("FeatureAblation", grid=self.grid)
        check_reference(self.fill)
        check_regions("FeatureAblation", self.regions)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        probe, many = settled(probe, inputs), score_copies(probe, inputs)
        labels, count = parts("FeatureAblation", inputs, self.grid, self.regions)
        filled = reference(inputs, self.fill, self.seed)
        # Row i shows all regions but i.
        all_but_one = 1.0 - tf.eye(count)
        scores = superpixels.scores_of(
            probe.score, (inputs, filled), labels, all_but_one, many
        )
        falls = tf.transpose(probe.score(inputs) - scores)
        return tf.gather(falls, labels, batch_dims=1)


@final
@dataclass(frozen=True)
class ShapleySampling:
    """Shapley values of superpixels: what each adds when it joins, averaged over random orders.

    Returns float32 (N, H, W), signed, in units of the score: a superpixel's value, divided
    evenly among its pixels. Sums to score(image) - score(filled), for any orders. Castro et al.,
    Computers & Operations Research 36 (2009) 1726, algorithm 1; Strumbelj and Kononenko, JMLR 11
    (2010) 1.

    Parameters
    ----------
    permutations
        Orders in which S superpixels join; each asks the model about S - 1 images.
    grid, fill, seed, regions
        As in :class:`KernelSHAP`.
    """

    permutations: int = 10
    grid: int = 7
    fill: Reference = "mean"
    seed: int = 0
    regions: Any = None

    def __post_init__(self) -> None:
        check_positive(
            "ShapleySampling", permutations=self.permutations, grid=self.grid - 1
        )
        check_reference(self.fill)
        check_regions("ShapleySampling", self.regions, least=2)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        probe, many = settled(probe, inputs), score_copies(probe, inputs)
        labels, count = parts("ShapleySampling", inputs, self.grid, self.regions)
        ranks = superpixels.ranks(self.permutations, count, [self.seed, 0])
        filled = reference(inputs, self.fill, self.seed)
        between = tf.reshape(superpixels.joining(ranks), [-1, count])
        scores = superpixels.scores_of(
            probe.score, (inputs, filled), labels, between, many
        )
        scores = tf.reshape(scores, [self.permutations, count - 1, -1])
        values = superpixels.mean_gains(
            probe.score(filled), scores, probe.score(inputs), ranks
        )
        return superpixels.shared(values, labels)

    def gap(self, probe: Probe, inputs: Tensor, attributions: Tensor) -> Tensor:
        """Return the completeness gap, float32 (N,), >= 0: empty superpixels and rounding."""
        return gap_from(probe, inputs, attributions, self.fill, self.seed)
