"""Pictures that show nothing: where a path starts, and what fills a hole."""

import math
from typing import Any, Literal, TypeAlias, get_args

import tensorflow as tf

from saliency.errors import InputError
from saliency.kernels.batches import Tensor
from saliency.kernels.noise import spread_of, uniform
from saliency.kernels.resize import size_of

Name: TypeAlias = Literal["black", "white", "mean", "blur", "noise"]

Reference: TypeAlias = Name | float | Any
"""The name of a reference, the number to fill it with, or an array that broadcasts to a batch."""

References: TypeAlias = Reference | tuple[Reference, ...]
"""A reference, or a tuple of several whose maps are averaged."""

#: Deviation of the blur as a share of the longer side.
_BLUR = 0.1


def reference(inputs: Tensor, kind: Reference, seed: int = 0) -> Tensor:
    """Make the picture that shows nothing of ``inputs``.

    Parameters
    ----------
    inputs
        float32 (N, H, W, C).
    kind
        ``"black"``: 0, or the darkest value of each picture and channel where that lies below 0
        (the range of a model's input is its trainer's choice, so -1 can be black too).
        ``"white"``: the brightest value of each picture and channel. ``"mean"``: its mean.
        ``"blur"``: the picture under a Gaussian of deviation 0.1 max(H, W). ``"noise"``: even
        noise between the darkest and the brightest value. A number fills the picture; an array
        is broadcast.
    seed
        Of the noise.

    Returns
    -------
    tensor
        float32, shaped like ``inputs``.

    Raises
    ------
    InputError
        The name is unknown, or the array does not broadcast.
    """
    if isinstance(kind, str):
        return tf.broadcast_to(_named_baseline(inputs, kind, seed), tf.shape(inputs))
    try:
        array = tf.cast(tf.convert_to_tensor(kind), tf.float32)
    except (TypeError, ValueError) as error:
        msg = f"reference: expected a name, a number or an array, got {kind!r}."
        raise InputError(msg) from error
    _check_broadcasts(array, inputs)
    return tf.broadcast_to(array, tf.shape(inputs))


def check_reference(kind: Reference) -> None:
    """Raise InputError where ``kind`` is a name that nobody knows, or a tuple."""
    if isinstance(kind, tuple):
        msg = (
            "reference: expected one name, number or array, got a tuple. Give a value for each "
            "channel as a list or an array; several references are for IntegratedGradients and "
            "DeepLIFT."
        )
        raise InputError(msg)
    if isinstance(kind, str) and kind not in get_args(Name):
        known = ", ".join(get_args(Name))
        msg = f"reference: expected one of {known}, a number or an array, got {kind!r}."
        raise InputError(msg)


def several(kinds: References) -> tuple[Reference, ...]:
    """Return references as a tuple of at least one.

    Raises
    ------
    InputError
        The tuple is empty, or a name in it is unknown.
    """
    references = kinds if isinstance(kinds, tuple) else (kinds,)
    if not references:
        msg = "reference: expected at least one, got an empty tuple."
        raise InputError(msg)
    for kind in references:
        check_reference(kind)
    return references


def gaussian_blur(inputs: Tensor, sigma: float) -> Tensor:
    """Blur each channel of (N, H, W, C) with deviation ``sigma`` in pixels; edges are mirrored.

    Volumes (N, D, H, W, C) are blurred along all three axes.

    The mean brightness inside stays; ``sigma`` 0 returns the picture.
    """
    if sigma <= 0:
        return inputs
    # One matrix an axis: a Gaussian of several axes is the product of those along each.
    matrices = [_blur_matrix(length, sigma) for length in size_of(inputs)]
    if len(matrices) == 3:
        return tf.einsum("ad,ih,jw,ndhwc->naijc", *matrices, inputs, optimize="optimal")
    return tf.einsum("ih,jw,nhwc->nijc", *matrices, inputs, optimize="optimal")


def _named_baseline(inputs: Tensor, kind: str, seed: int) -> Tensor:
    check_reference(kind)
    axes = list(range(1, inputs.shape.rank - 1))
    if kind == "black":
        return tf.minimum(tf.reduce_min(inputs, axis=axes, keepdims=True), 0.0)
    if kind == "white":
        return tf.reduce_max(inputs, axis=axes, keepdims=True)
    if kind == "mean":
        return tf.reduce_mean(inputs, axis=axes, keepdims=True)
    if kind == "blur":
        return gaussian_blur(inputs, _BLUR * max(size_of(inputs)))
    low = tf.reduce_min(inputs, axis=list(range(1, inputs.shape.rank)), keepdims=True)
    return low + uniform([0], inputs, seed)[0] * spread_of(inputs)


def _blur_matrix(length: int, sigma: float) -> Tensor:
    """Gaussian weights (length, length), rows summing to 1, of a line mirrored at both ends."""
    here = tf.range(length, dtype=tf.float32)[:, tf.newaxis]
    there = tf.range(length, dtype=tf.float32)[tf.newaxis, :]
    # A mirrored line repeats after twice its length; beyond four deviations nothing is left.
    reach = math.ceil(4 * sigma / (2 * length)) + 1
    turns = (
        2.0
        * length
        * tf.range(-reach, reach + 1, dtype=tf.float32)[:, tf.newaxis, tf.newaxis]
    )
    # Pixel j is met at j, and in the mirror at -1 - j.
    direct = _gaussian(here - there + turns, sigma)
    mirrored = _gaussian(here + there + 1 + turns, sigma)
    total = tf.reduce_sum(direct + mirrored, axis=0)
    return total / tf.reduce_sum(total, axis=1, keepdims=True)


def _gaussian(distance: Tensor, sigma: float) -> Tensor:
    return tf.exp(-0.5 * tf.square(distance / sigma))


def _check_broadcasts(array: Tensor, inputs: Tensor) -> None:
    try:
        shape = tf.broadcast_static_shape(array.shape, inputs.shape)
    except ValueError:
        shape = None
    if shape is None or not shape.is_compatible_with(inputs.shape):
        msg = f"reference: expected an array that broadcasts to {inputs.shape}, got {array.shape}."
        raise InputError(msg) from None
