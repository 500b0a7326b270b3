"""What is asked of one picture has the shape it says."""

from dataclasses import replace

import numpy as np
import pytest
from marked_pictures import corner_mask, pictures, reader

import saliency as sal
from saliency.audit.exchange.exchange import (
    Experiment,
    exchanged,
    interventions_of,
    recipient_of,
)
from saliency.audit.exchange.groups import LogitDifference
from saliency.interventions.canvas import canvas
from saliency.interventions.scoring import Scorer
from saliency.interventions.strokes import Content
from saliency.probe.keras_probe import BoundProbe


def test_exchange_by_hand():
    """A reader of the mark scores a host by the guest's mark, and tissue changes nothing.

    A picture is no guest of its own; a lead is the difference of two logits.
    """
    images, _ = pictures(4)
    scorer = Scorer(sal.KerasProbe(reader(40, 0)))
    experiment = Experiment(scorer, (LogitDifference(1, 0),), ("text",))
    hosts = tuple(
        recipient_of(experiment, image, index) for index, image in enumerate(images[:3])
    )
    experiment = Experiment(scorer, (LogitDifference(1, 0),), ("text",), hosts=hosts)
    found = interventions_of(experiment, images[1], 1)
    exchange = found.exchanges["text"]

    assert exchange.zone.shape == exchange.tissue.shape == (3, 1)
    assert np.isnan(exchange.zone[1]).all()
    assert np.isnan(exchange.tissue[1]).all()
    assert np.allclose(exchange.zone[[0, 2]], found.scores, atol=1.5)
    assert np.allclose(
        exchange.tissue[[0, 2]], [one.scores for one in hosts[::2]], atol=1e-3
    )


def hosts_of(scorer, images):
    alone = Experiment(scorer, (LogitDifference(1, 0),), ("ruler",))
    return tuple(recipient_of(alone, image, k) for k, image in enumerate(images))


def test_what_changed_nothing_is_not_asked_again():
    """Pixels of the host have its score, others are asked; each answer is in its place."""
    images, _ = pictures(3)
    scorer = Scorer(sal.KerasProbe(reader(40, 0)))
    hosts = [
        replace(host, scores=np.array([99.0])) for host in hosts_of(scorer, images)
    ]
    experiment = Experiment(scorer, (LogitDifference(1, 0),), (), hosts=tuple(hosts))
    # The second image is the first's in name alone; the last is made of the host's own pixels.
    given = [images[0], images[1], images[2], images[2]]
    scores = experiment.scores(given, [0, 0, 1, 2])[:, 0]
    asked = scorer.scores(given[1:3], experiment.targets)[:, 0]

    assert scores[[0, 3]].tolist() == [99, 99]
    assert np.allclose(scores[1:3], asked)
    assert experiment.scores(images[:1], [0]).tolist() == [[99]]


def test_each_host_has_its_way():
    """Half of them gets a box as it is, half blended, whatever image it is from."""
    images = [
        image.with_zone("ruler", corner_mask()) for image in pictures(5, zone=False)[0]
    ]
    scorer = Scorer(sal.KerasProbe(reader(40, 0)))
    hosts = hosts_of(scorer, images[:4])
    experiment = Experiment(scorer, (LogitDifference(1, 0),), ("ruler",), hosts=hosts)
    order = np.argsort([host.scores[0] for host in hosts])
    donor = canvas(images[4], None)
    mask = donor.image.zones[0].mask
    found = interventions_of(experiment, images[4], 4).exchanges["ruler"].zone
    ways = [
        scorer.scores(exchanged(host.canvas, donor, Content(mask)), experiment.targets)
        for host in hosts
    ]

    assert np.ptp(ways, axis=1).min() > 0.01
    for turn, host in enumerate(order):
        assert np.isclose(found[host], ways[host][turn % 2], atol=1e-4)


def test_removals_by_fill():
    """Three fills, without the zone and without tissue: only the first moves a reader."""
    images, _ = pictures(2)
    experiment = Experiment(
        Scorer(sal.KerasProbe(reader(40, 0))), (LogitDifference(1, 0),), ("text",)
    )
    found = interventions_of(experiment, images[1], 1)
    removal = found.removals["text"]

    assert removal.shape == (3, 2, 1)
    assert (found.scores - removal[:, 0] > 5).all()
    assert np.allclose(removal[:, 1], found.scores, atol=1e-3)
    assert np.isclose(found.cleaned, removal[0, 0], atol=1e-3).all()


def test_controls_keep_away_from_other_zones():
    """All but one free corner is another zone, which decides: tissue does nothing all the same.

    The other zone is that of the picture, or that of the recipient alone.
    """
    images, _ = pictures(3, mark=0)
    scorer = Scorer(sal.KerasProbe(reader(0, 40)))
    rest = np.ones(images[0].size, bool)
    rest[-12:, -16:] = False
    zoned = [image.with_zone("tag", rest & ~image.zones[0].mask) for image in images]

    for donor, recipients in ((zoned[0], images), (images[0], zoned)):
        experiment = Experiment(scorer, (LogitDifference(1, 0),), ("text",))
        hosts = tuple(
            recipient_of(experiment, image, index)
            for index, image in enumerate(recipients)
        )
        experiment = Experiment(
            scorer, (LogitDifference(1, 0),), ("text",), hosts=hosts
        )
        before = np.stack([one.scores for one in hosts])
        for index in range(9, 15):  # another place for the control each time
            found = interventions_of(experiment, donor, index)

            assert np.allclose(found.exchanges["text"].tissue, before, atol=1e-4)
    alone = interventions_of(experiment, zoned[0], 0)
    assert np.allclose(alone.removals["text"][:, 1], alone.scores, atol=1e-4)


def test_all_classes_are_asked_in_one_pass():
    """Four classes: one question a batch, with the numbers that each class gives by itself."""
    images, _ = pictures(5)
    probe = sal.KerasProbe(reader(20, 20, classes=4))
    asked, answer = [], BoundProbe.answer
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            BoundProbe, "answer", lambda *given: asked.append(1) or answer(*given)
        )
        found = Scorer(probe).scores(images, (0, 1, 3))
    alone = [Scorer(probe).scores(images, (kind,))[:, 0] for kind in (0, 1, 3)]

    assert len(asked) == 1
    assert (found == np.stack(alone, axis=1)).all()


@pytest.mark.parametrize("output", ["logit", "probability"])
@pytest.mark.parametrize("classes", [1, 3])
def test_scores_of_all_classes_are_those_of_each(classes, output):
    """Also of one sigmoid unit, which speaks for both classes."""
    probe = sal.KerasProbe(reader(20, 5, classes=classes), output=output)
    inputs = np.random.default_rng(0).uniform(size=(3, 37, 53, 1)).astype(np.float32)
    alone = [probe.at(kind).score(inputs) for kind in range(probe.outputs)]

    assert np.allclose(probe.class_scores(inputs), np.stack(alone, axis=1), atol=1e-6)
