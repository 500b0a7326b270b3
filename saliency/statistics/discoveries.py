"""Which of many questions are answered yes: ranks pooled over questions, false discovery rate."""

import numpy as np

from saliency.values.arrays import Array


def robust_distances(values: Array, rounding: float) -> Array:
    """Return how far each value lies from the median of its row, in units that all rows share.

    All columns are treated alike, so where they are exchangeable, so are these distances; and one
    column far off changes neither medians nor units of the others. The unit is the row's median
    absolute deviation, and at least the median one of rows that have any: a row where all but one
    are equal would else be the farthest of all (as s0 of Tusher et al. 2001).

    Parameters
    ----------
    values
        float (rows, n).
    rounding
        Differences of so much count as none, above 0.

    Returns
    -------
    array
        float64 (rows, n), >= 0.
    """
    distances = np.abs(values - np.median(values, axis=1, keepdims=True))
    units = np.median(distances, axis=1, keepdims=True)
    some = units[units > rounding]
    least = float(np.median(some)) if some.size else rounding
    apart: Array = np.maximum(distances - rounding, 0) / np.maximum(units, least)
    return apart


def pooled_ranks(values: Array) -> Array:
    """Return p-values of the first column among all other columns of all rows.

    (1 + #{others >= value}) / (1 + their number). One column alone gives p-values of 1 / n at
    best, too coarse for many rows. Where whole columns are exchangeable, a share of at most ``t``
    of the rows has p <= t on average: the error holds for the rows together, not for each of them.

    Parameters
    ----------
    values
        float (rows, n), n at least 2; great is extreme.

    Returns
    -------
    array
        float64 (rows,), in (0, 1].
    """
    null = np.sort(values[:, 1:], axis=None)
    reached = null.size - np.searchsorted(null, values[:, 0], side="left")
    p_values: Array = (1 + reached) / (1 + null.size)
    return p_values


def discovered(p_values: Array, rate: float) -> Array:
    """Return which hypotheses are rejected, bool (n,), by Benjamini and Hochberg (1995).

    Of these, a share of at most ``rate`` is false on average.
    """
    ordered = np.sort(p_values)
    # The greatest p_(i) <= rate * i / n, and all that are no greater.
    limits = rate * np.arange(1, ordered.size + 1) / ordered.size
    below = ordered[ordered <= limits]
    return np.asarray(p_values <= (below[-1] if below.size else -1.0))
