"""Attention of many layers as one matrix: which token's content is in which."""

from collections.abc import Sequence

import tensorflow as tf

from saliency.kernels.batches import Tensor


def rollout(attention: Sequence[Tensor]) -> Tensor:
    """Follow attention through all layers, half of each being the connection around it.

    A_l = (mean over heads of attention_l + 1) / 2; the product A_L ... A_1 (Abnar and Zuidema,
    arXiv 2005.00928, section 3).

    Parameters
    ----------
    attention
        float32 (N, heads, T, T) of each layer, the earliest first; rows sum to 1.

    Returns
    -------
    tensor
        float32 (N, T, T), >= 0, rows sum to 1: what token i at the end has of token j.
    """
    product = _identity(attention[0])
    for layer in attention:
        with_connection = (tf.reduce_mean(layer, axis=1) + _identity(layer)) / 2
        product = tf.matmul(with_connection, product)
    return product


def weighted_rollout(attention: Sequence[Tensor], slopes: Sequence[Tensor]) -> Tensor:
    """Follow attention where it raises the score.

    R = 1; for each layer R <- R + mean over heads of (slope * attention)+ R (Chefer et al., arXiv
    2103.15679, eq. 5 and 6).

    Parameters
    ----------
    attention, slopes
        float32 (N, heads, T, T) of each layer, the earliest first, and the score's derivatives.

    Returns
    -------
    tensor
        float32 (N, T, T), >= 0: R - 1.
    """
    relevance = _identity(attention[0])
    for layer, slope in zip(attention, slopes, strict=True):
        raising = tf.reduce_mean(tf.maximum(slope * layer, 0.0), axis=1)
        relevance += tf.matmul(raising, relevance)
    return relevance - _identity(attention[0])


def _identity(attention: Tensor) -> Tensor:
    """Return the identity (N, T, T)."""
    shape = tf.shape(attention)
    return tf.eye(shape[-1], batch_shape=shape[:1])
