"""Integrate a gradient along paths that are not straight, or not evenly weighed."""

from collections.abc import Sequence

import tensorflow as tf

from saliency.kernels.baselines import gaussian_blur
from saliency.kernels.batches import Function, Tensor, along, chunks, each


def polyline_gradient(gradient: Function, points: Sequence[Tensor], copies: int = 1) -> Tensor:
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
    total, last = tf.zeros_like(points[0]), None
    for some in chunks(points, copies):
        slopes = tf.unstack(each(gradient, tf.stack(some)), num=len(some))
        for point, slope in zip(some, slopes, strict=True):
            if last is not None:
                total += (point - last[0]) * (slope + last[1]) / 2
            last = point, slope
    return total


def blur_path(inputs: Tensor, sigma: float, steps: int) -> list[Tensor]:
    """Return ``steps`` + 1 pictures, from a blur of deviation ``sigma`` pixels to none at all.

    The deviations fall as the square of the way that is left: most of a picture comes into focus
    in the last pixel of blur.
    """
    sigmas = (sigma * ((steps - step) / steps) ** 2 for step in range(steps + 1))
    return [gaussian_blur(inputs, one) for one in sigmas]


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
    shape, ends = tf.shape(inputs), (_rows(baseline), _rows(inputs))
    way = tf.reduce_sum(tf.abs(ends[1] - ends[0]), axis=1, keepdims=True)
    here, total = ends[0], tf.zeros_like(ends[0])
    slope = gradient(baseline)
    for step in range(1, steps + 1):
        part = step / steps
        low = _between(*ends, max(part - distance, 0.0))
        high = _between(*ends, min(part + distance, 1.0))
        raised = tf.where(_passed(low, here, *ends), here, low)
        left = tf.reduce_sum(tf.abs(ends[1] - raised), axis=1, keepdims=True)
        budget = tf.maximum(left - way * (1 - part), 0.0)
        there = _spent(raised, high, tf.abs(_rows(slope)), budget, fraction)
        after = gradient(tf.reshape(there, shape))
        total += (there - here) * _rows(slope + after) / 2
        here, slope = there, after
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
    edges = _where_it_moves(score, inputs, baseline, pilot, steps, copies)
    nodes, widths = (edges[1:] + edges[:-1]) / 2, edges[1:] - edges[:-1]
    total = tf.zeros_like(inputs)
    for some in chunks(range(steps), copies):
        here = tf.gather(nodes, list(some))
        slopes = each(gradient, baseline + _spread(here, inputs) * way)
        rise = tf.reduce_sum(slopes * way, axis=_values(slopes)) * tf.gather(widths, list(some))
        total += tf.reduce_sum(slopes * _spread(rise, inputs), axis=0)
    return way * total


def _where_it_moves(
    score: Function, inputs: Tensor, baseline: Tensor, pilot: int, steps: int, copies: int
) -> Tensor:
    """Return (steps + 1, N) edges on the path with equal shares of |change of score| between."""
    places = tf.linspace(0.0, 1.0, pilot + 1)
    scores = [
        each(score, baseline + along(tf.stack(some), inputs) * (inputs - baseline))
        for some in chunks(tf.unstack(places), copies)
    ]
    moves = tf.abs(tf.experimental.numpy.diff(tf.concat(scores, 0), axis=0))
    moves += 1e-3 * tf.reduce_mean(moves, axis=0) + 1e-12
    done = tf.concat([tf.zeros_like(moves[:1]), tf.cumsum(moves, axis=0)], 0)
    done /= done[-1:]
    return _inverse(done, places, tf.linspace(0.0, 1.0, steps + 1))


def _inverse(done: Tensor, places: Tensor, wanted: Tensor) -> Tensor:
    """Interpolate (P, N) rising from 0 to 1 over ``places`` (P,) the other way: (S, N)."""
    low, high = done[tf.newaxis, :-1], done[tf.newaxis, 1:]
    inside = tf.clip_by_value((wanted[:, tf.newaxis, tf.newaxis] - low) / (high - low), 0.0, 1.0)
    return tf.reduce_sum(inside * (places[1:] - places[:-1])[:, tf.newaxis], axis=1)


def _spent(here: Tensor, high: Tensor, sizes: Tensor, budget: Tensor, fraction: float) -> Tensor:
    """Move values (N, F) towards ``high``, small gradients first, until ``budget`` is spent."""
    room = tf.abs(high - here)
    count = sizes.shape[1]
    group = int(fraction * (count - 1)) + 1
    order = tf.argsort(tf.where(room > 0, sizes, sizes.dtype.max), axis=1)
    sorted_room = tf.gather(room, order, batch_dims=1)
    pad = -count % group
    groups = tf.reduce_sum(
        tf.reshape(tf.pad(sorted_room, [[0, 0], [0, pad]]), [-1, (count + pad) // group, group]),
        axis=2,
    )
    before = tf.cumsum(groups, axis=1, exclusive=True)
    share = tf.clip_by_value(tf.math.divide_no_nan(budget - before, groups), 0.0, 1.0)
    moved = tf.repeat(share, group, axis=1)[:, :count]
    back = tf.argsort(order, axis=1)
    return here + tf.gather(moved, back, batch_dims=1) * (high - here)


def _passed(low: Tensor, here: Tensor, start: Tensor, end: Tensor) -> Tensor:
    return (here - low) * tf.sign(end - start) >= 0


def _between(start: Tensor, end: Tensor, part: float) -> Tensor:
    return start + part * (end - start)


def _rows(pictures: Tensor) -> Tensor:
    return tf.reshape(pictures, [tf.shape(pictures)[0], pictures.shape[1:].num_elements()])


def _values(variants: Tensor) -> list[int]:
    return list(range(2, variants.shape.rank))


def _spread(numbers: Tensor, like: Tensor) -> Tensor:
    """Reshape (k, N) to broadcast against (k, *like.shape)."""
    return tf.reshape(numbers, [*numbers.shape, *[1] * (like.shape.rank - 1)])
