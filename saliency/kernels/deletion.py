"""Find the mask that takes a score away at the least price."""

import tensorflow as tf

from saliency.kernels.batches import Function, Tensor
from saliency.kernels.descent import descend
from saliency.kernels.occlusion import blend
from saliency.kernels.resize import bilinear, size_of


def deletion_mask(
    gradient: Function,
    inputs: Tensor,
    fill: Tensor,
    *,
    steps: int,
    grid: int,
    smooth: float,
) -> Tensor:
    """Minimise score + mean hidden area + ``smooth`` * mean square step between cells with Adam.

    Parameters
    ----------
    gradient
        Of the scaled score, (N, H, W, C) -> the same shape.
    inputs, fill
        float32 (N, H, W, C): where the mask keeps, and where it hides.
    steps, grid
        Gradients, and cells along each side.
    smooth
        Price of roughness.

    Returns
    -------
    tensor
        float32 (N, grid, grid) in [0, 1]: 1 keeps. Each sample has its own optimiser's state.
    """
    axes = len(size_of(inputs))
    start = tf.ones([tf.shape(inputs)[0], *[grid] * axes])

    def slope(keep: Tensor, _: float) -> Tensor:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(keep)
            picture = blend(inputs, fill, bilinear(keep, size_of(inputs))[tf.newaxis])[
                0
            ]
            cells = list(range(1, keep.shape.rank))
            price = tf.reduce_mean(1.0 - keep, axis=cells) + smooth * _roughness(keep)
        # The chain rule: the score's derivative by the picture, pulled back to the mask.
        score_slope = tape.gradient(picture, keep, output_gradients=gradient(picture))
        return score_slope + tape.gradient(price, keep)

    # Three times a cell's own price.
    return descend(slope, start, steps=steps, floor=3.0 / grid**axes)


def _roughness(keep: Tensor) -> Tensor:
    """Return the mean square of the differences of neighbours, summed over the axes: (N,)."""
    axes = list(range(1, keep.shape.rank))
    by_axis = []
    for axis in axes:
        after = tf.gather(keep, range(1, keep.shape[axis]), axis=axis)
        before = tf.gather(keep, range(keep.shape[axis] - 1), axis=axis)
        by_axis.append(tf.reduce_mean(tf.square(after - before), axis=axes))
    return tf.add_n(by_axis)
