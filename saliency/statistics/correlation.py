"""How two rows of numbers go together."""

import numpy as np

from saliency.values.arrays import Array


def pearson(these: Array, those: Array) -> float:
    """Return Pearson's correlation, -1..1; NaN where one of them is of one value."""
    first, second = (np.asarray(each, np.float64).ravel() for each in (these, those))
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def spearman(these: Array, those: Array) -> float:
    """Return Spearman's correlation of ranks, -1..1; NaN where one of them is of one value."""
    return pearson(mean_ranks(these), mean_ranks(those))


def mean_ranks(values: Array) -> Array:
    """Return the rank of each value, float64 (n,), from 1; equal ones share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    # Equal values end at rank e and begin at e - count + 1: their mean is e - (count - 1) / 2.
    of_distinct = np.cumsum(counts) - (counts - 1) / 2
    return np.asarray(of_distinct[place.ravel()])
