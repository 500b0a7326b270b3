"""What belongs to an image stays with it, and every choice counts where work goes on."""

from importlib import import_module

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

import saliency as sal
from saliency.evaluation.baselines import controls
from saliency.evaluation.decision import interval_of

SIZE = 8
WINDOW = sal.Window(127.5, 255)
BRIGHT = sal.ClosedFormProbe(lambda x: tf.reduce_mean(x, (1, 2, 3)), tf.ones_like)


def spots(count):
    """Return dark images of one bright pixel, elsewhere in each, and where it is."""
    places = np.random.default_rng(0).permutation(SIZE * SIZE)[:count]
    truths = np.eye(SIZE * SIZE, dtype=bool)[places].reshape(count, SIZE, SIZE)
    pixels = (255 * truths).astype(np.float32)
    return [sal.DicomImage.from_array(each, window=WINDOW) for each in pixels], truths


def brightness(probe, inputs):
    """Stands for an explainer that is always right about :func:`spots`."""
    del probe
    return inputs


def test_truths_and_patients_stay_with_their_images(tmp_path):
    """The first image cannot be read: all others keep their own."""
    images, truths = spots(4)
    given = [tmp_path / "none.dcm", *images[1:]]
    found = sal.evaluate(
        BRIGHT, given, brightness, truth=list(truths), groups=list("xabb")
    )
    assert [each.index for each in found.failures] == [0]
    assert_allclose(found.scores["brightness", "energy_inside"].value, 1)
    assert found.facts["patients"] == 2


def test_an_interval_is_over_patients():
    """Of two patients with means 0 and 1 a quarter of the draws has one of them alone."""
    values, groups = np.repeat([0.0, 1.0], 4), np.repeat([0, 1], 4)
    assert interval_of(values, groups, np.random.default_rng(0)) == (0, 1)


def test_baselines_are_called_what_they_are():
    inputs = tf.ones((1, 9, 9, 1))
    maps = {
        name: np.asarray(each(BRIGHT, inputs)) for name, each in controls(0).items()
    }
    assert np.argmax(maps["centre"]) == 40
    assert not maps["edges"].any()
    assert np.unique(maps["random"]).size == 81


def test_a_seed_is_that_of_baselines_and_donors():
    images, _ = spots(6)
    first, again, other = (
        sal.evaluate(
            BRIGHT, images, brightness, metrics=("sparseness", "exchange"), seed=n
        )
        for n in (0, 0, 1)
    )
    sparse, exchanged = ("brightness", "sparseness"), ("brightness", "exchange")
    assert first.scores == again.scores
    randoms = [each.scores[sparse].baseline["random"] for each in (first, other)]
    assert randoms[0] != randoms[1]
    # Donors are blank but for a pixel elsewhere: which one it is tells by the edges' value.
    edges = [each.scores[exchanged].baseline["edges"] for each in (first, other)]
    assert edges[0] != edges[1]


@pytest.fixture(scope="module")
def key_of():
    """Return a function: what ``evaluate`` is asked -> the key of its kept work."""
    module = import_module("saliency.evaluation.evaluate")
    image = keras.Input((SIZE, SIZE, 1))
    dense = keras.layers.Dense(2, activation="softmax")
    model = keras.Model(image, dense(keras.layers.Flatten()(image)))
    images, truths = spots(3)

    class StoppedError(Exception):
        pass

    def asked(**more):
        told = {"explainers": "gradient", "target": 1, "truth": list(truths), **more}
        keys = []

        def stop(_, key, *__):
            keys.append(key)
            raise StoppedError

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "kept", stop)
            with pytest.raises(StoppedError):
                sal.evaluate(model, images, resume="state", **told)
        return keys[0]

    return asked


@pytest.mark.parametrize(
    "more",
    [
        {"seed": 1},
        {"target": 0},
        {"target": None, "labels": [0, 1, 1]},
        {"groups": [0, 0, 1]},
        {"metrics": ("auprc", "exchange")},
        {"explainers": ("gradient", "edges")},
        {"explainers": sal.SmoothGrad(samples=3)},
        {"truth": [None, *spots(3)[1][1:]]},
        {"prepare": sal.Prepare(scale="symmetric")},
    ],
)
def test_another_choice_is_another_work(key_of, more):
    """What was kept for one question never answers another."""
    assert key_of() == key_of()
    assert key_of(**more) != key_of()
