"""Noise, references and occlusion."""

import numpy as np
import pytest
import tensorflow as tf
import twins
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import gaussian_filter
from small_probes import FunctionProbe

from saliency.errors import InputError
from saliency.kernels import baselines, noise, occlusion
from saliency.kernels.batches import each


@pytest.fixture
def inputs():
    return tf.random.stateless_uniform((2, 37, 53, 3), [0, 7], 0.1, 0.9)


def test_noise_depends_on_the_seed_alone(inputs):
    """A draw is the same in any chunk and batch; another seed or draw is another."""
    all_three = noise.normal([0, 1, 2], inputs, 4)
    assert_array_equal(noise.normal([1], inputs[:1], 4)[0], all_three[1])
    assert not np.allclose(all_three[0], all_three[1])
    assert not np.allclose(noise.normal([0], inputs, 5)[0], all_three[0])
    assert_allclose([np.mean(all_three), np.std(all_three)], [0, 1], atol=0.02)


def test_variants_lie_one_whole_batch_after_the_other(inputs):
    """Sample i of a batch lies at i, i + N, i + 2 N of a call, where a probe expects it."""
    seen = []
    each(
        lambda x: seen.append(x) or x[:, 0, 0, 0],
        tf.stack([inputs, inputs + 10, inputs + 20]),
    )
    assert_array_equal(
        seen[0][1::2], tf.stack([inputs[1], inputs[1] + 10, inputs[1] + 20])
    )


@pytest.mark.parametrize(("kind", "wanted"), [("black", 0.0), (0.25, 0.25)])
def test_constant_references(inputs, kind, wanted):
    """Black of a range that starts at 0 is 0; a number is that number."""
    assert_array_equal(baselines.reference(inputs, kind), tf.fill(inputs.shape, wanted))


def test_black_where_the_range_goes_below_zero(inputs):
    """Black is the darkest value of each picture and channel where 0 would be grey."""
    shifted = inputs * 2 - 1
    found = baselines.reference(shifted, "black")
    assert_allclose(found[:, :1, :1], np.min(shifted, axis=(1, 2), keepdims=True))


def test_data_references(inputs):
    """White, mean and noise keep to each picture's own range."""
    white, mean, drawn = (
        baselines.reference(inputs, kind) for kind in ("white", "mean", "noise")
    )
    assert_allclose(white[1, 0, 0], np.max(inputs[1], axis=(0, 1)))
    assert_allclose(mean[1, 0, 0], np.mean(inputs[1], axis=(0, 1)), rtol=1e-5)
    assert np.min(drawn[0]) >= np.min(inputs[0])
    assert np.max(drawn[0]) <= np.max(inputs[0])
    assert_array_equal(baselines.reference(inputs, np.zeros((37, 53, 3))), 0)


@pytest.mark.parametrize("kind", ["blck", np.zeros((5, 5))])
def test_odd_references_are_refused(inputs, kind):
    """An unknown name, or an array of another grid, is refused in words."""
    with pytest.raises(InputError, match="reference: expected"):
        baselines.reference(inputs, kind)


@pytest.mark.parametrize("sigma", [0.7, 3.0, 11.0])
def test_blur_is_scipys(inputs, sigma):
    """The blur is a Gaussian with mirrored edges, on both axes of a picture that is not square."""
    found = baselines.gaussian_blur(inputs, sigma)
    wanted = gaussian_filter(inputs, (0, sigma, sigma, 0), mode="reflect", truncate=8)
    assert_allclose(found, wanted, atol=2e-5)
    assert_array_equal(baselines.gaussian_blur(inputs, 0), inputs)


@pytest.mark.parametrize(
    ("length", "window", "stride", "wanted"),
    [
        (37, 16, 8, [0, 8, 16, 21]),
        (32, 16, 8, [0, 8, 16]),
        (5, 16, 8, [0]),
        (10, 3, 20, [0, 7]),
    ],
)
def test_windows_cover_and_stay_inside(length, window, stride, wanted):
    """Windows reach both ends, and none sticks out."""
    assert occlusion.window_starts(length, window, stride) == wanted


@pytest.mark.parametrize("copies", [1, 3, 50])
def test_occlusion_twin(inputs, copies):
    """Windows over a non-square picture, hidden one by one or many at once, give the same map."""
    weights = tf.random.stateless_normal(inputs.shape[1:], [1, 2])
    probe = FunctionProbe(lambda x: tf.reduce_sum(weights * x**2, axis=[1, 2, 3]))
    fill = baselines.reference(inputs, "mean")
    found = occlusion.occlusion(probe.score, inputs, fill, 16, 9, copies)
    for index in range(2):
        wanted = twins.occlusion(
            lambda x: float(np.sum(weights * x.astype(np.float64) ** 2)),
            inputs[index].numpy(), fill[index].numpy(), 16, 9,
        )  # fmt: skip
        assert_allclose(found[index], wanted, atol=2e-3)


def test_blend_keeps_what_is_kept(inputs):
    """Where nothing is hidden the picture is itself, bit for bit."""
    keep = tf.concat([tf.ones((1, 37, 20)), tf.zeros((1, 37, 33))], axis=-1)
    found = occlusion.blend(inputs, tf.zeros_like(inputs), keep)[0]
    assert_array_equal(found[:, :, :20], inputs[:, :, :20])
    assert_array_equal(found[:, :, 20:], 0)
