"""One part among many: named where it does more, and by chance in one of twenty draws."""

import numpy as np
import pytest

from saliency.statistics.standing_out import knows, standing_out

SIZES = np.ones(17)


def ask(effects, sizes=SIZES, seed=0):
    return standing_out(effects, sizes, np.random.default_rng(seed))


def test_the_part_that_decides_by_hand():
    """One part moves 0.7, the others 0.1: net 0.6, with the smallest p-value there is."""
    effects = np.full((12, 17), 0.1)
    effects[:, 5] = 0.7
    found = ask(effects)

    assert found.first == 5
    assert np.isclose(found.effect, 0.6)
    assert np.allclose(found.interval, 0.6)
    assert found.p_value == 1 / 5000


def test_a_part_of_three_cells_must_do_more_than_three_cells():
    """A ring of three cells' area that does three times as much stands out by nothing."""
    sizes = np.append(np.ones(16), 3.0)
    effects = np.append(np.full((12, 16), 0.05), np.full((12, 1), 0.15), axis=1)
    found = ask(effects, sizes)

    assert np.isclose(found.nets[-1], 0)
    assert found.effect < 1e-9


def test_another_part_each_time_is_chance():
    """A lesion that lies in another cell of every pair stands out nowhere."""
    effects = np.zeros((16, 17))
    effects[np.arange(16), np.arange(16)] = 1.0

    assert ask(effects).p_value > 0.5


def test_chance_is_found_as_often_as_it_says():
    """Independent noise: p < 0.05 in a share of draws near 0.05."""
    generator = np.random.default_rng(3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("saliency.statistics.standing_out.DRAWS", 199)
        p_values = [
            ask(generator.normal(size=(10, 17)), seed=k).p_value for k in range(200)
        ]

    # Binomial(200, 0.05): 19 or more has a probability of 0.005.
    assert np.mean(np.array(p_values) <= 0.05) < 0.095


def test_error_and_what_chance_reaches():
    """The error is that of a mean; a hundredth of permutations reach what is needed."""
    generator = np.random.default_rng(5)
    effects = np.full((100, 17), 0.0)
    effects[:, 3] = 1 + generator.normal(size=100)
    found = ask(effects)
    means = [generator.permuted(effects, axis=1).mean(axis=0) for _ in range(3000)]
    greatest = [mean.max() - np.median(mean) for mean in means]

    assert np.isclose(found.error, effects[:, 3].std() / 10, rtol=0.1)
    assert np.isclose(found.needed, np.quantile(greatest, 0.99), rtol=0.1)


def test_scores_that_go_with_labels_are_known():
    """Also where they go the wrong way; noise and constants are not."""
    member = np.arange(30) % 3
    noise = np.random.default_rng(0).normal(size=(30, 1))

    def p_of(scores):
        return knows(scores, member, np.random.default_rng(1))

    assert p_of(member[:, np.newaxis] + 0.1 * noise) == 0.001
    assert p_of(-member[:, np.newaxis] + 0.1 * noise) == 0.001
    assert p_of(noise) > 0.05
    assert p_of(np.ones((30, 1))) == 1
    unknown = np.where(np.arange(30) < 6, -1, member)
    wild = 50.0 * (-1) ** np.arange(30)
    strayed = np.where(unknown < 0, wild, member)[:, np.newaxis] + 0.1 * noise
    assert knows(strayed, unknown, np.random.default_rng(1)) == 0.001
