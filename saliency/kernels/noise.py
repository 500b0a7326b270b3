"""Random numbers that depend on their seed alone."""

from collections.abc import Sequence

import tensorflow as tf

from saliency.kernels.batches import Tensor


def normal(draws: Sequence[int], like: Tensor, seed: int) -> Tensor:
    """Draw standard normal noise.

    Parameters
    ----------
    draws
        k indices. Draw i is the same whichever draws are asked for with it.
    like
        A batch (N, ...).
    seed
        Any int.

    Returns
    -------
    tensor
        float32 (k, 1, ...): every sample of a batch gets the same noise, so that a picture has
        the same map alone and in a batch.
    """
    shape = [1, *like.shape[1:]]
    return tf.stack([tf.random.stateless_normal(shape, [seed, draw]) for draw in draws])


def uniform(draws: Sequence[int], like: Tensor, seed: int) -> Tensor:
    """Draw as :func:`normal` does, but evenly from [0, 1)."""
    shape = [1, *like.shape[1:]]
    return tf.stack(
        [tf.random.stateless_uniform(shape, [seed, draw]) for draw in draws]
    )


def spread_of(inputs: Tensor) -> Tensor:
    """Range max - min of each sample (N, ...), as (N, 1, ..., 1); of a flat one 0."""
    axes = list(range(1, inputs.shape.rank))
    high = tf.reduce_max(inputs, axis=axes, keepdims=True)
    return high - tf.reduce_min(inputs, axis=axes, keepdims=True)
