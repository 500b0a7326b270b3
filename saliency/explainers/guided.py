"""Backpropagation with a rule at each ReLU: crisp pictures of edges, and weak evidence."""

from dataclasses import dataclass
from typing import final

from saliency.explainers.cams import GradCAM
from saliency.explainers.propagation.relu_rules import Rectified
from saliency.explainers.queries import check_positive, studied, tensor
from saliency.probe.protocol import Probe, Tensor


@final
@dataclass(frozen=True)
class GuidedBackprop:
    """The gradient, of which each ReLU lets only positive parts through.

    Returns float32 (N, H, W, C), signed. Looks sharp and says little of the class: the map hardly
    changes when the last layers are shuffled (Adebayo et al., arXiv 1810.03292, section 4).
    Springenberg et al., arXiv 1412.6806, section 3.4.

    Raises
    ------
    ExplainerError
        On the call: the probe is no Keras model that can be looked into.
    ModelError
        On the call: the network has no ReLU, or one where it cannot be reached.
    """

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        found: Tensor = studied("GuidedBackprop", probe, Rectified("guided"), tensor(inputs))
        return found


@final
@dataclass(frozen=True)
class DeconvNet:
    """The gradient, rectified at each ReLU whatever the ReLU's own input was.

    Returns float32 (N, H, W, C), signed. Fails the same checks as guided backpropagation. Zeiler
    and Fergus, arXiv 1311.2901, section 2.1.

    Raises
    ------
    ExplainerError, ModelError
        On the call: as :class:`GuidedBackprop`.
    """

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        found: Tensor = studied("DeconvNet", probe, Rectified("deconvolved"), tensor(inputs))
        return found


@final
@dataclass(frozen=True)
class BetaSmooth:
    """The gradient, with the corner of each ReLU rounded off: fewer jumps from pixel to pixel.

    Returns float32 (N, H, W, C), signed. The network computes what it did; its derivative is that
    of softplus(beta x) / beta, so that it knows what lies a little beyond the corner, and small
    changes of the picture do not turn the map about. Dombrowski et al., arXiv 1906.07983,
    section 3.

    Parameters
    ----------
    beta
        Sharpness of the corner, above 0; the gradient is had from a great one.

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
        found: Tensor = studied("BetaSmooth", probe, smoothed, tensor(inputs))
        return found


@final
@dataclass(frozen=True)
class GuidedGradCAM:
    """Guided backpropagation where Grad-CAM is bright.

    Returns float32 (N, H, W, C), signed: their product. Fine edges come from the one factor, the
    class from the other. Selvaraju et al., arXiv 1610.02391, section 3.2.

    Raises
    ------
    ExplainerError, ModelError
        On the call: as :class:`GuidedBackprop`, or no layer is tapped.
    """

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        return GuidedBackprop()(probe, inputs) * GradCAM()(probe, inputs)[..., None]
