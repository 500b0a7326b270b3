"""Compiled kernels hold no model, so that models share them."""

import pytest
import tensorflow as tf

from saliency.kernels import xla
from saliency.kernels.activity import smoe_scale


def test_one_kernel_serves_all_graphs():
    """A second graph of the same shapes compiles nothing; a new shape is one kernel more."""
    if not xla._compiler():
        pytest.skip("TensorFlow came without XLA for this device")
    xla._kernel.cache_clear()
    layers = [
        tf.random.stateless_uniform((3, side, side, 8), (1, side)) for side in (6, 5)
    ]
    expected = [smoe_scale(each) for each in layers]
    for _ in range(3):

        @tf.function(autograph=False)
        def graph(*given):
            return xla.fused_samples(smoe_scale, given)

        for found, wanted in zip(graph(*layers), expected, strict=True):
            tf.debugging.assert_near(found, wanted, rtol=1e-5)
        assert xla._kernel.cache_info().currsize == 2
