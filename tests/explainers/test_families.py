"""Families of keras.applications, small, by explainers of every kind: numbers from elsewhere."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from probe import applications

import saliency as sal
from saliency.errors import ModelError
from saliency.explainers.deeplift import DeepLIFT
from saliency.explainers.fullgrad import FullGrad
from saliency.explainers.guided import GuidedBackprop
from saliency.explainers.relevance import LRP

TARGET = 1
SMOOTH = ("ConvNeXt", "EfficientNet")
"""Families without a ReLU."""


def close(found, wanted, share=1e-4):
    """Equal but for a share of the greatest value, which is not 0."""
    size = np.abs(wanted).max()
    assert size > 0
    assert_allclose(np.asarray(found) / size, np.asarray(wanted) / size, atol=share)


class Bare:
    """The bare model, asked without the library: its logit, and derivatives by tape."""

    def __init__(self, model, tap):
        self.last = model.layers[-1]
        place = next(step for step in model.operations if step.name == tap)
        self.both = keras.Model(model.input, [place.output, self.last.input])

    def asked(self, pictures):
        """Return the tapped tensor and the logit, which a Dense layer or what is before makes."""
        tap, x = self.both(pictures, training=False)
        dense = isinstance(self.last, keras.layers.Dense)
        logits = x @ self.last.kernel + self.last.bias if dense else x
        return tap, logits[:, TARGET]

    def score(self, pictures):
        return self.asked(pictures)[1]

    def gradient(self, pictures):
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            score = self.score(pictures)
        return tape.gradient(score, pictures)

    def gradcam(self, pictures):
        with tf.GradientTape() as tape:
            tap, score = self.asked(pictures)
        weights = tf.reduce_mean(tape.gradient(score, tap), axis=(1, 2), keepdims=True)
        coarse = tf.nn.relu(tf.reduce_sum(weights * tap, axis=-1, keepdims=True))
        return tf.image.resize(coarse, pictures.shape[1:3])[..., 0]

    def integrated(self, pictures, steps):
        at = [(step + 0.5) / steps for step in range(steps)]
        return pictures * sum(self.gradient(pictures * each) for each in at) / steps


@pytest.mark.slow
@pytest.mark.spread
@pytest.mark.parametrize("family", applications.TINY)
def test_a_family(family):
    """Nine explainers: as a tape over the bare model has it, or summing to what they promise."""
    keras.utils.set_random_seed(0)
    model = applications.TINY[family]()
    probe = sal.KerasProbe(model)
    bound, bare = probe.at(TARGET), Bare(model, probe.layers[-1])
    generator = np.random.default_rng(0)
    drawn = generator.uniform(0, 255, (2, *model.input_shape[1:]))
    pictures = tf.constant(drawn, tf.float32)

    close(bound.score(pictures), bare.score(pictures))
    close(sal.Gradient()(bound, pictures), bare.gradient(pictures))
    close(
        sal.IntegratedGradients(steps=2)(bound, pictures), bare.integrated(pictures, 2)
    )
    close(sal.GradCAM()(bound, pictures), bare.gradcam(pictures))
    fast = np.asarray(sal.FastCAM()(bound, pictures))
    assert 0 <= fast.min() < 0.2 < fast.max() <= 1
    blank = pictures.numpy()
    blank[:, :16, :16] = 0
    fall = bare.score(pictures) - bare.score(blank)
    close(sal.Occlusion(16, 16, "black")(bound, pictures)[:, 0, 0], fall)
    _guided(family, bound, pictures)
    _summing(bound, pictures)
    applications.without_shifts(model)
    whole = LRP("epsilon", epsilon=1e-12)
    found = whole(bound, pictures)
    assert np.abs(whole.absorbed(bound, pictures, found)).max() < 2e-4


def _guided(family, bound, pictures):
    """Guided backpropagation changes the gradient where there are ReLUs, and else says so."""
    if family in SMOOTH:
        with pytest.raises(ModelError, match="this network has none"):
            GuidedBackprop()(bound, pictures)
        return
    found, plain = GuidedBackprop()(bound, pictures), bound.gradient(pictures)
    assert np.isfinite(found).all()
    assert np.abs(found - plain).max() > 0.05 * np.abs(plain).max()


def _summing(bound, pictures):
    """DeepLIFT sums to the score's change, and FullGrad's parts to the score."""
    made = DeepLIFT("mean")
    assert np.max(made.gap(bound, pictures, made(bound, pictures))) < 5e-5
    parts = FullGrad().decomposed(bound, pictures)
    size = np.sum([np.abs(np.sum(part)) for part in (parts.picture, *parts.biases)])
    assert_allclose(parts.total, bound.score(pictures), atol=2e-6 * size)
