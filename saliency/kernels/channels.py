"""Class activation maps that ask the model about masked pictures or activations."""

import math

import tensorflow as tf

from saliency.kernels.activity import unit_range
from saliency.kernels.batches import Function, Tensor, chunks, each
from saliency.kernels.occlusion import blend_many
from saliency.kernels.resize import bilinear, size_of, space_of


def channel_masks(activation: Tensor, size: tuple[int, ...]) -> Tensor:
    """Make of each channel of (N, h, w, C) a mask in [0, 1]: float32 (C, N, H, W)."""
    channels = tf.transpose(activation, [activation.shape.rank - 1, 0, *space_of(activation)])
    flat = tf.reshape(channels, [-1, *size_of(activation)])
    masks = unit_range(bilinear(flat, size))
    return tf.reshape(masks, [activation.shape[-1], -1, *size])


def busiest(activation: Tensor, count: int) -> Tensor:
    """Keep the ``count`` channels of (N, h, w, C) that vary most, each sample its own."""
    spread = tf.math.reduce_variance(activation, axis=space_of(activation))
    chosen = tf.math.top_k(spread, min(count, activation.shape[-1]), sorted=True).indices
    return tf.gather(activation, chosen, axis=activation.shape.rank - 1, batch_dims=1)


def increases(
    score: Function, inputs: Tensor, fill: Tensor, activation: Tensor, copies: int = 1
) -> Tensor:
    """Return what each channel's mask adds to the score of ``fill``: float32 (N, C).

    Arguments as :func:`saliency.kernels.occlusion.occlusion`; ``activation`` is (N, h, w, C).
    """
    found, empty = [], score(fill)
    for some in chunks(range(activation.shape[-1]), copies):
        masks = channel_masks(tf.gather(activation, list(some), axis=-1), size_of(inputs))
        found.append(each(score, blend_many(inputs, fill, masks)) - empty)
    return tf.transpose(tf.concat(found, 0))


def ablations(head: Function, activation: Tensor, copies: int = 1) -> Tensor:
    """Return how much the score falls without each channel: float32 (N, C), signed.

    ``head``: (k * N, h, w, C) -> (k * N,).
    """
    count, whole, found = activation.shape[-1], head(activation), []
    for some in chunks(range(count), copies):
        keep = 1.0 - tf.one_hot(list(some), count)
        without = activation * tf.reshape(keep, [-1, *[1] * (activation.shape.rank - 1), count])
        found.append(whole - each(head, without))
    return tf.transpose(tf.concat(found, 0))


def places(head: Function, activation: Tensor, reach: Tensor, copies: int = 1) -> Tensor:
    """Score each place of the last layer alone: float32 (N, h, w).

    ``reach``: float32 (h * w, h, w), what is seen of the layer when place i is asked about.
    """
    found = []
    for some in chunks(range(reach.shape[0]), copies):
        seen = tf.gather(reach, list(some))[:, tf.newaxis, ..., tf.newaxis]
        found.append(each(head, activation * seen))
    scores = tf.transpose(tf.concat(found, 0))
    return tf.reshape(scores, [-1, *size_of(activation)])


def bells(size: tuple[int, ...]) -> Tensor:
    """Return the bell (1 2 1) / 4 along each axis, around each place: (h * w, h, w)."""
    whole = tf.ones([1] * len(size) * 2)
    for axis, length in enumerate(size):
        shape = [1] * len(size) * 2
        shape[axis] = shape[axis + len(size)] = length
        whole *= tf.reshape(_bell_rows(length), shape)
    return tf.reshape(whole, [-1, *size])


def principal(activation: Tensor, like: Tensor | float = 1.0) -> Tensor:
    """Project (N, h, w, C) on its first right singular vector, without centring: (N, h, w).

    The sign of the vector is the one that makes the sum of the map times ``like`` positive; of
    activations >= 0 the whole map is then >= 0 (Perron and Frobenius). Of values that are not
    finite the map is NaN.
    """
    broken = ~tf.reduce_all(
        tf.math.is_finite(activation), axis=list(range(1, activation.shape.rank))
    )
    activation = tf.where(tf.math.is_finite(activation), activation, 0.0)
    places, channels = math.prod(size_of(activation)), activation.shape[-1]
    matrix = tf.reshape(activation, [-1, places, channels])
    if places <= channels:
        values, vectors = tf.linalg.eigh(tf.matmul(matrix, matrix, transpose_b=True))
        found = vectors[..., -1] * tf.sqrt(tf.maximum(values[:, -1:], 0.0))
    else:
        _, vectors = tf.linalg.eigh(tf.matmul(matrix, matrix, transpose_a=True))
        found = tf.linalg.matvec(matrix, vectors[..., -1])
    found = tf.reshape(found, [-1, *size_of(activation)])
    agreed = tf.reduce_sum(found * like, axis=list(range(1, found.shape.rank)), keepdims=True)
    sign = tf.where(agreed < 0, -1.0, 1.0)
    return found * tf.where(tf.reshape(broken, tf.shape(sign)), math.nan, sign)


def seldom(activation: Tensor, k: float) -> Tensor:
    """Sum the means of the channels that stand out at a place: (N, h, w, C) -> (N, h, w).

    A channel stands out where it lies above its mean by more than ``k`` of its deviations; one
    that is the same everywhere does so nowhere.
    """
    mean = tf.reduce_mean(activation, axis=space_of(activation), keepdims=True)
    deviation = tf.math.reduce_std(activation, axis=space_of(activation), keepdims=True)
    above = tf.cast(activation > mean + k * deviation, activation.dtype)
    return tf.reduce_sum(mean * above, axis=-1)


def _bell_rows(length: int) -> Tensor:
    far = tf.abs(tf.range(length)[:, tf.newaxis] - tf.range(length)[tf.newaxis])
    return tf.where(far == 0, 0.5, tf.where(far == 1, 0.25, 0.0))
