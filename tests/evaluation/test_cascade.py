"""Randomisation from the last layer down, against a model whose weights were set by hand."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from saliency.errors import ExplainerError, InputError
from saliency.evaluation import cascade, randomisation
from saliency.explainers.controls import EdgeMap
from saliency.explainers.gradients import Gradient
from saliency.probe.closed_form import ClosedFormProbe
from saliency.probe.keras_probe import KerasProbe
from saliency.statistics.correlation import spearman

INPUTS = np.random.default_rng(0).random((2, 7, 9, 1)).astype(np.float32)


def network():
    inputs = keras.Input((7, 9, 1))
    found = keras.layers.Conv2D(4, 3, activation="relu", padding="same")(inputs)
    found = keras.layers.Flatten()(found)
    return keras.Model(inputs, keras.layers.Dense(2)(found))


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return network()


def stage(model, kept):
    """Return a copy of which the first ``kept`` tensors are trained, the rest permuted."""
    generator = np.random.default_rng(0)
    shuffled = [
        generator.permutation(weight.ravel()).reshape(weight.shape)
        for weight in model.get_weights()
    ]
    other = network()
    other.set_weights(model.get_weights()[:kept] + shuffled[kept:])
    return other


def test_the_number_is_the_mean_over_stages(model):
    """Four tensors in two stages: the dense layer's, then all."""

    def gradient(of):
        found = np.abs(np.asarray(KerasProbe(of).at(1).gradient(INPUTS)))
        return found.sum(-1)

    learnt = np.abs(np.asarray(KerasProbe(model).at(1).gradient(INPUTS)).sum(-1))
    stages = [gradient(stage(model, kept)) for kept in (2, 0)]
    expected = np.mean(
        [[spearman(*pair) for pair in zip(learnt, s, strict=True)] for s in stages], 0
    )
    found = cascade(KerasProbe(model).at(1), INPUTS, Gradient(), stages=2)
    assert_allclose(found, expected, rtol=1e-5)


def test_one_stage_shuffles_all(model):
    probe = KerasProbe(model).at(1)
    one = cascade(probe, INPUTS, Gradient(), stages=1)
    assert_allclose(one, randomisation(probe, INPUTS, Gradient()))


def test_edges_never_ask_the_weights(model):
    found = cascade(KerasProbe(model).at(1), INPUTS, EdgeMap(), stages=2)
    assert_allclose(found, 1)


def test_what_cannot_be_asked(model):
    with pytest.raises(InputError, match="stages"):
        cascade(KerasProbe(model).at(1), INPUTS, Gradient(), stages=0)
    unknown = ClosedFormProbe(lambda x: x[:, 0, 0, 0])
    with pytest.raises(ExplainerError, match="randomised"):
        cascade(unknown, INPUTS, Gradient())
