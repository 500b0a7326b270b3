"""A probe made of functions gives what is known on paper."""

import numpy as np
import pytest
import tensorflow as tf

from saliency.errors import ModelError
from saliency.probe.closed_form import ClosedFormProbe
from saliency.probe.protocol import LastLayerProbe, Probe, SettlingProbe


def squares(x):
    return tf.reduce_sum(x**2, (1, 2, 3))


INPUTS = np.random.default_rng(0).normal(size=(3, 5, 7, 2)).astype(np.float32)


def test_it_is_all_three_protocols():
    """What an explainer may ask of a Keras model, it may ask of a function."""
    probe = ClosedFormProbe(squares)
    assert isinstance(probe, Probe)
    assert isinstance(probe, LastLayerProbe)
    assert isinstance(probe, SettlingProbe)
    assert probe.settled(INPUTS) is probe


def test_the_known_derivative_is_the_automatic_one():
    """The derivative of the sum of squares is 2 x, given or found."""
    given, found = ClosedFormProbe(squares, lambda x: 2.0 * x), ClosedFormProbe(squares)
    np.testing.assert_allclose(given.gradient(INPUTS), 2 * INPUTS, rtol=1e-6)
    np.testing.assert_allclose(found.gradient(INPUTS), 2 * INPUTS, rtol=1e-6)
    np.testing.assert_allclose(
        given.score(INPUTS), (INPUTS**2).sum((1, 2, 3)), rtol=1e-5
    )


def test_a_given_derivative_is_used():
    """A test may hand in any derivative, for example a wrong one."""
    probe = ClosedFormProbe(squares, tf.zeros_like)
    assert np.abs(probe.gradient(INPUTS)).max() == 0


def test_stages_are_taps():
    """For score = sum((2 x + 1)^2) the derivatives follow the chain rule, stage by stage."""
    probe = ClosedFormProbe(squares, stages=(lambda x: 2.0 * x, lambda a: a + 1.0))
    first, second = probe.activation_gradients(INPUTS)
    np.testing.assert_allclose(first[0], 2 * INPUTS)
    np.testing.assert_allclose(second[0], 2 * INPUTS + 1)
    np.testing.assert_allclose(first[1], 2 * (2 * INPUTS + 1), rtol=1e-5)
    np.testing.assert_allclose(second[1], 2 * (2 * INPUTS + 1), rtol=1e-5)
    np.testing.assert_allclose(probe.gradient(INPUTS), 4 * (2 * INPUTS + 1), rtol=1e-5)
    activations, gradient = probe.last_gradient(INPUTS)
    np.testing.assert_array_equal(gradient, second[1])
    assert probe.layers == ("stage1", "stage2")
    assert len(activations) == 2


def test_a_function_without_stages_has_no_taps():
    """Activations of a function without stages are refused."""
    with pytest.raises(ModelError, match="stages"):
        ClosedFormProbe(squares).activations(INPUTS)


def test_a_function_that_ignores_its_input_has_gradient_zero():
    """A constant has derivative zero."""
    probe = ClosedFormProbe(lambda x: tf.zeros(tf.shape(x)[0]))
    np.testing.assert_array_equal(probe.gradient(INPUTS), np.zeros_like(INPUTS))
