"""Integrate a gradient along a straight path between two pictures."""

from collections.abc import Callable, Sequence
from functools import partial

import tensorflow as tf

from saliency.kernels.batches import Function, Tensor, along_batch, chunks, each

#: Parts of the first path, and how often they may be halved: 15 gradients, then 31, 63, 127, 255.
_PARTS, _HALVINGS = 16, 4

#: Change of a map, as a share of it, when the parts are halved: the finer map is then off by about
#: half of that (0.4 to 0.6 on trained networks), so 5 %.
_SETTLED = 0.1

#: Greatest share of all |attributions| that may be missing from their sum and be shared out.
_MISSING = 0.01


def midpoints(steps: int) -> list[float]:
    """Return the centres of ``steps`` equal parts of [0, 1].

    Each stands for a part of the same length, so the rule has no ends to weigh: it is exact for
    gradients that are linear along the path, at any number of steps.
    """
    return [(step + 0.5) / steps for step in range(steps)]


def inner_nodes(parts: int) -> list[float]:
    """Return where ``parts`` equal parts of [0, 1] meet; every second one is new since half."""
    return [part / parts for part in range(1, parts)]


def gradient_sum(
    gradient: Function,
    inputs: Tensor,
    baseline: Tensor,
    nodes: Sequence[float],
    copies: int = 1,
) -> Tensor:
    """Add up the gradients at points of the line from ``baseline`` to ``inputs``.

    Parameters
    ----------
    gradient
        (k * N, H, W, C) -> the same shape.
    inputs, baseline
        float32 (N, H, W, C).
    nodes
        Where on the line: 0 is ``baseline``, 1 is ``inputs``.
    copies
        How many nodes to ask about in one call; the memory needed grows with it, the result does
        not change.

    Returns
    -------
    tensor
        float32 (N, H, W, C). A running sum: no picture of the path outlives its call.
    """
    way = inputs - baseline
    total = tf.zeros_like(inputs)
    for chunk in chunks(nodes, copies):
        points = baseline + along_batch(tf.constant(chunk), inputs) * way
        total += tf.reduce_sum(each(gradient, points), axis=0)
    return total


def path_gradient(
    gradient: Function, inputs: Tensor, baseline: Tensor, steps: int, copies: int = 1
) -> Tensor:
    """Integrated gradients by the midpoint rule (Sundararajan et al., arXiv 1703.01365, eq. 1).

    ``(x - b) mean_i grad(b + (i + 1/2)/steps (x - b))``; arguments as :func:`gradient_sum`.

    Returns
    -------
    tensor
        float32 (N, H, W, C), signed; its sum over a picture tends to score(x) - score(b).
    """
    total = gradient_sum(gradient, inputs, baseline, midpoints(steps), copies)
    return (inputs - baseline) * total / steps


def relative_gap(
    attributions: Tensor, at_inputs: Tensor, at_baseline: Tensor
) -> Tensor:
    """Return how far attributions are from complete.

    Parameters
    ----------
    attributions
        float32 (N, ...).
    at_inputs, at_baseline
        Scores, float32 (N,).

    Returns
    -------
    tensor
        float32 (N,), >= 0: |sum - difference| / |difference|. A difference within the rounding of
        the scores (1e-6 of them) counts as that rounding, so that 0 / 0 is 0.
    """
    change = at_inputs - at_baseline
    rounding = 1e-6 * (tf.abs(at_inputs) + tf.abs(at_baseline)) + 1e-12
    total = _sample_sum(tf.convert_to_tensor(attributions, tf.float32))
    return tf.abs(total - change) / tf.maximum(tf.abs(change), rounding)


def complete_path_gradient(
    gradient: Function,
    score: Function,
    inputs: Tensor,
    baseline: Tensor,
    copies: int = 1,
) -> Tensor:
    """Integrated gradients of as many steps as the map asks for, made complete.

    Gradients are taken where equal parts of the path meet (the outer ones stand for the ends, too),
    and the parts halved until that changes the map by at most 10 %: 31 gradients, 63, 127 or 255.
    All nodes are kept, so nothing is asked twice. What then is missing from the sum, at most 1 %
    of all |attributions|, is shared out in proportion to them. A sample that does not settle is
    left as it is: its gap tells.

    Completeness itself is no reason to stop: attributions of both signs cancel, so that their sum
    may be a thousandth of what they add up to, and come right late, or by luck.

    Parameters
    ----------
    gradient, inputs, baseline, copies
        As of :func:`gradient_sum`.
    score
        (N, H, W, C) -> (N,).

    Returns
    -------
    tensor
        float32 (N, H, W, C), signed. A sample has the same map alone and in a batch.
    """
    sum_at = partial(gradient_sum, gradient, inputs, baseline, copies=copies)
    way, change, parts = inputs - baseline, score(inputs) - score(baseline), _PARTS
    outer, total = _with_sums_at(sum_at, inner_nodes(parts), tf.zeros_like(inputs))
    # The outer nodes stand for the half parts at the ends, too: they count one and a half times.
    attributions = way * (total + outer / 2) / parts
    rough = tf.fill(tf.shape(change), value=True)
    for _ in range(_HALVINGS):
        parts *= 2
        # Every second node is new; where all samples are settled nothing is asked.
        finer = partial(_with_sums_at, sum_at, inner_nodes(parts)[::2], total)
        outer, total = tf.cond(
            tf.reduce_any(rough), finer, partial(_unchanged, outer, total)
        )
        refined = way * (total + outer / 2) / parts
        settled = rough & _is_settled(attributions, refined, change)
        refined = tf.where(
            _broadcast_like(settled, inputs), _completed(refined, change), refined
        )
        attributions = tf.where(_broadcast_like(rough, inputs), refined, attributions)
        rough &= ~settled
    return attributions


def _with_sums_at(
    sum_at: Callable[[Sequence[float]], Tensor], nodes: Sequence[float], total: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the sum at the two outer nodes, and ``total`` with all of them."""
    outer = sum_at([nodes[0], nodes[-1]])
    return outer, total + outer + sum_at(nodes[1:-1])


def _unchanged(outer: Tensor, total: Tensor) -> tuple[Tensor, Tensor]:
    """Return both as they are, as the other branch of a ``tf.cond`` must: as new tensors."""
    return tf.identity(outer), tf.identity(total)


def _is_settled(before: Tensor, after: Tensor, change: Tensor) -> Tensor:
    """Say for each sample whether the map has settled, and its sum nearly."""
    moved = _sample_sum(tf.square(after - before))
    still = moved <= _SETTLED**2 * _sample_sum(tf.square(after))
    missing = tf.abs(change - _sample_sum(after))
    return still & (missing <= _MISSING * _sample_sum(tf.abs(after)))


def _completed(attributions: Tensor, change: Tensor) -> Tensor:
    """Share out what is missing from the sum in proportion to |attribution|: 0 stays 0."""
    missing = change - _sample_sum(attributions)
    share = tf.math.divide_no_nan(missing, _sample_sum(tf.abs(attributions)))
    return attributions + _broadcast_like(share, attributions) * tf.abs(attributions)


def _sample_sum(values: Tensor) -> Tensor:
    return tf.reduce_sum(values, axis=list(range(1, values.shape.rank)))


def _broadcast_like(values: Tensor, like: Tensor) -> Tensor:
    """Reshape (N,) to (N, 1, 1, ...)."""
    return tf.reshape(values, [-1, *[1] * (like.shape.rank - 1)])
