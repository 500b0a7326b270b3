"""Regions taken out and brought in: games whose values are known."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from small_probes import FunctionProbe

from saliency.errors import InputError
from saliency.explainers.ablation import FeatureAblation, ShapleySampling
from saliency.explainers.perturbation import LIME, KernelSHAP
from saliency.kernels import superpixels

SIZE = (21, 30)
QUARTERS = np.add.outer(2 * (np.arange(21) > 9), np.arange(30) > 14).astype(np.int64)


@pytest.fixture(scope="module")
def inputs():
    return tf.random.stateless_uniform((2, *SIZE, 1), [0, 31])


def game(worth, labels=QUARTERS):
    """Return a probe whose score is a function of how much of each region is seen, 0..1."""
    members = tf.one_hot(labels.ravel(), labels.max() + 1, axis=0)

    def score(x):
        flat = tf.reshape(x, [tf.shape(x)[0], -1])
        return worth(
            tf.matmul(flat, members, transpose_b=True) / tf.reduce_sum(members, axis=1)
        )

    return FunctionProbe(score, chunk=64)


def pair(seen):
    """The second and third region are worth something together, the first alone; one is a dummy."""
    return 3 + 5 * seen[:, 0] + 4 * seen[:, 1] * seen[:, 2]


def slow_shapley(worth, orders, count):
    """Let regions join one by one, as the definition says."""
    found = np.zeros(count)
    for order in orders:
        seen = np.zeros((1, count), np.float32)
        before = float(worth(seen)[0])
        for region in order:
            seen[0, region] = 1
            after = float(worth(seen)[0])
            found[region] += (after - before) / len(orders)
            before = after
    return found


def test_ablation_of_given_regions_is_the_fall_without_each():
    """Of a bonus for a pair both members get all; a region that does nothing gets 0."""
    found = FeatureAblation(regions=QUARTERS, fill="black")(
        game(pair), tf.ones((1, *SIZE, 1))
    )
    for region, fall in enumerate((5, 4, 4, 0)):
        assert_allclose(found.numpy()[0][region == QUARTERS], fall, atol=1e-4)


def test_regions_may_have_any_numbers():
    """A mask of 0 and 255 is two regions, and costs two questions besides the picture's own."""
    mask = np.where(QUARTERS == 0, 255, 0)
    probe = game(pair)
    found = FeatureAblation(regions=mask, fill="black")(
        probe, tf.ones((1, *SIZE, 1))
    ).numpy()[0]
    assert_allclose(found[mask == 255], 5, atol=1e-4)
    assert_allclose(found[mask == 0], 4, atol=1e-4)
    assert sum(count for _, count in probe.calls) == 3


def test_ablation_of_superpixels_is_the_fall_without_each(inputs):
    """Of a sum over all pixels, a superpixel has the sum of its own."""
    found = FeatureAblation(grid=3, fill="black")(
        FunctionProbe(lambda x: 2 + tf.reduce_sum(x, axis=[1, 2, 3]), chunk=200), inputs
    ).numpy()
    labels = superpixels.superpixels(inputs, 3).numpy()
    for index, label in itertools.product(range(2), range(9)):
        mine = labels[index] == label
        assert_allclose(
            found[index][mine], inputs[index].numpy()[mine].sum(), rtol=2e-3
        )


def test_orders_are_orders():
    """Each region joins once in each order, and orders differ."""
    ranks = superpixels.ranks(40, 6, [0, 0]).numpy()
    assert (np.sort(ranks, axis=1) == np.arange(6)).all()
    assert len(np.unique(ranks, axis=0)) > 30


def test_gains_are_those_of_the_slow_twin():
    """The same orders, one region after the other."""
    ranks = superpixels.ranks(7, 4, [1, 0])
    cells = tf.reshape(superpixels.joining(ranks), [-1, 4])
    between = tf.reshape(pair(cells), [7, 3, 1])
    found = superpixels.mean_gains(
        pair(tf.zeros([1, 4])), between, pair(tf.ones([1, 4])), ranks
    )
    orders = np.argsort(ranks.numpy(), axis=1)
    assert_allclose(found[0], slow_shapley(pair, orders, 4), atol=1e-5)


def test_all_orders_give_the_shapley_values():
    """The bonus of a pair is halved (Shapley 1953, symmetry), the dummy gets nothing."""
    ranks = tf.constant(list(itertools.permutations(range(4))))
    cells = tf.reshape(superpixels.joining(ranks), [-1, 4])
    between = tf.reshape(pair(cells), [24, 3, 1])
    found = superpixels.mean_gains(
        pair(tf.zeros([1, 4])), between, pair(tf.ones([1, 4])), ranks
    )
    assert_allclose(found[0], [5, 2, 2, 0], atol=1e-5)


def summed(seen):
    """Each region is worth something by itself, one of them nothing."""
    return 3 + 5 * seen[:, 0] + 2 * seen[:, 1] - 4 * seen[:, 2]


@pytest.mark.parametrize(
    ("recipe", "worth", "values", "most"),
    [
        (KernelSHAP(64, regions=QUARTERS, fill="black"), summed, (5, 2, -4, 0), 1e-2),
        (LIME(regions=QUARTERS, fill="black"), summed, (5, 2, -4, 0), 0.2),
        (
            ShapleySampling(1, regions=QUARTERS, fill="black"),
            summed,
            (5, 2, -4, 0),
            1e-3,
        ),
        (ShapleySampling(400, regions=QUARTERS, fill="black"), pair, (5, 2, 2, 0), 0.3),
    ],
)
def test_values_of_given_regions(recipe, worth, values, most):
    """A region's value, shared among its pixels, is what the game says it is worth."""
    found = recipe(game(worth), tf.ones((2, *SIZE, 1))).numpy()
    for region, value in enumerate(values):
        mine = region == QUARTERS
        assert_allclose(found[:, mine].sum(axis=1), value, atol=most)
        assert np.ptp(found[:, mine]) < 1e-6


@pytest.mark.parametrize("permutations", [1, 4])
def test_shapley_values_sum_to_the_change_of_the_score(inputs, permutations):
    """Whatever the orders, also of a score that is far from additive."""
    probe = FunctionProbe(
        lambda x: tf.reduce_sum(x, axis=[1, 2, 3]) ** 2 / 90, chunk=200
    )
    recipe = ShapleySampling(permutations, grid=3, fill="black")
    found = recipe(probe, inputs)
    assert np.max(recipe.gap(probe, inputs, found)) < 1e-4
    assert np.ptp(found.numpy()) > 0


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: FeatureAblation(grid=0), "above 0"),
        (lambda: FeatureAblation(regions=QUARTERS / 2), "whole numbers"),
        (lambda: LIME(regions=QUARTERS / 2), "LIME: expected regions as whole numbers"),
        (
            lambda: KernelSHAP(regions=0 * QUARTERS),
            "KernelSHAP: expected at least 2 regions, got 1",
        ),
        (lambda: ShapleySampling(regions=0 * QUARTERS), "at least 2 regions, got 1"),
        (lambda: ShapleySampling(permutations=0), "above 0"),
        (lambda: ShapleySampling(grid=1), "above 0"),
        (lambda: ShapleySampling(fill="grey"), "expected one of"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(make, match):
    """When the recipe is made, not when it is asked."""
    with pytest.raises(InputError, match=match):
        make()


@pytest.mark.parametrize("kind", [FeatureAblation, ShapleySampling, LIME, KernelSHAP])
def test_regions_of_another_size_are_refused(inputs, kind):
    """With both sizes in the sentence."""
    words = rf"{kind.__name__}: expected regions of \(21, 30\), got \(4, 4\)"
    with pytest.raises(InputError, match=words):
        kind(regions=np.eye(4, dtype=int))(game(pair), inputs)
