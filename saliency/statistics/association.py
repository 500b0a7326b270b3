"""Tell the group of a picture from numbers about it."""

from dataclasses import dataclass
from typing import final

import numpy as np

from saliency.statistics.significance import Interval
from saliency.values.arrays import Array

DRAWS = 4999
RESAMPLES = 2000
PARTS = 32
"""Principal components that many numbers are brought down to."""
AT_ONCE = 500_000
"""Weights of permutations in memory at once."""


@final
@dataclass(frozen=True)
class Association:
    """How well groups are told apart.

    Parameters
    ----------
    share
        Of pictures whose group the nearest mean of a group names when the picture itself is left
        out of the means; the mean over groups, 0..1.
    chance
        What guessing gives: one over the number of groups.
    interval
        95 % bootstrap interval of ``share``, over pictures.
    p_value
        By permutation of groups; not corrected.
    """

    share: float
    chance: float
    interval: Interval
    p_value: float


def associate(
    numbers: Array, member: Array, blocks: Array, generator: np.random.Generator
) -> Association | None:
    """Ask whether numbers differ between groups, beyond what blocks explain.

    The statistic is the sum of squares between groups of numbers less the mean of their block
    (Anderson 2001, equation 5, Euclidean); groups are exchanged within blocks alone, so what goes
    with the block is no answer. The p-value counts the observed division (Phipson and Smyth 2010).

    Parameters
    ----------
    numbers
        float (n, d).
    member
        int (n,), 0..G-1: the group of each picture; each has two or more.
    blocks
        int (n,): pictures are compared with those of their block; all 0 for none.
    generator
        Of permutations and resamples.

    Returns
    -------
    Association or None
        None where no block holds two groups, or numbers are the same for all.
    """
    centred = _reduced(_centred(numbers, blocks))
    mixed = [block for block in np.unique(blocks) if np.ptp(member[blocks == block]) > 0]
    if not mixed or not centred.any():
        return None
    right = _right(centred, member)
    share = _balanced(right, member)
    low, high = np.quantile(_again(right, member, generator), (0.025, 0.975))
    return Association(
        share,
        1 / (int(member.max()) + 1),
        Interval(float(low), float(high)),
        _p_value(centred, member, blocks, generator),
    )


def _centred(numbers: Array, blocks: Array) -> Array:
    given = np.array(numbers, np.float64)
    for block in np.unique(blocks):
        given[blocks == block] -= given[blocks == block].mean(axis=0)
    given[np.abs(given) < 1e-12 * max(1.0, float(np.abs(numbers).max(initial=0)))] = 0
    return given


def _reduced(numbers: Array) -> Array:
    """Keep distances, as far as the principal components hold them."""
    if numbers.shape[1] <= PARTS:
        return numbers
    spread, axes = np.linalg.eigh(numbers.T @ numbers)
    found: Array = numbers @ axes[:, np.argsort(spread)[-PARTS:]]
    return found


def _p_value(numbers: Array, member: Array, blocks: Array, generator: np.random.Generator) -> float:
    groups = int(member.max()) + 1
    counts = np.bincount(member, minlength=groups)
    observed = _between(numbers, member[np.newaxis], groups, counts)[0]
    reached, left = 1, DRAWS
    step = max(1, AT_ONCE // (len(member) * groups))
    while left:
        count = min(step, left)
        shuffled = _shuffled(member, blocks, generator, count)
        drawn = _between(numbers, shuffled, groups, counts)
        reached += int((drawn >= observed * (1 - 1e-9)).sum())
        left -= count
    return reached / (1 + DRAWS)


def _between(numbers: Array, members: Array, groups: int, counts: Array) -> Array:
    """Return the sum of squares between groups, for each row of members."""
    given = (members[:, np.newaxis, :] == np.arange(groups)[:, np.newaxis]).astype(np.float64)
    sums = given @ numbers
    found: Array = ((sums**2).sum(axis=2) / counts).sum(axis=1)
    return found


def _shuffled(member: Array, blocks: Array, generator: np.random.Generator, count: int) -> Array:
    """Return int (count, n): groups permuted within blocks."""
    _, rank = np.unique(blocks, return_inverse=True)
    # Random keys below 1 keep to their block when its rank is added.
    order = np.argsort(rank + generator.random((count, len(member))), axis=1)
    found = np.empty((count, len(member)), member.dtype)
    found[:, np.argsort(rank, kind="stable")] = member[order]
    return found


def _right(numbers: Array, member: Array) -> Array:
    """Return 1 where the nearest mean, without the picture itself, is its group's; ties share."""
    groups = int(member.max()) + 1
    given = np.eye(groups)[member]
    counts = given.sum(axis=0)
    sums = given.T @ numbers
    others = sums[np.newaxis] - given[..., np.newaxis] * numbers[:, np.newaxis]
    means = others / (counts - given)[..., np.newaxis]
    apart = ((numbers[:, np.newaxis] - means) ** 2).sum(axis=2)
    nearest = apart <= apart.min(axis=1, keepdims=True) * (1 + 1e-9)
    found: Array = (nearest * given).sum(axis=1) / nearest.sum(axis=1)
    return found


def _balanced(right: Array, member: Array) -> float:
    groups = np.unique(member)
    return float(np.mean([right[member == group].mean() for group in groups]))


def _again(right: Array, member: Array, generator: np.random.Generator) -> Array:
    """Return the share for pictures drawn with replacement, each group keeping its size."""
    shares = []
    for group in np.unique(member):
        mine = right[member == group]
        picks = generator.integers(0, len(mine), (RESAMPLES, len(mine)))
        shares.append(mine[picks].mean(axis=1))
    found: Array = np.mean(shares, axis=0)
    return found
