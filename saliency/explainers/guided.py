"""Backpropagation with another rule at each ReLU: crisp edges, and weak evidence."""

from dataclasses import dataclass
from typing import final

from saliency.explainers.cams import GradCAM
from saliency.explainers.propagation.relu_rules import Rectified
from saliency.explainers.queries import check_positive, studied, tensor
from saliency.probe.protocol import Probe, Tensor


@final
@dataclass(frozen=True)
class GuidedBackprop:
    """The gradient, of which each ReLU passes positive parts only.

    Returns float32 (N, H, W, C), signed. Looks sharp and says little about the class: the map
    hardly changes when the last layers are shuffled (Adebayo et al., arXiv 1810.03292, section
    4). Springenberg et al., arXiv 1412.6806, section 3.4.

    Raises
    ------
    ExplainerError
        On the call: the probe is no Keras model that can be looked into.
    ModelError
        On the call: the network has no ReLU, or one where it cannot be reached.
    """

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        gradient: Tensor = studied(
            "GuidedBackprop", probe, Rectified("guided"), tensor(inputs)
        )
        return gradient


@final
@dataclass(frozen=True)
class DeconvNet:
    """The gradient, rectified at each ReLU, active or not.

    Returns float32 (N, H, W, C), signed. Fails the same checks as guided backpropagation. Zeiler
    and Fergus, arXiv 1311.2901, section 2.1.

    Raises
    ------
    ExplainerError, ModelError
        On the call: as :class:`GuidedBackprop`.
    """

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        gradient: Tensor = studied(
            "DeconvNet", probe, Rectified("deconvolved"), tensor(inputs)
        )
        return gradient


@final
@dataclass(frozen=True)
class BetaSmooth:
    """The gradient, with the corner of each ReLU rounded off.

    Returns float32 (N, H, W, C), signed. The network's output does not change; the derivative
    of a ReLU is that of softplus(beta x) / beta. So small changes of the image make small
    changes of the map. Dombrowski et al., arXiv 1906.07983, section 3.

    Parameters
    ----------
    beta
        Sharpness of the corner, above 0; the limit of large values is the gradient.

    Raises
    ------
    InputError
        ``beta`` is not above 0.
    ExplainerError, ModelError
        On the call: as :class:`GuidedBackprop`.
    """

    beta: float = 10.0

    def __post_init__(self) -> None:
        check_positive("BetaSmooth", beta=self.beta)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        smoothed = Rectified("smoothed", self.beta)
        gradient: Tensor = studied("BetaSmooth", probe, smoothed, tensor(inputs))
        return gradient


@final
@dataclass(frozen=True)
class GuidedGradCAM:
    """Guided backpropagation times Grad-CAM.

    Returns float32 (N, H, W, C), signed. Fine edges come from the first factor, and the class from
    the second. Selvaraju et al., arXiv 1610.02391, section 3.2.

    Raises
    ------
    ExplainerError, ModelError
        On the call: as :class:`GuidedBackprop`, or no layer is tapped.
    """

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        return GuidedBackprop()(probe, inputs) * GradCAM()(probe, inputs)[..., None]
