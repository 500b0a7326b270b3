"""Random masks of a few coarse cells, and what the scores under them say about each cell."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from saliency.kernels.batches import Function, Tensor, chunks, each
from saliency.kernels.occlusion import blend_many
from saliency.kernels.resize import bilinear, size_of


def count_of(grid: int, inputs: Tensor) -> int:
    """Return how many cells there are: the same number along each axis of (N, H, W, C)."""
    return int(grid ** len(size_of(inputs)))


def random_cells(count: int, cells: int, seed: int) -> Tensor:
    """Draw even numbers in [0, 1): float32 (count, cells)."""
    return tf.random.stateless_uniform([count, cells], [seed, 0])


def quasi_random_cells(count: int, cells: int, seed: int) -> Tensor:
    """Fill the unit cube more evenly than chance does: float32 (count, cells) in [0, 1).

    A Sobol sequence, shifted by a seeded random vector modulo 1 (Cranley and Patterson, 1976).
    """
    shift = tf.random.stateless_uniform([1, cells], [seed, 0])
    return tf.math.floormod(tf.math.sobol_sample(cells, count) + shift, 1.0)


def shifted_masks(cells: Tensor, offsets: Tensor, size: tuple[int, ...]) -> Tensor:
    """Make the masks of RISE (Petsiuk et al., arXiv 1806.07421, section 3.2).

    Parameters
    ----------
    cells
        1 where seen, float32 (k, G + 1, G + 1); of volumes one axis more.
    offsets
        float32 (k, axes) in [0, 1]: by which part of a cell each is shifted along each axis.
    size
        (H, W) of the picture, on which G cells are laid.

    Returns
    -------
    tensor
        float32 (k, H, W) in [0, 1]: the cells, enlarged bilinearly.
    """
    grid = cells.shape[1] - 1
    nodes = tf.range(grid + 1, dtype=tf.float32)
    for axis, length in enumerate(size):
        # Pixel centres among the nodes, (k, length, 1); the shift moves them by less than a cell.
        centres = (tf.range(length, dtype=tf.float32) + 0.5) * ((grid - 1) / length)
        places = centres[:, tf.newaxis] + offsets[:, axis][:, tf.newaxis, tf.newaxis]
        # Bilinear weights (k, length, G + 1): hats of width 1 around each node.
        hats = tf.nn.relu(1.0 - tf.abs(places - nodes))
        # The axis that is done goes last, so that the next one comes first.
        cells = tf.einsum("kha,ka...->k...h", hats, cells)
    return cells


def cell_masks(cells: Tensor, grid: int, size: tuple[int, ...]) -> Tensor:
    """Enlarge (k, grid * grid) bilinearly to masks (k, H, W)."""
    return bilinear(tf.reshape(cells, [-1, *[grid] * len(size)]), size)


def scores_under(
    score: Function, inputs: Tensor, fill: Tensor, masks: Tensor, copies: int = 1
) -> Tensor:
    """Score ``inputs`` seen through masks (K, h, w), enlarged as needed: float32 (K, N)."""
    scores = [
        each(score, blend_many(inputs, fill, bilinear(chunk, size_of(inputs))))
        for chunk in chunks(masks, copies)
    ]
    return tf.concat(scores, 0)


def seen_minus_average(
    score: Function,
    inputs: Tensor,
    fill: Tensor,
    masks: Callable[[Sequence[int]], Tensor],
    draws: Sequence[int],
    copies: int = 1,
) -> Tensor:
    """Return the mean score of masks that show the pixel, less that of all masks.

    RISE's estimator (eq. 6) divided by what the masks really showed of the pixel and not by its
    expectation, and centred: a constant in the score moves nothing. ``masks`` makes (k, H, W) of
    k draws.

    Returns
    -------
    tensor
        float32 (N, H, W), signed, in units of the score; 0 where no mask shows the pixel.
    """
    total, shown = tf.zeros_like(inputs[..., 0]), tf.zeros(size_of(inputs))
    sums = tf.zeros([inputs.shape[0]])
    for chunk in chunks(draws, copies):
        seen = masks(chunk)
        scores = each(score, blend_many(inputs, fill, seen))
        total += tf.tensordot(scores, seen, [[0], [0]])
        shown += tf.reduce_sum(seen, axis=0)
        sums += tf.reduce_sum(scores, axis=0)
    mean = tf.reshape(sums / len(draws), [-1, *[1] * len(shown.shape)])
    return tf.math.divide_no_nan(total, shown) - mean * tf.cast(shown > 0, tf.float32)


def total_effects(at_base: Tensor, at_changed: Tensor) -> Tensor:
    """Estimate total Sobol indices (Jansen, 1999; Fel et al., arXiv 2111.04138, eq. 5).

    Parameters
    ----------
    at_base
        Scores of n designs, (n, N).
    at_changed
        Scores of the same designs with cell i drawn anew, (n, d, N).

    Returns
    -------
    tensor
        float32 (N, d), >= 0: the share of the score's variance that cell i has a part in.
    """
    # Jansen: half the mean square of what the cell's change does, (d, N), over the variance.
    half_squares = (
        tf.reduce_mean(tf.square(at_base[:, tf.newaxis] - at_changed), axis=0) / 2
    )
    variance = tf.math.reduce_variance(at_base, axis=0)
    return tf.transpose(tf.math.divide_no_nan(half_squares, variance))


def dependence(cells: Tensor, scores: Tensor) -> Tensor:
    """Hilbert-Schmidt independence criterion of each cell and the score (arXiv 2206.06219).

    With the kernel [z = z'] on cells, which centred is 2 z z', and a Gaussian of median width on
    scores: ``2 / (n - 1)^2 z L z``.

    Parameters
    ----------
    cells
        0 or 1, float32 (n, d).
    scores
        float32 (n, N).

    Returns
    -------
    tensor
        float32 (N, d), >= 0; 0 in expectation where the score does not depend on the cell.
    """
    centred = cells - tf.reduce_mean(cells, axis=0)
    # (n, n, N): squared differences of all pairs of draws, and their median (N,).
    squares = tf.square(scores[:, tf.newaxis] - scores[tf.newaxis])
    by_size = tf.sort(tf.reshape(squares, [-1, squares.shape[-1]]), axis=0)
    median = by_size[tf.shape(by_size)[0] // 2]
    kernel = tf.exp(-tf.math.divide_no_nan(squares, 2 * median))
    form = tf.einsum("kd,kln,ld->nd", centred, kernel, centred, optimize="optimal")
    return 2 * tf.nn.relu(form) / tf.cast(tf.shape(cells)[0] - 1, tf.float32) ** 2
