"""Promises of attributions: closed forms of linear models."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from scipy.stats import spearmanr

from saliency.errors import InputError
from saliency.evaluation import (
    infidelity,
    max_sensitivity,
    mufidelity,
    randomisation,
    repeatability,
    sensitivity_n,
    sparseness,
)
from saliency.explainers.controls import EdgeMap, RandomMap
from saliency.explainers.gradients import Gradient
from saliency.explainers.smooth import SmoothGrad
from saliency.probe.closed_form import ClosedFormProbe
from saliency.statistics.correlation import spearman

GENERATOR = np.random.default_rng(1)
INPUTS = GENERATOR.normal(size=(2, 6, 5, 2)).astype(np.float32)
WEIGHTS = GENERATOR.normal(size=(6, 5, 2)).astype(np.float32)
LINEAR = ClosedFormProbe(lambda x: tf.reduce_sum(x * WEIGHTS, (1, 2, 3)))
SQUARE = ClosedFormProbe(lambda x: tf.reduce_sum(x**2, (1, 2, 3)), lambda x: 2 * x)
TERMS = (INPUTS * WEIGHTS).sum(-1)


def test_the_gradient_of_a_linear_model_keeps_every_promise():
    gradient = np.broadcast_to(WEIGHTS, INPUTS.shape)
    assert_allclose(infidelity(LINEAR, INPUTS, gradient), 0, atol=1e-8)
    # f = 0 promised: E[(w . I)^2] = sigma^2 |w|^2.
    found = infidelity(LINEAR, INPUTS, 0 * gradient, samples=4000)
    sigma = 0.1 * np.ptp(INPUTS.reshape(2, -1), axis=1)
    assert_allclose(found, sigma**2 * (WEIGHTS**2).sum(), rtol=0.1)


def test_terms_of_a_linear_model_go_with_its_losses():
    for metric in (sensitivity_n, mufidelity):
        assert_allclose(metric(LINEAR, INPUTS, TERMS, fill=0.0), 1, atol=1e-5)
        assert_allclose(metric(LINEAR, INPUTS, -TERMS, fill=0.0), -1, atol=1e-5)
    assert np.isnan(sensitivity_n(LINEAR, INPUTS, 0 * TERMS)).all()


def test_how_far_a_gradient_moves():
    """The gradient 2 x moves by 2 d: at most 2 radius sqrt(n), and a constant one never."""
    assert_allclose(max_sensitivity(LINEAR, INPUTS, Gradient()), 0, atol=1e-6)
    found = max_sensitivity(SQUARE, INPUTS[..., :1], Gradient(), radius=0.1, samples=20)
    given = INPUTS[..., 0].reshape(2, -1)
    most = 0.1 * np.ptp(given, axis=1) * np.sqrt(30) / np.linalg.norm(given, axis=1)
    assert np.all((found > 0.4 * most) & (found <= most))


def test_repeatability():
    assert_allclose(repeatability(SQUARE, INPUTS, Gradient()), 1)
    assert np.all(np.abs(repeatability(SQUARE, INPUTS, RandomMap())) < 0.6)
    assert np.all(repeatability(SQUARE, INPUTS, SmoothGrad(samples=50)) > 0.9)


def test_randomisation_needs_a_network():
    with pytest.raises(Exception, match="randomised"):
        randomisation(LINEAR, INPUTS, EdgeMap())


def test_gini():
    alone = np.zeros(100)
    alone[7] = -3
    assert_allclose(
        [sparseness(np.ones(100)), sparseness(alone)], [0, 0.99], atol=1e-12
    )
    # The definition: half the mean absolute difference over the mean.
    heat = GENERATOR.random(40)
    apart = np.abs(heat[:, np.newaxis] - heat).mean() / (2 * heat.mean())
    assert_allclose(sparseness(heat), apart)
    assert np.isnan(sparseness(np.zeros(5)))


def test_ranks_share_places():
    these, those = GENERATOR.integers(0, 5, (2, 60))
    assert_allclose(spearman(these, those), spearmanr(these, those).statistic)
    assert np.isnan(spearman(these, np.ones(60)))


def test_refusals():
    with pytest.raises(InputError, match="attribution"):
        infidelity(LINEAR, INPUTS, TERMS[:1])
