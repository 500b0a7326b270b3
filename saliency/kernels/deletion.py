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
        return _slope(gradient, inputs, fill, keep, smooth)

    # Three times a cell's own price.
    return descend(slope, start, steps=steps, floor=3.0 / grid**axes)


def _slope(gradient: Function, inputs: Tensor, fill: Tensor, keep: Tensor, smooth: float) -> Tensor:
    """Return the price's derivative by the mask: the picture's part is pulled back to it."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(keep)
        picture = blend(inputs, fill, bilinear(keep, size_of(inputs))[tf.newaxis])[0]
        cells = list(range(1, keep.shape.rank))
        price = tf.reduce_mean(1.0 - keep, axis=cells) + smooth * _roughness(keep)
    pulled = tape.gradient(picture, keep, output_gradients=gradient(picture))
    return pulled + tape.gradient(price, keep)


def _roughness(keep: Tensor) -> Tensor:
    axes = list(range(1, keep.shape.rank))
    return tf.add_n([tf.reduce_mean(_squared_steps(keep, axis), axis=axes) for axis in axes])


def _squared_steps(keep: Tensor, axis: int) -> Tensor:
    """Return the squares of the differences of neighbours along an axis."""
    after = tf.gather(keep, range(1, keep.shape[axis]), axis=axis)
    before = tf.gather(keep, range(keep.shape[axis] - 1), axis=axis)
    return tf.square(after - before)
