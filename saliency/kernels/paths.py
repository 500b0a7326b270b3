"""Integrate a gradient along a straight path between two pictures."""

from collections.abc import Sequence
from functools import partial

import tensorflow as tf

from saliency.kernels.batches import Function, Tensor, along, chunks, each

_FIRST_STEPS = 32
_REFINEMENTS = 2

#: Completeness gap at which :func:`complete_path_gradient` is content.
_GAP = 0.01


def midpoints(steps: int) -> list[float]:
    """Return the centres of ``steps`` equal parts of [0, 1].

    Each stands for a part of the same length, so the rule has no ends to weigh: it is exact for
    gradients that are linear along the path, at any number of steps.
    """
    return [(step + 0.5) / steps for step in range(steps)]


def between_midpoints(steps: int) -> list[float]:
    """Return what :func:`midpoints` of 3 ``steps`` has and that of ``steps`` has not."""
    return [point for index, point in enumerate(midpoints(3 * steps)) if index % 3 != 1]


def gradient_sum(
    gradient: Function, inputs: Tensor, baseline: Tensor, nodes: Sequence[float], copies: int = 1
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
    for some in chunks(nodes, copies):
        points = baseline + along(tf.constant(some), inputs) * way
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


def relative_gap(attributions: Tensor, at_inputs: Tensor, at_baseline: Tensor) -> Tensor:
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
    total = tf.reduce_sum(attributions, axis=list(range(1, attributions.shape.rank)))
    rounding = 1e-6 * (tf.abs(at_inputs) + tf.abs(at_baseline)) + 1e-12
    return tf.abs(total - change) / tf.maximum(tf.abs(change), rounding)


def complete_path_gradient(
    gradient: Function, score: Function, inputs: Tensor, baseline: Tensor, copies: int = 1
) -> Tensor:
    """:func:`path_gradient` with as many steps as completeness asks: 32, 96 or 288.

    Three times the steps keep all nodes of before and put two between, so nothing is computed
    twice. A sample whose gap is at most 1 % keeps its map, whatever others of its batch need.
    ``score``: (N, H, W, C) -> (N,).
    """
    way, ends = inputs - baseline, (score(inputs), score(baseline))
    steps = _FIRST_STEPS
    total = gradient_sum(gradient, inputs, baseline, midpoints(steps), copies)
    found = way * total / steps
    for _ in range(_REFINEMENTS):
        rough = relative_gap(found, *ends) > _GAP
        finer = partial(_finer, gradient, (inputs, baseline), total, steps, copies)
        total = tf.cond(tf.reduce_any(rough), finer, partial(tf.identity, total))
        steps *= 3
        found = tf.where(_column(rough, inputs), way * total / steps, found)
    return found


def _finer(
    gradient: Function, ends: tuple[Tensor, Tensor], total: Tensor, steps: int, copies: int
) -> Tensor:
    return total + gradient_sum(gradient, *ends, between_midpoints(steps), copies)


def _column(flags: Tensor, like: Tensor) -> Tensor:
    return tf.reshape(flags, [-1, *[1] * (like.shape.rank - 1)])
