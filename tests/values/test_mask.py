"""The laws of choosing pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra.numpy import array_shapes, arrays

from saliency.errors import InputError
from saliency.values.heatmap import Heatmap
from saliency.values.mask import Mask, above, top_fraction

FEW = some.sampled_from([0.0, -0.0, 1.0, -1.0, 2.0, 0.5])
HEAT = arrays(
    np.float32, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=FEW
)


@given(HEAT, some.floats(0.01, 1))
def test_top_takes_its_share_of_what_is_hot(values, fraction):
    """As many as asked for, or all that have heat; nothing left out is hotter than what is in."""
    chosen = top_fraction(Heatmap(values), fraction).values
    heat = np.abs(values)
    wanted = max(1, round(fraction * values.size))

    assert chosen.sum() == min(wanted, np.count_nonzero(values))
    assert not heat[chosen].size or heat[chosen].min() >= heat[~chosen].max(initial=0)


def test_of_equal_pixels_the_first_wins():
    """Ties are settled in row order, the same on every machine."""
    heat = np.random.default_rng(0).integers(1, 4, (37, 53))
    chosen = top_fraction(Heatmap(heat), 0.5).values
    ranked = sorted(range(heat.size), key=lambda at: (-heat.flat[at], at))

    assert set(np.flatnonzero(chosen)) == set(ranked[: round(0.5 * heat.size)])


@given(HEAT, some.sampled_from([0.0, 0.5, 1.0]))
def test_above_is_a_level_of_absolute_heat(values, level):
    """Strictly more, whichever the sign."""
    assert np.array_equal(above(Heatmap(values), level).values, np.abs(values) > level)


@pytest.mark.parametrize("fraction", [0, -0.1, 1.01, float("nan")])
def test_fractions_are_shares(fraction):
    """A share is above 0 and at most 1."""
    with pytest.raises(InputError, match=r"fraction in \(0, 1\]"):
        top_fraction(Heatmap(np.ones((2, 3))), fraction)


@pytest.mark.parametrize("level", [-1, float("nan")])
def test_levels_are_not_negative(level):
    """Absolute heat is never below 0."""
    with pytest.raises(InputError, match="level >= 0"):
        above(Heatmap(np.ones((2, 3))), level)


def test_masks_are_bool():
    """0 and 1 are not taken for False and True."""
    with pytest.raises(InputError, match="bool"):
        Mask(np.ones((2, 3), np.uint8))
