"""DeepLIFT by the rescale rule."""

from dataclasses import dataclass
from typing import final

import tensorflow as tf

from saliency.explainers.propagation.deeplift import RescaleRule
from saliency.explainers.queries import gap_from, settled, studied, tensor
from saliency.kernels.baselines import References, reference, several
from saliency.probe.protocol import Probe, Tensor


@final
@dataclass(frozen=True)
class DeepLIFT:
    """The score's change from a baseline, shared among the pixels by slopes between the two.

    Returns float32 (N, H, W, C), signed, in units of the score; its sum is score(image) -
    score(baseline) up to ``gap``, which is rounding where the score is a logit. It takes one
    pass of image and baseline, where integrated gradients take many. Shrikumar et al., arXiv
    1704.02685, eq. 3 and 5 and section 3.5.2 (rescale rule).

    Parameters
    ----------
    baseline
        The image that shows nothing: a name, number or array, see
        :func:`saliency.kernels.baselines.reference`. A tuple of several: the mean of their maps
        (Deep SHAP: Lundberg and Lee, arXiv 1705.07874, section 4.2.2).
    seed
        Of the baseline ``"noise"``.

    Raises
    ------
    InputError
        The baseline is unknown.
    ExplainerError
        On the call: the probe is no Keras model that can be looked into.
    ModelError
        On the call: the score comes through a layer that has no rule, which is named.
    """

    baseline: References = "black"
    seed: int = 0

    def __post_init__(self) -> None:
        several(self.baseline)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        probe, kinds = settled(probe, inputs), several(self.baseline)
        maps = []
        for kind in kinds:
            start = reference(inputs, kind, self.seed)
            # The pictures, then their baselines: one pass for both.
            both = tf.concat([inputs, start], axis=0)
            multipliers = studied("DeepLIFT", probe, RescaleRule(), both)
            maps.append((inputs - start) * multipliers[: inputs.shape[0]])
        return sum(maps) / len(maps)

    def gap(self, probe: Probe, inputs: Tensor, attributions: Tensor) -> Tensor:
        """Return the completeness gap, float32 (N,), >= 0; 0.01 is one percent."""
        return gap_from(probe, inputs, attributions, self.baseline, self.seed)
