"""From scores to effects, on scores that are written down."""

import numpy as np
import pytest

from saliency.audit.cases.records import Trial
from saliency.audit.exchange.effects import Evidence, ExchangeEffect, removal_effect
from saliency.audit.exchange.groups import Grouping
from saliency.audit.judgement.verdict import ZoneEvidence, judge
from saliency.statistics.significance import Interval, sign_flip

LEAD = 4.0
COUNT = 12


def evidence(lost):
    """Return pictures of one lead, of which each fill takes ``lost`` (n, fills); tissue nothing."""
    member = np.arange(COUNT) % 2
    scores = np.where(member, LEAD, -LEAD)[:, np.newaxis]
    grouping = Grouping(
        "prediction", ("ill", "well"), member, np.array([[-1.0], [1.0]]), np.zeros(1)
    )
    trials = []
    for row in range(COUNT):
        after = np.stack(
            [scores[row] * (1 - lost[row]), np.repeat(scores[row], 3)], axis=1
        )
        trials.append(
            Trial(row, scores[row], scores[row], {"text": after[..., np.newaxis]})
        )
    return Evidence(grouping, scores, trials, ())


def test_the_fill_that_does_least_is_told():
    """One fill takes all of the lead, one half, one a quarter: a quarter is what is said."""
    found = removal_effect(
        evidence(np.tile([1.0, 0.25, 0.5], (COUNT, 1))),
        "text",
        np.random.default_rng(0),
    )

    assert np.isclose(found.effect, 0.25)
    assert np.allclose(found.interval, 0.25)


def test_the_least_sure_fill_gives_the_p_value():
    """A fill that does more on the whole, but only in four pictures, is the doubt that counts."""
    lost = np.tile([1.0, 0.25, 0.0], (COUNT, 1))
    lost[::3, 2] = 1.5
    found = removal_effect(evidence(lost), "text", np.random.default_rng(0))

    assert np.isclose(found.effect, 0.25)
    assert found.p_value == sign_flip(lost[:, 2], np.random.default_rng(0)) == 1 / 16


@pytest.mark.parametrize(
    ("shown", "finding"),
    [(5, "no evidence"), (6, "may read"), (7, "may read"), (8, "reads")],
)
def test_the_floor_of_few_pictures(shown, finding):
    """So many pictures fall into two groups as one would wish once in 2 ** (shown - 1) times."""
    exchange = ExchangeEffect(
        "label", (20, 20), 0.9, Interval(0.8, 1.0), 2e-4, 0.9, 0.0, 1.0, 0.0, 1e-9
    )
    verdict = judge({"text": ZoneEvidence(shown, 40, [exchange])})["text"]

    assert verdict.finding == finding
    assert verdict.effect == 0.9
