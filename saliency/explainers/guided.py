"""Backpropagation with a rule at each ReLU: crisp pictures of edges, and weak evidence."""

from dataclasses import dataclass
from typing import final

from saliency.explainers.asking import studied, tensor
from saliency.explainers.cams import GradCAM
from saliency.probe.protocol import Probe, Tensor
from saliency.probe.rules import Rectified


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
