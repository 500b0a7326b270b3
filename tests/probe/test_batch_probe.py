"""One explanation asks a model as little as it can."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import saliency as sal
from saliency.explainers.catalogue import resolve
from saliency.probe.batch_probe import About

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
    sal.explain(
        probe, sal.DicomImage.from_array(PICTURES[0, ..., 0]), "fastcam", cutoff=0
    )

    assert probe.traces == {"last_gradient": 1, "drawn": 1}


@pytest.mark.parametrize("target", [None, 1])
def test_the_head_goes_on_from_the_last_layer(target):
    """The score of the last activation is the score of the picture."""
    bound = sal.KerasProbe(model()).at(target).settled(PICTURES)
    last = bound.activations(PICTURES)[-1]

    assert np.allclose(bound.head(last), bound.score(PICTURES), atol=1e-5)
    assert np.allclose(
        bound.head(tf.concat([last, last], 0))[3:], bound.score(PICTURES), atol=1e-5
    )


def test_a_way_around_the_last_layer_is_refused():
    """Where the head also sees earlier layers, an activation alone has no score."""
    bound = sal.KerasProbe(model(around=True)).at(1)
    with pytest.raises(sal.ModelError, match="around"):
        bound.head(bound.activations(PICTURES)[-1])


@pytest.mark.parametrize("explainer", ["gradient", "gradcam", "lrp", "ablationcam"])
def test_a_shuffled_network_is_a_copy_with_shuffled_weights(explainer):
    """Every question is put to weights in other places; a clone that was given them agrees."""
    own = model()
    before = own.get_weights()
    bound = sal.KerasProbe(own).at(1)
    control = bound.randomised(3)
    generator = np.random.default_rng(3)
    clone = keras.models.clone_model(own)
    clone.set_weights(
        [generator.permutation(w.ravel()).reshape(w.shape) for w in before]
    )
    theirs = sal.KerasProbe(clone).at(1)

    assert np.allclose(
        control.score(PICTURES), theirs.score(PICTURES), rtol=1e-4, atol=1e-6
    )
    ours, others = (resolve(explainer)(each, PICTURES) for each in (control, theirs))
    assert np.allclose(ours, others, rtol=1e-3, atol=1e-6)
    assert not np.allclose(ours, resolve(explainer)(bound, PICTURES))
    for old, new in zip(before, own.get_weights(), strict=True):
        assert (old == new).all()


def test_a_model_that_keras_cannot_copy_is_shuffled_too():
    """A custom loss, a Lambda and a class without get_config are no hindrance."""
    own = model()
    own.compile("adam", loss=lambda truth, given: keras.ops.mean(truth - given))
    door = keras.Input(PICTURES.shape[1:])
    around = keras.Model(door, own(keras.layers.Lambda(lambda x: x * 2.0)(door)))
    bound = sal.KerasProbe(around).at(1)

    assert not np.allclose(
        bound.randomised(0).gradient(PICTURES), bound.gradient(PICTURES)
    )
