"""Class activation maps that ask the model about masked pictures or activations."""

import math

import tensorflow as tf

from saliency.kernels.activity import unit_range
from saliency.kernels.batches import Function, Tensor, chunks, each
from saliency.kernels.occlusion import blend_many
from saliency.kernels.resize import bilinear, size_of, space_of


def channel_masks(activation: Tensor, size: tuple[int, ...]) -> Tensor:
    """Make of each channel of (N, h, w, C) a mask in [0, 1]: float32 (C, N, H, W)."""
    # (C, N, h, w), and each of the C N maps on its own.
    channels = tf.transpose(
        activation, [activation.shape.rank - 1, 0, *space_of(activation)]
    )
    flat = tf.reshape(channels, [-1, *size_of(activation)])
    masks = unit_range(bilinear(flat, size))
    return tf.reshape(masks, [activation.shape[-1], -1, *size])


def busiest(activation: Tensor, count: int) -> Tensor:
    """Keep the ``count`` channels of (N, h, w, C) that vary most, each sample its own."""
    spread = tf.math.reduce_variance(activation, axis=space_of(activation))
    chosen = tf.math.top_k(
        spread, min(count, activation.shape[-1]), sorted=True
    ).indices
    return tf.gather(activation, chosen, axis=activation.shape.rank - 1, batch_dims=1)


def increases(
    score: Function, inputs: Tensor, fill: Tensor, activation: Tensor, copies: int = 1
) -> Tensor:
    """Return what each channel's mask adds to the score of ``fill``: float32 (N, C).

    Arguments as :func:`saliency.kernels.occlusion.occlusion`; ``activation`` is (N, h, w, C).
    """
    gains, at_fill = [], score(fill)
    for chunk in chunks(range(activation.shape[-1]), copies):
        masks = channel_masks(
            tf.gather(activation, list(chunk), axis=-1), size_of(inputs)
        )
        gains.append(each(score, blend_many(inputs, fill, masks)) - at_fill)
    return tf.transpose(tf.concat(gains, 0))


def ablations(head: Function, activation: Tensor, copies: int = 1) -> Tensor:
    """Return how much the score falls without each channel: float32 (N, C), signed.

    ``head``: (k * N, h, w, C) -> (k * N,).
    """
    count, whole, drops = activation.shape[-1], head(activation), []
    for chunk in chunks(range(count), copies):
        keep = 1.0 - tf.one_hot(list(chunk), count)
        # (k, 1, 1, 1, C) times (N, h, w, C).
        without = activation * tf.reshape(
            keep, [-1, *[1] * (activation.shape.rank - 1), count]
        )
        drops.append(whole - each(head, without))
    return tf.transpose(tf.concat(drops, 0))


def places(
    head: Function, activation: Tensor, reach: Tensor, copies: int = 1
) -> Tensor:
    """Score each place of the last layer alone: float32 (N, h, w).

    ``reach``: float32 (h * w, h, w), what is seen of the layer when place i is asked about.
    """
    scores = []
    for chunk in chunks(range(reach.shape[0]), copies):
        seen = tf.gather(reach, list(chunk))[:, tf.newaxis, ..., tf.newaxis]
        scores.append(each(head, activation * seen))
    # (h w, N) to (N, h, w).
    by_sample = tf.transpose(tf.concat(scores, 0))
    return tf.reshape(by_sample, [-1, *size_of(activation)])


def bells(size: tuple[int, ...]) -> Tensor:
    """Return the bell (1 2 1) / 4 along each axis, around each place: (h * w, h, w)."""
    # Axes: the places, then what is seen around each; the bell is a product over both.
    product = tf.ones([1] * len(size) * 2)
    for axis, length in enumerate(size):
        distance = tf.abs(
            tf.range(length)[:, tf.newaxis] - tf.range(length)[tf.newaxis]
        )
        bell = tf.where(distance == 0, 0.5, tf.where(distance == 1, 0.25, 0.0))
        shape = [1] * len(size) * 2
        shape[axis] = shape[axis + len(size)] = length
        product *= tf.reshape(bell, shape)
    return tf.reshape(product, [-1, *size])


def principal(activation: Tensor, like: Tensor | float = 1.0) -> Tensor:
    """Project (N, h, w, C) on its first right singular vector, without centring: (N, h, w).

    The sign of the vector is the one that makes the sum of the map times ``like`` positive; of
    activations >= 0 the whole map is then >= 0 (Perron and Frobenius). Of values that are not
    finite the map is NaN.
    """
    finite = tf.math.is_finite(activation)
    broken = ~tf.reduce_all(finite, axis=list(range(1, activation.shape.rank)))
    activation = tf.where(finite, activation, 0.0)
    places, channels = math.prod(size_of(activation)), activation.shape[-1]
    # M is (places, channels). M v is u s: of the two Gram matrices the smaller one will do.
    matrix = tf.reshape(activation, [-1, places, channels])
    if places <= channels:
        values, vectors = tf.linalg.eigh(tf.matmul(matrix, matrix, transpose_b=True))
        flat = vectors[..., -1] * tf.sqrt(tf.maximum(values[:, -1:], 0.0))
    else:
        _, vectors = tf.linalg.eigh(tf.matmul(matrix, matrix, transpose_a=True))
        flat = tf.linalg.matvec(matrix, vectors[..., -1])
    projection = tf.reshape(flat, [-1, *size_of(activation)])
    axes = list(range(1, projection.shape.rank))
    agreement = tf.reduce_sum(projection * like, axis=axes, keepdims=True)
    sign = tf.where(agreement < 0, -1.0, 1.0)
    return projection * tf.where(tf.reshape(broken, tf.shape(sign)), math.nan, sign)


def seldom(activation: Tensor, k: float) -> Tensor:
    """Sum the means of the channels that stand out at a place: (N, h, w, C) -> (N, h, w).

    A channel stands out where it lies above its mean by more than ``k`` of its deviations; one
    that is the same everywhere does so nowhere.
    """
    mean = tf.reduce_mean(activation, axis=space_of(activation), keepdims=True)
    deviation = tf.math.reduce_std(activation, axis=space_of(activation), keepdims=True)
    above = tf.cast(activation > mean + k * deviation, activation.dtype)
    return tf.reduce_sum(mean * above, axis=-1)
