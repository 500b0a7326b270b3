"""Gradient descent on masks, each sample with its own state."""

from collections.abc import Callable

import tensorflow as tf

from saliency.kernels.batches import Tensor

#: Step; decay of the mean slope and of the mean square, the two as in the paper.
_RATE, _DECAY, _DECAY_SQUARES = 0.1, 0.9, 0.999


def descend(
    slope: Callable[[Tensor, float], Tensor], start: Tensor, *, steps: int, floor: float
) -> Tensor:
    """Walk down a slope with Adam (Kingma and Ba, arXiv 1412.6980, algorithm 1), inside [0, 1].

    Adam's epsilon is a number that counts, not rounding: with a small one the last digit of a
    slope of 0 would move a cell as far as a real one.

    Parameters
    ----------
    slope
        (values, share of the steps that are done) -> the derivative to go down, shaped alike.
    start
        float32, any shape, in [0, 1].
    steps, floor
        How many, and Adam's epsilon.

    Returns
    -------
    tensor
        float32, shaped like ``start``, in [0, 1].
    """
    values, mean, square = start, tf.zeros_like(start), tf.zeros_like(start)
    for step in range(1, steps + 1):
        down = slope(values, (step - 1) / steps)
        mean = _DECAY * mean + (1 - _DECAY) * down
        square = _DECAY_SQUARES * square + (1 - _DECAY_SQUARES) * tf.square(down)
        length = tf.sqrt(square / (1 - _DECAY_SQUARES**step)) + floor
        move = mean / (1 - _DECAY**step) / length
        values = tf.clip_by_value(values - _RATE * move, 0.0, 1.0)
    return values
