"""Attributions of whole regions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import tensorflow as tf

from saliency.explainers.paths import IntegratedGradients
from saliency.explainers.protocol import Explainer
from saliency.explainers.queries import check_positive, settled, tensor
from saliency.kernels.regions import grow, region_masks
from saliency.kernels.resize import size_of
from saliency.probe.protocol import Probe, Tensor


@final
@dataclass(frozen=True)
class XRAI:
    """Regions, ranked by the density of their attribution.

    Returns float32 (N, H, W), signed: for each pixel the mean attribution of the part that joined
    the growing region with it; the sum is that of the inner maps. Kapishnikov et al., arXiv
    1906.02825, algorithm 1, with superpixels of several sizes for segments.

    Parameters
    ----------
    inner
        Explainers whose maps are averaged. The paper's: integrated gradients from black and from
        white.
    grids
        Segments along each side, one number for each size.
    """

    inner: Sequence[Explainer] = (
        IntegratedGradients(steps=32, baseline="black"),
        IntegratedGradients(steps=32, baseline="white"),
    )
    grids: Sequence[int] = (4, 10)

    def __post_init__(self) -> None:
        check_positive("XRAI", inner=len(self.inner), grids=min(self.grids, default=0))

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        probe = settled(probe, inputs)
        maps = []
        for explain in self.inner:
            attribution = explain(probe, inputs)
            has_channels = attribution.shape.rank == inputs.shape.rank
            maps.append(
                tf.reduce_sum(attribution, axis=-1) if has_channels else attribution
            )
        mean = tf.add_n(maps) / len(maps)
        flat = tf.reshape(mean, [-1, math.prod(size_of(inputs))])
        densities = grow(flat, region_masks(inputs, self.grids))
        return tf.reshape(densities, tf.shape(mean))
