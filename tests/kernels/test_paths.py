"""Path integrals: closed forms, and what they must not depend on."""

import numpy as np
import pytest
import tensorflow as tf
import twins
from numpy.testing import assert_allclose
from small_probes import FunctionProbe

from saliency.kernels import paths

LINE = paths.midpoints(32)


def row(*values):
    """Return features as a picture (1, 1, F, 1)."""
    return tf.reshape(tf.constant(values, tf.float32), [1, 1, -1, 1])


def flat(tensor):
    return np.ravel(tensor)


def features(function):
    """Return a probe of a function of the columns of a picture."""
    return FunctionProbe(lambda x: function(*tf.unstack(x[:, 0, :, 0], axis=-1)))


def difference(a, b):
    return tf.nn.relu(tf.nn.relu(a) - 1 - tf.nn.relu(b))


def difference_again(a, b):
    return tf.nn.relu(tf.nn.relu(a - 1) - tf.nn.relu(b))


def test_midpoints_lie_inside():
    """Nodes are the centres of equal parts."""
    assert_allclose(paths.midpoints(4), [0.125, 0.375, 0.625, 0.875])


@pytest.mark.parametrize("function", [difference, difference_again])
def test_two_ways_to_write_one_function(function):
    """f1 and f2 of the paper's figure 2 are one function, and have one attribution."""
    found = paths.path_gradient(
        features(function).gradient, row(3, 1), row(0, 0), 900, 100
    )
    assert_allclose(flat(found), [1.5, -0.5], atol=2e-3)


def test_sum_of_curves():
    """5x + y^2 + sin z from (.5, 1, 1) to (1, 2, 3) is shared (2.5, 3, sin 3 - sin 1)."""
    probe = features(lambda x, y, z: 5 * x + y**2 + tf.sin(z))
    found = paths.path_gradient(probe.gradient, row(1, 2, 3), row(0.5, 1, 1), 100)
    assert_allclose(flat(found), [2.5, 3, np.sin(3) - np.sin(1)], atol=1e-4)


def test_square_is_exact_in_one_step():
    """A quadratic has a gradient linear on the path: one midpoint is the integral."""
    probe = features(lambda x, y: (2 * x + y) ** 2)
    found = paths.path_gradient(probe.gradient, row(3, 3), row(0, 0), 1)
    assert_allclose(flat(found), [54, 27], rtol=1e-6)


def test_linear():
    """2x + y from (-1, -3) to (10, 5) is shared (22, 8)."""
    probe = features(lambda x, y: 2 * x + y)
    found = paths.path_gradient(probe.gradient, row(10, 5), row(-1, -3), 3)
    assert_allclose(flat(found), [22, 8], rtol=1e-6)


@pytest.mark.parametrize("copies", [1, 2, 5, 32, 100])
def test_independent_of_the_chunk(copies):
    """How many points go into one call is a matter of memory, not of the result."""
    probe = FunctionProbe(lambda x: tf.reduce_sum(tf.sin(3 * x) * x, axis=[1, 2, 3]))
    inputs = tf.random.stateless_normal((3, 5, 7, 2), [0, 1])
    found = paths.path_gradient(
        probe.gradient, inputs, tf.zeros_like(inputs), 32, copies
    )
    wanted = twins.path_gradient(
        lambda x: probe.gradient(tf.constant(x)).numpy(),
        inputs.numpy(),
        np.zeros(inputs.shape),
        32,
    )
    assert_allclose(found, wanted, atol=1e-5)
    assert max(size for kind, size in probe.calls if kind == "gradient") <= 3 * min(
        copies, 32
    )


def gradients(probe):
    return sum(size for kind, size in probe.calls if kind == "gradient")


@pytest.mark.parametrize("parts", [2, 4, 16])
def test_halving_keeps_all_nodes(parts):
    """Every second node of half the parts is new; the others are those of before."""
    nodes = paths.inner_nodes(2 * parts)
    assert nodes[1::2] == paths.inner_nodes(parts)


@pytest.mark.parametrize(("kink", "asked"), [(0.2, 31), (0.8, 127)])
def test_refines_until_the_map_settles(kink, asked):
    """The later the only change of the gradient, the more gradients are needed to see it."""
    probe = features(lambda a: tf.nn.relu(a - kink))
    found = paths.complete_path_gradient(probe.gradient, probe.score, row(1), row(0))
    assert_allclose(flat(found), [1 - kink], rtol=1e-5)
    assert gradients(probe) == asked


def test_near_the_limit():
    """A settled map is within 5 % of one of 2000 steps, and sums to the change of the score."""
    probe = features(
        lambda a, b, c: tf.nn.relu(2 * a - b - 0.3) * c + tf.sin(4 * a * c)
    )
    ends = row(1, 0.7, 0.8), row(0, 0, 0)
    found = paths.complete_path_gradient(probe.gradient, probe.score, *ends)
    limit = paths.path_gradient(probe.gradient, *ends, 2000, 2000)
    assert tf.norm(found - limit) <= 0.05 * tf.norm(limit)
    assert (
        paths.relative_gap(found, probe.score(ends[0]), probe.score(ends[1]))[0] < 1e-5
    )


def test_what_is_missing_is_shared_out_fairly():
    """Completing changes no sign, leaves 0 at 0, and moves each part by one share of itself."""
    found = paths._completed(row(3, -1, 0, 2), tf.constant([4.6]))
    assert_allclose(flat(found), [3.3, -0.9, 0, 2.2], rtol=1e-6)


def test_a_map_that_does_not_settle_keeps_its_gap():
    """A step between the last nodes and the end cannot be seen: nothing is shared out for it."""
    probe = features(lambda a, b: b + tf.nn.relu(a - 0.9995) * 2000)
    found = paths.complete_path_gradient(
        probe.gradient, probe.score, row(1, 0.1), row(0, 0)
    )
    assert_allclose(flat(found), [0, 0.1], atol=1e-6)
    assert (
        paths.relative_gap(found, probe.score(row(1, 0.1)), probe.score(row(0, 0)))[0]
        > 0.5
    )
    assert gradients(probe) == 255


def test_refinement_is_each_samples_own():
    """A sample that settles at once keeps its map while its mate is refined."""
    kink = features(lambda a, b: a * b + tf.nn.relu(a - 0.905) * 0.3)
    inputs = tf.concat([row(0.9, 1), row(1, 0)], 0)
    found = paths.complete_path_gradient(
        kink.gradient, kink.score, inputs, tf.zeros_like(inputs), copies=4
    )
    for index in range(2):
        one = inputs[index : index + 1]
        alone = paths.complete_path_gradient(
            kink.gradient, kink.score, one, tf.zeros_like(one)
        )
        assert_allclose(found[index], alone[0], atol=1e-7)


def test_gap_of_nothing_is_zero():
    """A picture that is its own baseline has no gap; a map that misses half has a gap of half."""
    none, one = tf.zeros(1), tf.ones(1)
    assert_allclose(paths.relative_gap(tf.zeros((1, 2, 2)), one, one), 0)
    assert_allclose(paths.relative_gap(tf.zeros((1, 2, 2)), none, none), 0)
    assert_allclose(paths.relative_gap(tf.fill((1, 2, 2), 0.125), one, none), 0.5)
