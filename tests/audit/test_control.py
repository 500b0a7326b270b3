"""The audit's own marks: how much of a known effect is told, and what the search finds."""

import numpy as np
import pytest
from marked_pictures import pictures, reader
from said_how_sure import check_said

import saliency as sal
from saliency.audit.cases.records import Trial
from saliency.audit.exchange import control
from saliency.audit.exchange.control import SearchControl, search_control, share_told
from saliency.audit.exchange.effects import (
    Evidence,
    ExchangeEffect,
    RemovalEffect,
    ignorance_of,
)
from saliency.audit.exchange.exchange import Experiment, Recipient, recipient_of
from saliency.audit.exchange.groups import Grouping, LogitDifference
from saliency.audit.judgement.verdict import ZoneEvidence, judge, judge_tone
from saliency.interventions.canvas import Canvas
from saliency.interventions.scoring import Scorer
from saliency.interventions.strokes import Content
from saliency.statistics.significance import Interval
from saliency.values.image import DicomImage

TWO = Grouping(
    "prediction", (), np.zeros(0, int), np.array([[-1.0], [1.0]]), np.zeros(1)
)


def told_of(model, swing):
    """Return what the control says of a model whose hosts show a mark in the corner."""
    images, _ = pictures(4)
    scorer = Scorer(sal.KerasProbe(model))
    alone = Experiment(scorer, (LogitDifference(1, 0),), ("text",))
    hosts = tuple(recipient_of(alone, image, k) for k, image in enumerate(images))
    whole = Experiment(scorer, (LogitDifference(1, 0),), ("text",), hosts=hosts)
    return share_told(whole, TWO, "text", swing)


def half_lost(host, donor, union):
    """Exchange half of what there is to exchange."""
    both = []
    for image in exchanged(host, donor, union):
        changed = Canvas(image, host.intensity).values.astype(float)
        both.append(host.with_values((changed + host.values) / 2))
    return both


exchanged = control.exchanged


@pytest.mark.parametrize("weights", [(40, 0), (0, 40)], ids=["a reader", "no reader"])
def test_what_an_exchange_loses_is_told(weights, monkeypatch):
    """Nearly all of a box arrives; where half is lost, half is told. Also where nothing is read."""
    monkeypatch.setattr(control, "LEAST_TOLD", 0.0)
    whole = told_of(reader(*weights), 20.0)
    monkeypatch.setattr(control, "exchanged", half_lost)
    half = told_of(reader(*weights), 20.0)

    assert 0.9 < whole <= 1
    assert np.isclose(half, whole / 2, atol=0.03)


def test_an_exchange_that_tells_nothing_at_most_doubles_an_effect(monkeypatch):
    """Nothing arrives: that is no way to measure, and half is the least that is told."""
    monkeypatch.setattr(control, "exchanged", lambda host, *_: [host.image])

    assert told_of(reader(40, 0), 20.0) == 0.5


def written_on(ground, level, *, height=4):
    """Return a host on a flat ground, with strokes of a level in a part of a line."""
    values = np.full((24, 32), ground, np.float32)
    mask = np.zeros(values.shape, bool)
    mask[6 : 6 + height, 4:28:4] = True
    values[mask] = level
    shown = np.rint(values).astype(np.uint8)
    image = DicomImage(values, shown).with_zone("text", mask)
    return Recipient(
        0, Canvas(image), {"text": Content(mask, strokes=True)}, np.ones(1)
    )


@pytest.mark.parametrize("rise", [0.0, 0.5, 1.0])
def test_ink_is_as_opaque_as_it_is_in_the_hosts(rise):
    """Ink of one level is opaque, ink that follows its ground is added; two hosts do not tell."""
    grounds = (40, 60, 90, 100)
    hosts = [written_on(ground, 150 + rise * ground) for ground in grounds]

    assert np.isclose(control._rise_with_ground(hosts, TWO, "text"), rise, atol=0.02)
    assert control._rise_with_ground(hosts[:2], TWO, "text") == 1


def test_the_mark_that_was_found_best_is_the_known_one():
    """Not the first, of which a search found a part."""
    hosts = [written_on(50, 200, height=height) for height in (1, 4, 2)]
    first, second = control._marks_of_two_groups(hosts, TWO, "text")

    assert first is None
    assert second.image is hosts[1].canvas.image


def test_without_marks_there_is_no_control():
    """Hosts that show nothing, or a model without a swing."""
    images, _ = pictures(2, zone=False)
    hosts = tuple(
        Recipient(k, Canvas(one), {}, np.ones(1)) for k, one in enumerate(images)
    )
    experiment = Experiment(None, (), ("text",), hosts=hosts)

    assert share_told(experiment, TWO, "text", 1.0) is None


def hosts_of(*displays):
    images = [DicomImage(one.astype(np.float32), one) for one in displays]
    return [Recipient(k, Canvas(one), {}, np.zeros(1)) for k, one in enumerate(images)]


def test_a_drawn_word_is_searched_for():
    """Found on a plain ground, dark or light; not where a search finds nothing."""
    size = (192, 256)
    plain = [np.full(size, grey, np.uint8) for grey in (20, 250)]
    found = search_control(hosts_of(*plain))

    assert (found.found, found.pictures) == (2, 2)
    assert 6 <= found.height <= 14
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(control, "with_found", lambda image: image)
        assert search_control(hosts_of(*plain)).found == 0
    assert search_control(hosts_of(np.zeros((9, 9), np.uint8))) is None


def swap_of(effect, *, by="label", error=0.02, needed=0.05, least=1e-9):
    low, high = effect - 2 * error, effect + 2 * error
    return ExchangeEffect(
        by, (20, 20), effect, Interval(low, high), max(2e-4, least), effect, 0.0, 1.0, 0.0, least,
        error=error, needed=needed,
    )  # fmt: skip


def verdict_of(effect, *, told=None, patients=20, known=0.0, removal=None, **numbers):
    measured = swap_of(effect, **numbers)
    given = measured if told is None else measured.calibrated(told)
    zone = ZoneEvidence(
        40, 40, [given], removal, patients=patients, told=told, known=known
    )
    return judge({"text": zone})["text"]


def test_thresholds_apply_to_the_corrected_effect():
    """0.27 of which 90 % was told is 0.3; both stand in the verdict and its sentence."""
    verdict = verdict_of(0.27, told=0.9)

    assert verdict_of(0.27).finding == "may read"
    assert verdict.finding == "reads"
    assert np.isclose(verdict.effect, 0.3)
    assert np.isclose(verdict.uncalibrated, 0.27)
    assert verdict.told == 0.9
    assert np.allclose(verdict.interval, (0.23 / 0.9, 0.31 / 0.9))
    assert "told 90 % of their known effect" in verdict.sentence
    assert "(measured: 27 %)" in verdict.sentence


def test_no_evidence_says_what_would_have_been_seen():
    """The more scores scatter, the less; with five patients nothing."""
    seen = [
        verdict_of(0.0, error=error).sensitivity for error in (0.01, 0.07, 0.1, 0.3)
    ]

    assert seen == sorted(seen, reverse=True)
    assert seen[0] > 0.99
    # (0.3 - 2 * 0.1) / 0.1 is one standard error: 84 %.
    assert np.isclose(seen[2], 0.841, atol=0.001)
    assert "in 84 % of audits like this one" in verdict_of(0.0, error=0.1).sentence
    assert verdict_of(0.0, patients=5).sensitivity == 0
    assert verdict_of(0.5).sensitivity is None


def test_where_no_text_was_found_the_drawn_word_speaks():
    """The sentence says its size, its contrast, and in how many pictures it was found."""
    zone = ZoneEvidence(0, 40, search=SearchControl(12, 7, 8))
    verdict = judge({"text": zone})["text"]

    assert "12 pixels high, 96 of 255 grey levels" in verdict.sentence
    assert "was found in 7 of 8 pictures" in verdict.sentence
    assert verdict.measured["drawn_words_found"] == 7


def test_two_thirds_of_drawn_words_found_is_a_sensitivity():
    """Where a search found nothing to exchange, what it finds of drawn words is all there is."""
    zone = ZoneEvidence(0, 40, search=SearchControl(12, 4, 6))

    assert judge({"text": zone})["text"].sensitivity == 4 / 6


@pytest.mark.parametrize(
    "zone",
    [
        ZoneEvidence(0, 40),
        ZoneEvidence(40, 40),
        ZoneEvidence(5, 40, [swap_of(0.0)]),
        ZoneEvidence(40, 40, [swap_of(0.0, least=0.2)]),
        ZoneEvidence(40, 40, [swap_of(0.0, error=0.0)]),
    ],
    ids=["not searched", "no groups", "few pictures", "few patients", "exchanged"],
)
def test_every_no_evidence_says_how_sure_it_is(zone):
    """A number for machines, and the same in the sentence."""
    check_said(judge({"text": zone})["text"])
    check_said(judge_tone((), 4))


WEAK, HALF, STRONG = 0.2, 0.4, 0.6


@pytest.mark.parametrize(
    ("by", "effect", "known", "finding"),
    [
        ("prediction", WEAK, 0.4, "no evidence"),
        ("prediction", HALF, 0.4, "no evidence"),
        ("prediction", STRONG, 0.4, "reads"),
        ("prediction", HALF, 0.001, "reads"),
        ("prediction", WEAK, 0.001, "may read"),
        ("label", WEAK, 0.4, "may read"),
    ],
)
def test_a_model_that_knows_no_label_is_not_accused_of_a_weak_answer(
    by, effect, known, finding
):
    """Among its answers it may follow anything; what does more than all else is told."""
    verdict = verdict_of(effect, by=by, known=known)
    untaught = by != "label" and known > 0.05

    assert verdict.finding == finding
    assert ("do not go with the labels (p = 0.4)" in verdict.sentence) == untaught
    if finding == "no evidence":
        # Of estimates of 30 %, none reaches 50 % where the standard error is 2 %.
        assert verdict.sensitivity < 1e-6
        assert "from 50 % on, at p < 0.01" in verdict.sentence


def test_holes_accuse_no_model_that_knows_no_label():
    """Removal alone says "may read"; of a model whose scores go with nothing it says nothing."""
    removal = RemovalEffect(40, 0.9, Interval(0.8, 1.0), 1e-4)

    assert verdict_of(0.0, removal=removal).finding == "may read"
    assert verdict_of(0.0, removal=removal, known=0.4).finding == "no evidence"


def test_scores_go_with_labels_by_patients():
    """Four patients with eight images each are four witnesses, and know nothing for sure."""
    units = np.repeat(np.arange(4), 8)
    member, scores = units % 2, (units % 2 + 0.01 * units)[:, np.newaxis]
    grouping = Grouping("label", ("a", "b"), member, TWO.weights, TWO.centre)
    trials = [Trial(index, row, row) for index, row in enumerate(scores)]
    alone = Evidence(grouping, scores, trials, ())
    together = Evidence(grouping, scores, trials, (), units.tolist())

    assert ignorance_of([alone], 0) == 0.001
    assert ignorance_of([together], 0) > 0.05
    assert ignorance_of([Evidence(TWO, scores, trials, ())], 0) is None


def test_a_small_p_beside_an_interval_that_holds_nothing_is_explained():
    """One asks whether content matters at all, the other whether more than tissue does."""
    unsure = verdict_of(0.05, error=0.08)

    assert unsure.p_value < 0.05
    assert unsure.interval.low < 0
    assert "is told by the interval, and that holds 0" in unsure.sentence
    assert "told by the interval" not in verdict_of(0.05, error=0.01).sentence


def test_words_in_one_group_are_found_where_patterns_are_looked_for():
    """On quiet frames all four; none where the search finds nothing, or no word fits."""
    generator = np.random.default_rng(0)
    frames = 128 + 20 * generator.normal(size=(16, 60, 80))
    member = np.arange(16) % 2
    found = control.pattern_control(frames, member, np.random.default_rng(0))

    assert (found.found, found.pictures) == (4, 4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(control, "fixed_patterns", lambda frames, *_: frames[0] > 1e9)
        blind = control.pattern_control(frames, member, np.random.default_rng(0))
    assert blind.share == 0
    assert control.pattern_control(frames[:, :12], member, generator) is None
