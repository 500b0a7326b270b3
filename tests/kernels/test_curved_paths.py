"""Paths that are not straight, or not evenly weighed."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
import twins
from numpy.testing import assert_allclose
from small_probes import FunctionProbe, small_network

from saliency.kernels import curved_paths
from saliency.kernels.baselines import gaussian_blur


def row(*values):
    return tf.reshape(tf.constant(values, tf.float32), [1, 1, -1, 1])


SQUARE = FunctionProbe(lambda x: (2 * x[:, 0, 0, 0] + x[:, 0, 1, 0]) ** 2)
BENT = FunctionProbe(
    lambda x: tf.reduce_sum(tf.sin(2 * x) * x, axis=[1, 2, 3]), chunk=64
)


def test_guided_path_goes_along_small_gradients_first():
    """(x + 2y)^2 to (3, 3): x is moved first and gets 9, y the other 72."""
    probe = FunctionProbe(lambda x: (x[:, 0, 0, 0] + 2 * x[:, 0, 1, 0]) ** 2)
    found = curved_paths.guided_path_gradient(
        probe.gradient, row(3, 3), row(0, 0), 200, fraction=0.25, distance=1.0
    )
    assert_allclose(np.ravel(found), [9, 72], rtol=1e-3)


def test_guided_path_is_kept_near_the_straight_one():
    """Bound to 0.2 of the way the sum stays 81, and x gets between the straight 54 and 72."""
    found = np.ravel(
        curved_paths.guided_path_gradient(
            SQUARE.gradient, row(3, 3), row(0, 0), 200, fraction=0.25, distance=0.2
        )
    )
    assert_allclose(found.sum(), 81, rtol=1e-3)
    assert 55 < found[0] < 71


def test_guided_path_without_freedom_is_straight():
    """With no room to stray the path is that of integrated gradients."""
    found = curved_paths.guided_path_gradient(
        SQUARE.gradient, row(3, 3), row(0, 0), 100, fraction=0.25, distance=0.0
    )
    assert_allclose(np.ravel(found), [54, 27], rtol=1e-3)


@pytest.mark.parametrize("distance", [0.05, 0.3])
def test_guided_twin(distance):
    """Values are moved as the paper's algorithm moves them, one picture and group at a time."""
    inputs = tf.random.stateless_normal((2, 4, 5, 2), [0, 9])
    found = curved_paths.guided_path_gradient(
        BENT.gradient,
        inputs,
        tf.zeros_like(inputs),
        12,
        fraction=0.1,
        distance=distance,
    )
    for index in range(2):
        wanted = twins.guided_path_gradient(
            lambda x: BENT.gradient(tf.constant(x[None], tf.float32)).numpy()[0],
            inputs[index].numpy(), 12, 0.1, distance,
        )  # fmt: skip
        assert_allclose(found[index], wanted, atol=1e-4)


def test_blur_path_comes_into_focus():
    """The path ends at the picture itself, bit for bit, and begins at its blur."""
    inputs = tf.random.stateless_uniform((1, 37, 53, 1), [0, 4])
    path = curved_paths.blur_path(inputs, 9.0, 4)
    assert_allclose(path[-1], inputs, atol=0)
    assert_allclose(path[0], gaussian_blur(inputs, 9.0), atol=0)
    assert_allclose(path[1], gaussian_blur(inputs, 9.0 * 0.75**2), atol=0)


@pytest.mark.parametrize("copies", [1, 2, 5, 9])
def test_polyline_twin(copies):
    """Corners are shared between chunks: any chunk gives the trapezoid sum."""
    points = [tf.random.stateless_normal((2, 3, 4, 1), [1, draw]) for draw in range(5)]
    wanted = sum(
        (b - a) * (BENT.gradient(a) + BENT.gradient(b)) / 2
        for a, b in itertools.pairwise(points)
    )
    assert_allclose(
        curved_paths.polyline_gradient(BENT.gradient, points, copies), wanted, atol=1e-5
    )


def test_decisions_of_a_linear_score():
    """Of w.x the change is even on the path: the map is w x times the whole change."""
    weights = tf.random.stateless_normal((4, 5, 2), [0, 9])
    probe = FunctionProbe(lambda x: tf.reduce_sum(weights * x, axis=[1, 2, 3]))
    inputs = tf.random.stateless_normal((2, 4, 5, 2), [0, 8])
    found = curved_paths.decision_gradient(
        probe.gradient, probe.score, inputs, tf.zeros_like(inputs), 16, 3
    )
    whole = tf.reshape(probe.score(inputs), [2, 1, 1, 1])
    assert_allclose(found, weights * inputs * whole, rtol=1e-3, atol=1e-4)


def test_decisions_look_where_the_score_moves():
    """A logistic step of rate r has the integral r / 6, though it fills 1/1000 of the path."""
    step = FunctionProbe(lambda x: tf.sigmoid(4000 * (x[:, 0, 0, 0] - 0.7303)))
    found = curved_paths.decision_gradient(
        step.gradient, step.score, row(1), row(0), 64, 8
    )
    assert_allclose(np.ravel(found), [4000 / 6], rtol=0.05)


def test_decisions_are_each_samples_own():
    """Nodes are laid out for each sample by itself."""
    probe = small_network(target=1)
    inputs = tf.random.stateless_uniform((3, 12, 9, 1), [2, 2])
    start = tf.zeros_like(inputs)
    ask = probe.gradient, probe.score
    found = curved_paths.decision_gradient(*ask, inputs, start, 8, 4)
    for index in range(3):
        one = slice(index, index + 1)
        alone = curved_paths.decision_gradient(*ask, inputs[one], start[one], 8, 3)
        assert_allclose(found[one], alone, rtol=1e-3, atol=1e-5)
