"""Integrate a gradient along paths that are not straight, or not evenly weighed."""

from collections.abc import Sequence

import tensorflow as tf

from saliency.kernels.baselines import gaussian_blur
from saliency.kernels.batches import Function, Tensor, along_batch, chunks, each


def polyline_gradient(
    gradient: Function, points: Sequence[Tensor], copies: int = 1
) -> Tensor:
    """Integrate along straight pieces between ``points``, by the trapezoid rule on each.

    Parameters
    ----------
    gradient
        (k * N, H, W, C) -> the same shape.
    points
        Pictures (N, H, W, C), two or more, from the baseline to the input.
    copies
        How many points go into one call.

    Returns
    -------
    tensor
        float32 (N, H, W, C): ``sum_i (p[i+1] - p[i]) (g[i] + g[i+1]) / 2``.
    """
    total, before = tf.zeros_like(points[0]), None
    for chunk in chunks(points, copies):
        slopes = tf.unstack(each(gradient, tf.stack(chunk)), num=len(chunk))
        for point, slope in zip(chunk, slopes, strict=True):
            if before is not None:
                # The trapezoid of a piece: its way times the mean gradient of its ends.
                total += (point - before[0]) * (slope + before[1]) / 2
            before = point, slope
    return total


def blur_path(inputs: Tensor, sigma: float, steps: int) -> list[Tensor]:
    """Return ``steps`` + 1 pictures, from a blur of deviation ``sigma`` pixels to none at all.

    The deviations fall as the square of the way that is left: most of a picture comes into focus
    in the last pixel of blur.
    """
    sigmas = (sigma * ((steps - step) / steps) ** 2 for step in range(steps + 1))
    return [gaussian_blur(inputs, deviation) for deviation in sigmas]


def guided_path_gradient(
    gradient: Function,
    inputs: Tensor,
    baseline: Tensor,
    steps: int,
    *,
    fraction: float,
    distance: float,
) -> Tensor:
    """Guided integrated gradients (Kapishnikov et al., arXiv 2106.09788, algorithm 1).

    Each step spends 1 / ``steps`` of the L1 way from ``baseline`` to ``inputs``, on the
    ``fraction`` of values with the smallest gradients first. No value strays from its place on
    the straight line by more than ``distance`` of its way. The attribution of a step is the
    trapezoid of the gradients at its ends, of which the second serves the next step too.

    Returns
    -------
    tensor
        float32 (N, H, W, C), signed; sums to the score's change as the steps get many.
    """
    # Rows (N, F) of all values of a sample.
    shape, start, end = tf.shape(inputs), _flat_samples(baseline), _flat_samples(inputs)
    way = tf.reduce_sum(tf.abs(end - start), axis=1, keepdims=True)
    here, total = start, tf.zeros_like(start)
    slope = gradient(baseline)
    for step in range(1, steps + 1):
        part = step / steps
        low = start + max(part - distance, 0.0) * (end - start)
        high = start + min(part + distance, 1.0) * (end - start)
        # Values that have fallen behind are brought up to the lower limit first.
        ahead_of_low = (here - low) * tf.sign(end - start) >= 0
        raised = tf.where(ahead_of_low, here, low)
        left = tf.reduce_sum(tf.abs(end - raised), axis=1, keepdims=True)
        budget = tf.maximum(left - way * (1 - part), 0.0)
        sizes = tf.abs(_flat_samples(slope))
        there = _spend_budget(raised, high, sizes, budget, fraction)
        slope_there = gradient(tf.reshape(there, shape))
        total += (there - here) * _flat_samples(slope + slope_there) / 2
        here, slope = there, slope_there
    return tf.reshape(total, shape)


def decision_gradient(
    gradient: Function,
    score: Function,
    inputs: Tensor,
    baseline: Tensor,
    steps: int,
    copies: int = 1,
) -> Tensor:
    """Integrated decision gradients (Walker et al., arXiv 2305.20052, eq. 4).

    ``(x - b) integral of grad f  df/dalpha``: a point of the path counts as much as the score
    changes there. Half of the steps are a pilot of forward passes; the others lie where the pilot
    saw the score move.

    Returns
    -------
    tensor
        float32 (N, H, W, C), signed, in squared units of the score; not complete.
    """
    way, pilot = inputs - baseline, max(steps // 2, 1)
    edges = _edges_of_equal_change(score, inputs, baseline, pilot, steps, copies)
    # (steps, N): each sample has its own nodes.
    nodes, widths = (edges[1:] + edges[:-1]) / 2, edges[1:] - edges[:-1]
    total = tf.zeros_like(inputs)
    for chunk in chunks(range(steps), copies):
        places = tf.gather(nodes, list(chunk))
        slopes = each(gradient, baseline + _per_sample(places, inputs) * way)
        # grad f . (x - b) is df/dalpha: times dalpha, how much the score rises here.
        value_axes = list(range(2, slopes.shape.rank))
        rise = tf.reduce_sum(slopes * way, axis=value_axes) * tf.gather(
            widths, list(chunk)
        )
        total += tf.reduce_sum(slopes * _per_sample(rise, inputs), axis=0)
    return way * total


def _edges_of_equal_change(
    score: Function,
    inputs: Tensor,
    baseline: Tensor,
    pilot: int,
    steps: int,
    copies: int,
) -> Tensor:
    """Return (steps + 1, N) edges on the path with equal shares of |change of score| between."""
    places = tf.linspace(0.0, 1.0, pilot + 1)
    scores = [
        each(
            score, baseline + along_batch(tf.stack(chunk), inputs) * (inputs - baseline)
        )
        for chunk in chunks(tf.unstack(places), copies)
    ]
    # (pilot, N). A thousandth of the mean keeps the sum rising where the score stands still.
    changes = tf.abs(tf.experimental.numpy.diff(tf.concat(scores, 0), axis=0))
    changes += 1e-3 * tf.reduce_mean(changes, axis=0) + 1e-12
    reached = tf.concat([tf.zeros_like(changes[:1]), tf.cumsum(changes, axis=0)], 0)
    reached /= reached[-1:]
    return _inverse_interpolation(reached, places, tf.linspace(0.0, 1.0, steps + 1))


def _inverse_interpolation(rising: Tensor, places: Tensor, levels: Tensor) -> Tensor:
    """Return where (P, N), rising from 0 to 1 over ``places`` (P,), reaches levels (S,): (S, N).

    Each piece adds its length times the share of it that lies below the level.
    """
    # (1, P - 1, N): the value at the two ends of each piece.
    low, high = rising[tf.newaxis, :-1], rising[tf.newaxis, 1:]
    # (S, P - 1, N): 0 in pieces beyond the level, 1 in those before it.
    above_low = levels[:, tf.newaxis, tf.newaxis] - low
    share = tf.clip_by_value(above_low / (high - low), 0.0, 1.0)
    lengths = (places[1:] - places[:-1])[:, tf.newaxis]
    return tf.reduce_sum(share * lengths, axis=1)


def _spend_budget(
    here: Tensor, high: Tensor, sizes: Tensor, budget: Tensor, fraction: float
) -> Tensor:
    """Move values (N, F) towards ``high``, small gradients first, until ``budget`` is spent."""
    room = tf.abs(high - here)
    count = sizes.shape[1]
    group = int(fraction * (count - 1)) + 1
    # Values without room come last.
    order = tf.argsort(tf.where(room > 0, sizes, sizes.dtype.max), axis=1)
    sorted_room = tf.gather(room, order, batch_dims=1)
    # (N, groups, group): the last group is filled up with no room.
    pad = -count % group
    padded = tf.pad(sorted_room, [[0, 0], [0, pad]])
    group_room = tf.reduce_sum(
        tf.reshape(padded, [-1, (count + pad) // group, group]), axis=2
    )
    spent_before = tf.cumsum(group_room, axis=1, exclusive=True)
    # Groups before the last one move all the way, the last one by what is left.
    share = tf.clip_by_value(
        tf.math.divide_no_nan(budget - spent_before, group_room), 0.0, 1.0
    )
    sorted_share = tf.repeat(share, group, axis=1)[:, :count]
    # The argsort of an order is its inverse.
    unsorted = tf.argsort(order, axis=1)
    return here + tf.gather(sorted_share, unsorted, batch_dims=1) * (high - here)


def _flat_samples(pictures: Tensor) -> Tensor:
    """Reshape (N, H, W, C) to (N, H W C)."""
    return tf.reshape(
        pictures, [tf.shape(pictures)[0], pictures.shape[1:].num_elements()]
    )


def _per_sample(numbers: Tensor, like: Tensor) -> Tensor:
    """Reshape (k, N) to broadcast against (k, *like.shape)."""
    return tf.reshape(numbers, [*numbers.shape, *[1] * (like.shape.rank - 1)])
