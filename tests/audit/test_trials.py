"""What is asked of one picture has the shape it says."""

import numpy as np
from marked_pictures import pictures, reader

import saliency as sal
from saliency.audit.exchange.exchange import Experiment, host, trial
from saliency.audit.exchange.groups import Lead
from saliency.interventions.scoring import Scorer


def test_exchange_by_hand():
    """A reader of the mark scores a host by the guest's mark, and tissue changes nothing.

    A picture is no guest of its own; a lead is the difference of two logits.
    """
    images, _ = pictures(4)
    scorer = Scorer(sal.KerasProbe(reader(40, 0)))
    experiment = Experiment(scorer, (Lead(1, 0),), ("text",))
    hosts = tuple(host(experiment, image, index) for index, image in enumerate(images[:3]))
    experiment = Experiment(scorer, (Lead(1, 0),), ("text",), hosts=hosts)
    found = trial(experiment, images[1], 1)
    exchange = found.exchanges["text"]

    assert exchange.zone.shape == exchange.tissue.shape == (3, 1)
    assert np.isnan(exchange.zone[1]).all()
    assert np.isnan(exchange.tissue[1]).all()
    assert np.allclose(exchange.zone[[0, 2]], found.scores, atol=1.5)
    assert np.allclose(exchange.tissue[[0, 2]], [one.scores for one in hosts[::2]], atol=1e-3)


def test_removals_by_fill():
    """Three fills, without the zone and without tissue: only the first moves a reader."""
    images, _ = pictures(2)
    experiment = Experiment(Scorer(sal.KerasProbe(reader(40, 0))), (Lead(1, 0),), ("text",))
    found = trial(experiment, images[1], 1)
    removal = found.removals["text"]

    assert removal.shape == (3, 2, 1)
    assert (found.scores - removal[:, 0] > 5).all()
    assert np.allclose(removal[:, 1], found.scores, atol=1e-3)
    assert np.isclose(found.cleaned, removal[0, 0], atol=1e-3).all()
