"""Numbers about numbers: exact where they can be, honest where they can't."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from saliency.errors import InputError
from saliency.statistics.significance import (
    bootstrap,
    holm,
    rank_of,
    rank_of_first,
    sign_flip,
)

RNG = np.random.default_rng(0)


def test_sign_flip_counts_every_pattern():
    """With few differences all patterns are counted: the slow twin loops over them."""
    values = np.array([1.0, 2.0, -0.5, 3.0])
    reached = [
        np.dot(signs, values) >= values.sum() for signs in product((-1, 1), repeat=4)
    ]

    assert sign_flip(values, RNG) == np.mean(reached)


def test_sign_flip_draws_near_the_exact_answer():
    """Twenty differences are drawn, not enumerated: scipy's permutation test agrees."""
    values = np.random.default_rng(3).normal(0.4, 1, 20)
    exact = stats.permutation_test(
        (values,),
        np.sum,
        permutation_type="samples",
        alternative="greater",
        n_resamples=20000,
    ).pvalue

    assert abs(sign_flip(values, RNG, draws=20000) - exact) < 0.01


def test_a_drawn_p_value_is_never_zero():
    """Thirty differences of one sign: no draw reaches them, and the observed labelling counts."""
    assert sign_flip(np.ones(30), np.random.default_rng(0)) == 1 / 10000


def test_as_many_patterns_as_draws_are_counted():
    """Of the 16 patterns of four differences, or the 8 of 1, 2, 4, one reaches the sum."""
    assert sign_flip(np.array([1.0, 2.0, 3.0, 4.0]), RNG, draws=16) == 1 / 16
    assert sign_flip(np.array([1.0, 2.0, 4.0]), RNG) == 1 / 8


def test_drawn_and_counted_patterns_agree():
    """One draw fewer than there are patterns: the same p-value but for chance."""
    values = np.random.default_rng(4).normal(0.15, 1, 12)
    exact, drawn = (
        sign_flip(values, np.random.default_rng(5), draws=k) for k in (4096, 4095)
    )

    assert 0.1 < exact < 0.5
    assert abs(exact - drawn) < 0.03


def test_ties_count_as_reached():
    """One difference among zeros: half of all patterns tie with it, drawn or counted."""
    for count in (3, 20):
        values = np.zeros(count)
        values[0] = 0.1
        assert abs(sign_flip(values, RNG) - 0.5) < 0.03
    assert sign_flip(np.zeros(3), RNG) == 1


def test_sign_flip_keeps_its_level():
    """Without an effect one test in twenty lies below 0.05."""
    values = np.random.default_rng(1).normal(size=(400, 12))
    below = [sign_flip(row, RNG, draws=499) <= 0.05 for row in values]

    assert 0.02 < np.mean(below) < 0.09


def test_nothing_is_never_significant():
    """All zeros tie with every pattern."""
    assert sign_flip(np.zeros(30), RNG) == 1


def test_no_differences_are_refused():
    """An empty list has no p-value."""
    with pytest.raises(InputError, match=r"\(0,\)"):
        sign_flip(np.array([]), RNG)


def test_rank_counts_itself():
    """The greatest of 1 + 19 has p = 1/20; ties count against it."""
    assert rank_of(5, np.arange(-14, 5)) == 1 / 20
    assert rank_of(5, np.full(19, 5)) == 1


def test_the_first_must_be_first_by_more_than_rounding():
    """Of 20 values the first ranks first: p is 1/20, but not where others round to it."""
    others = np.linspace(0, 9, 19)

    assert rank_of_first(np.array([10.0, *others]), 0.0) == 1 / 20
    assert rank_of_first(np.array([10.0, *others]), 0.9) == 1 / 20
    assert rank_of_first(np.array([10.0, *others]), 1.1) == 2 / 20
    assert rank_of_first(np.array([9.0005, *others]), 0.0) == 2 / 20
    assert rank_of_first(np.array([9.0020, *others]), 0.0) == 1 / 20
    assert rank_of_first(np.array([1.0, 0.0, -9999.0]), 0.0) == 1 / 3
    assert rank_of_first(np.array([1.0, 0.0, -10001.0]), 0.0) == 2 / 3


def test_bootstrap_of_a_normal_mean():
    """1.96 standard errors to both sides, to a twentieth; every value may be drawn."""
    values = np.random.default_rng(6).normal(size=400)
    low, high = bootstrap(values, np.random.default_rng(7), draws=20000)
    error = values.std() / 20

    assert np.allclose(
        [low, high], values.mean() + 1.96 * error * np.array([-1, 1]), atol=0.1 * error
    )
    assert bootstrap(np.array([10.0, 0, 0, 0]), RNG).high >= 5


def test_bootstrap_covers_the_mean():
    """A 95 % interval holds the true mean about 95 times of 100."""
    rows = np.random.default_rng(2).normal(1, 2, (200, 60))
    hits = [
        low <= 1 <= high
        for low, high in (bootstrap(row, RNG, draws=400) for row in rows)
    ]

    assert 0.9 <= np.mean(hits) <= 0.99


def test_holm_by_hand():
    """0.01, 0.04, 0.03 become 0.03, 0.06, 0.06 (Holm's step-down)."""
    assert np.allclose(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]).max() == 1
