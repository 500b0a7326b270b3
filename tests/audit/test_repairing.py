"""A convicted model gets a head that does not read, or a sentence that says why not."""

import keras
import numpy as np
import pytest
from marked_pictures import CENTRE, CORNER, SIZE, pictures, reader

import saliency as sal
from saliency.errors import InputError


def two_features(corner, centre):
    """Return a classifier whose features are the means of two boxes."""
    units = np.zeros((*SIZE, 1, 2), np.float32)
    for feature, box in enumerate((CORNER, CENTRE)):
        units[(*box, 0, feature)] = 1 / units[(*box, 0, feature)].size
    inputs = keras.Input((*SIZE, 1))
    means = keras.layers.Dense(2)
    head = keras.layers.Dense(2, activation="softmax")
    model = keras.Model(inputs, head(means(keras.layers.Flatten()(inputs))))
    means.set_weights([units.reshape(-1, 2), np.zeros(2)])
    weights = np.array([[0, corner], [0, centre]], np.float32)
    head.set_weights([weights, np.array([0, -(corner + centre) / 2])])
    return model


@pytest.fixture(scope="module")
def case():
    """A model of the mark, though the body tells the label in nine of ten images."""
    images, labels = pictures(32, body=0.9)
    model = two_features(40, 4)
    return model, images, labels, sal.audit(model, images, labels=labels)


def test_a_convicted_model_is_repaired_and_the_old_one_stays(case):
    """The second audit finds nothing in the zone, accuracy is that of the body, weights stay."""
    model, images, labels, report = case
    before = [np.array(weight) for weight in model.get_weights()]
    found = sal.audit.repair(model, report, images, labels=labels)

    assert report.verdicts["text"].finding == "reads"
    assert found.effects_before["text"] > 0.8
    assert found.effects["text"] < 0.1
    assert found.report.verdicts["text"].finding == "no evidence"
    assert found.accuracy_before == 1
    assert found.accuracy > 0.8
    assert found.model is not model
    for old, kept in zip(before, model.get_weights(), strict=True):
        assert (old == kept).all()
    kernel = found.model.layers[-1].get_weights()[0]
    swung = kernel[:, 1] - kernel[:, 0]
    assert abs(swung[0]) < 0.1 * abs(swung[1])
    assert "before" in found.sentence
    assert found.repaired == (found.accuracy >= 0.98 and not found.report.shortcut)


def test_what_cannot_be_repaired_says_so(case):
    """Nothing convicted, no dense head, too few images, no labels."""
    model, images, labels, report = case
    nothing = sal.audit(reader(0, 0, constant=1), images[:6], labels=labels[:6])
    headless = sal.KerasProbe(reader(40, 0)).at(1)

    for found, words in [
        (sal.audit.repair(model, nothing, images, labels=labels), "nothing to repair"),
        (sal.audit.repair(headless, report, images, labels=labels), "No repair"),
        (sal.audit.repair(model, report, images[:8], labels=labels[:8]), "4 + 4"),
    ]:
        assert words in found.sentence
        assert found.model is None
        assert not found.repaired
    with pytest.raises(InputError, match="expected labels"):
        sal.audit.repair(model, report, images)
