"""Promises of attributions: closed forms of linear models."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from scipy.stats import spearmanr

from saliency.errors import SaliencyError
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


def test_values_of_an_image_do_not_hang_on_its_batch():
    for metric in (infidelity, sensitivity_n, mufidelity):
        both, alone = (
            metric(LINEAR, INPUTS, TERMS),
            metric(LINEAR, INPUTS[1:], TERMS[1:]),
        )
        assert_allclose(both[1:], alone, rtol=1e-5)
    both, alone = (
        max_sensitivity(SQUARE, given, Gradient()) for given in (INPUTS, INPUTS[1:])
    )
    assert_allclose(both[1:], alone, rtol=1e-5)


def test_an_image_of_one_value_is_neither_perfect_nor_steady():
    """It has no range from which noise could be drawn."""
    flat = np.ones_like(INPUTS)
    assert np.isnan(infidelity(SQUARE, flat, TERMS)).all()
    assert np.isnan(max_sensitivity(SQUARE, flat, Gradient())).all()


def test_an_explainer_may_be_a_name():
    for metric in (max_sensitivity, repeatability):
        assert_allclose(
            metric(SQUARE, INPUTS, "gradient"), metric(SQUARE, INPUTS, Gradient())
        )
    with pytest.raises(SaliencyError, match="Did you mean"):
        repeatability(SQUARE, INPUTS, "gradeint")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: infidelity(LINEAR, INPUTS, TERMS[:1]), "attribution"),
        (lambda: infidelity(LINEAR, INPUTS, TERMS * np.nan), "NaN"),
        (lambda: infidelity(LINEAR, INPUTS, TERMS, noise=0), "noise"),
        (lambda: infidelity(LINEAR, INPUTS, TERMS, samples=0), "samples"),
        (lambda: max_sensitivity(SQUARE, INPUTS, Gradient(), radius=0), "radius"),
        (lambda: max_sensitivity(SQUARE, INPUTS, Gradient(), samples=0), "samples"),
        (lambda: sensitivity_n(LINEAR, INPUTS, TERMS, samples=1), "whole number of 2"),
        (lambda: sensitivity_n(LINEAR, INPUTS, TERMS, share=-0.5), "share"),
        (lambda: mufidelity(LINEAR, INPUTS, TERMS, share=1.5), "share"),
        (lambda: mufidelity(LINEAR, INPUTS, TERMS, grid=0), "grid"),
        (lambda: randomisation(LINEAR, INPUTS, EdgeMap(), seeds=()), "one seed"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(SaliencyError, match=words):
        call()
