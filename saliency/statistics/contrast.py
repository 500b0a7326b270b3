"""How much the content of a zone speaks for the class it was taken from."""

from dataclasses import dataclass
from typing import final

import numpy as np

from saliency.statistics.significance import Interval
from saliency.values.arrays import Array

DRAWS = 4999
RESAMPLES = 2000


@final
@dataclass(frozen=True)
class ContrastTest:
    """Zone against tissue.

    Parameters
    ----------
    zone
        Mean over groups of (what content of the group does for it) - (what other content does),
        in score units; below 0 where content speaks against the group it was taken from.
    tissue
        The same of the same area elsewhere.
    net
        |zone| - |tissue|.
    interval
        95 % bootstrap interval of ``net``.
    p_value
        Of ``net``, by permutation of whose content is whose.
    """

    zone: float
    tissue: float
    net: float
    interval: Interval
    p_value: float


def contrast(
    zone: Array, tissue: Array, member: Array, generator: np.random.Generator
) -> ContrastTest:
    """Compare contents of groups.

    Under the null hypothesis a content's group says nothing about its effect, so groups may be
    exchanged between contents (Fisher 1935, section 21); the p-value counts the observed division
    (Phipson and Smyth 2010, equation 2).

    Parameters
    ----------
    zone, tissue
        float (n, G): what the content of picture i does for each group.
    member
        int (n,), 0..G-1: the group that picture i belongs to; each occurs.
    generator
        Source of permutations and resamples.
    """
    one_hot = np.eye(zone.shape[1])[member]
    of_zone, of_tissue = _contrasts(zone, one_hot), _contrasts(tissue, one_hot)
    net = float(abs(of_zone) - abs(of_tissue))

    shuffled = np.stack(
        [one_hot[generator.permutation(len(one_hot))] for _ in range(DRAWS)]
    )
    drawn = np.abs(_contrasts(zone, shuffled)) - np.abs(_contrasts(tissue, shuffled))
    # A tie counts as reached, whatever order its sum was taken in.
    slack = 1e-9 * (abs(of_zone) + abs(of_tissue)) + 1e-12
    p_value = float((1 + (drawn >= net - slack).sum()) / (1 + DRAWS))

    resampled = one_hot * _resampled(member, generator)[..., np.newaxis]
    # The zone's sign is the observed one: a draw of the other sign speaks against it.
    zone_draws = np.sign(of_zone) * _contrasts(zone, resampled)
    nets = zone_draws - np.abs(_contrasts(tissue, resampled))
    low, high = np.quantile(nets, (0.025, 0.975))
    interval = Interval(float(low), float(high))
    return ContrastTest(float(of_zone), float(of_tissue), net, interval, p_value)


def _contrasts(towards: Array, weights: Array) -> Array:
    """Inside less outside, mean over groups; weights (..., n, G), one for each content."""
    counts = weights.sum(axis=-2)
    # (..., G, G): row g sums what content of group g does for each group.
    sums = np.swapaxes(weights, -1, -2) @ towards
    inside = np.diagonal(sums, axis1=-2, axis2=-1)
    other_sums = sums.sum(axis=-2) - inside
    other_counts = counts.sum(axis=-1, keepdims=True) - counts
    differences = inside / counts - other_sums / other_counts
    return np.asarray(differences.mean(axis=-1))


def _resampled(member: Array, generator: np.random.Generator) -> Array:
    """How often each content is drawn, (draws, n), each group keeping its size."""
    counts = np.zeros((RESAMPLES, len(member)))
    for group in np.unique(member):
        places = np.flatnonzero(member == group)
        even = np.full(len(places), 1 / len(places))
        counts[:, places] = generator.multinomial(len(places), even, RESAMPLES)
    return counts
