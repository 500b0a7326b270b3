"""Which of many questions are answered yes: ranks pooled over questions, false discovery rate."""

import numpy as np

from saliency.values.arrays import Array


def from_median(values: Array, rounding: float) -> Array:
    """Return how far each value lies from the median of its row.

    All columns are treated alike, so where they are exchangeable, so are these distances; and one
    column far off does not change the medians. Rows share the values' own unit: in units of a row's
    scatter, chance in rows where nearly nothing happens would be the farthest of all.

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
    apart: Array = np.maximum(distances - rounding, 0)
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


def stands_out(values: Array, rate: float) -> bool:
    """Return whether the first column has discoveries that few columns have by chance.

    Each column in turn is ranked among the others, and asked for its least p-value, adjusted after
    Benjamini and Hochberg. The first one's must be among the least ``rate`` of all. Where columns
    are exchangeable, its place among them is any with the same probability: so this holds with a
    probability of at most ``rate``, however the rows of a column go together.

    Parameters
    ----------
    values
        float (rows, n); great is extreme.
    rate
        In (0, 1); with n below 1 / rate the answer is no.
    """
    rows, columns = values.shape
    places = np.arange(1, rows + 1)
    least = np.array(
        [
            (
                rows * np.sort(pooled_ranks(np.roll(values, -column, axis=1))) / places
            ).min()
            for column in range(columns)
        ]
    )
    reached = int((least <= least[0]).sum())
    return bool(reached <= rate * columns + 1e-9)


def discovered(p_values: Array, rate: float) -> Array:
    """Return which hypotheses are rejected, bool (n,), by Benjamini and Hochberg (1995).

    Of these, a share of at most ``rate`` is false on average.
    """
    ordered = np.sort(p_values)
    # The greatest p_(i) <= rate * i / n, and all that are no greater.
    limits = rate * np.arange(1, ordered.size + 1) / ordered.size
    below = ordered[ordered <= limits]
    return np.asarray(p_values <= (below[-1] if below.size else -1.0))
