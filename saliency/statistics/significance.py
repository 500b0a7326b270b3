"""How sure a number is: permutation, bootstrap, correction for many questions."""

from typing import NamedTuple, final

import numpy as np

from saliency.errors import InputError
from saliency.values.arrays import Array


@final
class Interval(NamedTuple):
    """Ends of a confidence interval."""

    low: float
    high: float


def sign_flip(differences: Array, generator: np.random.Generator, *, draws: int = 9999) -> float:
    """Test that paired differences are not above zero by chance (one-sided).

    Under the null hypothesis each difference is as likely to have the other sign (Fisher 1935,
    section 21). The p-value counts the observed labelling among the draws, so it is never 0
    (Phipson and Smyth 2010, equation 2).

    Parameters
    ----------
    differences
        float (n,).
    generator
        Source of the signs.
    draws
        Number of random sign patterns; all 2**n are taken where that is fewer.

    Returns
    -------
    float
        In (0, 1].
    """
    values = np.asarray(differences, np.float64)
    if values.ndim != 1 or not values.size:
        msg = f"sign_flip: expected differences of shape (n,), n >= 1, got {values.shape}."
        raise InputError(msg)
    if 2**values.size <= draws:
        signs = _all_signs(values.size)
        # All patterns hold the observed one already.
        return float((signs @ values >= values.sum() - _slack(values)).mean())
    signs = generator.choice((-1.0, 1.0), (draws, values.size))
    reached = (signs @ values >= values.sum() - _slack(values)).sum()
    return float((1 + reached) / (1 + draws))


def rank_of(value: float, controls: Array) -> float:
    """Return the p-value of one value among controls: (1 + #{controls >= value}) / (1 + n)."""
    return float((1 + (np.asarray(controls) >= value).sum()) / (1 + len(controls)))


def rank_of_first(values: Array, rounding: float) -> float:
    """Return :func:`rank_of` of the first value among the others.

    Batches of another size round otherwise: what is greater by no more than ``rounding``, or 1e-4
    of the greatest, must not rank first.
    """
    return rank_of(values[0] - (1e-4 * np.abs(values).max() + rounding), values[1:])


def bootstrap(
    values: Array, generator: np.random.Generator, *, level: float = 0.95, draws: int = 2000
) -> Interval:
    """Return the percentile interval of the mean (Efron and Tibshirani 1993, section 13.3)."""
    given = np.asarray(values, np.float64)
    picks = generator.integers(0, given.size, (draws, given.size))
    means = given[picks].mean(axis=1)
    tail = (1 - level) / 2
    low, high = np.quantile(means, (tail, 1 - tail))
    return Interval(float(low), float(high))


def holm(p_values: Array) -> Array:
    """Correct p-values for the number of questions asked (Holm 1979).

    Returns float (n,), each at least as large as what came, at most 1, in the same order.
    """
    given = np.asarray(p_values, np.float64)
    order = np.argsort(given)
    steps = given[order] * np.arange(given.size, 0, -1)
    corrected = np.empty_like(given)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return corrected


def _all_signs(count: int) -> Array:
    bits = np.arange(2**count)[:, np.newaxis] >> np.arange(count) & 1
    return bits * 2.0 - 1


def _slack(values: Array) -> float:
    """Ties must count as reached, whatever order the sum was taken in."""
    return 1e-9 * float(np.abs(values).sum())
