"""Control maps: an explainer that is no better has said nothing."""

from dataclasses import dataclass
from typing import final

import tensorflow as tf

from saliency.errors import ExplainerError
from saliency.explainers.gradients import Gradient
from saliency.explainers.protocol import Explainer, RandomisedProbe
from saliency.explainers.queries import settled, tensor
from saliency.kernels.noise import uniform
from saliency.probe.protocol import Probe, Tensor


@final
@dataclass(frozen=True)
class RandomMap:
    """Uniform noise that knows neither the image nor the model.

    Returns float32 (N, H, W) in [0, 1), the same for every image and model.
    """

    seed: int = 0

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:  # noqa: ARG002
        # (N, H, W): the size of a map.
        channel = tensor(inputs)[..., 0]
        return tf.broadcast_to(uniform([0], channel, self.seed)[0], tf.shape(channel))


@final
@dataclass(frozen=True)
class EdgeMap:
    """The edges of the image: no model is asked, yet it often looks like an explanation.

    Returns float32 (N, H, W), >= 0: the length of the Sobel gradient, summed over the channels; of
    volumes slice by slice.
    Adebayo et al., arXiv 1810.03292, section 5.
    """

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:  # noqa: ARG002
        inputs = tensor(inputs)
        slices = tf.reshape(inputs, [-1, *inputs.shape[-3:]])
        # (..., C, 2): the derivatives down and across.
        lengths = tf.norm(tf.image.sobel_edges(slices), axis=-1)
        return tf.reshape(tf.reduce_sum(lengths, axis=-1), tf.shape(inputs)[:-1])


@final
@dataclass(frozen=True)
class RandomisedModel:
    """The map of an explainer for the same network with shuffled weights.

    Returns what ``inner`` returns. If it looks like the map of the trained network, the
    explainer does not show what was learned. Adebayo et al., arXiv 1810.03292.

    Parameters
    ----------
    inner
        Any explainer.
    seed
        Of the weights.

    Raises
    ------
    ExplainerError
        On the call: the probe cannot be asked about other weights.
    """

    inner: Explainer = Gradient()
    seed: int = 0

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        fixed = settled(probe, tensor(inputs))
        if not isinstance(fixed, RandomisedProbe):
            msg = (
                "RandomisedModel: expected a probe with a method randomised(seed), got "
                f"{type(fixed).__name__}. Build a second model with other weights and explain it."
            )
            raise ExplainerError(msg)
        return self.inner(fixed.randomised(self.seed), inputs)
