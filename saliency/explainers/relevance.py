"""Explainers that hand the score back through the network's own layers."""

from dataclasses import dataclass
from typing import final

import tensorflow as tf

from saliency.errors import InputError
from saliency.explainers.asking import check_positive, settled, studied, tensor
from saliency.probe.protocol import Probe, Tensor
from saliency.probe.rules_relevance import COMPOSITES, Composite, Relevance


@final
@dataclass(frozen=True)
class LRP:
    """Layer-wise relevance propagation: each layer shares the score among its inputs.

    Returns float32 (N, H, W, C), signed (>= 0 for ``"epsilon_plus"`` of a positive score but for
    the epsilon rule of dense layers), in units of the score. Its sum is the score, less what the
    biases take: ``absorbed``. Bach et al., PLoS ONE 10 (2015) e0130140; composites: Montavon et
    al., LNCS 11700 (2019) 193, and Kohlbrenner et al., arXiv 1910.09840.

    Parameters
    ----------
    composite
        Rules of convolutions, after those of dense layers (always epsilon); ``"..._flat"``: the
        first layer shares evenly. ``"epsilon"``: the epsilon rule everywhere.
    epsilon
        Of the epsilon rule.
    gamma
        Of the gamma rule, for ``"epsilon_gamma"``.

    Raises
    ------
    InputError
        The composite is unknown, or a number is not above 0.
    ExplainerError
        On the call: the probe is no Keras model that can be looked into.
    ModelError
        On the call: the score comes through a layer that has no rule, which is named.
    """

    composite: Composite = "epsilon_plus"
    epsilon: float = 1e-6
    gamma: float = 0.25

    def __post_init__(self) -> None:
        check_positive("LRP", epsilon=self.epsilon, gamma=self.gamma)
        if self.composite not in COMPOSITES:
            names = ", ".join(COMPOSITES)
            msg = f"LRP: expected composite to be one of {names}, got {self.composite!r}."
            raise InputError(msg)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        study = Relevance(self.composite, self.epsilon, self.gamma)
        found: Tensor = studied("LRP", probe, study, tensor(inputs))
        return found

    def absorbed(self, probe: Probe, inputs: Tensor, attributions: Tensor) -> Tensor:
        """Return the share of the score that reached no pixel, float32 (N,).

        Biases and the epsilon rule take it: (score - sum of the map) / score. Negative where the
        map holds more than the score.
        """
        inputs = tensor(inputs)
        score = settled(probe, inputs).score(inputs)
        total = tf.reduce_sum(tf.reshape(attributions, (tf.shape(inputs)[0], -1)), axis=1)
        return tf.math.divide_no_nan(score - total, score)
