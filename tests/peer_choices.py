"""What other libraries do differently, written with our probe: with their choice forced we agree.

Each is a choice of theirs where ours is another on purpose; ``why`` says in a line what it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from scipy import ndimage

from saliency.explainers.queries import last_layer
from saliency.kernels.cam import gradcam_weights, hirescam, weighted
from saliency.kernels.channels import seldom
from saliency.kernels.resize import bilinear, size_of


@dataclass(frozen=True)
class Choice:
    """Why a map differs, and the map with that choice made: (probe, inputs) -> array."""

    why: str
    ask: Callable[[Any, Any], Any]


def cam(probe, inputs, weigh=gradcam_weights):
    """Return a CAM on the layer's grid, (N, h, w) >= 0."""
    return tf.nn.relu(signed_cam(probe, inputs, weigh))


def signed_cam(probe, inputs, weigh=gradcam_weights):
    last = last_layer(probe, inputs)
    activation = last.activations[-1]
    return weighted(activation, weigh(activation, last.gradient))


def corners(low, size):
    """Enlarge linearly with the corners of both grids on each other, as scipy's zoom does."""
    factors = [
        1,
        *(length / short for length, short in zip(size, low.shape[1:], strict=True)),
    ]
    return ndimage.zoom(np.asarray(low), factors, order=1)


def mirrored(low, size):
    """Enlarge linearly with half-pixel centres, mirrored beyond the edge, as skimage does."""
    low = np.asarray(low)
    factors = [
        1,
        *(length / short for length, short in zip(size, low.shape[1:], strict=True)),
    ]
    return ndimage.zoom(low, factors, order=1, mode="mirror", grid_mode=True)


def bicubic(low, size):
    """Enlarge with Keys' cubic, which overshoots."""
    return tf.image.resize(low[..., None], size, method="bicubic")[..., 0]


def rare(probe, inputs):
    """Enlarge FEM's map with a cubic."""
    return bicubic(seldom(probe.activations(inputs)[-1], 2.0), size_of(inputs))


def normalised_alphas(activation, gradient, *, exponential):
    """Weigh as Grad-CAM++ with alphas that sum to 1 in each channel."""
    sums = tf.reduce_sum(activation, axis=[1, 2], keepdims=True)
    first = exponential * gradient
    below = 2 * first * gradient + first * gradient**2 * sums
    alpha = first * gradient / (below + tf.cast(first * gradient == 0, tf.float32))
    whole = tf.reduce_sum(alpha, axis=[1, 2], keepdims=True)
    alpha /= whole + tf.cast(whole == 0, tf.float32)
    return tf.reduce_sum(alpha * tf.nn.relu(first), axis=[1, 2])


def mean_alphas(activation, gradient):
    """Weigh as Grad-CAM++ with the mean of activations where the paper has their sum."""
    below = 2 * gradient**2 + gradient**3 * tf.reduce_mean(
        activation, axis=[1, 2], keepdims=True
    )
    below += tf.cast(below == 0, tf.float32) * 1e-4
    return tf.reduce_mean(gradient**2 / below * tf.nn.relu(gradient), axis=[1, 2])


def plusplus_of_tf_keras_vis(probe, inputs):
    exponential = tf.exp(probe.score(inputs))[:, None, None, None]

    def weigh(activation, gradient):
        return normalised_alphas(activation, gradient, exponential=exponential)

    return corners(cam(probe, inputs, weigh), size_of(inputs))


def nodes(probe, inputs, weights):
    """Return the weighted sum of gradients at points from 0 to the picture, both ends included."""
    places = np.linspace(0, 1, len(weights), dtype=np.float32)
    slopes = (probe.gradient(tf.constant(inputs) * place) for place in places)
    return sum(weight * slope for weight, slope in zip(weights, slopes, strict=True))


def trapezoid(count):
    return np.r_[0.5, np.ones(count - 2), 0.5].astype(np.float32) / (count - 1)


def noisy(probe, inputs, *, samples=25, spread=0.15):
    """Return the mean gradient under the noise that numpy's global state gives after seed 0."""
    draw = np.random.RandomState(0)
    sigma = spread * np.ptp(inputs)
    noise = draw.normal(0, sigma, (samples, *inputs.shape)).astype(np.float32)
    return sum(probe.gradient(inputs + one) for one in noise) / samples


def positive_hirescam(probe, inputs):
    last = last_layer(probe, inputs)
    found = tf.nn.relu(hirescam(last.activations[-1], last.gradient))
    return bilinear(found, size_of(inputs))


def corner_masks(probe, inputs):
    """Score-CAM whose masks are enlarged corner on corner; the map itself is not."""
    last = probe.activations(tf.constant(inputs))[-1]
    masks = corners(tf.transpose(last[0], [2, 0, 1]), size_of(inputs))
    low, high = (side(masks, axis=(1, 2), keepdims=True) for side in (np.min, np.max))
    masks = (masks - low) / np.maximum(high - low, 1e-30)
    weights = tf.nn.softmax(
        probe.score(tf.constant(inputs * masks[..., None], tf.float32))
    )
    return bilinear(tf.nn.relu(weighted(last, weights[None])), size_of(inputs))


def plain(method):
    return lambda probe, inputs: method(cam(probe, inputs), size_of(inputs))


EQUAL = np.full(32, 1 / 32, np.float32)

CHOICES = {
    "tf-keras-vis/SmoothGrad": Choice("the noise is another", noisy),
    "PAIR/SmoothGrad": Choice("the noise is another", noisy),
    "tf-keras-vis/Grad-CAM": Choice(
        "enlarged corner on corner: a map of 4 x 4 is moved by up to half a cell",
        plain(corners),
    ),
    "tf-keras-vis/Grad-CAM++": Choice(
        "alphas are divided by their sum, which the paper does not; corner on corner",
        plusplus_of_tf_keras_vis,
    ),
    "xplique/gradient": Choice(
        "the absolute value", lambda probe, inputs: tf.abs(probe.gradient(inputs))
    ),
    "xplique/integrated gradients": Choice(
        "the trapezoid of 32 points, where ours has the midpoints of 32 parts",
        lambda probe, inputs: inputs * nodes(probe, inputs, trapezoid(32)),
    ),
    "xplique/Grad-CAM": Choice("enlarged by a cubic that overshoots", plain(bicubic)),
    "xplique/Grad-CAM++": Choice(
        "the mean of activations where the paper has their sum; a cubic that overshoots",
        lambda probe, inputs: bicubic(cam(probe, inputs, mean_alphas), size_of(inputs)),
    ),
    "xplique/FEM": Choice("a cubic that overshoots", rare),
    "tf-explain/Grad-CAM": Choice(
        "what speaks against the class is left in; left on the layer's grid", signed_cam
    ),
    "tf-explain/integrated gradients": Choice(
        "the mean gradient, not times the picture: not integrated gradients",
        lambda probe, inputs: nodes(probe, inputs, EQUAL),
    ),
    "PAIR/integrated gradients": Choice(
        "both ends of the path count in full: 32 nodes are laid over 31 parts",
        lambda probe, inputs: inputs * nodes(probe, inputs, EQUAL),
    ),
    "PAIR/Grad-CAM": Choice("mirrored beyond the edge when enlarged", plain(mirrored)),
    "pytorch-grad-cam/scorecam": Choice(
        "masks enlarged corner on corner", corner_masks
    ),
    "pytorch-grad-cam/hirescam": Choice("no negative part", positive_hirescam),
}
"""``library/method``: what they chose; where it is left out, ours is the same."""
