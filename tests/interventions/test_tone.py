"""Brightness and contrast of the whole picture: in no zone, and exchanged all the same."""

import keras
import numpy as np
import pytest
from marked_pictures import SIZE, pictures, reader, shown

import saliency as sal
from saliency.interventions.canvas import Canvas
from saliency.interventions.tone import toned
from saliency.values.image import DicomImage


def test_a_host_takes_mean_and_spread_by_hand():
    """Pixels outside zones get the donor's mean and standard deviation; zones stay."""
    generator = np.random.default_rng(0)
    ours, theirs = generator.normal(100, 10, SIZE), generator.normal(60, 20, SIZE)
    mask = np.zeros(SIZE, bool)
    mask[:9] = True
    host = DicomImage.from_array(ours).with_zone("text", mask)
    result = toned(
        Canvas(host, "modality"), Canvas(DicomImage.from_array(theirs), "modality")
    )
    changed = result.pixels[~mask]

    assert (result.pixels[mask] == host.pixels[mask]).all()
    assert np.isclose(changed.mean(), theirs.mean(), rtol=0.01)
    assert np.isclose(changed.std(), theirs.std(), rtol=0.05)
    assert np.corrcoef(changed, ours[~mask])[0, 1] > 0.99


@pytest.mark.parametrize("flat", ["host", "donor", "zones"])
def test_pictures_without_contrast_do_no_harm(flat):
    """One value all over, and zones all over: no division by zero."""
    picture = DicomImage.from_array(np.random.default_rng(1).normal(50, 5, SIZE))
    plain = DicomImage.from_array(np.full(SIZE, 80.0))
    if flat == "zones":
        plain = plain.with_zone("all", np.ones(SIZE, bool))
    pair = (plain, picture) if flat == "host" else (picture, plain)
    result = toned(*(Canvas(one, "modality") for one in pair))

    assert np.isfinite(result.pixels).all()


def mean_reader():
    """Return a classifier of the mean of the picture, above or below 0.5."""
    inputs = keras.Input((*SIZE, 1))
    dense = keras.layers.Dense(2, activation="softmax")
    model = keras.Model(inputs, dense(keras.layers.GlobalAveragePooling2D()(inputs)))
    dense.set_weights(
        [np.array([[0.0, 60.0]], np.float32), np.array([0.0, -30.0], np.float32)]
    )
    return model


def shifted(count=24):
    """Return pictures of which class 1 is a little brighter all over."""
    generator = np.random.default_rng(2)
    labels = np.arange(count) % 2
    images = [
        shown(generator.uniform(0.3, 0.6, SIZE) + 0.1 * label) for label in labels
    ]
    return images, labels.tolist()


def test_a_model_that_lives_on_brightness_is_told_and_no_zone_is_accused():
    """The hint says so; the verdicts are about zones, and there is none."""
    images, labels = shifted()
    report = sal.audit(mean_reader(), images, labels=labels)

    assert report.tone.finding == "reads"
    assert report.tone.effect > 0.8
    assert not report.shortcut
    assert "The score follows the brightness" in report.html()
    assert report.to_dict()["brightness"]["finding"] == "reads"


def test_a_model_that_compares_two_places_is_not_suspected():
    """Brighter all over means nothing to a model of differences."""
    images, labels = pictures(24, zone=False)
    model = reader(-40, 40)
    report = sal.audit(model, images, labels=labels, target=1)

    assert report.tone.finding == "no evidence"
