"""The laws of the heat that full colour stands for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra.numpy import arrays

from saliency.render.scale import full

NORMAL = some.one_of(
    some.just(0.0), some.floats(2.0**-126, 2.0**127, width=32, allow_subnormal=False)
)


@given(arrays(np.float32, some.integers(1, 700), elements=NORMAL))
def test_is_the_inverted_cdf_of_what_is_hot(magnitude):
    """The histogram finds the very element that sorting finds."""
    hot = magnitude[magnitude > 0]
    sorted_one = np.percentile(hot, 99.5, method="inverted_cdf") if hot.size else 0

    assert full(magnitude) == sorted_one


@pytest.mark.parametrize("size", [1, 199, 200, 201, 1000, 100_000])
def test_five_of_a_thousand_may_be_hotter(size):
    """Of n different numbers floor(n / 200) are above full; below 200 none is."""
    magnitude = np.random.default_rng(0).permutation(size).astype(np.float32) + 1

    assert (magnitude > full(magnitude)).sum() == size // 200


def test_cold_pixels_do_not_count():
    """More of nothing around it does not change how hot the hot is."""
    hot = np.random.default_rng(1).random((37, 53)).astype(np.float32)

    assert full(np.pad(hot, 400)) == full(hot)


def test_an_outlier_does_not_hide_the_rest():
    """One pixel a million times as hot moves full by no more than a rank."""
    magnitude = np.linspace(1, 2, 10_000, dtype=np.float32)
    magnitude[0] = 1e6

    assert full(magnitude) < 2
