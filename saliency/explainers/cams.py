"""Class activation maps: one backward pass at most, through the end of the network."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, final

import tensorflow as tf

from saliency.errors import ExplainerError, InputError
from saliency.explainers.queries import (
    check_positive,
    last_layer,
    map_of_answer,
    on_inputs,
    placed,
    tensor,
)
from saliency.kernels.activity import layer_stack
from saliency.kernels.cam import (
    gradcam_weights,
    gradcampp_weights,
    hirescam,
    layercam,
    weighted,
    xgradcam_weights,
)
from saliency.kernels.channels import principal, seldom
from saliency.kernels.resize import bilinear, size_of, space_of
from saliency.probe.protocol import Probe, Tensor


@final
@dataclass(frozen=True)
class CAM:
    """The evidence for the class at each place. Its mean is the score without the bias.

    Returns float32 (N, H, W), signed, in units of the score. Only for a network that ends in a
    global average pooling and a dense layer. Zhou et al., arXiv 1512.04150, eq. 2.

    Raises
    ------
    ExplainerError
        On the call: the score's derivative changes from place to place, so the network has
        another head.
    """

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        last = last_layer(probe, inputs)
        _check_pooled(last.gradient)
        # Pooling divides by the number of places: the mean derivative times it is the weight w_k.
        places = math.prod(size_of(last.gradient))
        weights = gradcam_weights(last.activations[-1], last.gradient) * places
        return on_inputs(probe, weighted(last.activations[-1], weights), inputs)


@final
@dataclass(frozen=True)
class GradCAM:
    """Activity of the last layer's channels that raise the score.

    Returns float32 (N, H, W), >= 0: relu(sum of channels times their mean gradient), resized. Not
    stretched to a range. Coarse: one value for 16 or 32 pixels. Selvaraju et al., arXiv
    1610.02391, eq. 1 and 2.
    """

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        return map_of_answer(
            probe, "last_gradient", _positive_cam, gradcam_weights, inputs
        )


@final
@dataclass(frozen=True)
class GradCAMPlusPlus:
    """Grad-CAM with places weighted so that small objects count as much as large ones.

    Returns float32 (N, H, W), >= 0, up to one positive factor for each image (the exponential of
    the score, left out). Chattopadhay et al., arXiv 1710.11063, eq. 11, 15 and 19.
    """

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        return map_of_answer(
            probe, "last_gradient", _positive_cam, gradcampp_weights, inputs
        )


@final
@dataclass(frozen=True)
class XGradCAM:
    """Grad-CAM with gradients averaged where the channel is active.

    Returns float32 (N, H, W), >= 0. Fu et al., arXiv 2008.02312, eq. 8.
    """

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        return map_of_answer(
            probe, "last_gradient", _positive_cam, xgradcam_weights, inputs
        )


@final
@dataclass(frozen=True)
class HiResCAM:
    """Activation times gradient at each place.

    Returns float32 (N, H, W), signed. For a network that is linear after the last tapped layer,
    the sum before resizing is the score without its bias. Draelos and Carin, arXiv 2011.08891,
    eq. 6.
    """

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        last = last_layer(probe, tensor(inputs))
        return on_inputs(probe, hirescam(last.activations[-1], last.gradient), inputs)


@final
@dataclass(frozen=True)
class LayerCAM:
    """Activations, weighted at each place with their positive gradients.

    Returns float32 (N, H, W), >= 0. Jiang et al., IEEE TIP 30 (2021) 5875, eq. 4 to 7.

    Parameters
    ----------
    layers
        ``"last"``: the last tapped layer. ``"all"``: the greatest of all layers' maps, each
        scaled to tanh(2 M / max M) as the paper does for shallow layers.
    """

    layers: Literal["last", "all"] = "last"

    def __post_init__(self) -> None:
        if self.layers not in {"last", "all"}:
            msg = f"LayerCAM: expected layers to be last or all, got {self.layers!r}."
            raise InputError(msg)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        if self.layers == "all":
            return tf.reduce_max(self.layer_maps(probe, inputs), axis=-1)
        last = last_layer(probe, inputs)
        return on_inputs(probe, layercam(last.activations[-1], last.gradient), inputs)

    def layer_maps(self, probe: Probe, inputs: Tensor) -> Tensor:
        """Return the scaled map of each layer, float32 (N, H, W, L) in [0, 1], earliest first."""
        inputs = tensor(inputs)
        scaled = []
        for activation, gradient in probe.activation_gradients(inputs):
            layer_map = layercam(activation, gradient)
            axes = list(range(1, layer_map.shape.rank))
            highest = tf.reduce_max(layer_map, axis=axes, keepdims=True)
            scaled.append(tf.tanh(2.0 * tf.math.divide_no_nan(layer_map, highest)))
        stack = layer_stack(scaled, size=size_of(inputs))
        return placed(probe, stack, inputs)


@final
@dataclass(frozen=True)
class EigenCAM:
    """The strongest common pattern of the last layer's channels, independent of the class.

    Returns float32 (N, H, W), >= 0: the projection on the first principal direction. Muhammad and
    Yeasin, arXiv 2008.00299.
    """

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        last = probe.activations(inputs)[-1]
        return on_inputs(probe, tf.nn.relu(principal(last)), inputs)


@final
@dataclass(frozen=True)
class EigenGradCAM:
    """The strongest common pattern of activation times gradient in the last layer's channels.

    Returns float32 (N, H, W), signed: the projection on the first principal direction, with the
    sign of their sum over channels (HiResCAM). No paper: after Eigen-CAM (arXiv
    2008.00299). The library pytorch-grad-cam, which named it, centres the channels first, leaves
    the sign to chance and cuts negative parts off; none of the three is done here.
    """

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        last = last_layer(probe, inputs)
        evidence = last.activations[-1] * last.gradient
        return on_inputs(
            probe, principal(evidence, tf.reduce_sum(evidence, axis=-1)), inputs
        )


@final
@dataclass(frozen=True)
class FEM:
    """Places where the last layer is unusually active, independent of the class.

    Returns float32 (N, H, W), in units of the activation, >= 0 behind a ReLU: at each place, the
    mean activations of those channels that lie ``k`` deviations above their mean there. Fuad et
    al., IPTA 2020, doi 10.1109/IPTA50016.2020.9286629, section III.

    Parameters
    ----------
    k
        Deviations, above 0.

    Raises
    ------
    InputError
        ``k`` is not above 0.
    """

    k: float = 2.0

    def __post_init__(self) -> None:
        check_positive("FEM", k=self.k)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        return map_of_answer(probe, "activations", _seldom_active, self.k, inputs)


def _seldom_active(k: float, inputs: Tensor, activations: Any) -> Tensor:
    return bilinear(seldom(activations[-1], k), size_of(inputs))


def _positive_cam(weigh: Callable[..., Tensor], inputs: Tensor, answer: Any) -> Tensor:
    """Keep what speaks for the target, on the grid of the input."""
    activations, gradient = answer
    cam = weighted(activations[-1], weigh(activations[-1], gradient))
    return bilinear(tf.nn.relu(cam), size_of(inputs))


def _check_pooled(gradient: Tensor) -> None:
    """Raise where the derivative changes over the places by more than rounding."""
    deviation = tf.reduce_max(tf.math.reduce_std(gradient, axis=space_of(gradient)))
    if bool(
        deviation > 1e-4 * tf.reduce_max(tf.abs(gradient))
    ):  # NaN goes on, to be named as such
        msg = (
            "CAM: expected a network that ends in global average pooling and a dense layer, got "
            "one whose derivative changes over the last layer. Use GradCAM or HiResCAM."
        )
        raise ExplainerError(msg)
