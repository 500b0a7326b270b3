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
    given = np.eye(zone.shape[1])[member]
    here, there = _contrasts(zone, given), _contrasts(tissue, given)
    net = float(abs(here) - abs(there))
    shuffled = np.stack([given[generator.permutation(len(given))] for _ in range(DRAWS)])
    drawn = np.abs(_contrasts(zone, shuffled)) - np.abs(_contrasts(tissue, shuffled))
    slack = 1e-9 * (abs(here) + abs(there)) + 1e-12
    p_value = float((1 + (drawn >= net - slack).sum()) / (1 + DRAWS))
    again = given * _resampled(member, generator)[..., np.newaxis]
    nets = np.sign(here) * _contrasts(zone, again) - np.abs(_contrasts(tissue, again))
    low, high = np.quantile(nets, (0.025, 0.975))
    return ContrastTest(float(here), float(there), net, Interval(float(low), float(high)), p_value)


def _contrasts(towards: Array, weights: Array) -> Array:
    """Inside less outside, mean over groups; weights (..., n, G), one for each content."""
    counts = weights.sum(axis=-2)
    sums = np.swapaxes(weights, -1, -2) @ towards
    inside = np.diagonal(sums, axis1=-2, axis2=-1)
    outside = (sums.sum(axis=-2) - inside) / (counts.sum(axis=-1, keepdims=True) - counts)
    found: Array = (inside / counts - outside).mean(axis=-1)
    return found


def _resampled(member: Array, generator: np.random.Generator) -> Array:
    """How often each content is drawn, (draws, n), each group keeping its size."""
    counts = np.zeros((RESAMPLES, len(member)))
    for group in np.unique(member):
        places = np.flatnonzero(member == group)
        even = np.full(len(places), 1 / len(places))
        counts[:, places] = generator.multinomial(len(places), even, RESAMPLES)
    return counts
