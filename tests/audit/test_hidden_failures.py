"""What would make an audit silently wrong is said: random models, dead trials, few marks."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from marked_pictures import SIZE, corner_mask, pictures, reader, shown

import saliency as sal
from saliency.audit import run
from saliency.audit.cases.records import Exchange, ImageRecord, Trial
from saliency.audit.exchange.effects import (
    Evidence,
    exchange_effect,
    with_greatest_pair,
)
from saliency.audit.exchange.exchange import Recipient
from saliency.audit.exchange.groups import Grouping
from saliency.audit.judgement.verdict import ZoneEvidence, judge
from saliency.audit.report.facts import half_blind
from saliency.errors import InputError, ModelError
from saliency.statistics import contrast


class Noisy(keras.layers.Layer):
    """Noise at inference, as dropout that is always on."""

    def call(self, inputs):
        """Add noise."""
        return inputs + tf.random.normal(tf.shape(inputs))


def test_a_model_that_answers_two_equal_calls_differently_is_refused():
    """Before a second image is read."""
    inputs = keras.Input((*SIZE, 1))
    units = keras.layers.Dense(2)(Noisy()(keras.layers.Flatten()(inputs)))
    read = []

    def zones(image):
        read.append(image)
        return {"corner": corner_mask()}

    images, labels = pictures(8)
    with pytest.raises(ModelError, match="two equal calls"):
        sal.audit(keras.Model(inputs, units), images, labels=labels, zones=zones)
    assert len(read) == 1


def test_inputs_held_at_a_row_for_each_image_are_audited():
    """A row for each image, or one; another number belongs to nobody."""
    image, age = keras.Input((*SIZE, 1), name="image"), keras.Input((1,), name="age")
    flat = keras.layers.Concatenate()([keras.layers.Flatten()(image), age])
    model = keras.Model([image, age], keras.layers.Dense(2)(flat))
    images, labels = pictures(4)
    few = sal.KerasProbe(model, input="image", held={"age": np.zeros((3, 1))})
    rows = sal.KerasProbe(model, input="image", held={"age": np.arange(4.0)[:, None]})

    with pytest.raises(InputError, match=r"one for each of 4 images.*got 3"):
        sal.audit(few, images, labels=labels)
    assert sal.audit(rows, images, labels=labels).facts["pictures"] == 4


def test_where_no_image_can_be_tested_words_say_so(monkeypatch):
    """All trials fail: the first reason is told, and no numpy error."""
    images, labels = pictures(4)

    def failing(*_):
        msg = "no room"
        raise InputError(msg)

    monkeypatch.setattr(run, "interventions_of", failing)
    with pytest.raises(InputError, match=r"none of the 4 images drawn.*no room"):
        sal.audit(reader(40, 0), images, labels=labels)


def record(index, zones):
    return ImageRecord(index, "", dict.fromkeys(zones, 0.1), 0.0, None)


def test_a_zone_found_in_a_sixth_of_the_images_is_warned_of():
    """Text, which a search finds; not a zone of the user, nor one in most of them, nor in few."""
    records = [
        record(k, [*["text"][: k < 4], *["ruler"][: k < 4], "border"])
        for k in range(24)
    ]

    (warning,) = half_blind(records)
    assert warning.startswith("The search found text in 4 of 24 images")
    assert half_blind(records[:11]) == []
    assert half_blind(records[:12]) == []


def test_a_zone_found_in_few_is_weighed_by_those_that_show_it():
    """Six of 32 show a mark that decides: the effect is theirs, undiluted by the others."""
    images, labels = pictures(32, zone=False, mark=0)
    marked = []
    for index, image in enumerate(images):
        pixels = image.display / 255
        pixels[corner_mask()] = 0.5
        if index < 6:
            pixels[corner_mask()] = labels[index]
        one = shown(pixels)
        marked.append(one.with_zone("text", corner_mask()) if index < 6 else one)
    report = sal.audit(reader(40, 0), marked, labels=labels)
    verdict = report.verdicts["text"]

    assert verdict.finding == "may read"
    assert verdict.measured["groups"] == "3 + 3"
    assert verdict.effect > 0.8
    assert "found in 6 of 32 pictures; the effect" in verdict.sentence
    assert any("6 of 32 images" in warning for warning in report.facts["warnings"])


def one_class_marked(count=24, hosts=6):
    """Return evidence of three classes where only contents of class 2 move its own logit."""
    member = np.arange(count) % 3
    scores = np.eye(3)[member] * 3
    weights = np.eye(3) * 1.5 - 0.5
    grouping = Grouping("label", ("a", "b", "c"), member, weights, np.zeros(3))
    generator = np.random.default_rng(0)
    given = [
        Recipient(100 + k, None, {}, row)
        for k, row in enumerate(np.eye(3)[np.arange(hosts) % 3] * 3)
    ]
    base = np.stack([host.scores for host in given])
    trials = []
    for row in range(count):
        moved = base + 0.01 * generator.normal(size=base.shape)
        moved[:, 2] += 1.5 * (member[row] == 2)
        exchange = Exchange(moved, base + 0.01 * generator.normal(size=base.shape))
        trials.append(Trial(row, scores[row], scores[row], {}, {"text": exchange}))
    return Evidence(grouping, scores, trials, given)


def test_a_mark_of_one_class_of_three_is_told_between_two():
    """The mean of three classes dilutes it; the greatest pair is weighed by its own swing."""
    evidence, generator = one_class_marked(), np.random.default_rng(0)
    mean = exchange_effect(evidence, "text", generator)
    found = with_greatest_pair(mean, evidence, "text", generator)
    verdict = judge({"text": ZoneEvidence(24, 24, [found])})["text"]

    assert found.greatest.between in {("a", "c"), ("b", "c")}
    # The margin of c over another moves 1.5; from one decision to the other it is 3 + 3.
    assert np.isclose(found.greatest.effect, 1.5 / 6, atol=0.01)
    assert found.greatest.effect > mean.effect
    assert verdict.measured["between"] == " and ".join(found.greatest.between)
    assert "between pictures of" in verdict.sentence


def test_pairs_are_not_asked_about_where_all_groups_are_alike():
    """No fishing among pairs: a mean that is chance stays chance."""
    evidence = one_class_marked()
    shuffled = Grouping(
        "label",
        ("a", "b", "c"),
        np.repeat([0, 1, 2], 8),
        evidence.grouping.weights,
        np.zeros(3),
    )
    alike = Evidence(shuffled, evidence.scores, evidence.trials, evidence.hosts)
    generator = np.random.default_rng(0)
    mean = exchange_effect(alike, "text", generator)

    assert mean.p_value > 0.05
    assert with_greatest_pair(mean, alike, "text", generator).greatest is None


def growing_evidence(seed, count, *, shown):
    """Return evidence of so many images; the first ``shown`` have a mark that does half.

    Fewer images are the first ones of more.
    """
    generator = np.random.default_rng(seed)
    hosts = [
        Recipient(1000 + k, None, {}, np.array([2.0 * (k % 2) - 1])) for k in range(6)
    ]
    trials, member = [], np.arange(count) % 2
    for row, sign in enumerate(2.0 * member - 1):
        noise = generator.normal(size=(2, len(hosts), 1))
        # Little comes with an image that shows no mark.
        moved = (0.5 * sign + 0.4 * noise[0]) * (1 if row < shown else 0.1)
        exchanges = {"text": Exchange(moved, 0.04 * noise[1])}
        own = np.array([sign])
        trials.append(Trial(row, own, own, {}, exchanges))
    weights = np.array([[-1.0], [1.0]])
    grouping = Grouping("label", ("a", "b"), member, weights, np.zeros(1))
    scores = np.stack([trial.scores for trial in trials])
    return Evidence(grouping, scores, trials, hosts)


@pytest.mark.parametrize("shown", [1000, 12], ids=["all show it", "twelve show it"])
def test_more_images_never_lower_a_finding_by_more_than_chance(shown, monkeypatch):
    """Of 24 chances a step to twice as many images lowers it once at most; so does no dilution."""
    monkeypatch.setattr(contrast, "DRAWS", 499)
    monkeypatch.setattr(contrast, "RESAMPLES", 200)
    order = "no evidence", "may read", "reads"
    lowered = 0
    for seed in range(8):
        before = 0
        for count in (12, 24, 48, 96):
            evidence = growing_evidence(seed, count, shown=shown)
            showing = set(range(min(shown, count)))
            effects = run._zone_effects("text", [evidence], seed, showing, count)
            zone = ZoneEvidence(len(showing), count, effects)
            verdict = judge({"text": zone})["text"]
            grade = order.index(verdict.finding)
            lowered += grade < before
            before = grade
        assert before == 2
    assert lowered <= 1


def test_content_in_another_image_of_its_patient_does_not_count():
    """A recipient of the donor's own patient says nothing, however far its score goes."""
    alone = growing_evidence(0, 24, shown=24)
    # Sources 1000 to 1005 are the recipients: of the patients of the first six images.
    patients = [*range(1000), *range(6)]
    for row in range(6):
        alone.trials[row].exchanges["text"].zone[row] = 1e3 * (2 * (row % 2) - 1)
    generator = np.random.default_rng(0)
    counted = exchange_effect(alone, "text", generator)
    left_out = exchange_effect(replace(alone, patients=patients), "text", generator)

    assert counted.effect > 5
    assert 0.3 < left_out.effect < 0.7
