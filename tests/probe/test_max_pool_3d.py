"""A maximum over voxels hands its derivative to one of them, however many are equal."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from probe import nets

import saliency as sal
from saliency.probe.max_pool_3d import one_winner

layers, ops = keras.layers, keras.ops


class Twice(keras.layers.Layer):
    """Pools twice, by the operations that it is given."""

    def __init__(self, pool):
        super().__init__()
        self.pool = pool

    def call(self, volumes):
        return self.pool(self.pool(volumes))


SPELLED = {
    "layers": lambda: [layers.MaxPooling3D(2), layers.MaxPooling3D(2)],
    "keras.ops": lambda: [Twice(lambda x: ops.max_pool(x, 2))],
    "TensorFlow's operations": lambda: [
        Twice(lambda x: tf.nn.max_pool3d(x, 2, 2, "VALID"))
    ],
}


@pytest.mark.parametrize("name", SPELLED)
def test_a_constant_volume_has_the_derivative_of_one_voxel_a_window(name):
    """Closed form: 2 x 1 windows of 4 x 4 x 4 equal voxels, each with the weight of its unit."""
    inputs = keras.Input((4, 8, 4, 1))
    x = nets.chained([*SPELLED[name](), layers.Flatten()], inputs)
    dense = layers.Dense(2)
    model = keras.Model(inputs, dense(x))
    weights = np.array([[1.0, 2.0], [30.0, 0.5]])
    dense.set_weights([weights, np.zeros(2)])
    air = tf.fill((3, 4, 8, 4, 1), -1000.0)
    for unit in (0, 1):
        found = np.asarray(sal.KerasProbe(model).at(unit).gradient(air))
        halves = found[:, :, :4].sum((1, 2, 3, 4)), found[:, :, 4:].sum((1, 2, 3, 4))
        assert_allclose(halves, np.tile(weights[:, unit][:, None], 3))


def _derivative(x, window, strides, padding):
    pooled = tf.nn.max_pool3d(x, window, strides, padding)
    return pooled, tf.gradients(tf.sin(pooled), x)[0]


def _to_the_first(x, pooled, window, strides, starts):
    """Hand cos(y) to the first of the greatest voxels of each window: slow, voxel by voxel."""
    found = np.zeros_like(x)
    for place in np.ndindex(*pooled.shape):
        sample, *middle, channel = place
        low = [
            start + at * step
            for start, at, step in zip(starts, middle, strides, strict=True)
        ]
        box = tuple(
            slice(max(at, 0), at + size) for at, size in zip(low, window, strict=True)
        )
        inside = x[(sample, *box, channel)]
        best = np.unravel_index(inside.argmax(), inside.shape)
        corner = [max(at, 0) for at in low]
        at = [one + other for one, other in zip(corner, best, strict=True)]
        found[(sample, *at, channel)] += np.cos(pooled[place])
    return found


@pytest.mark.parametrize(
    ("padding", "window", "strides", "starts"),
    [
        ("VALID", (2, 2, 2), (2, 2, 2), (0, 0, 0)),
        ("VALID", (3, 2, 4), (2, 3, 1), (0, 0, 0)),
        ("SAME", (3, 3, 3), (1, 1, 1), (-1, -1, -1)),
        ("SAME", (3, 2, 1), (2, 2, 1), (-1, 0, 0)),
    ],
)
def test_as_the_loop_over_all_windows(padding, window, strides, starts):
    """Whole numbers of few sizes are equal in most windows, distinct ones in none."""
    draw = np.random.default_rng(1)
    shape = (2, 7, 6, 5, 2)
    distinct = draw.permutation(np.prod(shape)).reshape(shape) / 100
    tied = draw.integers(0, 3, shape)

    @tf.function
    def asked(x):
        with one_winner():
            return _derivative(x, window, strides, padding)

    for values in (distinct, tied):
        x = values.astype(np.float32)
        pooled, found = (each.numpy() for each in asked(x))
        twin = _to_the_first(x, pooled, window, strides, starts)
        assert_allclose(found.sum(), twin.sum(), rtol=1e-5)
        if values is distinct:
            assert_allclose(found, twin, atol=1e-5)
        assert np.all(x[found != 0] > 0)


def test_channels_first_and_half_precision():
    """Drawn alone: TensorFlow's CPU kernels do not run a channels-first maximum."""
    with tf.Graph().as_default(), one_winner():
        x = tf.compat.v1.placeholder(tf.float16, (None, 2, 4, None, 6))
        pooled = tf.nn.max_pool3d(x, 2, 2, "VALID", "NCDHW")
        (found,) = tf.gradients(pooled, x)
    assert found.dtype == tf.float16
    assert found.shape.rank == 5
