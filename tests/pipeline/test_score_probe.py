"""A probe need have no more than what an explainer asks for."""

import numpy as np
import pytest
import tensorflow as tf

import saliency as sal

PREPARE = sal.Prepare((12, 12), channels=1)


class Scores:
    """The mean of the upper half: nothing but a score."""

    def score(self, inputs):
        return tf.reduce_mean(inputs[:, :6], (1, 2, 3))


class Slopes(Scores):
    """And its derivative."""

    def gradient(self, inputs):
        half = tf.concat(
            [tf.ones_like(inputs[:, :6]), tf.zeros_like(inputs[:, 6:])], axis=1
        )
        return half / 72


class Rows(Scores):
    """A mean of each picture's own weight, held by its index."""

    target = "weight"

    def __init__(self, weights):
        self.weights = weights

    def rows(self, indices):
        return Rows(self.weights[indices])

    def score(self, inputs):
        weights = np.resize(self.weights, len(inputs))
        return weights * super().score(inputs)


@pytest.fixture
def image():
    pixels = np.random.default_rng(0).integers(0, 255, (12, 12), np.uint8)
    return sal.DicomImage.from_array(pixels)


def test_a_score_is_enough(image):
    """Occluded pixels of the lower half change nothing; RISE asks for scores alone, too."""
    occlusion = sal.Occlusion(window=3, stride=3, fill="black")
    heat = sal.explain(Scores(), image, occlusion, prepare=PREPARE).heatmap.values
    assert heat[:6].all()
    assert not heat[6:].any()
    assert sal.explain(Scores(), image, "rise", prepare=PREPARE).heatmap.values.any()


@pytest.mark.parametrize("name", ["gradient", "integrated_gradients"])
def test_a_gradient_is_enough(image, name):
    """A constant slope is its own gradient; times the change of the picture it is the score's."""
    heat = sal.explain(Slopes(), image, name, prepare=PREPARE).heatmap.values
    inputs = PREPARE(image).array[0, ..., 0]
    right = np.where(np.arange(12)[:, None] < 6, 1 / 72, 0)
    assert np.allclose(heat, right * (1 if name == "gradient" else inputs), atol=1e-6)


@pytest.mark.parametrize(
    ("probe", "name", "asked"),
    [(Scores(), "gradient", "gradient"), (Slopes(), "smoe", "activations")],
)
def test_what_a_probe_lacks_is_said(image, probe, name, asked):
    """In one sentence, with what would do, from each verb."""
    message = rf"{asked}\(inputs\).*{type(probe).__name__}.*Occlusion or RISE"
    with pytest.raises(sal.SaliencyError, match=message):
        sal.explain(probe, image, name, prepare=PREPARE)
    with pytest.raises(sal.SaliencyError, match=r"activations.*Occlusion or RISE"):
        sal.explain_layers(probe, image, "smoe", prepare=PREPARE)
    (failure,) = sal.explain_many(probe, [image], name, prepare=PREPARE)
    assert asked in failure.message


def test_what_is_no_model_is_told_what_would_be_one(image):
    """Neither a model nor a probe."""
    with pytest.raises(sal.SaliencyError, match=r"score\(inputs\)"):
        sal.explain(object(), image, "occlusion", prepare=PREPARE)


def test_any_probe_may_hold_a_value_for_each_picture(image):
    """Not Keras probes alone: the picture at index i is asked with row i, behind a failure too."""
    pictures = [image, object(), image, image]
    weights = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
    found = [
        *sal.explain_many(
            Rows(weights), pictures, "occlusion", prepare=PREPARE, batch_size=2
        )
    ]
    scores = [each.score for i, each in enumerate(found) if i != 1]
    assert np.allclose(np.array(scores) / scores[0], [1, 3, 4])
    assert isinstance(found[1], sal.Failure)
