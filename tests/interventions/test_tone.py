"""Brightness and contrast of the whole picture: in no zone, and exchanged all the same."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from marked_pictures import SIZE, pictures, reader, shown

import saliency as sal
from saliency.audit.exchange.effects import ExchangeEffect
from saliency.audit.exchange.exchange import (
    Experiment,
    interventions_of,
    recipient_of,
)
from saliency.audit.exchange.groups import LogitDifference
from saliency.audit.judgement.verdict import judge_tone
from saliency.interventions.canvas import Canvas
from saliency.interventions.scoring import Scorer
from saliency.interventions.tone import TONE, opposed, toned
from saliency.statistics.significance import Interval
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


def test_the_opposite_change_undoes_the_change_by_hand():
    """Half as bright a donor and of half the spread: twice the spread, and as much brighter."""
    generator = np.random.default_rng(4)
    ours, theirs = generator.normal(100, 4, SIZE), generator.normal(90, 2, SIZE)
    theirs[0, :2] = 0, 200  # room for what comes out
    host, donor = (
        Canvas(DicomImage.from_array(one), "modality") for one in (ours, theirs)
    )
    changed = opposed(host, donor).pixels
    gain = theirs.std() / ours.std()

    assert np.allclose(
        changed,
        (ours - ours.mean()) / gain + 2 * ours.mean() - theirs.mean(),
        atol=1e-3,
    )


@pytest.mark.parametrize("flat", ["host", "donor", "zones"])
def test_pictures_without_contrast_do_no_harm(flat):
    """One value all over, and zones all over: no division by zero."""
    picture = DicomImage.from_array(np.random.default_rng(1).normal(50, 5, SIZE))
    plain = DicomImage.from_array(np.full(SIZE, 80.0))
    if flat == "zones":
        plain = plain.with_zone("all", np.ones(SIZE, bool))
    pair = (plain, picture) if flat == "host" else (picture, plain)
    for change in (toned, opposed):
        result = change(*(Canvas(one, "modality") for one in pair))

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


def brightest_spot_reader():
    """Return a classifier of the brightest of sixteen fields, above or below 0.55."""
    inputs = keras.Input((*SIZE, 1))
    fields = keras.layers.AveragePooling2D((SIZE[0] // 4, SIZE[1] // 4))(inputs)
    dense = keras.layers.Dense(2, activation="softmax")
    model = keras.Model(inputs, dense(keras.layers.GlobalMaxPooling2D()(fields)))
    dense.set_weights(
        [np.array([[0.0, 60.0]], np.float32), np.array([0.0, -33.0], np.float32)]
    )
    return model


def test_a_model_of_the_brightest_spot_follows_brightness_too():
    """What is brighter somewhere is brighter all over to it: that is no control of brightness."""
    generator = np.random.default_rng(5)
    dark, bright = (shown(generator.uniform(0.3, 0.6, SIZE) + add) for add in (0, 0.1))
    scorer = Scorer(sal.KerasProbe(brightest_spot_reader()))
    alone = Experiment(scorer, (LogitDifference(1, 0),), ())
    experiment = replace(alone, hosts=(recipient_of(alone, dark, 0),))
    found = interventions_of(experiment, bright, 1)
    move, moved_by_any = (
        float(scores[0, 0] - experiment.hosts[0].scores[0])
        for scores in (found.exchanges[TONE].zone, found.exchanges[TONE].tissue)
    )

    assert move > 4
    assert abs(moved_by_any) < 0.2 * move


@pytest.mark.parametrize(("p_value", "finding"), [(0.011, 0), (0.009, 1)])
def test_chance_hints_at_brightness_in_one_model_of_a_hundred(p_value, finding):
    """It is asked about beside zones, places, patterns and bands."""
    swap = ExchangeEffect(
        "label", (9, 9), 0.2, Interval(0.1, 0.3), p_value, 0.2, 0.0, 0.0, 0.0, 1e-4
    )

    assert judge_tone((swap,), 18).finding == ("no evidence", "may read")[finding]
