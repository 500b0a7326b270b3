"""Recipes on a real model: what they ask, and how often it is traced."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from saliency.explainers import cams, fastcam, masked_cams
from saliency.explainers.catalogue import resolve
from saliency.explainers.paths import IntegratedGradients
from saliency.explainers.perturbation import LIME
from saliency.explainers.smooth import SmoothGrad
from saliency.probe.keras_probe import KerasProbe

RECIPES = [
    resolve("gradient"), SmoothGrad(inner=IntegratedGradients(steps=3), samples=3), LIME(20, 3),
    cams.CAM(), cams.GradCAM(), cams.LayerCAM("all"), cams.EigenCAM(), masked_cams.ScoreCAM(2),
    fastcam.FastCAM(), fastcam.Smoe(), resolve("occlusion"), resolve("integrated_gradients"),
]  # fmt: skip


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(5)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((24, 34, 1)),
            layers.Conv2D(6, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax"),
        ]
    )


@pytest.fixture(scope="module")
def inputs():
    return tf.random.stateless_uniform((3, 24, 34, 1), [0, 41])


def test_questions_are_traced_once(model, inputs):
    """Twelve recipes, predicted classes and two batch sizes: each question is traced once.

    What is drawn behind the questions is drawn once for FastCAM, SMOE Scale and Grad-CAM each.
    """
    probe = KerasProbe(model)
    for recipe in RECIPES:
        for batch in (inputs, inputs[:1]):
            assert np.isfinite(recipe(probe.at(None), batch).numpy()).all()
    traces = probe.traces
    assert traces.pop("drawn") == 3
    assert set(traces.values()) == {1}


def test_fastcam_needs_no_backward_pass(model, inputs):
    """Behind a global average pooling FastCAM asks for the last gradient alone, a closed form."""
    probe = KerasProbe(model)
    fastcam.FastCAM()(probe.at(1), inputs)
    cams.GradCAM()(probe.at(1), inputs)
    assert probe.closed_form_head
    assert set(probe.traces) == {"last_gradient", "drawn"}


def test_grad_cam_by_hand(model, inputs):
    """Grad-CAM of a class is the dense kernel's column over the last activation, resized."""
    last = keras.Model(model.inputs, model.layers[2].output)(inputs)
    kernel = model.layers[-1].kernel[:, 2] / (12 * 17)
    wanted = tf.image.resize(
        tf.nn.relu(tf.tensordot(last, kernel, 1))[..., None], (24, 34)
    )
    found = cams.GradCAM()(KerasProbe(model).at(2), inputs)
    assert_allclose(found, wanted[..., 0], atol=1e-6)
