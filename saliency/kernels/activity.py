"""How active a layer is at each pixel, and how the layers make one map (arXiv 1911.11293)."""

import math
from collections.abc import Sequence

import tensorflow as tf

from saliency.errors import InputError
from saliency.kernels.batches import Tensor
from saliency.kernels.resize import bilinear

#: The epsilon of SMOE Scale. It sets how much a silent channel weighs: 1e-6 changes a map by 16 %.
EPSILON = 1e-7

#: A spread below this share of the mean's logarithm is rounding (eight units in the last place).
_ROUNDING = 1e-6

#: A map whose range is below this share of its greatest value is constant but for rounding.
_FLAT = 1e-6


def smoe_scale(activations: Tensor) -> Tensor:
    """Saliency Map Order Equivalence: the mean activity times how unequally channels share it.

    With y = relu(A) + 1e-7 and m = mean_c y: ``S = m (log2 m - mean_c log2 y)``, which is m times
    the divergence, in bits, of the channels from equal shares. Computed of y / 1e-7, the same
    number: a silent pixel is then 1 in every channel, its logarithms are 0, and so is S, where
    log2 1e-7 would leave rounding for a later normalisation to blow up to a pattern. Quarters of
    the channels are multiplied in pairs and added, which halves the logarithms and leaves short
    sums; a pair overflows from activations of 1e12.

    Parameters
    ----------
    activations
        (..., C), any float type; computed in float32.

    Returns
    -------
    tensor
        float32 (...), >= 0, in units of the activations; 0 where all channels are equal.

    References
    ----------
    Mundhenk, Chen, Friedland, arXiv 1911.11293, section 3.1.
    """
    values = tf.nn.relu(tf.cast(activations, tf.float32)) * (1 / EPSILON) + 1.0
    count = next(k for k in (4, 2, 1) if values.shape[-1] % k == 0)
    parts = tf.split(values, count, axis=-1)
    pairs = [a * b for a, b in zip(parts[::2], parts[1::2], strict=False)] or parts
    mean = tf.reduce_mean(tf.add_n(parts), axis=-1) / len(parts)
    log_mean = tf.math.log(mean)
    # log a + log b is log (a b): half as many logarithms.
    logs = tf.add_n([tf.math.log(pair) for pair in pairs])
    spread = log_mean - tf.reduce_mean(logs, axis=-1) / len(parts)
    # Back from y / 1e-7, and from nats to bits.
    scale = mean * spread * (EPSILON / math.log(2))
    return tf.where(spread < _ROUNDING * log_mean, 0.0, scale)


def std(activations: Tensor) -> Tensor:
    """Sample deviation over the channels (..., C) -> (...), C - 1 below; 0 for one channel."""
    values = tf.cast(activations, tf.float32)
    squares = tf.square(values - tf.reduce_mean(values, axis=-1, keepdims=True))
    return tf.sqrt(tf.reduce_sum(squares, axis=-1) / max(values.shape[-1] - 1, 1))


def mean(activations: Tensor) -> Tensor:
    """Mean over the channels, (..., C) -> float32 (...)."""
    return tf.reduce_mean(tf.cast(activations, tf.float32), axis=-1)


def maximum(activations: Tensor) -> Tensor:
    """Greatest channel, (..., C) -> float32 (...)."""
    return tf.reduce_max(tf.cast(activations, tf.float32), axis=-1)


def truncnormal_entropy(activations: Tensor) -> Tensor:
    """Entropy in nats of the normal distribution cut off at 0 that fits the channels.

    With mean m, sample deviation s, a = -m / s and Z = 1 - Phi(a) of the normal distribution:
    ``ln(sqrt(2 pi e) s Z) + a phi(a) / (2 Z)``. Z and s are held above 1e-7: finite everywhere.

    Parameters
    ----------
    activations
        (..., C), as they are *before* the ReLU.

    Returns
    -------
    tensor
        float32 (...), of either sign.
    """
    deviation = tf.maximum(std(activations), EPSILON)
    cut = -mean(activations) / deviation
    # Z = 1 - Phi(a) = erfc(a / sqrt 2) / 2, and the density phi(a).
    beyond = 0.5 * tf.math.erfc(cut / math.sqrt(2))
    mass = tf.maximum(beyond - EPSILON, EPSILON)
    density = tf.exp(-0.5 * tf.square(cut)) / math.sqrt(2 * math.pi)
    inside = math.sqrt(2 * math.pi * math.e) * deviation * mass
    return tf.math.log(inside) + cut * density / (2 * mass)


def gaussian_cdf(maps: Tensor) -> Tensor:
    """Read each map as normally distributed, and return its distribution function.

    ``0.5 (1 + erf((x - m) / (s sqrt 2)))`` with mean m and sample deviation s over the pixels of
    each map. A constant map (range at most 1e-6 of its greatest value: rounding) gives 0.

    Parameters
    ----------
    maps
        (N, H, W), one map a row; any rank from 2.

    Returns
    -------
    tensor
        float32, shaped like ``maps``, in [0, 1].
    """
    values = tf.cast(maps, tf.float32)
    axes = _pixel_axes(values)
    centred = values - tf.reduce_mean(values, axis=axes, keepdims=True)
    degrees = tf.maximum(tf.reduce_prod(tf.shape(values)[1:]) - 1, 1)
    squares = tf.reduce_sum(tf.square(centred), axis=axes, keepdims=True)
    deviation = tf.sqrt(squares / tf.cast(degrees, tf.float32))
    scores = tf.math.divide_no_nan(centred, deviation * math.sqrt(2))
    return unless_flat(values, 0.5 * (1.0 + tf.math.erf(scores)))


def unit_range(maps: Tensor) -> Tensor:
    """Stretch each map (N, ...) to [0, 1]: ``(x - min) / max(max - min, 1e-9)``; flat gives 0."""
    values = tf.cast(maps, tf.float32)
    axes = _pixel_axes(values)
    low = tf.reduce_min(values, axis=axes, keepdims=True)
    width = tf.reduce_max(values, axis=axes, keepdims=True) - low
    return (values - low) / tf.maximum(width, 1e-9)


def combine(
    maps: Sequence[Tensor],
    *,
    size: tuple[int, ...],
    weights: Sequence[float] | None = None,
) -> Tensor:
    """Lay the maps of all layers over each other: the weighted mean, on one grid.

    Parameters
    ----------
    maps
        One (N, h, w) a layer, normalised; grids may differ.
    size
        (H, W) of the result.
    weights
        One a layer, with a sum above 0; None: equal. A dead layer keeps its weight, so that
        pictures stay comparable.

    Returns
    -------
    tensor
        float32 (N, H, W), in the range of the maps.

    Raises
    ------
    InputError
        There are no maps, their number is not that of the weights, or the weights sum to 0.
    """
    numbers = (
        [1.0] * len(maps) if weights is None else [float(weight) for weight in weights]
    )
    if len(numbers) != len(maps) or not sum(numbers) > 0:
        msg = (
            f"combine: expected {len(maps)} weights with a sum above 0, one for each layer, "
            f"got {numbers}. Give weights=None for equal ones."
        )
        raise InputError(msg)
    shares = [weight / sum(numbers) for weight in numbers]
    weighted = [
        bilinear(tf.cast(layer_map, tf.float32), size) * share
        for layer_map, share in zip(maps, shares, strict=True)
    ]
    return tf.add_n(weighted)


def layer_stack(maps: Sequence[Tensor], *, size: tuple[int, ...]) -> Tensor:
    """Bring the maps (N, h, w) of L layers to one grid: float32 (N, H, W, L)."""
    resized = [bilinear(tf.cast(layer_map, tf.float32), size) for layer_map in maps]
    return tf.stack(resized, axis=-1)


def unless_flat(maps: Tensor, normalised: Tensor) -> Tensor:
    """Return ``normalised``, but 0 for a map that is constant up to rounding."""
    values = tf.cast(maps, tf.float32)
    axes = _pixel_axes(values)
    magnitude = tf.reduce_max(tf.abs(values), axis=axes, keepdims=True)
    greatest = tf.reduce_max(values, axis=axes, keepdims=True)
    width = greatest - tf.reduce_min(values, axis=axes, keepdims=True)
    return tf.where(width <= _FLAT * magnitude, 0.0, normalised)


def _pixel_axes(maps: Tensor) -> list[int]:
    return list(range(1, maps.shape.rank))
