"""Which explainer is best, with an error rate; or that this cannot be told."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, log2
from typing import Final, final

import numpy as np

from saliency.statistics.significance import Interval, bootstrap, sign_flip
from saliency.values.arrays import Array

LEVEL: Final = 0.05
"""A winner is named by chance in at most this share of evaluations."""
ROUNDING: Final = 1e-5
"""Share of the mean size of two values below which they do not differ: scores are float32."""


def least_patients(explainers: int) -> int:
    """Return how many patients can name one at all: all signs alike have p = 2^-n."""
    return ceil(log2(explainers / LEVEL))


@final
@dataclass(frozen=True)
class Decision:
    """The best explainer, and why.

    Parameters
    ----------
    best
        None: cannot tell.
    leader
        Who has the best mean, named or not.
    rival
        Whom the leader is least surely better than.
    p_value
        Of the leader against the rival, corrected for the number of explainers.
    """

    best: str | None
    leader: str
    rival: str
    p_value: float


def per_group(values: Array, groups: Array) -> Array:
    """Return the mean of each group's values, NaN left out: float64 (groups,).

    Images of one patient are no independent witnesses; their mean is one.
    """
    means = [
        np.nanmean(values[groups == group])
        for group in np.unique(groups)
        if np.isfinite(values[groups == group]).any()
    ]
    return np.asarray(means, np.float64)


def interval_of(
    values: Array, groups: Array, generator: np.random.Generator
) -> Interval:
    """Return the 95 % bootstrap interval of the mean over groups; NaN of fewer than two.

    One patient drawn again and again has an interval of no width, as if all were known.
    """
    means = per_group(values, groups)
    return (
        bootstrap(means, generator)
        if means.size > 1
        else Interval(float("nan"), float("nan"))
    )


def decide(
    explainers: Mapping[str, Array],
    baselines: Mapping[str, Array],
    groups: Array,
    generator: np.random.Generator,
) -> Decision:
    """Name the explainer that beats all others and all baselines, if there is one.

    The leader is tested against each rival by the signs of paired differences, a group a witness.
    It is named where every p-value is at most ``LEVEL`` / k. Where no explainer is better than
    another, a given one beats a given other with that probability at most, and any of the k does
    with probability ``LEVEL`` at most (Bonferroni over leaders, intersection-union over rivals).
    Differences of ``ROUNDING`` and less are none: of two explainers with the same maps, the one
    whose sums are rounded up would win in every patient.

    Parameters
    ----------
    explainers
        float (n,) for each of k: greater is better, NaN where an image has no value.
    baselines
        The same for maps that know nothing.
    groups
        int (n,): the patient of each image.
    generator
        Of signs.
    """
    means = {name: _mean(values, groups) for name, values in explainers.items()}
    leader = max(means, key=lambda name: means[name])
    rivals = {name: values for name, values in explainers.items() if name != leader}
    p_values = {
        name: _p_value(explainers[leader], values, groups, generator)
        for name, values in {**rivals, **baselines}.items()
    }
    rival = max(p_values, key=lambda name: p_values[name])
    corrected = min(1.0, p_values[rival] * len(explainers))
    return Decision(leader if corrected <= LEVEL else None, leader, rival, corrected)


def _mean(values: Array, groups: Array) -> float:
    means = per_group(values, groups)
    return float(means.mean()) if means.size else -np.inf


def _p_value(
    these: Array, those: Array, groups: Array, generator: np.random.Generator
) -> float:
    differences = per_group(these - those, groups)
    if not differences.size:
        return 1.0
    size = np.nanmean(np.abs(these) + np.abs(those)) / 2
    differences[np.abs(differences) <= ROUNDING * size] = 0
    return sign_flip(differences, generator)
