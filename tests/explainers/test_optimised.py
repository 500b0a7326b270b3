"""Extremal perturbation: twins of its mask and its area, and what it finds."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from small_probes import FunctionProbe

from saliency.errors import InputError
from saliency.explainers.optimised import ExtremalPerturbation
from saliency.kernels.extremal import area_loss, blot_weights, smooth_blots

SIZE = (37, 53)
PART = (slice(8, 18), slice(30, 45))
INSIDE = np.zeros(SIZE, bool)
INSIDE[PART] = True


def read_part(pictures):
    """A score that reads one part, and nothing else."""
    return tf.reduce_sum(pictures[:, *PART] ** 2, axis=[1, 2, 3])


@pytest.fixture(scope="module")
def inputs():
    return tf.random.stateless_uniform((2, *SIZE, 1), [0, 3])


def test_the_part_of_its_area_is_found(inputs):
    """Of the wanted area, and where the score reads: not on the two thirds that do not matter."""
    area = float(INSIDE.mean())
    found = ExtremalPerturbation(area=area, steps=60, fill="black")(
        FunctionProbe(read_part), inputs
    ).numpy()

    assert_allclose(found.mean((1, 2)), area, rtol=0.1)
    assert (found[:, INSIDE].mean(1) > 0.75).all()
    assert (found[:, ~INSIDE].mean(1) < 0.05).all()


@pytest.mark.parametrize("area", [0.05, 0.2, 0.5])
def test_the_area_is_kept(inputs, area):
    """Where every pixel counts alike, the mask is as large as it was asked to be."""
    probe = FunctionProbe(lambda x: tf.reduce_sum(x, axis=[1, 2, 3]))
    found = ExtremalPerturbation(area=area, steps=60, fill="black")(
        probe, inputs
    ).numpy()

    assert_allclose(found.mean((1, 2)), area, atol=0.03)


@pytest.mark.parametrize("slope", [0.0, -1.0])
def test_nothing_is_shown_where_nothing_raises_the_score(inputs, slope):
    """A score that hears nothing, or only against the target, has no part that keeps it."""
    probe = FunctionProbe(lambda x: slope * tf.reduce_sum(x, axis=[1, 2, 3]))
    found = ExtremalPerturbation(steps=5, grid=4, fill="black")(probe, inputs)

    assert (found.numpy() == 0).all()


def test_blots_twin():
    """Each point of the mask is the smooth maximum of all cells' blots."""
    grid, cells = 4, np.random.default_rng(0).uniform(size=16).astype(np.float32)
    wanted = np.zeros(64)
    for point in range(64):
        here = (np.array(divmod(point, 8)) + 0.5) / 2
        apart = [
            np.hypot(*(here - np.array(divmod(cell, 4)) - 0.5)) for cell in range(16)
        ]
        blots = cells * np.exp([-2 * max(far / 1.5 - 0.5, 0) ** 2 for far in apart])
        wanted[point] = (blots * np.exp(20 * blots)).sum() / np.exp(20 * blots).sum()

    found = smooth_blots(tf.constant(cells[None]), blot_weights(grid, SIZE))

    assert_allclose(found[0], wanted, rtol=1e-4)


def test_a_blot_is_round_whole_and_smooth():
    """One cell alone shows whole points around it, and none that jumps from 1 to 0."""
    cells = tf.reshape(tf.one_hot([5 * 11 + 5], 121), (1, 121))
    mask = smooth_blots(cells, blot_weights(11, (88, 88))).numpy().reshape(22, 22)

    assert mask[10:12, 10:12].min() > 0.99
    assert_allclose(mask, mask.T, atol=1e-6)
    assert np.abs(np.diff(mask, axis=0)).max() < 0.5
    assert mask[0].max() < 1e-3


def test_area_twin():
    """The mean square between sorted values, and ones before zeros."""
    values = np.random.default_rng(1).uniform(size=(3, 40)).astype(np.float32)
    ideal = np.r_[np.ones(10), np.zeros(30)]
    wanted = ((np.sort(values)[:, ::-1] - ideal) ** 2).mean(1)

    assert_allclose(area_loss(tf.constant(values), 0.25), wanted, rtol=1e-5)


def test_equal_values_are_drawn_alike():
    """An even mask is drawn to the area everywhere: no place is preferred."""
    mask = tf.fill((1, 40), 0.5)
    with tf.GradientTape() as tape:
        tape.watch(mask)
        loss = area_loss(mask, 0.3)

    assert_allclose(
        tape.gradient(loss, mask), np.full((1, 40), 2 * (0.5 - 0.3) / 40), rtol=1e-5
    )


@pytest.mark.parametrize("odd", [{"area": 0}, {"area": 1.0}, {"steps": 0}, {"grid": 0}, {"fill": "?"}])  # fmt: skip # noqa: E501
def test_odd_recipes_are_refused_when_made(odd):
    """A number that cannot be, or an unknown fill, is refused before a model is asked."""
    with pytest.raises(InputError, match="expected"):
        ExtremalPerturbation(**odd)
