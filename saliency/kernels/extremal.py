"""Find the part of a given area that keeps the score (Fong, Patrick, Vedaldi, arXiv 1910.08485)."""

import math

import tensorflow as tf

from saliency.kernels.batches import Function, Tensor
from saliency.kernels.descent import descend
from saliency.kernels.occlusion import blend
from saliency.kernels.resize import bilinear, size_of

#: Of a cell's blot: it is whole within half of this many cells, and gone after twice as many.
_REACH = 1.5

#: Inverse temperature of the smooth maximum, as the paper's.
_COLDNESS = 20.0

#: Mask points along each side of a cell.
_FINE = 2

#: Price of the wrong area from the middle of the search on, where the score's whole change costs 1.
_PRICE = 300.0

#: Power of the price by which slopes are divided: with 0 cells are thrown to and fro across the
#: edge of the area, and rounding decides where they fall; with 1 the area is reached too late.
_TEMPER = 0.75


def extremal_mask(
    gradient: Function,
    inputs: Tensor,
    fill: Tensor,
    *,
    area: float,
    steps: int,
    grid: int,
) -> Tensor:
    """Maximise the score of what a mask of the wanted area shows.

    Minimises ``price * area_loss - score`` (eq. 5 and 6). The price of the wrong area grows from 0
    to the middle of the search, so that the score chooses the place first.

    Parameters
    ----------
    gradient
        Of the scaled score, (N, H, W, C) -> the same shape.
    inputs, fill
        float32 (N, H, W, C): what is seen where the mask is 1, and where it is 0.
    area
        Share of the picture, in (0, 1).
    steps, grid
        Gradients, and cells along each side.

    Returns
    -------
    tensor
        float32 (N, 2 grid, 2 grid) in [0, 1]; of volumes one axis more.
    """
    size = size_of(inputs)
    weights = blot_weights(grid, size)
    start = tf.fill([tf.shape(inputs)[0], grid ** len(size)], 0.5)

    def slope(cells: Tensor, done: float) -> Tensor:
        price = _PRICE * min(2.0 * done, 1.0) ** 2
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(cells)
            mask = smooth_blots(cells, weights)
            keep = bilinear(_as_grid(mask, grid, len(size)), size)
            picture = blend(inputs, fill, keep[tf.newaxis])[0]
            loss = price * area_loss(mask, area)
        raised = tape.gradient(picture, cells, output_gradients=gradient(picture))
        return (tape.gradient(loss, cells) - raised) / (1.0 + price) ** _TEMPER

    cells = descend(slope, start, steps=steps, floor=0.5 / grid ** len(size))
    return _as_grid(smooth_blots(cells, weights), grid, len(size))


def blot_weights(grid: int, size: tuple[int, ...]) -> Tensor:
    """Return how much a cell covers of a mask's point: ``exp(-2 max(d / s - 1/2, 0)^2)``.

    Distances d and reach s are in cells. Cells are as many along each side, so that a blot has the
    picture's proportions.

    Returns
    -------
    tensor
        float32 (points, cells) in (0, 1]; points are 2 ``grid`` along each side.
    """
    cells = _point_centres(grid, grid, len(size))
    points = _point_centres(grid, _FINE * grid, len(size))
    distances = tf.norm(points[:, tf.newaxis] - cells[tf.newaxis], axis=-1)
    return tf.exp(-2.0 * tf.square(tf.nn.relu(distances / _REACH - 0.5)))


def smooth_blots(cells: Tensor, weights: Tensor) -> Tensor:
    """Lay blots over each other: the smooth maximum ``sum x e^(20 x) / sum e^(20 x)`` of them.

    Parameters
    ----------
    cells
        float32 (N, cells) in [0, 1].
    weights
        As of :func:`blot_weights`.

    Returns
    -------
    tensor
        float32 (N, points) in [0, 1]: no blot is sharper than its cell's, so neither is the mask.
    """
    blots = weights * cells[:, tf.newaxis]
    return tf.reduce_sum(blots * tf.nn.softmax(_COLDNESS * blots), axis=-1)


def area_loss(mask: Tensor, area: float) -> Tensor:
    """Say how far sorted mask values are from ``area`` ones and else zeros (eq. 6).

    Values that are equal share what falls on them: none is preferred for its place.

    Parameters
    ----------
    mask
        float32 (N, points).
    area
        Share of ones.

    Returns
    -------
    tensor
        float32 (N,), >= 0: the mean squared difference.
    """
    wanted = area * mask.shape[-1]
    descending = tf.sort(mask, axis=-1, direction="DESCENDING")
    # The value at which the wanted area ends; what is above it is to be 1.
    level = descending[:, math.floor(wanted), tf.newaxis]
    above, equal = tf.cast(mask > level, tf.float32), tf.cast(mask == level, tf.float32)
    left = wanted - tf.reduce_sum(above, axis=-1, keepdims=True)
    share = left / tf.maximum(tf.reduce_sum(equal, axis=-1, keepdims=True), 1.0)
    ideal = tf.stop_gradient(above + share * equal)
    return tf.reduce_mean(tf.square(mask - ideal), axis=-1)


def _point_centres(grid: int, count: int, axes: int) -> Tensor:
    """Return the centres of ``count`` points along each side, in cells: (points, axes)."""
    line = (tf.range(count, dtype=tf.float32) + 0.5) * (grid / count)
    return tf.reshape(
        tf.stack(tf.meshgrid(*[line] * axes, indexing="ij"), -1), [-1, axes]
    )


def _as_grid(mask: Tensor, grid: int, axes: int) -> Tensor:
    return tf.reshape(mask, [-1, *[_FINE * grid] * axes])
