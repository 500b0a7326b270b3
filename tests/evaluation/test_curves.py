"""Curves: a slow twin, closed forms of linear models, and what each refuses."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from saliency.errors import InputError, SaliencyError
from saliency.evaluation import Curve, deletion, exchange, insertion, irof, road
from saliency.evaluation.imputation import imputed
from saliency.kernels.superpixels import superpixels
from saliency.probe.closed_form import ClosedFormProbe

GENERATOR = np.random.default_rng(0)
INPUTS = GENERATOR.normal(size=(2, 4, 5, 2)).astype(np.float32)
WEIGHTS = GENERATOR.normal(size=(4, 5, 2)).astype(np.float32)
LINEAR = ClosedFormProbe(lambda x: tf.reduce_sum(x * WEIGHTS, (1, 2, 3)))
CURVED = ClosedFormProbe(lambda x: tf.reduce_sum((x * WEIGHTS) ** 2, (1, 2, 3)))
MAPS = (INPUTS * WEIGHTS).sum(-1)


def twin(probe, start, end, maps, steps):
    """Change one image at a time, one step at a time, pixel by pixel."""
    rows = []
    for image, other, heat in zip(start, end, maps, strict=True):
        order = sorted(range(heat.size), key=lambda i: (-heat.ravel()[i], i))
        row = []
        for step in range(steps + 1):
            changed = image.copy()
            for place in order[: round(step / steps * heat.size)]:
                at = np.unravel_index(place, heat.shape)
                changed[at] = other[at]
            row.append(float(probe.score(tf.constant(changed[np.newaxis]))[0]))
        rows.append(row)
    return np.array(rows)


def test_deletion_is_its_twin():
    mean = np.broadcast_to(INPUTS.mean((1, 2), keepdims=True), INPUTS.shape)
    curve = deletion(CURVED, INPUTS, MAPS, steps=7)
    expected = twin(CURVED, INPUTS, mean, MAPS, 7)
    assert_allclose(curve.scores, expected, rtol=1e-4, atol=1e-4)
    # Trapezoids, by hand.
    areas = (expected[:, :-1] + expected[:, 1:]).sum(1) / 14
    assert_allclose(curve.area, areas, rtol=1e-4)


def test_insertion_goes_the_other_way():
    black = np.zeros_like(INPUTS)
    curve = insertion(CURVED, INPUTS, MAPS, steps=5, fill=0.0)
    assert_allclose(
        curve.scores, twin(CURVED, black, INPUTS, MAPS, 5), rtol=1e-4, atol=1e-4
    )


def test_exchange_takes_the_next_image_of_the_batch():
    curve = exchange(CURVED, INPUTS, MAPS, grid=5, steps=6)
    expected = twin(CURVED, INPUTS, INPUTS[::-1], MAPS, 6)
    assert_allclose(curve.scores, expected, rtol=1e-4, atol=1e-4)
    other = exchange(CURVED, INPUTS[:1], MAPS[:1], donors=INPUTS[1:], grid=5, steps=6)
    assert_allclose(other.scores, curve.scores[:1], rtol=1e-5)


def test_whole_cells_are_exchanged():
    """The cell with the greatest mean goes first, all of it: by hand, of four cells."""
    image, donor = np.zeros((1, 4, 6, 1), np.float32), np.ones((1, 4, 6, 1), np.float32)
    heat = np.zeros((1, 4, 6), np.float32)
    heat[0, 2:, :3] = 1
    heat[0, 0, 0] = 5  # one hot pixel: its cell's mean is 5/6
    weights = np.arange(24, dtype=np.float32).reshape(4, 6, 1)
    probe = ClosedFormProbe(lambda x: tf.reduce_sum(x * weights, (1, 2, 3)))
    curve = exchange(probe, image, heat, donors=donor, grid=2, steps=4)
    cells = [weights[2:, :3].sum(), weights[:2, :3].sum(), weights[:2, 3:].sum()]
    expected = [0, *np.cumsum(cells), weights.sum()]
    assert_allclose(curve.scores, [expected])


def test_of_a_linear_model_its_own_terms_fall_fastest():
    """No order takes more away than that of w x, where the fill is 0."""
    best = deletion(LINEAR, INPUTS, MAPS, fill=0.0, steps=20).area
    for seed in range(5):
        drawn = np.random.default_rng(seed).normal(size=MAPS.shape)
        assert np.all(best < deletion(LINEAR, INPUTS, drawn, fill=0.0, steps=20).area)
    assert np.all(best < deletion(LINEAR, INPUTS, -MAPS, fill=0.0, steps=20).area)


def test_road_imputes_the_weighted_mean_of_neighbours():
    image = np.arange(30, dtype=np.float32).reshape(5, 6, 1)
    missing = np.zeros((5, 6), bool)
    missing[2, 2:4] = True
    filled = imputed(image, missing, 0.0, np.random.default_rng(0))
    # A plane is harmonic: its values come back, but for what the pair takes from itself.
    assert_allclose(filled, image, atol=1e-4)
    corner = np.zeros((3, 3), bool)
    corner[0, 0] = True
    values = np.float32([[9, 1, 9], [2, 4, 9], [9, 9, 9]])[..., np.newaxis]
    found = imputed(values, corner, 0.0, np.random.default_rng(0))[0, 0, 0]
    assert_allclose(found, (1 / 6 * (1 + 2) + 1 / 12 * 4) / (2 / 6 + 1 / 12))


def test_road_removes_what_is_hottest():
    curve = road(LINEAR, INPUTS, MAPS, shares=(0.2, 0.5), noise=0.0)
    assert_allclose(curve.scores[:, 0], LINEAR.score(INPUTS), rtol=1e-5)
    # Four of twenty pixels are the linear model's greatest terms.
    worst = road(LINEAR, INPUTS, -MAPS, shares=(0.2, 0.5), noise=0.0)
    assert np.all(curve.scores[:, 1] < worst.scores[:, 1])


def test_irof_by_hand():
    """Two flat halves are two segments; the hot one goes first."""
    image = np.zeros((1, 4, 4, 1), np.float32)
    image[:, :, 2:] = 1
    probe = ClosedFormProbe(lambda x: 1 + tf.reduce_sum(x, (1, 2, 3)))
    heat = image[..., 0]
    found = irof(probe, image, heat, grid=2, fill=0.0)
    # Four cells of four pixels: scores 9, 5, 1, 1, 1.
    assert_allclose(
        found, [np.mean([1 - 5 / 9, 1 - 1 / 9, 1 - 1 / 9, 1 - 1 / 9])], rtol=1e-5
    )


def test_irof_of_an_image_does_not_hang_on_its_batch():
    """Of black and white pixels some segments are empty: such an image has fewer steps."""
    flat, pair = np.zeros((36, 1)), np.random.default_rng(0).random((36, 1)) < 0.5
    images = np.stack([flat, pair]).reshape(2, 6, 6, 1).astype(np.float32)
    segments = [len(np.unique(each)) for each in superpixels(tf.constant(images), 3)]
    assert segments == [9, 5]
    probe = ClosedFormProbe(lambda x: 1 + tf.reduce_sum(x, (1, 2, 3)))
    heat = GENERATOR.random((2, 6, 6))

    both = irof(probe, images, heat, grid=3, fill=0.5)
    alone = [
        irof(probe, images[i : i + 1], heat[i : i + 1], grid=3, fill=0.5)[0]
        for i in (0, 1)
    ]

    assert_allclose(both, alone, rtol=1e-5)


def test_irof_has_no_value_where_a_share_of_the_score_means_nothing():
    """A logit of -2 that rises to -1 has not lost half of itself."""
    images = np.stack([np.full((4, 4, 1), level) for level in (-1.0, 0.0, 1.0)])
    probe = ClosedFormProbe(lambda x: tf.reduce_mean(x, (1, 2, 3)))
    found = irof(probe, images, np.random.default_rng(0).random((3, 4, 4)), grid=2)
    assert np.isnan(found).tolist() == [True, True, False]


def test_road_of_an_image_does_not_hang_on_its_batch():
    both = road(LINEAR, INPUTS, MAPS, noise=0.5)
    alone = road(LINEAR, INPUTS[1:], MAPS[1:], noise=0.5)
    assert_allclose(both.scores[1:], alone.scores, rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: deletion(LINEAR, INPUTS, MAPS[:1]), "shape"),
        (lambda: deletion(LINEAR, INPUTS, MAPS, steps=0), "1 or more"),
        (lambda: deletion(LINEAR, INPUTS, MAPS, fill="grey"), "grey"),
        (lambda: deletion(LINEAR, INPUTS[0], MAPS), "N, H, W, C"),
        (lambda: exchange(LINEAR, INPUTS[:1], MAPS[:1]), "two images"),
        (lambda: exchange(LINEAR, INPUTS, MAPS, donors=INPUTS[:1]), "donors"),
        (lambda: road(LINEAR, INPUTS, MAPS, shares=(0.5, 0.2)), "rising"),
        (lambda: deletion(LINEAR, INPUTS, np.full(MAPS.shape, np.nan)), "NaN"),
        (lambda: deletion(LINEAR, INPUTS[:0], MAPS[:0]), "one image or more"),
        (lambda: deletion(LINEAR, INPUTS, MAPS, shares=(0.1, np.nan, 0.5)), "rising"),
        (lambda: deletion(LINEAR, INPUTS, MAPS, fill=np.nan), "NaN or infinite"),
        (lambda: exchange(LINEAR, INPUTS, MAPS, donors=INPUTS * np.nan), "donors"),
        (lambda: road(LINEAR, INPUTS, MAPS, shares=(0.2, np.nan)), "rising"),
        (lambda: irof(LINEAR, INPUTS, MAPS, grid=0), "1 or more"),
        (lambda: Curve([0, 1], [[1, 2, 3]]), "at each"),
        (lambda: Curve([0, 0.5, 1], [[1]]), "at each"),
        (lambda: Curve([0.5], [[1]]), "two shares"),
        (lambda: Curve([0.5, 0.2], [[1, 2]]), "rising"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(SaliencyError, match=words):
        call()


def test_a_curve_is_a_value():
    curve = Curve([0, 1], [[2, 4]])
    assert_allclose(curve.area, [3])
    assert not curve.scores.flags.writeable


def test_shares_say_how_much_is_changed():
    """The scores at shares are those of a curve of steps at the same places."""
    inputs = np.random.default_rng(0).random((2, 4, 5, 1)).astype(np.float32)
    probe = ClosedFormProbe(lambda x: tf.reduce_sum(x, (1, 2, 3)))
    whole = deletion(probe, inputs, inputs[..., 0], steps=4)
    part = deletion(probe, inputs, inputs[..., 0], shares=(0.25, 0.75))
    assert_allclose(part.scores, whole.scores[:, [1, 3]])
    assert_allclose(part.area, whole.scores[:, [1, 3]].mean(axis=1), rtol=1e-6)


@pytest.mark.parametrize("shares", [(0.5,), (0.5, 0.5), (0.2, 1.2), (0.5, 0.1)])
def test_shares_rise(shares):
    probe = ClosedFormProbe(lambda x: tf.reduce_sum(x, (1, 2, 3)))
    with pytest.raises(InputError, match="rising"):
        deletion(probe, np.ones((1, 4, 4, 1)), np.ones((1, 4, 4)), shares=shares)
