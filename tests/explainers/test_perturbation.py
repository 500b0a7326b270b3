"""Explainers that change the picture: twins, and games whose answer is known."""

import itertools
import math

import numpy as np
import pytest
import tensorflow as tf
import twins
from numpy.testing import assert_allclose, assert_array_equal
from small_probes import FunctionProbe, RandomisableProbe, StagedProbe, small_network

from saliency.errors import ExplainerError, InputError
from saliency.explainers.controls import EdgeMap, RandomisedModel
from saliency.explainers.gradients import Gradient
from saliency.explainers.optimised import MeaningfulPerturbation
from saliency.explainers.perturbation import HSIC, LIME, RISE, KernelSHAP, Sobol
from saliency.explainers.regions import XRAI
from saliency.kernels import grids, regions, superpixels

SIZE = (21, 30)


@pytest.fixture(scope="module")
def inputs():
    return tf.random.stateless_uniform((2, *SIZE, 1), [0, 31])


def lit(rows, columns):
    """Return a probe that reads the brightness of one part alone."""
    return FunctionProbe(
        lambda x: tf.reduce_sum(x[:, rows, columns], axis=[1, 2, 3]), chunk=512
    )


PART = slice(0, 7), slice(10, 20)


@pytest.fixture(scope="module")
def inside():
    mask = np.zeros(SIZE, bool)
    mask[PART] = True
    return mask


@pytest.mark.parametrize(
    "recipe",
    [RISE(masks=600, grid=4), LIME(400, 3, "black"), KernelSHAP(400, 3, "black"), Sobol(32, 3),
     HSIC(400, 3), XRAI(grids=(3, 6))],
    ids=lambda made: type(made).__name__,
)  # fmt: skip
def test_the_part_that_is_read_stands_out(recipe, inside):
    """Where a score reads one part of an even picture, that part gets more than any other."""
    even = tf.fill((1, *SIZE, 1), 0.8)
    even += tf.random.stateless_uniform(even.shape, [1, 1], maxval=0.01)
    found = recipe(lit(*PART), even).numpy()[0]
    assert found[inside].mean() > 3 * np.abs(found[~inside]).mean()


@pytest.mark.parametrize("smooth", [1.0, 10.0])
def test_the_blot_lies_on_what_is_read(inside, smooth):
    """Where a score reads the contrast of one part of a busy picture, that part is blurred."""
    busy = tf.round(tf.random.stateless_uniform((1, *SIZE, 1), [1, 1]))
    probe = FunctionProbe(
        lambda x: tf.reduce_sum((x[:, :7, 10:20] - 0.5) ** 2, axis=[1, 2, 3])
    )
    found = MeaningfulPerturbation(60, 12, smooth=smooth)(probe, busy).numpy()[0]
    assert found[inside].mean() > 0.4
    assert found[inside].mean() > 3 * found[~inside].mean()


def test_rise_twin(inputs):
    """The map is the mean score of masks weighted with what they show, less the mean score."""
    probe = small_network(target=0)
    recipe = RISE(masks=11, grid=3, seed=5)
    masks = recipe._masks(inputs)(range(11)).numpy()
    found = recipe(probe, inputs).numpy()
    for index in range(2):
        scores = [
            float(probe.score(inputs[index][None] * m[None, ..., None])[0])
            for m in masks
        ]
        weighed = sum(score * mask for score, mask in zip(scores, masks, strict=True))
        wanted = weighed / np.maximum(masks.sum(axis=0), 1e-12) - np.mean(scores)
        shown = masks.sum(axis=0) > 1e-3
        assert_allclose(found[index][shown], wanted[shown], atol=2e-4)


def test_rise_masks():
    """Masks are in [0, 1], half seen on average, and do not depend on the chunk."""
    make = RISE(masks=200, grid=5)._masks(tf.zeros((1, *SIZE, 1)))
    masks = make(range(200)).numpy()
    assert 0 <= masks.min() < 0.01
    assert 0.99 < masks.max() <= 1.0001
    assert_allclose(masks.mean(), 0.5, atol=0.03)
    assert_allclose(make([7])[0], masks[7], atol=1e-6)


def test_rise_masks_are_shifted_cells():
    """Without a shift the first node is half a pixel before the first pixel; bilinear between."""
    cells = np.random.default_rng(0).integers(0, 2, (1, 4, 4)).astype(np.float32)
    found = grids.shifted_masks(tf.constant(cells), tf.zeros((1, 2)), (6, 8))[0].numpy()
    down = (np.arange(6) + 0.5) * 2 / 6
    across = (np.arange(8) + 0.5) * 2 / 8
    for row, column in np.ndindex(6, 8):
        (top, left), (y, x) = (
            (int(down[row]), int(across[column])),
            (down[row], across[column]),
        )
        part = cells[0, top : top + 2, left : left + 2]
        wanted = [1 - (y - top), y - top] @ part @ [1 - (x - left), x - left]
        assert_allclose(found[row, column], wanted, atol=1e-6)


def test_shapley_values_of_every_coalition():
    """Of an additive game with a bonus for a pair, the fit over all coalitions halves the bonus."""
    cells = np.array(list(itertools.product((0, 1), repeat=4)), np.float32)[1:-1]
    worth = (
        cells @ np.array([1.0, 2, 3, -4], np.float32) + 2 * cells[:, 0] * cells[:, 1]
    )
    sizes = cells.sum(axis=1).astype(int)
    weights = [1 / (math.comb(4, s) * s * (4 - s)) for s in sizes]
    repeats = np.round(np.array(weights) * 72).astype(int)
    rows = np.repeat(np.arange(len(cells)), repeats)
    found = superpixels.shapley_values(
        cells[rows], worth[rows][:, None], tf.constant([4.0])
    )
    assert_allclose(found[0], [2, 3, 3, -4], atol=1e-3)


def test_kernel_shap_of_an_additive_score_is_exact(inputs):
    """Each superpixel of w.x gets exactly its own part of the sum."""
    probe = FunctionProbe(lambda x: 2 + tf.reduce_sum(x, axis=[1, 2, 3]), chunk=200)
    recipe = KernelSHAP(samples=120, grid=3, fill="black")
    found = recipe(probe, inputs)
    labels = superpixels.superpixels(inputs, 3).numpy()
    for index, label in itertools.product(range(2), range(9)):
        mine = labels[index] == label
        wanted = float(np.sum(inputs[index].numpy()[mine]))
        assert_allclose(np.sum(found[index].numpy()[mine]), wanted, rtol=2e-3)
    assert np.max(recipe.gap(probe, inputs, found)) < 1e-3


def test_coalitions_have_their_complements():
    """Coalitions come in complementary pairs, none is empty or whole, extreme sizes are common."""
    cells = superpixels.coalitions(500, 10, 0).numpy()
    assert_array_equal(cells[:500] + cells[500:], 1)
    sizes = cells.sum(axis=1)
    assert sizes.min() == 1
    assert sizes.max() == 9
    odds = np.array([1 / (s * (10 - s)) for s in range(1, 10)])
    assert_allclose(
        np.bincount(sizes.astype(int))[1:10] / 1000, odds / odds.sum(), atol=0.03
    )


def test_ridge_twin():
    """The fit is the closed form of weighted ridge regression with a free intercept."""
    rng = np.random.default_rng(0)
    cells = rng.integers(0, 2, (40, 5)).astype(np.float32)
    scores, weights = (
        rng.normal(size=(40, 2)).astype(np.float32),
        rng.random(40, np.float32),
    )
    design = np.hstack([np.ones((40, 1)), cells]).astype(np.float64)
    price = np.diag([0.0, *[0.7] * 5])
    wanted = np.linalg.solve(
        design.T @ (weights[:, None] * design) + price,
        design.T @ (weights[:, None] * scores),
    )
    assert_allclose(
        superpixels.ridge(cells, scores, weights, 0.7), wanted[1:].T, rtol=1e-3
    )


def test_closeness():
    """The whole picture weighs 1, and less the more is hidden."""
    found = superpixels.closeness(
        tf.constant([[1.0] * 4, [1, 1, 1, 0], [1, 0, 0, 0]]), 0.25
    ).numpy()
    assert_allclose(
        found, [1, math.exp(-(((1 - 0.75**0.5) / 0.25) ** 2)), math.exp(-4)], rtol=1e-5
    )


def test_superpixels_of_a_flat_picture_are_the_grid():
    """Without colour there is nothing but the grid, on a picture that is not square."""
    labels = superpixels.superpixels(tf.fill((1, 12, 20, 1), 0.4), 4)[0].numpy()
    wanted = np.arange(12)[:, None] // 3 * 4 + np.arange(20)[None] // 5
    assert_array_equal(labels, wanted)


def test_superpixels_keep_to_edges():
    """A region does not reach over a strong edge between two halves."""
    picture = np.zeros((1, 24, 33, 1), np.float32)
    picture[:, :, 15:] = 1
    labels = superpixels.superpixels(tf.constant(picture), 3)[0].numpy()
    assert not set(labels[:, :15].ravel()) & set(labels[:, 15:].ravel())


def test_shared_evenly():
    """What a region has is spread over its pixels, and nothing is lost."""
    labels = tf.constant([[[0, 0, 1], [0, 2, 2]]])
    found = superpixels.shared(tf.constant([[3.0, -1.0, 4.0]]), labels)
    assert_allclose(found, [[[1, 1, -1], [1, 2, 2]]])


def test_total_effects_of_a_product():
    """Of a(z) = 3 z1 + z2 with even z, cell i has the share c_i^2 / sum c^2 of the variance."""
    drawn = grids.quasi_random_cells(2048, 6, 3).numpy()
    base, other = drawn[:, :3], drawn[:, 3:]
    weights = np.array([3.0, 1.0, 0.0], np.float32)
    changed = np.stack(
        [np.where(np.eye(3)[i] == 1, other, base) @ weights for i in range(3)], 1
    )
    found = grids.total_effects(
        tf.constant(base @ weights)[:, None], tf.constant(changed)[..., None]
    )
    assert_allclose(found[0], [0.9, 0.1, 0.0], atol=0.02)


def test_sobol_designs_are_even():
    """Designs fill each axis more evenly than chance, are in [0, 1), and follow their seed."""
    drawn = grids.quasi_random_cells(64, 98, 1).numpy()
    assert 0 <= drawn.min() <= drawn.max() < 1
    counts = [np.histogram(axis, 8, (0, 1))[0] for axis in drawn.T]
    assert np.max(np.std(counts, axis=1)) < 2.5
    assert not np.allclose(grids.quasi_random_cells(64, 98, 2), drawn)


def test_hsic_twin():
    """The criterion is trace(K H L H) / (n - 1)^2 with the kernels of the paper."""
    rng = np.random.default_rng(1)
    cells, scores = (
        rng.integers(0, 2, (30, 4)),
        rng.normal(size=(30, 2)).astype(np.float32),
    )
    found = grids.dependence(tf.constant(cells, tf.float32), tf.constant(scores))
    centre = np.eye(30) - 1 / 30
    for sample, cell in itertools.product(range(2), range(4)):
        apart = (scores[:, None, sample] - scores[None, :, sample]) ** 2
        likeness = np.exp(-apart / (2 * np.sort(apart.ravel())[450]))
        same = (cells[:, None, cell] == cells[None, :, cell]).astype(float)
        wanted = np.trace(same @ centre @ likeness @ centre) / 29**2
        assert_allclose(found[sample, cell], wanted, rtol=1e-3)


def test_growing_twin():
    """Segments join by the mean of what they add; pixels get the mean of what joined with them."""
    rng = np.random.default_rng(2)
    attribution = rng.normal(size=(2, 24)).astype(np.float32)
    masks = np.zeros((2, 7, 24), np.float32)
    for index, segment in itertools.product(range(2), range(7)):
        masks[index, segment, rng.choice(24, 7, replace=False)] = 1
    masks[:, 0] = 1
    found = regions.grow(tf.constant(attribution), tf.constant(masks))
    for index in range(2):
        assert_allclose(
            found[index], twins.grow(attribution[index], masks[index]), atol=1e-5
        )
    assert_allclose(np.sum(found, axis=1), attribution.sum(axis=1), atol=1e-4)


def test_edges_know_only_the_picture(inputs):
    """The control is bright at the edge of a square, dark inside, whatever the model."""
    picture = np.zeros((1, 20, 30, 1), np.float32)
    picture[:, 5:15, 8:22] = 1
    found = EdgeMap()(None, picture)[0].numpy()
    assert found[5, 12] > 1
    assert_array_equal(found[7:13, 10:20], 0)


def test_randomised_model_is_another(inputs):
    """The control asks the inner explainer about other weights of the same target."""
    probe = small_network(RandomisableProbe, channels=2)
    pictures = tf.random.stateless_uniform((2, *SIZE, 2), [0, 31])
    found = RandomisedModel(seed=1)(probe, pictures)
    assert_allclose(found, Gradient()(probe.settled(pictures).randomised(1), pictures))
    with pytest.raises(ExplainerError, match="randomised"):
        RandomisedModel()(StagedProbe((), None), inputs)


@pytest.mark.parametrize(
    "make",
    [
        lambda: RISE(masks=0), lambda: LIME(grid=0), lambda: KernelSHAP(grid=1),
        lambda: Sobol(designs=0), lambda: HSIC(masks=1), lambda: MeaningfulPerturbation(steps=0),
        lambda: XRAI(inner=()), lambda: XRAI(grids=()), lambda: RISE(fill="pink"),
    ],
)  # fmt: skip
def test_odd_recipes_are_refused_when_made(make):
    """A recipe that cannot work is refused before a model is asked."""
    with pytest.raises(InputError, match="expected"):
        make()
