"""Maps that know nothing of the model: what a real explainer has to beat."""

from dataclasses import dataclass
from typing import final

import tensorflow as tf

from saliency.explainers.asking import tensor
from saliency.kernels.noise import uniform
from saliency.probe.protocol import Probe, Tensor


@final
@dataclass(frozen=True)
class RandomMap:
    """Even noise: knows neither the picture nor the model.

    Returns float32 (N, H, W) in [0, 1), the same for every picture and model.
    """

    seed: int = 0

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:  # noqa: ARG002
        one = tensor(inputs)[..., 0]
        return tf.broadcast_to(uniform([0], one, self.seed)[0], tf.shape(one))
