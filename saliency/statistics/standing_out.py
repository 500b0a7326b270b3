"""Whether one part of a whole does more than the others: the maximum over parts, by permutation."""

from dataclasses import dataclass
from typing import final

import numpy as np

from saliency.statistics.significance import Interval
from saliency.values.arrays import Array

DRAWS = 4999
RESAMPLES = 2000


@final
@dataclass(frozen=True, eq=False)
class StandingOut:
    """Effects of parts, and the one that stands out most.

    Parameters
    ----------
    nets
        float (C,): mean effect of each part less that of as many median parts.
    first
        Index of the greatest.
    interval
        95 % bootstrap interval of its net effect, over rows.
    p_value
        Of its net effect, corrected for the number of parts.
    error
        Standard error of its net effect, from the same bootstrap.
    needed
        The greatest net effect that 1 % of permutations reach.
    """

    nets: Array
    first: int
    interval: Interval
    p_value: float
    error: float = 0.0
    needed: float = 0.0

    @property
    def effect(self) -> float:
        """Net effect of the part that stands out most, 0 or more."""
        return max(0.0, float(self.nets[self.first]))


def standing_out(
    effects: Array, sizes: Array, generator: np.random.Generator
) -> StandingOut:
    """Find the part with the greatest effect, and ask whether chance gives one like it.

    Under the null hypothesis every part is as likely as any other to have moved the score of a
    row, so its effects may be exchanged between parts; the statistic is the maximum over parts
    (Westfall and Young 1993), and the p-value counts the observed one.

    Parameters
    ----------
    effects
        float (n, C): what each of C parts does in each of n independent rows.
    sizes
        float (C,): how many parts of common size each is; its share of the median is taken off.
    generator
        Of permutations and resamples.
    """
    nets = _nets(effects.mean(axis=0), sizes)
    first = int(nets.argmax())
    drawn = np.empty((DRAWS, effects.shape[1]))
    for draw in range(DRAWS):
        drawn[draw] = generator.permuted(effects, axis=1).mean(axis=0)
    reached = _nets(drawn, sizes).max(axis=1)
    # A tie counts as reached, whatever order its sum was taken in.
    slack = 1e-9 * float(np.abs(effects).max(initial=0)) + 1e-12
    p_value = float((1 + (reached >= nets[first] - slack).sum()) / (1 + DRAWS))

    picks = generator.integers(0, len(effects), (RESAMPLES, len(effects)))
    resampled = _nets(effects[picks].mean(axis=1), sizes)[:, first]
    low, high = np.quantile(resampled, (0.025, 0.975))
    return StandingOut(
        nets,
        first,
        Interval(float(low), float(high)),
        p_value,
        float(resampled.std()),
        float(np.quantile(reached, 0.99)),
    )


def _nets(means: Array, sizes: Array) -> Array:
    """Return means (..., C) less the size's share of their median."""
    return np.asarray(means - sizes * np.median(means, axis=-1, keepdims=True))


def knows(scores: Array, member: Array, generator: np.random.Generator) -> float:
    """Return the p-value of scores being alike in all groups, by permutation of groups.

    The statistic is the sum of squares between groups (Anderson 2001, equation 5).

    Parameters
    ----------
    scores
        float (n, columns).
    member
        int (n,): the group of each row; rows of -1 are left out.
    """
    kept = member >= 0
    centred = scores[kept] - scores[kept].mean(axis=0)
    spread = centred.std(axis=0)
    centred /= np.where(spread > 0, spread, 1)
    one_hot = np.eye(int(member.max(initial=0)) + 1)[member[kept]]
    observed = _between(one_hot, centred)
    reached = sum(
        _between(one_hot[generator.permutation(len(one_hot))], centred)
        >= observed * (1 - 1e-9)
        for _ in range(999)
    )
    return (1 + reached) / 1000


def _between(one_hot: Array, centred: Array) -> float:
    counts = np.maximum(one_hot.sum(axis=0), 1)
    return float((((one_hot.T @ centred) ** 2).sum(axis=1) / counts).sum())
