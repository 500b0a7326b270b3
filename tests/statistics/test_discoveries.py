"""Pooled ranks and the false discovery rate, against slow twins and simulated draws."""

import numpy as np
import pytest

from saliency.statistics.discoveries import (
    discovered,
    from_median,
    pooled_ranks,
    stands_out,
)


def slow_discovered(p_values, rate):
    """Benjamini and Hochberg's step-up procedure, one hypothesis at a time."""
    order = np.argsort(p_values)
    last = 0
    for rank, place in enumerate(order, 1):
        if p_values[place] <= rate * rank / len(p_values):
            last = rank
    found = np.zeros(len(p_values), bool)
    found[order[:last]] = True
    return found


def test_distances_are_from_the_median_of_the_row():
    """By hand, and one value far off moves no other's."""
    values = np.array([[0.0, 1, 2, 3, 99], [0, 2, 4, 6, 8], [5, 5, 5, 5, 6.5]])
    expected = [[2, 1, 0, 1, 97], [4, 2, 0, 2, 4], [0, 0, 0, 0, 1.5]]

    assert np.allclose(from_median(values, 1e-9), expected)


def test_what_rounds_lies_nowhere():
    """Equal values, and those that differ by rounding, are apart from none."""
    values = 5 + 1e-6 * np.arange(8.0)[np.newaxis]

    assert not from_median(values, 1e-4).any()


def test_ranks_count_all_rows_and_ties():
    """(1 + how many reach the value) / (1 + all), of both rows together."""
    values = np.array([[3.0, 1.0, 3.0], [0.0, 2.0, 4.0]])

    assert pooled_ranks(values).tolist() == [3 / 5, 1.0]


@pytest.mark.parametrize("seed", range(20))
def test_discoveries_are_those_of_the_slow_twin(seed):
    """Step-up, with ties, on p-values of any kind."""
    p_values = np.round(np.random.default_rng(seed).beta(0.3, 2, 30), 3)

    assert (discovered(p_values, 0.1) == slow_discovered(p_values, 0.1)).all()


def slow_least(values, column):
    """The least adjusted p-value of a column among all others, one value at a time."""
    others = np.delete(values, column, axis=1).ravel()
    p_values = sorted(
        (1 + sum(other >= value for other in others)) / (1 + len(others))
        for value in values[:, column]
    )
    return min(
        p_value * len(values) / place for place, p_value in enumerate(p_values, 1)
    )


@pytest.mark.parametrize("seed", range(20))
def test_the_first_column_stands_out_as_the_slow_twin_says(seed):
    """Among the least 20 % of ten columns: the least or the second, and ties count against it."""
    values = np.random.default_rng(seed).integers(0, 9, (4, 10)).astype(float)
    values[:, 0] += seed % 3
    least = [slow_least(values, column) for column in range(10)]
    reached = sum(one <= least[0] for one in least)

    assert stands_out(values, 0.2) == (reached <= 2)
    assert not stands_out(values, 0.09)


@pytest.mark.parametrize("kind", ["alone", "heavy", "wild columns", "neighbours alike"])
def test_one_of_exchangeable_columns_stands_out_seldom(kind):
    """With 21 columns the probability is 1 / 21 at most, however rows go together: 2000 draws."""
    generator = np.random.default_rng(3)
    count = 0
    for _ in range(2000):
        values = generator.standard_t(2 if kind == "heavy" else 50, (12, 21))
        if kind == "wild columns":
            values = values * np.exp(generator.normal(size=21))
        if kind == "neighbours alike":
            values = values + np.repeat(generator.standard_t(2, (3, 21)), 4, axis=0)
        count += stands_out(from_median(values, 1e-9), 0.05)

    # 1 / 21 + 3 * sqrt(0.05 * 0.95 / 2000)
    assert count / 2000 <= 0.063


@pytest.mark.parametrize("kind", ["normal", "heavy", "one image, all rows", "scales"])
def test_exchangeable_columns_give_few_false_discoveries(kind):
    """A draw with any discovery is a false one: at most 5 % of 1000 draws, within chance."""
    generator = np.random.default_rng(1)
    false = 0
    for _ in range(1000):
        values = generator.standard_t(2 if kind == "heavy" else 50, (48, 21))
        if kind == "one image, all rows":
            values = values * np.exp(generator.normal(size=21))
        if kind == "scales":
            values = values * 10.0 ** np.arange(-2, 46)[:, np.newaxis].clip(max=3)
        p_values = pooled_ranks(from_median(values, 1e-9))
        false += discovered(p_values, 0.05).any()

    # 0.05 + 3 * sqrt(0.05 * 0.95 / 1000)
    assert false / 1000 <= 0.071


def test_beside_true_discoveries_few_are_false():
    """Twelve of 48 rows are shifted: found, with a false share of at most 5 % within chance."""
    generator = np.random.default_rng(2)
    shares, power = [], []
    for _ in range(400):
        values = generator.normal(size=(48, 31))
        values[:12, 0] += 8
        found = discovered(pooled_ranks(from_median(values, 1e-9)), 0.05)
        shares.append(found[12:].sum() / max(1, found.sum()))
        power.append(found[:12].mean())

    assert np.mean(shares) <= 0.06
    assert np.mean(power) >= 0.9
