"""One explanation asks a model as little as it can."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import saliency as sal
from saliency.probe.about import About

PICTURES = np.random.default_rng(0).uniform(size=(3, 18, 26, 1)).astype(np.float32)


def model(*, around=False):
    """Two scales and a pooled head; with ``around``, the first scale also reaches the head."""
    keras.utils.set_random_seed(0)
    door = keras.Input((18, 26, 1))
    first = layers.Conv2D(4, 3, activation="relu")(door)
    second = layers.Conv2D(5, 3, strides=2, activation="relu")(first)
    pooled = layers.GlobalAveragePooling2D()(second)
    if around:
        pooled = layers.Concatenate()([pooled, layers.GlobalMaxPooling2D()(first)])
    return keras.Model(door, layers.Dense(3, activation="softmax")(pooled))


@pytest.mark.parametrize("target", [None, 2])
@pytest.mark.parametrize("question", ["gradient", "last_gradient", "activations"])
def test_class_and_score_come_with_the_first_answer(question, target):
    """After one question about the batch neither class nor score costs another trace or pass."""
    probe = sal.KerasProbe(model())
    batch = tf.constant(PICTURES)
    about = About(probe.at(target), batch)
    getattr(about, question)(batch)
    score, targets = about.score(batch), np.resize(about.targets, 3)

    assert set(probe.traces) == {question}
    assert np.allclose(score, probe.at(target).score(PICTURES), atol=1e-6)
    assert targets.tolist() == probe.at(target).classes(PICTURES).numpy().tolist()


def test_other_pictures_are_asked_about_the_same_class():
    """The class is the batch's, not the other pictures' own; whatever is asked first."""
    probe = sal.KerasProbe(model())
    batch = tf.constant(PICTURES)
    others = tf.constant(PICTURES[::-1] * 3)
    expected = probe.at(None).settled(batch).score(others)

    assert np.allclose(About(probe.at(None), batch).score(others), expected, atol=1e-6)


def test_explain_traces_one_question():
    """FastCAM on a pooled head: one forward pass, and the statistics drawn beside it."""
    probe = sal.KerasProbe(model())
    sal.explain(probe, sal.DicomImage.from_array(PICTURES[0, ..., 0]), "fastcam")

    assert probe.traces == {"last_gradient": 1, "drawn": 1}


@pytest.mark.parametrize("target", [None, 1])
def test_the_head_goes_on_from_the_last_layer(target):
    """The score of the last activation is the score of the picture."""
    bound = sal.KerasProbe(model()).at(target).settled(PICTURES)
    last = bound.activations(PICTURES)[-1]

    assert np.allclose(bound.head(last), bound.score(PICTURES), atol=1e-5)
    assert np.allclose(bound.head(tf.concat([last, last], 0))[3:], bound.score(PICTURES), atol=1e-5)


def test_a_way_around_the_last_layer_is_refused():
    """Where the head also sees earlier layers, an activation alone has no score."""
    bound = sal.KerasProbe(model(around=True)).at(1)
    with pytest.raises(sal.ModelError, match="around"):
        bound.head(bound.activations(PICTURES)[-1])


def test_a_shuffled_copy_has_forgotten_and_the_model_has_not():
    """The control keeps every weight's values but not their places; the seed decides which."""
    own = model()
    before = own.get_weights()
    bound = sal.KerasProbe(own).at(1)
    control = bound.randomised(0)

    assert not np.allclose(control.gradient(PICTURES), bound.gradient(PICTURES))
    assert np.allclose(control.score(PICTURES), bound.randomised(0).score(PICTURES))
    for old, new, copied in zip(
        before, own.get_weights(), control.source.model.get_weights(), strict=True
    ):
        assert (old == new).all()
        assert np.allclose(np.sort(old.ravel()), np.sort(copied.ravel()))
