"""What no search names is found: at a place of the frame, drawn anywhere, or everywhere."""

from contextlib import contextmanager
from dataclasses import replace

import keras
import numpy as np
import pytest
from marked_pictures import SIZE, corner_mask, pictures, reader, shown
from said_how_sure import check_said

import saliency as sal
from saliency.audit import run
from saliency.audit.beyond_zones import MOST_PATTERNS
from saliency.audit.exchange.frame import GIVERS, PAIRS, pairs_of
from saliency.audit.exchange.groups import Grouping
from saliency.audit.judgement.beyond import (
    FrameFacts,
    PatternEvidence,
    band_verdict,
    beside_places,
    grid_verdict,
    pattern_verdict,
    tone_hint,
    words_of_place,
)
from saliency.audit.judgement.results import Verdict
from saliency.audit.run import HOSTS, SAMPLE
from saliency.interventions.bands import BANDS
from saliency.interventions.fills import FILLS
from saliency.interventions.frame_cells import CELLS, cell, sizes
from saliency.probe.keras_probe import BoundProbe
from saliency.statistics.significance import Interval
from saliency.statistics.standing_out import StandingOut

NAMES = "grid", "pattern", "band"
FRAME = FrameFacts(aligned=False, drawn=frozenset(), known=0.001, labelled=True)


def findings(report):
    for verdict in report.verdicts.values():
        check_said(verdict)
    return [report.verdicts[name].finding for name in NAMES]


@contextmanager
def counting():
    """Yield a list that grows by the images that the model is shown, at each pass."""
    passes, answer = [], BoundProbe.answer

    def counted(self, question, inputs, drawing=None):
        passes.append(len(inputs))
        return answer(self, question, inputs, drawing)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BoundProbe, "answer", counted)
        yield passes


@pytest.fixture(scope="module")
def audited():
    """The audit of a reader of a mark that is no zone, and the forward passes that it took."""
    images, labels = pictures(24, zone=False, body=0)
    with counting() as passes:
        report = sal.audit(reader(40, 0), images, labels=labels)
    return report, sum(passes)


@pytest.fixture(scope="module")
def report(audited):
    return audited[0]


ALL = len(BANDS)


def most_passes(count, *, zones=0, patterns=MOST_PATTERNS, bands=ALL):
    """Return the forward passes of an audit at most, as docs/audit.md has them."""
    # Of each image: decision, maps and their scores; as it is, and cleaned; brightness, control.
    each = 7 + 2 + 2 * HOSTS
    # A zone is taken out in every fill, and exchanged in one way a host, beside as much tissue.
    each += zones * 2 * (len(FILLS) + HOSTS)
    of_pairs = min(PAIRS, count // 2) * 2 * (len(CELLS) + 1)
    of_givers = min(GIVERS, count) * HOSTS * (bands + 2 * patterns)
    # The audit's own marks; strips of the report; the hosts as they are, and two equal calls.
    once = 4 * HOSTS * zones + 24 * (zones + 2) + HOSTS + 2
    return count * each + of_pairs + of_givers + once


def test_what_an_audit_costs(audited):
    """All that is counted is in the sum, and the sum is less than 150 for each of 100 images."""
    report, passes = audited
    patterns = report.verdicts["pattern"].measured["patterns"]

    # Of one bit depth, and without a body: two of the bands change nothing, and ask nothing.
    most = most_passes(24, patterns=patterns, bands=ALL - 2)
    # No image is exchanged with itself, and strips of the report are fewer.
    assert 0.85 * most < passes <= most
    assert SAMPLE >= 100
    # Text, markers, a border and air: docs/audit.md says the number.
    assert most_passes(100, zones=4) < 145 * 100 < 150 * 100


def test_a_mark_that_no_zone_names_is_found(report):
    """Where it lies is said, and it counts as a shortcut."""
    grid, pattern = report.verdicts["grid"], report.verdicts["pattern"]

    assert findings(report) == ["reads", "reads", "no evidence"]
    assert report.shortcut
    assert grid.measured["cell"] == "row 1, column 1"
    # The cell holds 62 of the 72 pixels of the mark's box.
    assert 0.7 < grid.effect < 0.95
    assert "look" in grid.sentence
    assert "top, left" in grid.sentence
    assert "top, left" in pattern.sentence
    # Blocks of strokes are searched in whole cells: the rim of the mark may be left out.
    assert pattern.effect > 0.6


def test_the_report_shows_the_place(report, tmp_path):
    """Strips of images with the place and with another's, in the page."""
    strips = {strip.zone for strip in report.examples}
    page = report.html()
    report.save(tmp_path / "out")

    assert {"grid", "pattern"} <= strips
    assert "grid of picture" in page
    assert "a cell of the frame" in page


def test_a_mark_in_a_zone_is_left_to_the_zone():
    """Cells keep their hands off zones: what has a name has one verdict."""
    images, labels = pictures(24, body=0)
    with counting() as passes:
        found = sal.audit(reader(40, 0), images, labels=labels)
    # Patterns inside the zone are left to it as well.
    quiet = ALL - 2
    assert 0.85 * most_passes(24, zones=1, patterns=0, bands=quiet) < sum(passes)
    assert sum(passes) <= most_passes(24, zones=1, bands=quiet)
    assert found.verdicts["text"].finding == "reads"
    assert findings(found) == ["no evidence"] * 3


@pytest.mark.parametrize("case", ["noise", "other mark", "no link"])
def test_who_does_not_read_it_is_not_accused(case):
    """A model of nothing; one that ignores the mark; one whose answers go with no label."""
    images, labels = pictures(24, zone=False, body=0)
    if case == "noise":
        images, labels = pictures(24, zone=False, mark=0, body=0)
    if case == "no link":
        labels = [label ^ (number % 4 > 1) for number, label in enumerate(labels)]
    model = {
        "noise": reader(0, 0, constant=1),
        "other mark": reader(0, 40),
        "no link": reader(40, 0),
    }[case]
    found = sal.audit(model, images, labels=labels)

    assert findings(found) == ["no evidence"] * 3
    assert not found.shortcut


def grain_reader():
    """Return a classifier of the mean absolute difference of neighbours."""
    inputs = keras.Input((*SIZE, 1))
    steps = keras.layers.Conv2D(2, (1, 2), use_bias=False, activation="relu")
    mean = keras.layers.GlobalAveragePooling2D()(steps(inputs))
    dense = keras.layers.Dense(2, activation="softmax")
    model = keras.Model(inputs, dense(mean))
    steps.set_weights([np.array([[[[1.0, -1.0]], [[-1.0, 1.0]]]], np.float32)])
    dense.set_weights(
        [np.array([[0.0, 400.0]] * 2, np.float32), np.array([0.0, -20.0], np.float32)]
    )
    return model


def test_grain_of_the_whole_image_is_found():
    """More noise in one class: no place and no brightness, and a band is read."""
    generator = np.random.default_rng(0)
    labels = [number % 2 for number in range(24)]
    images = [
        shown(0.5 + (0.02 + 0.04 * label) * generator.normal(size=SIZE))
        for label in labels
    ]
    found = sal.audit(grain_reader(), images, labels=labels)

    assert findings(found) == ["no evidence", "no evidence", "reads"]
    assert found.verdicts["band"].measured["band"] == "grain and sharpness"
    assert found.shortcut


def standing(first=0, effect=0.6, second=0.0, low=0.4, p_value=2e-4):
    nets = np.zeros(len(CELLS))
    nets[5 if first != 5 else 6], nets[first] = second, effect
    return StandingOut(nets, first, Interval(low, 0.8), p_value)


ALIGNED = replace(FRAME, aligned=True)
CASES = {
    "alone": (standing(), FRAME, "reads"),
    "half": (standing(effect=0.4), FRAME, "no evidence"),
    "two cells": (standing(second=0.4), FRAME, "no evidence"),
    "unsure": (standing(low=-0.1), FRAME, "no evidence"),
    "anatomy": (standing(), ALIGNED, "no evidence"),
    "drawn": (
        standing(effect=0.4),
        replace(ALIGNED, drawn=frozenset(CELLS[:1])),
        "reads",
    ),
    "margin": (standing(first=16, effect=0.4), ALIGNED, "reads"),
    "weak": (standing(first=16, effect=0.2), FRAME, "may read"),
    "knows nothing": (standing(), replace(FRAME, known=0.4), "no evidence"),
}


@pytest.mark.parametrize(("found", "facts", "finding"), CASES.values(), ids=CASES)
def test_when_a_cell_is_accused(found, facts, finding):
    """Anatomy lies in cells too: what accuses is the margin, something drawn, or one cell alone."""
    verdict = grid_verdict(found, 12, facts)

    check_said(verdict)
    assert verdict.finding == finding
    assert verdict.effect == found.effect
    if facts.aligned and finding == "no evidence":
        assert verdict.sentence.startswith("Look: the model decides by what lies here.")


@pytest.mark.parametrize("finding", ["no evidence", "may read", "reads"])
def test_what_is_drawn_and_not_read_accuses_no_cell(finding):
    """A lesion that keeps its place is drawn in one group, and lies in a cell that decides."""
    pattern = Verdict(finding, 0.1, Interval(0.0, 0.2), 0.01, "What is drawn there.")
    drawn = replace(ALIGNED, drawn=frozenset(CELLS[:1]))
    verdict = grid_verdict(standing(effect=0.4), 12, drawn.beside(pattern))

    assert verdict.finding == ("no evidence" if finding == "no evidence" else "reads")


@pytest.mark.parametrize(
    ("pairs", "finding"), [(5, "no evidence"), (7, "may read"), (8, "reads")]
)
def test_the_floor_of_few_pairs(pairs, finding):
    """So many coins fall as one would wish once in 2 ** (pairs - 1) times."""
    assert grid_verdict(standing(), pairs, FRAME).finding == finding


def test_without_labels_no_band_and_no_brightness_is_blamed():
    """Any model, trained or not, answers brighter images otherwise."""
    read = Verdict(
        "reads", 0.9, Interval(0.8, 1.0), 1e-4, "The score follows the brightness."
    )

    assert tone_hint(read, labelled=True) is read
    hint = tone_hint(read, labelled=False)
    assert hint.finding == "may read"
    assert hint.sentence.startswith("The score may follow")
    check_said(band_verdict({}, FRAME))
    check_said(grid_verdict(None, 3, FRAME))
    check_said(grid_verdict(None, 12, FRAME))
    check_said(pattern_verdict((), 24, FRAME)[0])
    check_said(pattern_verdict([PatternEvidence(corner_mask(), ())], 24, FRAME)[0])


def test_a_band_is_not_accused_of_what_a_place_does():
    """Where a mark is read, what grain does to the score may be the mark's."""
    band = Verdict("reads", 0.5, Interval(0.4, 0.6), 1e-4, "", {"band": "shading"})
    grid = grid_verdict(standing(), 12, FRAME)
    silent = grid_verdict(standing(effect=0.0), 12, FRAME)

    check_said(beside_places(band, (silent, grid)))
    assert beside_places(band, (silent, grid)).finding == "no evidence"
    assert "follows the shading" in beside_places(band, (grid,)).sentence
    assert beside_places(band, (silent, silent)) is band


def test_cells_part_the_frame():
    """Each pixel lies in one cell of the grid; the ring's area is that of its size in cells."""
    size = 37, 53
    total = np.sum([cell(name, size) for name in CELLS[:-1]], axis=0)

    assert (total == 1).all()
    assert np.isclose(sizes()[-1] / 16, cell("margin", (400, 400)).mean(), atol=0.01)
    assert not cell("margin", size)[10:30, 10:40].any()
    assert words_of_place(corner_mask()) == "at the frame's top, left"


def test_no_patient_is_in_two_pairs():
    """Images of one patient are one, and partners are of two groups."""
    member = np.array([0, 0, 0, 1, 1, 1, 1, 0])
    grouping = Grouping("label", ("a", "b"), member, np.eye(2), np.zeros(2))
    patients = [1, 1, 1, 2, 2, 3, 4, 5]
    for seed in range(20):
        pairs = pairs_of(grouping, range(8), patients, np.random.default_rng(seed))
        used = [patients[row] for pair in pairs for row in (pair.first, pair.second)]

        assert len(pairs) == 2
        assert len(set(used)) == len(used)
        assert all(member[pair.first] != member[pair.second] for pair in pairs)


@pytest.mark.slow
def test_a_resumed_audit_asks_no_cell_twice(tmp_path, monkeypatch):
    """Stopped after the third look: nothing of it is asked again, and the report is the same."""
    images, labels = pictures(16, zone=False)
    model, state = reader(40, 0), tmp_path / "state"
    whole = sal.audit(model, images, labels=labels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "performance_of", None)
        patch.setattr(run, "facts", None)
        with pytest.raises(TypeError):
            sal.audit(model, images, labels=labels, resume=state)
    for name in ("cell_effects", "band_exchanges", "pattern_exchange"):
        monkeypatch.setattr(f"saliency.audit.exchange.frame_looks.{name}", None)
    again = sal.audit(model, images, labels=labels, resume=state)

    assert again.to_dict() == whole.to_dict()
