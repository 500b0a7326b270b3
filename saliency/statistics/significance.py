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


def sign_flip(
    differences: Array, generator: np.random.Generator, *, draws: int = 9999
) -> float:
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
    # Ties count as reached, whatever order the sum was taken in.
    slack = 1e-9 * float(np.abs(values).sum())
    if 2**values.size <= draws:
        # Row i holds the bits of i as signs: all patterns, so the observed one is among them.
        bits = np.arange(2**values.size)[:, np.newaxis] >> np.arange(values.size) & 1
        signs = bits * 2.0 - 1
        return float((signs @ values >= values.sum() - slack).mean())
    signs = generator.choice((-1.0, 1.0), (draws, values.size))
    reached = (signs @ values >= values.sum() - slack).sum()
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
    values: Array,
    generator: np.random.Generator,
    *,
    level: float = 0.95,
    draws: int = 2000,
) -> Interval:
    """Return the percentile interval of the mean (Efron and Tibshirani 1993, section 13.3)."""
    sample = np.asarray(values, np.float64)
    picks = generator.integers(0, sample.size, (draws, sample.size))
    means = sample[picks].mean(axis=1)
    tail = (1 - level) / 2
    low, high = np.quantile(means, (tail, 1 - tail))
    return Interval(float(low), float(high))


def holm(p_values: Array) -> Array:
    """Correct p-values for the number of questions asked (Holm 1979).

    Returns float (n,), each at least as large as what came, at most 1, in the same order.
    """
    raw = np.asarray(p_values, np.float64)
    order = np.argsort(raw)
    # The smallest of n p-values is taken n times, the next n - 1 times; never below the one before.
    steps = raw[order] * np.arange(raw.size, 0, -1)
    corrected = np.empty_like(raw)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return corrected
