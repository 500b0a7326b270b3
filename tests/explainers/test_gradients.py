"""Gradient, path, noise and occlusion recipes: axioms and closed forms."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from small_probes import FunctionProbe, LastLayerProbe, StagedProbe, small_network

from saliency.errors import InputError
from saliency.explainers.cams import GradCAM
from saliency.explainers.controls import RandomMap
from saliency.explainers.fastcam import FastCAM
from saliency.explainers.gradients import Gradient, GradientTimesInput
from saliency.explainers.occlusion import Occlusion
from saliency.explainers.paths import (
    BlurIntegratedGradients,
    ExpectedGradients,
    GuidedIntegratedGradients,
    IntegratedGradients,
)
from saliency.explainers.queries import last_layer
from saliency.explainers.smooth import SmoothGrad, SmoothGradSquared, VarGrad
from saliency.kernels.noise import normal, spread_of

AXIOMATIC = [Gradient(), GradientTimesInput(), SmoothGrad(samples=4), IntegratedGradients(8), Occlusion(4, 3)]  # fmt: skip # noqa: E501


@pytest.fixture
def inputs():
    return tf.random.stateless_uniform((2, 9, 13, 2), [0, 3])


def weights(seed):
    return tf.random.stateless_normal((9, 13, 2), [seed, 5])


def bent(seed):
    """Return a smooth function of a picture that is not linear."""
    return lambda x: tf.reduce_sum(tf.sin(3 * x * weights(seed)), axis=[1, 2, 3])


def linear(x):
    return tf.reduce_sum(weights(0) * x, axis=[1, 2, 3])


def test_gradient_of_a_clipped_line():
    """|d/dx (1 - relu(1 - x))| is 1 below 1 and 0 from there on."""
    values = tf.constant([1.0, 2, 3, 0, -1, 7])
    probe = FunctionProbe(
        lambda x: tf.reduce_sum(1 - tf.nn.relu(1 - x), axis=[1, 2, 3])
    )
    found = Gradient()(probe, tf.reshape(values, (1, 2, 3, 1)))
    assert_array_equal(np.ravel(found), [0, 0, 0, 1, 1, 0])


@pytest.mark.parametrize("recipe", AXIOMATIC, ids=lambda made: type(made).__name__)
def test_linearity(inputs, recipe):
    """The map of 2 f - 3 g is twice that of f less thrice that of g."""
    f, g = bent(1), bent(2)
    both = recipe(FunctionProbe(lambda x: 2 * f(x) - 3 * g(x)), inputs)
    apart = 2 * recipe(FunctionProbe(f), inputs) - 3 * recipe(FunctionProbe(g), inputs)
    assert_allclose(both, apart, atol=2e-3)


@pytest.mark.parametrize("recipe", AXIOMATIC[:-1], ids=lambda made: type(made).__name__)
def test_dummy(inputs, recipe):
    """A pixel that the score does not read gets exactly 0."""
    probe = FunctionProbe(lambda x: tf.reduce_sum(x[:, 2:6, 3:9] ** 3, axis=[1, 2, 3]))
    found = recipe(probe, inputs).numpy()
    outside = np.ones((9, 13), bool)
    outside[2:6, 3:9] = False
    assert_array_equal(found[:, outside], 0)
    assert (found[:, ~outside] != 0).all()


def test_dummy_of_occlusion(inputs):
    """A window that holds nothing the score reads changes nothing."""
    probe = FunctionProbe(lambda x: tf.reduce_sum(x[:, :3, :3] ** 3, axis=[1, 2, 3]))
    found = Occlusion(3, 3)(probe, inputs).numpy()
    assert_allclose(found[:, 3:], 0, atol=2e-6)
    assert_allclose(found[:, :, 3:], 0, atol=2e-6)


@pytest.mark.parametrize(
    "recipe",
    [*AXIOMATIC[:2], IntegratedGradients(8)],
    ids=lambda made: type(made).__name__,
)
def test_symmetry(inputs, recipe):
    """Pixels that the score treats alike, and that are alike, get alike."""
    mirrored = (inputs + inputs[:, :, ::-1]) / 2
    probe = FunctionProbe(
        lambda x: tf.reduce_sum((x + x[:, :, ::-1]) ** 3, axis=[1, 2, 3])
    )
    found = recipe(probe, mirrored)
    assert_allclose(found, found[:, :, ::-1], rtol=1e-5)


@pytest.mark.parametrize(
    "recipe", [GradientTimesInput(), IntegratedGradients(), SmoothGrad()]
)
def test_linear_models_have_one_answer(inputs, recipe):
    """Of w.x the gradient is w; times the picture, or along the path, it is w x."""
    found = recipe(FunctionProbe(linear), inputs)
    wanted = weights(0) if isinstance(recipe, SmoothGrad) else weights(0) * inputs
    assert_allclose(found, tf.broadcast_to(wanted, found.shape), atol=1e-5)


@pytest.mark.parametrize(
    "baseline",
    ["black", "white", "mean", "blur", "noise", 0.3, ("black", "white", [0.1, 0.9])],
)
def test_completeness_from_every_baseline(inputs, baseline):
    """Whatever the path starts from, its attributions sum to the change of the score."""
    recipe = IntegratedGradients(baseline=baseline)
    probe = small_network(channels=2)
    found = recipe(probe, inputs)
    assert np.max(recipe.gap(probe, inputs, found)) <= 0.01


@pytest.mark.parametrize("steps", [None, 5])
def test_several_baselines_are_averaged(inputs, steps):
    """A tuple of baselines is the mean of what each alone gives."""
    probe, kinds = (
        small_network(channels=2),
        ("black", 0.7, np.full((9, 13, 2), 0.2, np.float32)),
    )
    alone = [IntegratedGradients(steps, kind)(probe, inputs) for kind in kinds]
    assert_allclose(
        IntegratedGradients(steps, kinds)(probe, inputs), np.mean(alone, 0), atol=1e-7
    )


def test_steps_are_kept(inputs):
    """A number of steps is that number of gradients, in calls no larger than the chunk."""
    probe = FunctionProbe(bent(1))
    IntegratedGradients(steps=11)(probe, inputs)
    sizes = [size for kind, size in probe.calls if kind == "gradient"]
    assert sum(sizes) == 11 * 2
    assert max(sizes) <= 8
    assert IntegratedGradients(steps=11)(probe, inputs).shape == inputs.shape


@pytest.mark.parametrize(
    "recipe", [ExpectedGradients(), GuidedIntegratedGradients(), BlurIntegratedGradients()],
    ids=lambda made: type(made).__name__,
)  # fmt: skip
def test_every_path_of_a_linear_score(inputs, recipe):
    """Of w.x every path to the picture gives w times its change, and there is no gap."""
    probe = FunctionProbe(linear)
    found = recipe(probe, inputs)
    assert np.max(recipe.gap(probe, inputs, found)) < 0.02
    assert_allclose(
        found / weights(0), (found / weights(0)).numpy().clip(-1, 1), atol=1e-3
    )


def test_expected_gradients_of_a_background(inputs):
    """Of w.x the map is w times the distance from the mean background picture."""
    background = tf.random.stateless_uniform((4, 9, 13, 2), [7, 7]).numpy()
    recipe = ExpectedGradients(background, samples=8)
    found = recipe(FunctionProbe(linear), inputs)
    assert_allclose(found, weights(0) * (inputs - background.mean(axis=0)), atol=1e-4)
    assert np.max(recipe.gap(FunctionProbe(linear), inputs, found)) < 1e-3


def test_smoothgrad_nests(inputs):
    """The inner explainer is asked about the noisy copies: of a linear model w (x + mean noise)."""
    recipe = SmoothGrad(inner=GradientTimesInput(), samples=400, spread=0.1)
    found = recipe(FunctionProbe(linear), inputs)
    assert_allclose(found, weights(0) * inputs, atol=0.05)
    assert "inner=GradientTimesInput()" in repr(recipe)


def test_smoothgrad_seeds(inputs):
    """Another seed is another map, the same seed the same."""
    probe = FunctionProbe(bent(1))
    first = SmoothGrad(seed=1)(probe, inputs)
    assert_array_equal(SmoothGrad(seed=1)(probe, inputs), first)
    assert not np.allclose(SmoothGrad(seed=2)(probe, inputs), first)


def test_noise_of_a_square(inputs):
    """The gradient 2 x of x^2 under noise s z: mean 2 x, square 4 x^2 + 4 s^2, variance 4 s^2."""
    probe = FunctionProbe(lambda x: tf.reduce_sum(x**2, axis=[1, 2, 3]), chunk=1000)
    deviation = 0.15 * (
        tf.reduce_max(inputs, [1, 2, 3]) - tf.reduce_min(inputs, [1, 2, 3])
    )
    wanted = 4 * tf.square(deviation).numpy()
    mean = SmoothGrad(samples=1000)(probe, inputs)
    variance = VarGrad(samples=1000)(probe, inputs)
    square = SmoothGradSquared(samples=1000)(probe, inputs)
    assert_allclose(mean, 2 * inputs, atol=0.05)
    assert_allclose(np.mean(variance, axis=(1, 2, 3)), wanted, rtol=0.03)
    assert_allclose(square, tf.square(mean) + variance, rtol=1e-5)


def test_moments_are_those_of_the_draws(inputs):
    """Mean, square and variance are numpy's, over the very draws and any chunk."""
    probe = FunctionProbe(lambda x: tf.reduce_sum(x**2, axis=[1, 2, 3]), chunk=4)
    width = 0.15 * spread_of(inputs).numpy()
    maps = 2 * (inputs.numpy() + width * normal(range(5), inputs, 3).numpy())
    for make, wanted in (
        (SmoothGrad, maps.mean(axis=0)),
        (SmoothGradSquared, (maps**2).mean(axis=0)),
        (VarGrad, maps.var(axis=0)),
    ):
        assert_allclose(
            make(samples=5, seed=3)(probe, inputs), wanted, rtol=1e-3, atol=1e-5
        )


def test_cams_differentiate_by_the_last_layer_alone(inputs):
    """Where a probe can differentiate by its last layer, no other derivative is asked for."""
    cheap, full = (
        small_network(kind, channels=2) for kind in (LastLayerProbe, StagedProbe)
    )
    for recipe in (GradCAM(), FastCAM()):
        assert_allclose(recipe(cheap, inputs), recipe(full, inputs), atol=1e-6)
    assert_allclose(
        last_layer(cheap, inputs).gradient, last_layer(full, inputs).gradient, atol=1e-6
    )


def test_fastcam_without_class_asks_for_no_derivative(inputs):
    """The map without a class is one forward pass, and the same for every target."""
    maps = [FastCAM(cam=None)(small_network(LastLayerProbe, channels=2, target=target), inputs)
            for target in (0, 3)]  # fmt: skip
    assert_array_equal(*maps)


def test_random_map_knows_only_its_seed(inputs):
    """The control is the same for any model and picture, evenly spread, another for each seed."""
    found = RandomMap(seed=3)(None, tf.zeros((2, 64, 48, 1))).numpy()
    assert_array_equal(found[0], found[1])
    assert_allclose([found.mean(), found.min(), found.max()], [0.5, 0, 1], atol=0.02)
    assert not np.allclose(RandomMap(seed=4)(None, tf.zeros((2, 64, 48, 1))), found)


@pytest.mark.parametrize(
    "make",
    [
        lambda: SmoothGrad(samples=0),
        lambda: IntegratedGradients(steps=0),
        lambda: IntegratedGradients(baseline="blck"),
        lambda: IntegratedGradients(baseline=("black", "blck")),
        lambda: IntegratedGradients(baseline=()),
        lambda: Occlusion(fill=(0.1, 0.2)),
        lambda: Occlusion(window=0),
        lambda: Occlusion(fill="grey"),
        lambda: FastCAM(statistic="smoee"),
        lambda: FastCAM(norm="gauss"),
        lambda: FastCAM(cam="cam"),
        lambda: FastCAM(cam=None, complement=True),
    ],
)
def test_odd_recipes_are_refused_when_made(make):
    """A recipe that cannot work is refused before a model is asked."""
    with pytest.raises(InputError, match="expected"):
        make()
