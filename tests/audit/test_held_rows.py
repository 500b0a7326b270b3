"""A model with other inputs, a row for each image: each image keeps its own, whatever it gets."""

import keras
import numpy as np
import pytest
from marked_pictures import SIZE, corner_mask, pictures, reader

import saliency as sal
from saliency.audit import intervene, regions, transplant
from saliency.audit.attention.zone_heat import heatmaps
from saliency.audit.cases import first_pass as looks
from saliency.audit.cases.first_pass import AuditPlan, first_pass
from saliency.audit.exchange.control import share_told
from saliency.audit.exchange.exchange import (
    Experiment,
    interventions_of,
    recipient_of,
)
from saliency.audit.exchange.frame import (
    Pair,
    band_exchanges,
    cell_effects,
    pattern_exchange,
)
from saliency.audit.exchange.groups import Grouping, LogitDifference
from saliency.errors import InputError
from saliency.interventions.canvas import canvas
from saliency.interventions.scoring import Scorer
from saliency.pipeline.checkpoint import State

AGES = np.array([3.0, -20.0, 70.0, 11.0])
TWO = Grouping(
    "label", ("a", "b"), np.array([0, 1, 0, 1]), np.array([[-1.0], [1.0]]), np.zeros(1)
)


@pytest.fixture(scope="module")
def aged():
    """The reader of the corner, whose lead grows by the age."""
    image, age = keras.Input((*SIZE, 1), name="image"), keras.Input((1,), name="age")
    dense = keras.layers.Dense(2)
    flat = keras.layers.Concatenate()([keras.layers.Flatten()(image), age])
    model = keras.Model([image, age], dense(flat))
    weights, bias = reader(40, 0).layers[-1].get_weights()
    dense.set_weights([np.concatenate([weights, [[0, 1]]]), bias])
    return model


def asked(probe):
    """Return an experiment on four images, and the images."""
    images, _ = pictures(4)
    targets = (LogitDifference(1, 0),)
    alone = Experiment(Scorer(probe), targets, ("text",))
    hosts = tuple(recipient_of(alone, image, k) for k, image in enumerate(images))
    return Experiment(alone.scorer, targets, ("text",), hosts=hosts), images


@pytest.fixture(scope="module")
def both(aged):
    """The same experiment with ages, and without."""
    rows = sal.KerasProbe(aged, input="image", held={"age": AGES[:, np.newaxis]})
    return asked(rows), asked(sal.KerasProbe(reader(40, 0)))


def test_what_is_known_already_leaves_the_others_their_rows(both):
    """The second of three images is its host itself: the first and third keep their own ages."""
    (experiment, images), (alone, _) = both
    shown, rows = [images[1], images[2], images[0]], [0, 2, 3]
    with_age, without = (one.scores(shown, rows) for one in (experiment, alone))

    assert np.allclose(with_age[:, 0], without[:, 0] + AGES[rows], atol=1e-3)


def test_what_is_exchanged_leaves_the_recipients_row(both):
    """Every score is that of the image alone plus the recipient's age, of all exchanges."""
    (experiment, images), (alone, _) = both
    with_age, without = (
        interventions_of(one, images[2], 2) for one in (experiment, alone)
    )

    def same(first, second, ages):
        assert np.allclose(first, second + ages, atol=1e-3, equal_nan=True)

    same(with_age.scores, without.scores, AGES[2])
    same(with_age.cleaned, without.cleaned, AGES[2])
    same(with_age.removals["text"], without.removals["text"], AGES[2])
    exchanges = [
        *(
            (with_age.exchanges[name], without.exchanges[name])
            for name in without.exchanges
        ),
        *(
            [found[name] for found in pair]
            for pair in [
                [
                    band_exchanges(one, canvas(images[2], None), 2)
                    for one in (experiment, alone)
                ]
            ]
            for name in pair[0]
        ),
        [
            pattern_exchange(one, canvas(images[2], None), 2, ~corner_mask())
            for one in (experiment, alone)
        ],
    ]
    for first, second in exchanges:
        same(first.zone, second.zone, AGES[:, np.newaxis])
        same(first.tissue, second.tissue, AGES[:, np.newaxis])


def test_cells_and_the_control_do_not_see_the_ages(both):
    """Both images of a pair keep their own, so moves are those of the image alone."""
    (experiment, images), (alone, _) = both
    shown = canvas(images[1], None), canvas(images[2], None)
    pair = Pair(1, 2, 1, 0)
    first, second = (cell_effects(one, TWO, pair, shown) for one in (experiment, alone))

    assert np.allclose(first[:-1], second[:-1], atol=1e-3)
    assert np.isclose(first[-1] - second[-1], 2 * (AGES[1] - AGES[2]), atol=1e-3)
    # Of a linear model the cells of the grid, which part the frame, add up to all of it.
    free = [canvas(image, None) for image in pictures(4, zone=False)[0]]
    *cells, _, apart = cell_effects(alone, TWO, pair, (free[1], free[2]))
    assert abs(apart) > 10
    assert np.isclose(sum(cells), apart, atol=0.05)
    # Hosts are divided by decision, so ages choose the marks: those of the corner all the same.
    assert share_told(experiment, TWO, "text", 20.0) > 0.9


def test_the_first_look_and_heat_take_the_row_of_each_image(both, monkeypatch):
    """Of the third image and the fourth, the third row and the fourth; also chunk by chunk."""
    rows_of_heat = []
    monkeypatch.setattr(looks, "CHUNK", 2)
    monkeypatch.setattr(
        looks,
        "heatmaps",
        lambda *given: rows_of_heat.append(given[3]) or heatmaps(*given),
    )
    (experiment, images), (alone, _) = both
    plan = AuditPlan(experiment.scorer, 1, images, [None] * 4, 0)
    records = list(first_pass(plan, State(None)))
    maps = heatmaps(experiment.scorer, 1, images[2:], [2, 3])
    plain = alone.scorer.scores(images, (1,))[:, 0]

    assert rows_of_heat == [[0, 1], [2, 3]]
    assert np.allclose([record.said for record in records], plain + AGES, atol=1e-3)
    assert np.allclose(
        [each["gradient"].score for each in maps], plain[2:] + AGES[2:], atol=1e-3
    )


def test_one_image_of_many_rows_is_refused(both):
    """Which row is its own nobody knows: not the first, and not one for each version of it."""
    (experiment, images), _ = both
    probe, others = experiment.scorer.probe, images[1:]

    for ask in (
        lambda: intervene(probe, images[0], "text"),
        lambda: transplant(probe, images[0], "text", pictures(2, zone=False)[0]),
        lambda: regions(probe, images[0], others * 10),
    ):
        with pytest.raises(InputError, match="held at one row, got 4"):
            ask()
