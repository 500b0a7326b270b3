"""Ask one function about many variants of a batch, a bounded number at a time."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias, TypeVar

import tensorflow as tf

Tensor: TypeAlias = Any
"""A TensorFlow tensor; TensorFlow ships no types."""

Function: TypeAlias = Callable[[Tensor], Tensor]
"""What a probe answers to a batch: (N, H, W, C) -> (N,) or (N, H, W, C)."""

Item = TypeVar("Item")


def each(function: Function, pictures: Tensor) -> Tensor:
    """Ask ``function`` about k variants of a batch in one call.

    Parameters
    ----------
    function
        (k * N, ...) -> (k * N, ...).
    pictures
        float32 (k, N, ...). Variant-major, so that sample i lies at i, i + N, i + 2 N, ... of the
        call: the order in which a probe remembers the class of each sample.

    Returns
    -------
    tensor
        float32 (k, N, ...): the answers.
    """
    lead = tf.shape(pictures)[:2]
    answers = function(
        tf.reshape(pictures, tf.concat([[-1], tf.shape(pictures)[2:]], 0))
    )
    return tf.reshape(answers, tf.concat([lead, tf.shape(answers)[1:]], 0))


def chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Cut ``items`` into as few runs of at most ``size`` as will do, in order.

    Their lengths differ by one at most: a picture that is asked about alone, as a rest, costs
    a processor of many cores almost twice what it costs in company.
    """
    count = -(-len(items) // size)
    for part in range(count):
        yield items[part * len(items) // count : (part + 1) * len(items) // count]


def along_batch(values: Tensor, like: Tensor) -> Tensor:
    """Reshape ``values`` (k,) to (k, 1, 1, ...), to broadcast against (k, *like.shape)."""
    return tf.reshape(tf.cast(values, tf.float32), [-1, *[1] * like.shape.rank])
