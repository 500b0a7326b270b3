"""Masks over pictures, many in one kernel."""

import numpy as np
import pytest
import tensorflow as tf

from saliency.kernels.occlusion import blend, blend_many


@pytest.mark.parametrize("count", [1, 3])
def test_many_masks_in_one_kernel_are_the_blend(count):
    """A kernel and the operations one by one make the same pictures; what is shown is exact."""
    numbers = np.random.default_rng(count)
    inputs, fill = (
        tf.constant(numbers.normal(size=(2, 5, 7, 3)), tf.float32) for _ in range(2)
    )
    keep = tf.constant(numbers.integers(0, 3, size=(count, 5, 7)) / 2, tf.float32)
    found = blend_many(inputs, fill, keep)
    np.testing.assert_allclose(found, blend(inputs, fill, keep), rtol=1e-6, atol=1e-6)
    shown = np.broadcast_to(keep[:, None, ..., None] == 1, found.shape)
    np.testing.assert_array_equal(
        found[shown], np.broadcast_to(inputs, found.shape)[shown]
    )
