"""A convicted model gets a head that does not read, or a sentence that says why not."""

import keras
import numpy as np
import pytest
from marked_pictures import CORNER, SIZE, corner_mask, reader, shown

import saliency as sal
from saliency.errors import InputError


def two_features(corner, body):
    """Return a classifier whose features are the means of the corner and of all else."""
    units = np.zeros((*SIZE, 1, 2), np.float32)
    units[..., 1] = 1
    units[(*CORNER, 0)] = [1, 0]
    units /= units.sum(axis=(0, 1))
    inputs = keras.Input((*SIZE, 1))
    means = keras.layers.Dense(2)
    head = keras.layers.Dense(2, activation="softmax")
    model = keras.Model(inputs, head(means(keras.layers.Flatten()(inputs))))
    means.set_weights([units.reshape(-1, 2), np.zeros(2)])
    weights = np.array([[0, corner], [0, body]], np.float32)
    head.set_weights([weights, np.array([0, -(corner + body) / 2])])
    return model


def wandering(count, told, seed=0):
    """Return pictures whose corner tells the label, and a spot at any place in most of them."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    images = []
    for label in labels:
        pixels = generator.uniform(0.3, 0.7, SIZE)
        sign = 2 * label - 1
        spot = sign if generator.random() < told else -sign
        row, column = generator.integers((9, 0), (SIZE[0] - 11, SIZE[1] - 13))
        pixels[row : row + 12, column : column + 14] += 0.25 * spot
        pixels[CORNER] += 0.25 * sign
        images.append(shown(pixels).with_zone("text", corner_mask()))
    return images, labels.tolist()


@pytest.fixture(scope="module")
def case():
    """A model of the mark, though a spot that wanders tells the label in most images."""
    images, labels = wandering(32, told=0.9)
    model = two_features(40, 60)
    return model, images, labels, sal.audit(model, images, labels=labels)


def test_a_convicted_model_is_repaired_and_the_old_one_stays(case):
    """The second audit finds nothing, accuracy is that of the body, weights stay.

    Images as they are cost the accuracy that was the mark's; where the mark tells nothing, there is
    more than before.
    """
    model, images, labels, report = case
    before = [np.array(weight) for weight in model.get_weights()]
    found = sal.audit.repair(model, report, images, labels=labels)

    assert report.verdicts["text"].finding == "reads"
    assert found.effects_before["text"] > 0.5
    assert found.effects["text"] < 0.05
    assert found.report.verdicts["text"].finding == "no evidence"
    assert found.accuracy_before == 1
    assert 0.75 < found.accuracy < 0.98
    assert found.unlinked_before < 0.7
    assert found.unlinked > 0.75
    assert found.repaired
    assert found.model is not model
    for old, kept in zip(before, model.get_weights(), strict=True):
        assert (old == kept).all()
    kernel = found.model.layers[-1].get_weights()[0]
    swung = kernel[:, 1] - kernel[:, 0]
    assert abs(swung[0]) < 0.1 * abs(swung[1])
    assert found.sentence.startswith("The new head no longer reads")
    assert "where the shortcut tells nothing" in found.sentence


def test_a_model_that_knows_the_mark_alone_is_not_called_repaired():
    """Blind to the mark it guesses, and the sentence says that no head can help."""
    images, labels = wandering(32, told=0.5, seed=1)
    model = two_features(40, 0)
    report = sal.audit(model, images, labels=labels)
    found = sal.audit.repair(model, report, images, labels=labels)

    assert found.effects["text"] < 0.1
    assert not found.knows
    assert not found.repaired
    assert "train again" in found.sentence


def test_what_cannot_be_repaired_says_so(case):
    """Nothing convicted, no dense head, too few images, no labels."""
    model, images, labels, report = case
    nothing = sal.audit(reader(0, 0, constant=1), images[:6], labels=labels[:6])
    headless = sal.KerasProbe(reader(40, 0)).at(1)

    for found, words in [
        (sal.audit.repair(model, nothing, images, labels=labels), "nothing to repair"),
        (sal.audit.repair(headless, report, images, labels=labels), "No repair"),
        (sal.audit.repair(model, report, images[:8], labels=labels[:8]), "4 + 4"),
        (
            sal.audit.repair(model, report, images, labels=labels, groups=[0, 1] * 16),
            "4 patients at least, got 2",
        ),
    ]:
        assert words in found.sentence
        assert found.model is None
        assert not found.repaired
    with pytest.raises(InputError, match="expected labels"):
        sal.audit.repair(model, report, images)
