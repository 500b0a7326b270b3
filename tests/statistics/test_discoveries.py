"""Pooled ranks and the false discovery rate, against slow twins and simulated draws."""

import numpy as np
import pytest

from saliency.statistics.discoveries import discovered, pooled_ranks, robust_distances


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


def test_distances_are_robust_and_share_a_unit():
    """By hand: deviations of 1, 2 and 0; the row without any has the median unit of the others."""
    values = np.array([[0.0, 1, 2, 3, 99], [0, 2, 4, 6, 8], [5, 5, 5, 5, 6.5]])
    expected = [[2, 1, 0, 1, 97], [2, 1, 0, 1, 2], [0, 0, 0, 0, 1]]

    assert np.allclose(
        robust_distances(values, 1e-9),
        [np.divide(expected[0], 1.5), expected[1], expected[2]],
    )


def test_what_rounds_lies_nowhere():
    """Equal values, and those that differ by rounding, are apart from none."""
    values = 5 + 1e-6 * np.arange(8.0)[np.newaxis]

    assert not robust_distances(values, 1e-4).any()


def test_ranks_count_all_rows_and_ties():
    """(1 + how many reach the value) / (1 + all), of both rows together."""
    values = np.array([[3.0, 1.0, 3.0], [0.0, 2.0, 4.0]])

    assert pooled_ranks(values).tolist() == [3 / 5, 1.0]


@pytest.mark.parametrize("seed", range(20))
def test_discoveries_are_those_of_the_slow_twin(seed):
    """Step-up, with ties, on p-values of any kind."""
    p_values = np.round(np.random.default_rng(seed).beta(0.3, 2, 30), 3)

    assert (discovered(p_values, 0.1) == slow_discovered(p_values, 0.1)).all()


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
        p_values = pooled_ranks(robust_distances(values, 1e-9))
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
        found = discovered(pooled_ranks(robust_distances(values, 1e-9)), 0.05)
        shares.append(found[12:].sum() / max(1, found.sum()))
        power.append(found[:12].mean())

    assert np.mean(shares) <= 0.06
    assert np.mean(power) >= 0.9
