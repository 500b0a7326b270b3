"""Channel weights against their loops."""

import numpy as np
import pytest
import tensorflow as tf
import twins
from numpy.testing import assert_allclose, assert_array_equal

from saliency.kernels import cam


@pytest.fixture
def layer():
    rng = np.random.default_rng(5)
    activation = np.maximum(rng.normal(size=(2, 4, 6, 5)), 0).astype(np.float32)
    return activation, rng.normal(size=activation.shape).astype(np.float32)


@pytest.mark.parametrize(
    "name", ["gradcam_weights", "xgradcam_weights", "gradcampp_weights"]
)
def test_weights_twin(layer, name):
    """Each weight is the paper's sum, picture by picture."""
    activation, gradient = layer
    found = getattr(cam, name)(tf.constant(activation), tf.constant(gradient))
    for index in range(2):
        wanted = getattr(twins, name)(activation[index], gradient[index])
        assert_allclose(found[index], wanted, rtol=2e-3, atol=1e-5)


def test_all_agree_where_the_gradient_is_flat(layer):
    """Under a global average pooling Grad-CAM is XGrad-CAM, and both forms of ++ agree."""
    activation = layer[0]
    flat = tf.constant(np.broadcast_to(layer[1][:, :1, :1], activation.shape))
    activation = tf.constant(activation)
    same = cam.gradcam_weights(activation, flat)
    assert_allclose(cam.xgradcam_weights(activation, flat), same, rtol=1e-4)
    plus = cam.gradcampp_weights(activation, flat)
    assert_allclose(cam.gradcampp_weights_summed(activation, flat), plus, rtol=1e-4)


@pytest.mark.parametrize("side", [8, 64])
def test_gradcampp_has_no_epsilon_on_large_maps(side):
    """Behind a global average g is a weight over h w; alpha is 1 / (2 + g sum A) all the same."""
    draw = np.random.default_rng(3)
    activation = draw.uniform(0, 1, (1, side, side, 5)).astype(np.float32)
    slope = draw.normal(0, 1, 5).astype(np.float32) / side**2
    gradient = tf.constant(np.broadcast_to(slope, activation.shape))
    wanted = side**2 * np.maximum(slope, 0) / (2 + slope * activation.sum((0, 1, 2)))
    found = cam.gradcampp_weights(tf.constant(activation), gradient)
    assert_allclose(found[0], wanted, rtol=1e-4)


def test_weighted_sum():
    """Channels are added with their weights, the sign is kept."""
    activation = tf.constant([[[[1.0, 2.0], [3.0, 4.0]]]])
    assert_allclose(
        cam.weighted(activation, tf.constant([[1.0, -2.0]])), [[[-3.0, -5.0]]]
    )


def test_mask_of_nothing_is_nothing():
    """Where no channel speaks for the class the factor is 0, not NaN and not 1."""
    assert_array_equal(cam.cam_mask(tf.fill((2, 3, 3), -1.0), (37, 53)), 0)
    assert_array_equal(cam.cam_mask(tf.zeros((2, 3, 3)), (37, 53)), 0)


def test_gradcampp_of_great_logits_is_finite():
    """The exponential of the score is left out: great gradients do not overflow."""
    activation, gradient = tf.fill((1, 2, 3, 4), 50.0), tf.fill((1, 2, 3, 4), 90.0)
    assert np.isfinite(cam.gradcampp_weights(activation, gradient).numpy()).all()
