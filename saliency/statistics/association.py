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
    residuals = _residuals(numbers, blocks)
    mixed = [
        block for block in np.unique(blocks) if np.ptp(member[blocks == block]) > 0
    ]
    if not mixed or not residuals.any():
        return None
    correct = _correct(residuals, member)
    groups = np.unique(member)
    share = float(np.mean([correct[member == group].mean() for group in groups]))

    # Images are drawn with replacement; each group keeps its size.
    resampled_shares = []
    for group in groups:
        of_group = correct[member == group]
        picks = generator.integers(0, len(of_group), (RESAMPLES, len(of_group)))
        resampled_shares.append(of_group[picks].mean(axis=1))
    low, high = np.quantile(np.mean(resampled_shares, axis=0), (0.025, 0.975))

    chance = 1 / (int(member.max()) + 1)
    p_value = _permutation_p_value(residuals, member, blocks, generator)
    return Association(share, chance, Interval(float(low), float(high)), p_value)


def _residuals(numbers: Array, blocks: Array) -> Array:
    """Return numbers less the mean of their block, on at most ``PARTS`` principal components."""
    residuals = np.array(numbers, np.float64)
    for block in np.unique(blocks):
        residuals[blocks == block] -= residuals[blocks == block].mean(axis=0)
    # What rounding left of equal numbers is no difference.
    rounding = 1e-12 * max(1.0, float(np.abs(numbers).max(initial=0)))
    residuals[np.abs(residuals) < rounding] = 0
    if residuals.shape[1] <= PARTS:
        return residuals
    if len(residuals) <= residuals.shape[1]:  # few images, many numbers each
        left, singular, _ = np.linalg.svd(residuals, full_matrices=False)
        return np.asarray(left[:, :PARTS] * singular[:PARTS])
    _, axes = np.linalg.eigh(residuals.T @ residuals)  # variances ascend
    return np.asarray(residuals @ axes[:, -PARTS:])


def _permutation_p_value(
    numbers: Array, member: Array, blocks: Array, generator: np.random.Generator
) -> float:
    """Return the share of permutations within blocks that reach the observed statistic."""
    groups = int(member.max()) + 1
    counts = np.bincount(member, minlength=groups)
    observed = _between_groups(numbers, member[np.newaxis], groups, counts)[0]
    _, rank = np.unique(blocks, return_inverse=True)
    by_block = np.argsort(rank, kind="stable")
    # The observed division is among the draws, so the count starts at 1.
    reached, left = 1, DRAWS
    step = max(1, AT_ONCE // (len(member) * groups))
    while left:
        count = min(step, left)
        # Random keys below 1 keep to their block when its rank is added.
        order = np.argsort(rank + generator.random((count, len(member))), axis=1)
        shuffled = np.empty((count, len(member)), member.dtype)
        shuffled[:, by_block] = member[order]
        drawn = _between_groups(numbers, shuffled, groups, counts)
        reached += int((drawn >= observed * (1 - 1e-9)).sum())
        left -= count
    return reached / (1 + DRAWS)


def _between_groups(
    numbers: Array, members: Array, groups: int, counts: Array
) -> Array:
    """Return the sum of squares between groups, for each row of members."""
    # (draws, G, n) @ (n, d): the sum of each group's numbers.
    belongs = members[:, np.newaxis, :] == np.arange(groups)[:, np.newaxis]
    sums = belongs.astype(np.float64) @ numbers
    # The mean of all is 0, so a group adds its size times its squared mean: sum**2 / size.
    of_groups = (sums**2).sum(axis=2) / counts
    return np.asarray(of_groups.sum(axis=1))


def _correct(numbers: Array, member: Array) -> Array:
    """Return 1 where the nearest mean, without the image itself, is its group's; ties share."""
    groups = int(member.max()) + 1
    one_hot = np.eye(groups)[member]
    counts = one_hot.sum(axis=0)
    sums = one_hot.T @ numbers
    # (n, G, d): the image is taken out of the sum of its own group alone.
    others = sums[np.newaxis] - one_hot[..., np.newaxis] * numbers[:, np.newaxis]
    means = others / (counts - one_hot)[..., np.newaxis]
    distances = ((numbers[:, np.newaxis] - means) ** 2).sum(axis=2)
    nearest = distances <= distances.min(axis=1, keepdims=True) * (1 + 1e-9)
    return np.asarray((nearest * one_hot).sum(axis=1) / nearest.sum(axis=1))
