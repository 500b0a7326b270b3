"""The gradient of the score, as it is."""

from dataclasses import dataclass
from typing import final

from saliency.explainers.queries import tensor
from saliency.probe.protocol import Probe, Tensor


@final
@dataclass(frozen=True)
class Gradient:
    """The derivative of the score by each input value.

    Returns float32 (N, H, W, C), signed, in units of the score per unit of input. Noisy on deep
    networks, and 0 where the network is saturated. Simonyan et al., arXiv 1312.6034, section 3.
    """

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        return probe.gradient(tensor(inputs))


@final
@dataclass(frozen=True)
class GradientTimesInput:
    """The gradient times the image: each value's contribution if the score were linear.

    Returns float32 (N, H, W, C), signed, in units of the score. Black (0) gets nothing, whatever it
    shows. Shrikumar et al., arXiv 1605.01713.
    """

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        return probe.gradient(inputs) * inputs
