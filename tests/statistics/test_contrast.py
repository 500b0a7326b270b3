"""Content against tissue: right where it is known, level where nothing is there."""

import numpy as np
import pytest

from saliency.audit.exchange.effects import least_p
from saliency.statistics.contrast import contrast

MEMBER = np.arange(24) % 2


def towards(margin):
    """Two groups: what speaks for one speaks against the other; of one host, or of several."""
    by_host = margin.reshape(len(margin), -1)
    return np.stack([-by_host, by_host], axis=-1)


def weigh(zone, tissue, member=MEMBER, seed=0, **units):
    generator = np.random.default_rng(seed)
    return contrast(towards(zone), towards(tissue), member, generator, **units)


def test_content_that_decides_by_hand():
    """A margin of -1 and +1 by group is a contrast of 2, surely."""
    found = weigh(2.0 * MEMBER - 1, np.zeros(24))

    assert np.isclose(found.zone, 2)
    assert found.tissue == 0
    assert np.isclose(found.net, 2)
    assert np.allclose(found.interval, 2)
    assert found.p_value == 1 / 5000


def test_tissue_that_does_as_much_takes_it_away():
    """What exchanged anatomy does is no shortcut."""
    found = weigh(2.0 * MEMBER - 1, 2.0 * MEMBER - 1)

    assert np.isclose(found.net, 0)
    assert found.p_value > 0.1


def test_the_sign_does_not_matter():
    """Content that speaks against its group is read as well."""
    found = weigh(1 - 2.0 * MEMBER, np.zeros(24))

    assert found.zone == -2
    assert found.net == 2
    assert found.interval.low > 1.9


def test_groups_of_different_sizes_by_a_loop():
    """Three groups, unequal: mean inside less mean outside, mean over groups."""
    generator = np.random.default_rng(3)
    member = np.repeat([0, 1, 2], [3, 5, 9])
    zone = generator.normal(size=(17, 3))
    slow = []
    for group in range(3):
        column = zone[:, group]
        slow.append(column[member == group].mean() - column[member != group].mean())

    one_host = zone[:, np.newaxis]
    found = contrast(one_host, 0 * one_host, member, generator)
    assert np.isclose(found.zone, np.mean(slow))


@pytest.mark.slow
def test_the_level_is_kept():
    """Where content and tissue say nothing, one in twenty lies below 0.05."""
    generator = np.random.default_rng(1)
    below = [
        weigh(generator.normal(size=24), generator.normal(size=24), seed=k).p_value
        <= 0.05
        for k in range(120)
    ]

    assert np.mean(below) < 0.1


def test_the_interval_covers_the_truth():
    """A 95 % interval holds the true contrast about 95 times of 100."""
    generator = np.random.default_rng(2)
    margin = 2.0 * MEMBER - 1
    hits = []
    for k in range(60):
        found = weigh(margin + generator.normal(size=24), np.zeros(24), seed=k)
        hits.append(found.interval.low <= 2 <= found.interval.high)

    assert np.mean(hits) > 0.85


def test_the_error_and_what_chance_reaches():
    """The error is that of a difference of means less another; 1 % of divisions reach so much."""
    generator = np.random.default_rng(7)
    zone, tissue = generator.normal(size=(2, 24))
    found = weigh(2.0 * MEMBER - 1 + 0.5 * zone, 0.5 * tissue)
    halves = MEMBER == 1

    def net(inside):
        parts = [
            abs(row[inside].mean() - row[~inside].mean())
            for row in (2.0 * MEMBER - 1 + 0.5 * zone, 0.5 * tissue)
        ]
        return parts[0] - parts[1]

    variances = [
        row[side].var(ddof=1) / 12
        for row in (0.5 * zone, 0.5 * tissue)
        for side in (halves, ~halves)
    ]
    chance = [net(generator.permutation(halves)) for _ in range(5000)]
    assert np.isclose(found.error, np.sqrt(sum(variances)), rtol=0.25)
    assert np.isclose(found.needed, np.quantile(chance, 0.99), rtol=0.1)


def test_the_least_p_value_counts_divisions():
    """2 + 2 pictures divide in 6 ways, of which two are alike; 1 + 3 in 4."""
    assert least_p((2, 2)) == 2 / 6
    assert least_p((1, 3)) == 1 / 4
