"""Recipes that might become a better default: at most one forward and one backward pass.

Prototypes: what is asked of a probe twice here would be asked once in a recipe of the library.
"""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

import saliency as sal
from saliency.kernels import activity
from saliency.kernels.baselines import gaussian_blur
from saliency.kernels.cam import cam_mask, hirescam, layercam
from saliency.kernels.resize import bilinear, size_of

Tensor = Any
BLUR = 1 / 32
"""Standard deviation of a blur as a share of the image's side: 2 pixels of 64."""


def blurred(maps: Tensor) -> Tensor:
    """Blur maps (N, H, W)."""
    sigma = BLUR * max(size_of(maps[..., tf.newaxis]))
    return gaussian_blur(maps[..., tf.newaxis], sigma)[..., 0]


def blurred_gradient(probe: Any, inputs: Tensor) -> Tensor:
    """Blur the absolute gradient: a control of those that hold it. 1 F + 1 B."""
    return blurred(tf.reduce_sum(tf.abs(probe.gradient(inputs)), axis=-1))


def blurred_lrp(probe: Any, inputs: Tensor) -> Tensor:
    """Blur what LRP says for the class. 2 to 4 F + 2 B."""
    return blurred(tf.nn.relu(tf.reduce_sum(sal.LRP()(probe, inputs), axis=-1)))


def fastcam_times_gradient(probe: Any, inputs: Tensor) -> Tensor:
    """Multiply FastCAM with the blurred absolute gradient. 1 F + 1 B."""
    return sal.FastCAM()(probe, inputs) * blurred_gradient(probe, inputs)


def fastcam_layercam(probe: Any, inputs: Tensor) -> Tensor:
    """Multiply SMOE Scale of all layers with LayerCAM of all layers. 1 F + 1 B."""
    pairs = probe.activation_gradients(inputs)
    size = size_of(inputs)
    active = activity.combine(
        [activity.gaussian_cdf(activity.smoe_scale(act)) for act, _ in pairs], size=size
    )
    return active * _mean([cam_mask(layercam(*pair), size) for pair in pairs])


def smoe_of_evidence(probe: Any, inputs: Tensor) -> Tensor:
    """Return SMOE Scale of activation times gradient, all layers. 1 F + 1 B."""
    pairs = probe.activation_gradients(inputs)
    size = size_of(inputs)
    maps = [
        cam_mask(activity.smoe_scale(_scaled(tf.nn.relu(act * gradient))), size)
        for act, gradient in pairs
    ]
    return _mean(maps)


def first_scale(probe: Any, inputs: Tensor) -> Tensor:
    """Blur activation times gradient of the first tapped layer. 1 F + 1 B."""
    found = hirescam(*probe.activation_gradients(inputs)[0])
    return tf.nn.relu(blurred(bilinear(found, size_of(inputs))))


def all_scales(probe: Any, inputs: Tensor) -> Tensor:
    """Multiply activation times gradient of every layer, blurred. 1 F + 1 B."""
    pairs = probe.activation_gradients(inputs)
    maps = [
        cam_mask(blurred(bilinear(hirescam(*pair), size_of(inputs))), size_of(inputs))
        for pair in pairs
    ]
    # The geometric mean: a place must speak for the class at every scale.
    logs = [tf.math.log(each + 1e-3) for each in maps]
    return tf.exp(_mean(logs)) - 1e-3


def _mean(maps: list[Tensor]) -> Tensor:
    return tf.add_n(maps) / len(maps)


def _scaled(evidence: Tensor) -> Tensor:
    """Scale to 1 at the greatest: SMOE's epsilon has a unit."""
    axes = list(range(1, evidence.shape.rank))
    return tf.math.divide_no_nan(
        evidence, tf.reduce_max(evidence, axis=axes, keepdims=True)
    )


CANDIDATES: Mapping[str, Callable[[Any, Tensor], Tensor]] = {
    each.__name__: each
    for each in (
        blurred_gradient,
        blurred_lrp,
        fastcam_times_gradient,
        fastcam_layercam,
        smoe_of_evidence,
        first_scale,
        all_scales,
    )
}
