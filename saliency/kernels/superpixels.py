"""Superpixels, and linear models of which of them are seen."""

from collections.abc import Sequence

import tensorflow as tf

from saliency.kernels.batches import Function, Tensor, chunks, each
from saliency.kernels.occlusion import blend_many
from saliency.kernels.resize import space_of

_ROUNDS = 5

#: A difference of this share of a picture's range weighs like one cell's width.
_CONTRAST = 0.2


def superpixels(inputs: Tensor, grid: int) -> Tensor:
    """Cut pictures into regions of like colour that are near: k-means from a regular grid.

    A plain form of SLIC (Achanta et al., IEEE TPAMI 34 (2012) 2274) without its local search and
    without merging stray pixels. A flat picture gives the cells of the grid.

    Parameters
    ----------
    inputs
        float32 (N, H, W, C).
    grid
        Regions along each side.

    Returns
    -------
    tensor
        int32 (N, H, W) in [0, grid * grid); of volumes (N, D, H, W) in [0, grid^3). A region may
        be empty.
    """
    return tf.map_fn(
        lambda picture: _region_labels(picture, grid),
        inputs,
        fn_output_signature=tf.int32,
    )


def shown(cells: Tensor, labels: Tensor) -> Tensor:
    """Turn which regions are seen (k, S) into masks float32 (k, N, H, W)."""
    return tf.gather(cells, labels, axis=1)


def scores_of(
    score: Function,
    pictures: tuple[Tensor, Tensor],
    labels: Tensor,
    cells: Tensor,
    copies: int,
) -> Tensor:
    """Score the first pictures where regions are seen, and the second where not.

    Parameters
    ----------
    score
        Of a batch.
    pictures
        Two batches, float32 (N, H, W, C).
    labels
        The region of each pixel, int32 (N, H, W).
    cells
        Which regions are seen, float32 (k, S).
    copies
        Batches that are asked about at a time.

    Returns
    -------
    tensor
        float32 (k, N).
    """
    scores = [
        each(score, blend_many(*pictures, shown(tf.gather(cells, list(chunk)), labels)))
        for chunk in chunks(range(cells.shape[0]), copies)
    ]
    return tf.concat(scores, 0)


def ranks(permutations: int, regions: int, seed: Sequence[int]) -> Tensor:
    """Draw orders, by two seeds: int32 (k, S), the place of each region, 0..S - 1."""
    keys = tf.random.stateless_uniform([permutations, regions], seed)
    # The argsort of an order is the place of each region in it.
    return tf.argsort(tf.argsort(keys, axis=1), axis=1)


def joining(ranks: Tensor) -> Tensor:
    """Return who is there after each but the last has joined: float32 (k, S - 1, S)."""
    joined = tf.range(1, ranks.shape[1])[tf.newaxis, :, tf.newaxis]
    return tf.cast(ranks[:, tf.newaxis] < joined, tf.float32)


def mean_gains(
    nothing: Tensor, between: Tensor, whole: Tensor, ranks: Tensor
) -> Tensor:
    """Return the mean over orders of what each region adds when it joins: float32 (N, S).

    Parameters
    ----------
    nothing, whole
        Scores with no region and with all, float32 (N,).
    between
        Scores after each but the last has joined, float32 (k, S - 1, N).
    ranks
        The place of each region in each order, int32 (k, S).
    """
    orders = ranks.shape[0]
    first, last = (
        tf.repeat(end[tf.newaxis, tf.newaxis], orders, 0) for end in (nothing, whole)
    )
    scores = tf.concat([first, between, last], axis=1)
    # (k, S, N): by place in the order, then by region.
    gains_by_place = scores[:, 1:] - scores[:, :-1]
    gains = tf.gather(gains_by_place, ranks, axis=1, batch_dims=1)
    return tf.transpose(tf.reduce_mean(gains, axis=0))


def shared(values: Tensor, labels: Tensor) -> Tensor:
    """Share each region's value (N, S) evenly among its pixels: float32 (N, H, W)."""
    members = tf.one_hot(labels, values.shape[1])
    area = tf.reduce_sum(members, axis=space_of(members))
    each_pixel = tf.math.divide_no_nan(values, area)
    return tf.gather(each_pixel, labels, batch_dims=1)


def ridge(cells: Tensor, scores: Tensor, weights: Tensor, penalty: float) -> Tensor:
    """Fit a weighted linear model with an intercept that is not penalised.

    Parameters
    ----------
    cells
        float32 (k, S).
    scores
        float32 (k, N).
    weights
        float32 (k,), >= 0.
    penalty
        Of the squared coefficients.

    Returns
    -------
    tensor
        float32 (N, S): coefficients.
    """
    # Less their weighted means, cells and scores need no intercept.
    shares = (weights / tf.reduce_sum(weights))[:, tf.newaxis]
    centred_cells = cells - tf.reduce_sum(shares * cells, axis=0)
    centred_scores = scores - tf.reduce_sum(shares * scores, axis=0)
    # (X' W X + penalty) b = X' W y.
    weighted = centred_cells * weights[:, tf.newaxis]
    gram = tf.matmul(weighted, centred_cells, transpose_a=True)
    gram += penalty * tf.eye(cells.shape[1])
    pull = tf.matmul(weighted, centred_scores, transpose_a=True)
    return tf.transpose(tf.linalg.solve(gram, pull))


def closeness(cells: Tensor, width: float) -> Tensor:
    """Weigh draws by how much of the picture is seen: exp(-(1 - cos)^2 / width^2), (k,).

    ``cos``: of the angle between which regions are seen and all ones.
    """
    cosine = tf.sqrt(tf.reduce_mean(cells, axis=1))
    return tf.exp(-tf.square((1.0 - cosine) / width))


def coalitions(count: int, regions: int, seed: int) -> Tensor:
    """Draw coalitions as the Shapley kernel weighs them, each with its complement.

    Parameters
    ----------
    count
        Pairs.
    regions
        S, at least 2.
    seed
        Of the draw.

    Returns
    -------
    tensor
        float32 (2 count, S) of 0 and 1, never all alike. The size s has the probability
        proportional to 1 / (s (S - s)).
    """
    # Logarithms of the probabilities of the sizes 1 .. S - 1.
    sizes = tf.range(1, regions, dtype=tf.float32)
    log_odds = -tf.math.log(sizes * (regions - sizes))
    size = (
        tf.random.stateless_categorical(log_odds[tf.newaxis], count, [seed, 0])[0] + 1
    )
    joined = tf.cast(size, tf.int32)[:, tf.newaxis]
    seen = tf.cast(ranks(count, regions, [seed, 1]) < joined, tf.float32)
    return tf.concat([seen, 1.0 - seen], 0)


def shapley_values(cells: Tensor, gains: Tensor, whole: Tensor) -> Tensor:
    """Fit the additive game that sums to ``whole`` (Covert and Lee, arXiv 2012.01536, eq. 7).

    Parameters
    ----------
    cells
        Coalitions, float32 (k, S).
    gains
        Their scores less the score of nothing, float32 (k, N).
    whole
        The gain of the whole picture, float32 (N,).

    Returns
    -------
    tensor
        float32 (N, S), summing to ``whole``; exact Shapley values of an additive game.
    """
    count = tf.cast(tf.shape(cells)[0], tf.float32)
    gram = tf.matmul(cells, cells, transpose_a=True) / count + 1e-6 * tf.eye(
        cells.shape[1]
    )
    pull = tf.matmul(cells, gains, transpose_a=True) / count
    ones = tf.ones([cells.shape[1], 1])
    # A^-1 (b - 1 (1' A^-1 b - whole) / (1' A^-1 1)): the free fit, less what breaks the sum.
    free, unit = tf.linalg.solve(gram, pull), tf.linalg.solve(gram, ones)
    excess = (tf.reduce_sum(free, axis=0) - whole) / tf.reduce_sum(unit)
    return tf.transpose(free - unit * excess)


def _region_labels(picture: Tensor, grid: int) -> Tensor:
    """Return the region of each pixel of one picture (H, W, C): int32 (H, W)."""
    size = picture.shape[:-1]
    width = tf.reduce_max(picture) - tf.reduce_min(picture)
    colour = tf.math.divide_no_nan(picture, width * _CONTRAST)
    # Pixel centres along each axis, in cells.
    centres = [
        (tf.range(length, dtype=tf.float32) + 0.5) * (grid / length) for length in size
    ]
    place = tf.stack(tf.meshgrid(*centres, indexing="ij"), -1)
    features = tf.reshape(
        tf.concat([colour, place], -1), [-1, picture.shape[-1] + len(size)]
    )
    # The number of the grid's cell: row * grid + column.
    cells = tf.minimum(tf.floor(place), grid - 1.0)
    strides = [float(grid**axis) for axis in reversed(range(len(size)))]
    labels = tf.reshape(tf.cast(tf.linalg.matvec(cells, strides), tf.int32), [-1])
    for _ in range(_ROUNDS):
        labels = _nearest_region(features, labels, grid ** len(size))
    return tf.reshape(labels, size)


def _nearest_region(features: Tensor, labels: Tensor, regions: int) -> Tensor:
    """Move each pixel to the region whose mean is nearest; an empty region attracts none."""
    means = tf.math.unsorted_segment_mean(features, labels, regions)
    sizes = tf.math.unsorted_segment_sum(
        tf.ones_like(labels, tf.float32), labels, regions
    )
    # |f - m|^2 less |f|^2, which is the same for all regions.
    products = tf.matmul(features, means, transpose_b=True)
    distances = tf.reduce_sum(tf.square(means), axis=1) - 2 * products
    attracting = tf.where(sizes > 0, distances, distances.dtype.max)
    return tf.argmin(attracting, axis=1, output_type=tf.int32)
