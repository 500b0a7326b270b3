"""Whether numbers tell the group of a picture."""

import numpy as np

from saliency.statistics.association import associate

MEMBER = np.arange(30) % 2


def test_a_perfect_association_has_the_least_p_value():
    """No permutation but the observed division reaches it: 1 of 5000, and never 0."""
    found = associate(
        MEMBER[:, np.newaxis] * 1.0, MEMBER, 0 * MEMBER, np.random.default_rng(0)
    )

    assert found.p_value == 1 / 5000
    assert found.share == 1
    assert found.chance == 0.5
