"""Hide parts of a picture, and see how the score falls."""

from collections.abc import Sequence
from itertools import product

import tensorflow as tf

from saliency.kernels.batches import Function, Tensor, chunks, each
from saliency.kernels.resize import size_of
from saliency.kernels.xla import fused


def window_starts(length: int, window: int, stride: int) -> list[int]:
    """Return where windows start so that they cover ``length`` pixels and none sticks out.

    Every ``stride`` pixels; one more at the end where the last does not reach it.
    """
    last = max(length - window, 0)
    return sorted({*range(0, last, stride), last})


def occlusion(
    score: Function,
    inputs: Tensor,
    fill: Tensor,
    window: int,
    stride: int,
    copies: int = 1,
) -> Tensor:
    """Slide a window over the picture, fill it, and note the fall of the score.

    On volumes the window is a cube.

    Parameters
    ----------
    score
        (k * N, H, W, C) -> (k * N,).
    inputs, fill
        float32 (N, H, W, C): the picture, and what is seen in the window instead.
    window, stride
        Pixels. A window wider than the picture is cut to it.
    copies
        How many windows to ask about in one call.

    Returns
    -------
    tensor
        float32 (N, H, W), signed: for each pixel the mean of score(x) - score(x with the window
        filled) over all windows that hold it. Above 0: the pixels speak for the target.
    """
    size = size_of(inputs)
    corners = list(product(*(window_starts(length, window, stride) for length in size)))
    whole = score(inputs)
    total, count = tf.zeros_like(inputs[..., 0]), tf.zeros([1, *size])
    for chunk in chunks(corners, copies):
        hidden = _windows(chunk, window, size)
        fall = whole - each(score, blend_many(inputs, fill, 1.0 - hidden))
        total += tf.tensordot(fall, hidden, [[0], [0]])
        count += tf.reduce_sum(hidden, axis=0)
    return total / count


def blend(inputs: Tensor, fill: Tensor, keep: Tensor) -> Tensor:
    """Show ``inputs`` where ``keep`` is 1, ``fill`` where it is 0.

    Parameters
    ----------
    inputs, fill
        float32 (N, H, W, C).
    keep
        float32 (k, H, W) for the whole batch, or (k, N, H, W), in [0, 1]; on volumes with D.

    Returns
    -------
    tensor
        float32 (k, N, H, W, C). Exactly ``inputs`` where ``keep`` is 1.
    """
    return _blended(inputs, fill, _as_weights(inputs, keep))


def blend_many(inputs: Tensor, fill: Tensor, keep: Tensor) -> Tensor:
    """Do as :func:`blend`, in one kernel: a tenth of the time, once it is compiled."""
    return _blended_in_one_kernel(inputs, fill, _as_weights(inputs, keep))


def _as_weights(inputs: Tensor, keep: Tensor) -> Tensor:
    """Return the mask as (k, N or 1, H, W, 1)."""
    seen = keep[:, tf.newaxis] if keep.shape.rank < inputs.shape.rank else keep
    return seen[..., tf.newaxis]


def _blended(inputs: Tensor, fill: Tensor, seen: Tensor) -> Tensor:
    return inputs * seen + fill * (1.0 - seen)


_blended_in_one_kernel = fused(_blended)


def _windows(
    corners: Sequence[tuple[int, ...]], window: int, size: tuple[int, ...]
) -> Tensor:
    """Return float32 (k, *size), 1 inside each window."""
    hidden = tf.ones([len(corners)])
    for starts, length in zip(zip(*corners, strict=True), size, strict=True):
        # (k, length): how far a pixel lies behind the start of its window.
        behind = tf.range(length)[tf.newaxis] - tf.constant(starts)[:, tf.newaxis]
        inside = tf.cast((behind >= 0) & (behind < window), tf.float32)
        # A window is the product of its spans along each axis.
        hidden = tf.einsum("k...,kw->k...w", hidden, inside)
    return hidden
