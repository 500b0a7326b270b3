"""Layer-wise relevance propagation through the network's own layers."""

from dataclasses import dataclass
from typing import final

import tensorflow as tf

from saliency.errors import InputError
from saliency.explainers.propagation.lrp import COMPOSITES, Composite, Relevance
from saliency.explainers.queries import check_positive, settled, studied, tensor
from saliency.kernels.baselines import Reference, check_reference, reference
from saliency.probe.protocol import Probe, Tensor


@final
@dataclass(frozen=True)
class LRP:
    """Layer-wise relevance propagation: each layer shares the score among its inputs.

    Returns float32 (N, H, W, C), signed, in units of the score. Its sum is the score, less what the
    biases absorb: ``absorbed``. Bach et al., PLoS ONE 10 (2015) e0130140; composites: Montavon et
    al., LNCS 11700 (2019) 193, and Kohlbrenner et al., arXiv 1910.09840.

    Parameters
    ----------
    composite
        Rules of convolutions, after those of dense layers (epsilon); ``"..._flat"``: the first
        layer shares evenly; ``"..._box"``: it shares by the range of its inputs. ``"epsilon"``:
        the epsilon rule everywhere; ``"excitation_backprop"``: z-plus (Zhang et al., arXiv
        1608.00507); ``"deep_taylor"``: z-plus, and the box rule at the first layer (Montavon et
        al., Pattern Recognition 65 (2017) 211).
    epsilon
        Of the epsilon rule.
    gamma
        Of the gamma rule, for ``"epsilon_gamma"`` and ``"epsilon_gamma_box"``.
    low, high
        Of the box rule: the least and the greatest values that a pixel can have, as
        :func:`saliency.kernels.baselines.reference` takes them. By default those of each image
        and channel, and 0 where the image lies above it.

    Raises
    ------
    InputError
        The composite is unknown, a number is not above 0, or, on the call, a pixel lies outside
        ``low`` and ``high`` where the box rule asks for them.
    ExplainerError
        On the call: the probe is no Keras model that can be looked into.
    ModelError
        On the call: the score comes through a layer that has no rule, which is named.
    """

    composite: Composite = "epsilon_plus"
    epsilon: float = 1e-6
    gamma: float = 0.25
    low: Reference = "black"
    high: Reference = "white"

    def __post_init__(self) -> None:
        check_positive("LRP", epsilon=self.epsilon, gamma=self.gamma)
        if self.composite not in COMPOSITES:
            names = ", ".join(COMPOSITES)
            msg = (
                f"LRP: expected composite to be one of {names}, got {self.composite!r}."
            )
            raise InputError(msg)
        check_reference(self.low)
        check_reference(self.high)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs, study = (
            tensor(inputs),
            Relevance(self.composite, self.epsilon, self.gamma),
        )
        if COMPOSITES[self.composite].first != "box":
            return studied("LRP", probe, study, inputs)
        low, high = reference(inputs, self.low), reference(inputs, self.high)
        _check_between(inputs, low, high)
        # The box rule needs all three at each layer: one pass of (3 N, H, W, C).
        with_bounds = tf.concat([inputs, low, high], axis=0)
        relevance = studied("LRP", settled(probe, inputs), study, with_bounds)
        return relevance[: inputs.shape[0]]

    def absorbed(self, probe: Probe, inputs: Tensor, attributions: Tensor) -> Tensor:
        """Return the share of the score that reached no pixel, float32 (N,).

        Biases and the epsilon rule take it: (score - sum of the map) / score. Negative where the
        map holds more than the score.
        """
        inputs = tensor(inputs)
        score = settled(probe, inputs).score(inputs)
        total = tf.reduce_sum(
            tf.reshape(attributions, (tf.shape(inputs)[0], -1)), axis=1
        )
        return tf.math.divide_no_nan(score - total, score)


def _check_between(inputs: Tensor, low: Tensor, high: Tensor) -> None:
    if bool(tf.reduce_any((inputs < low) | (inputs > high))):
        least, greatest = float(tf.reduce_min(inputs)), float(tf.reduce_max(inputs))
        msg = (
            "LRP: expected pixels between low and high, the least and greatest values that they "
            f"can have, got {least:.6g} to {greatest:.6g}."
        )
        raise InputError(msg)
