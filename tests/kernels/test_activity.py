"""Statistics and norms: twins, and what must never happen."""

import numpy as np
import pytest
import tensorflow as tf
import twins
from numpy.testing import assert_allclose, assert_array_equal

from saliency.errors import InputError
from saliency.kernels import activity, gamma
from saliency.kernels.resize import bilinear

NORMS = [
    activity.gaussian_cdf,
    activity.unit_range,
    gamma.gamma_cdf,
    gamma.gamma_cdf_truncated,
]
STATISTICS = [
    activity.smoe_scale, activity.std, activity.mean, activity.maximum,
    activity.truncnormal_entropy, gamma.gamma_scale,
]  # fmt: skip


@pytest.fixture
def activations():
    drawn = np.random.default_rng(0).gamma(0.6, 2.0, (2, 7, 11, 24)).astype(np.float32)
    drawn[drawn < 0.4] = 0
    return drawn


def test_smoe_twin(activations):
    """The tensor form is the paper's formula in float64, pixel by pixel."""
    assert_allclose(
        activity.smoe_scale(activations), twins.smoe_scale(activations), rtol=2e-5
    )


def test_smoe_order_of_channels(activations):
    """SMOE Scale does not know the order of the channels, nor that each came twice."""
    found = activity.smoe_scale(activations)
    assert_allclose(activity.smoe_scale(activations[..., ::-1]), found, rtol=1e-5)
    twice = np.concatenate([activations, activations], axis=-1)
    assert_allclose(activity.smoe_scale(twice), found, rtol=1e-5)


def test_smoe_is_homogeneous(activations):
    """Activations c times as strong give a map c times as strong, but for the epsilon."""
    strong = np.maximum(activations, 0.5)
    found, scaled = activity.smoe_scale(strong), activity.smoe_scale(64 * strong)
    assert_allclose(scaled, 64 * found.numpy(), rtol=1e-4)


@pytest.mark.parametrize("value", [0.0, 1.0, 2.5, 0.3, 1e-4, 3e5])
@pytest.mark.parametrize(
    "shape", [(1, 7, 7, 2048), (1, 9, 7, 1000), (2, 56, 37, 64), (1, 5, 3, 1)]
)
def test_equal_channels_are_zero(value, shape):
    """Equal channels have no spread: exactly 0, never a rounding pattern that a norm blows up."""
    assert_array_equal(activity.smoe_scale(tf.fill(shape, value)), 0)


def test_smoe_any_rank(activations):
    """Volumes and single pixels reduce over the last axis alone."""
    volume = activations.reshape(2, 7, 11, 4, 6)
    assert activity.smoe_scale(volume).shape == (2, 7, 11, 4)
    one = activity.smoe_scale(activations[0, 0, 0])
    assert_allclose(one, activity.smoe_scale(activations)[0, 0, 0], rtol=1e-6)


def test_smoe_half_precision(activations):
    """Half-precision activations are summed in float32."""
    found = activity.smoe_scale(tf.cast(activations, tf.float16))
    assert found.dtype == tf.float32
    assert_allclose(found, activity.smoe_scale(activations), rtol=2e-3)


def test_smoe_below_zero_is_silent(activations):
    """What a layer before its ReLU has below 0 counts as 0."""
    signed = activations - 0.5
    assert_array_equal(
        activity.smoe_scale(signed), activity.smoe_scale(np.maximum(signed, 0))
    )


def test_gaussian_twin(activations):
    """Each map is normal to itself: batch mates do not matter."""
    maps = activations[..., 0]
    assert_allclose(activity.gaussian_cdf(maps), twins.gaussian_cdf(maps), atol=2e-6)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("value", [0.0, 1.0, 2.5, 0.1, -7.3, 1e-12, 3e8])
@pytest.mark.parametrize("shape", [(2, 37, 53), (1, 1, 1), (1, 112, 112)])
def test_flat_maps_stay_flat(norm, value, shape):
    """A constant map is 0 after every norm: never NaN, never a pattern."""
    assert_array_equal(norm(tf.fill(shape, value)), 0)


@pytest.mark.parametrize("norm", NORMS)
def test_norms_reach_into_unit_range(norm, activations):
    """Norms of uneven maps are in [0, 1], finite, one map at a time."""
    maps = activations[..., 0]
    found = norm(maps).numpy()
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 1
    assert_allclose(norm(maps[1:])[0], found[1], atol=1e-6)


@pytest.mark.parametrize("norm", NORMS[:3])
def test_norms_keep_the_order(norm):
    """A brighter pixel is never given a lower value, however bright (a small lesion stays)."""
    ramp = np.sort(np.random.default_rng(1).gamma(1.0, 1.0, 4096)).astype(np.float32)
    ramp[-1] = 40
    found = norm(ramp.reshape(1, 64, 64)).numpy().ravel()
    assert np.diff(found).min() >= -1e-7


def test_truncated_series_loses_the_brightest():
    """The published series falls at the top: why it is not the default."""
    ramp = np.random.default_rng(1).gamma(1.0, 1.0, 4096).astype(np.float32)
    ramp[7] = 40
    found = gamma.gamma_cdf_truncated(ramp.reshape(1, 64, 64)).numpy().ravel()
    assert found[7] < 1e-6


@pytest.mark.parametrize("statistic", STATISTICS)
def test_statistics_are_finite_on_silence(statistic):
    """A dead layer, a single channel and a huge one give finite numbers."""
    for shape in ((1, 4, 6, 8), (1, 4, 6, 1)):
        assert np.isfinite(statistic(tf.zeros(shape)).numpy()).all()
        assert np.isfinite(statistic(tf.fill(shape, 3e4)).numpy()).all()


def test_gamma_scale_of_gamma_draws():
    """The scale of many gamma draws is found again."""
    drawn = np.random.default_rng(2).gamma(2.0, 3.0, (1, 1, 200_000))
    assert_allclose(gamma.gamma_scale(drawn), [[3.0]], rtol=0.02)


def test_combine_twin():
    """Layers of odd grids are resized and weighted as loops would do it."""
    rng = np.random.default_rng(3)
    maps = [
        rng.normal(size=(1, *grid)).astype(np.float32)
        for grid in ((17, 23), (5, 6), (1, 2))
    ]
    found = activity.combine(maps, size=(37, 53), weights=(1, 2, 5))
    wanted = twins.combine([one[0] for one in maps], (37, 53), (1, 2, 5))
    assert_allclose(found[0], wanted, atol=1e-5)


def test_combine_weights_are_shares():
    """Only the ratio of weights counts; equal ones are the default."""
    maps = [tf.random.stateless_uniform((2, 5, 4), [0, layer]) for layer in range(3)]
    equal = activity.combine(maps, size=(9, 8))
    assert_allclose(
        activity.combine(maps, size=(9, 8), weights=(4, 4, 4)), equal, rtol=1e-6
    )


@pytest.mark.parametrize("weights", [(1,), (0, 0), (1, 2, 3), (-1, 1)])
def test_combine_refuses_odd_weights(weights):
    """Weights that do not fit the layers, or sum to nothing, are refused in words."""
    with pytest.raises(InputError, match="expected 2 weights"):
        activity.combine([tf.zeros((1, 3, 3))] * 2, size=(3, 3), weights=weights)


def test_bilinear_keeps_flat_maps_and_range():
    """Resizing holds the range of a map; a flat one stays as it is."""
    assert_array_equal(bilinear(tf.fill((1, 3, 4), 0.7), (37, 53)), np.float32(0.7))
