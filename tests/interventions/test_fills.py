"""A fill removes what a zone shows, and touches nothing else."""

import numpy as np
import pytest

from saliency.interventions.fills import FILLS, background, noise, outside_mean

GENERATOR = np.random.default_rng(0)


@pytest.fixture
def ramp():
    """A grey ramp, 37 x 53, with a bright box."""
    pixels = np.add.outer(np.arange(37.0), 2 * np.arange(53.0)).astype(np.float32)
    mask = np.zeros((37, 53), bool)
    mask[10:17, 20:33] = True
    pixels[mask] = 1000
    return pixels, mask


@pytest.mark.parametrize("fill", FILLS.values(), ids=FILLS)
@pytest.mark.parametrize("colour", [False, True], ids=["grey", "rgb"])
def test_pixels_outside_stay(ramp, fill, colour):
    """Known pixels keep their value; every pixel inside gets one that lies outside's range."""
    pixels, mask = ramp
    given = np.stack([pixels, pixels, pixels], 2) if colour else pixels
    result = fill(given, mask, GENERATOR)

    assert result.shape == given.shape
    assert (result[~mask] == given[~mask]).all()
    assert result[mask].max() <= given[~mask].max()


def test_background_continues_a_ramp(ramp):
    """Local background comes near to what was there: within a tenth of the ramp's span."""
    pixels, mask = ramp
    truth = np.add.outer(np.arange(37.0), 2 * np.arange(53.0))
    error = np.abs(background(pixels, mask, GENERATOR) - truth)[mask]

    assert error.max() < 0.1 * np.ptp(truth)


def test_mean_is_the_mean_outside(ramp):
    """One value, computed without the zone."""
    pixels, mask = ramp

    assert np.allclose(
        outside_mean(pixels, mask, GENERATOR)[mask], pixels[~mask].mean()
    )


def test_noise_draws_from_outside(ramp):
    """Every value drawn occurs outside; the seed decides which."""
    pixels, mask = ramp
    first = noise(pixels, mask, np.random.default_rng(1))
    second = noise(pixels, mask, np.random.default_rng(1))

    assert np.isin(first[mask], pixels[~mask]).all()
    assert (first == second).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 3), (64, 64)], ids=str)
def test_background_knows_every_size(size):
    """A single known pixel fills the picture."""
    mask = np.ones(size, bool)
    mask[0, -1] = False
    result = background(np.full(size, 7.0), mask, GENERATOR)

    assert np.allclose(result, 7)
