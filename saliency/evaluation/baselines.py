"""Maps that know nothing of the model, beside which every number stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

import tensorflow as tf

from saliency.explainers.controls import EdgeMap, RandomMap
from saliency.explainers.queries import tensor
from saliency.kernels.resize import size_of
from saliency.probe.protocol import Probe, Tensor

_WIDTH: Final = 0.25
"""Standard deviation of the blob as a share of each side."""


@final
@dataclass(frozen=True)
class CentreMap:
    """A Gaussian blob in the middle: where photographers and radiographers put what matters.

    Returns float32 (N, H, W) in (0, 1].
    """

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:  # noqa: ARG002, D102
        inputs = tensor(inputs)
        blob = tf.ones([])
        for length in size_of(inputs):
            # From -1/2 to 1/2, at the pixels' centres.
            places = (tf.range(length, dtype=tf.float32) + 0.5) / length - 0.5
            line = tf.exp(-0.5 * tf.square(places / _WIDTH))
            blob = blob[..., tf.newaxis] * line
        return tf.broadcast_to(blob, tf.shape(inputs)[:-1])


CONTROLS: Final = ("random", "centre", "edges")
"""Names of :func:`controls`."""
BASELINES: Final = (*CONTROLS, "mean")
"""What every number stands beside; ``"mean"`` is the explainer's mean map of other patients."""


def controls(seed: int) -> Mapping[str, Any]:
    """Return the baselines that know nothing of the model, by name."""
    recipes = (RandomMap(seed), CentreMap(), EdgeMap())
    return dict(zip(CONTROLS, recipes, strict=True))
