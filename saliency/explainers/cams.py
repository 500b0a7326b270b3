"""Class activation maps of the last tapped layer."""

from dataclasses import dataclass
from typing import final

import tensorflow as tf

from saliency.explainers.asking import last_layer, tensor
from saliency.kernels.cam import gradcam_weights, weighted
from saliency.kernels.resize import bilinear, size_of
from saliency.probe.protocol import Probe, Tensor


@final
@dataclass(frozen=True)
class GradCAM:
    """Where the last layer's channels that raise the score are active.

    Returns float32 (N, H, W), >= 0: relu(sum of channels times their mean gradient), resized. Not
    stretched to a range. Coarse: one value each 16 or 32 pixels. Selvaraju et al., arXiv
    1610.02391, eq. 1 and 2.
    """

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        last = last_layer(probe, tensor(inputs))
        weights = gradcam_weights(last.activations[-1], last.gradient)
        return _shown(weighted(last.activations[-1], weights), inputs)


def _shown(cam: Tensor, inputs: Tensor) -> Tensor:
    """Keep what speaks for the target, on the grid of the input."""
    return bilinear(tf.nn.relu(cam), size_of(inputs))
