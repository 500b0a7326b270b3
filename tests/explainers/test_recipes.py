"""Laws of every explainer in the catalogue."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from small_probes import RandomisableProbe, small_network

from saliency.explainers.catalogue import DEMANDING, ENTRIES, catalogue, resolve
from saliency.explainers.protocol import Complete, Layered
from saliency.explainers.queries import settled

#: Those that ask for a Keras model's own layers have their laws in test_testing.py.
NAMES = [
    name for name, row in {**ENTRIES, **DEMANDING}.items() if "study" not in row.needs
]
SHAPE = (2, 21, 29, 2)

#: Smaller than the defaults where a default asks hundreds of questions.
QUICK = {
    "smoothgrad": {"samples": 5},
    "smoothgrad_squared": {"samples": 5},
    "vargrad": {"samples": 5},
    "occlusion": {"stride": 16},
    "expected_gradients": {"samples": 24},
    "guided_integrated_gradients": {"steps": 12},
    "blur_integrated_gradients": {"steps": 16},
    "integrated_decision_gradients": {"steps": 8},
    "xrai": {"grids": (2, 4)},
    "rise": {"masks": 16},
    "lime": {"samples": 24, "grid": 3},
    "kernel_shap": {"samples": 24, "grid": 3},
    "feature_ablation": {"grid": 3},
    "shapley_sampling": {"permutations": 3, "grid": 3},
    "sobol": {"designs": 4, "grid": 3},
    "hsic": {"masks": 24, "grid": 3},
    "meaningful_perturbation": {"steps": 10, "grid": 6},
    "extremal_perturbation": {"steps": 10, "grid": 6},
}

#: Completeness gap that the quick forms keep to; the defaults keep to 0.01.
GAPS = {
    "expected_gradients": 0.2,
    "guided_integrated_gradients": 0.2,
    "blur_integrated_gradients": 0.3,
}


def recipe(name):
    return dataclasses.replace(resolve(name), **QUICK.get(name, {}))


@pytest.fixture(scope="module")
def probe():
    return small_network(RandomisableProbe, channels=2)


@pytest.fixture(scope="module")
def inputs():
    return tf.random.stateless_uniform(SHAPE, [0, 11])


@pytest.fixture(scope="module", params=NAMES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def found(name, probe, inputs):
    return recipe(name)(probe, inputs)


def test_shape_and_type(found):
    """A map is float32, finite, one number a pixel, or one a pixel and channel."""
    assert found.shape in (SHAPE, SHAPE[:3])
    assert found.dtype == tf.float32
    assert np.isfinite(found.numpy()).all()


def test_batch_is_loop(name, probe, inputs, found):
    """A picture has the same map alone and in a batch, though targets are predicted."""
    alone = recipe(name)(probe, inputs[1:])
    scale = float(tf.reduce_max(tf.abs(found))) + 1e-12
    assert_allclose(alone[0] / scale, found[1] / scale, atol=2e-4)


def test_again_is_the_same(name, probe, inputs, found):
    """The same recipe gives the same map of a settled probe and a read-only array, to the bit.

    So classes are chosen once, at the picture, and never anew at a noisy or hidden one.
    """
    batch = inputs.numpy()
    batch.flags.writeable = False
    assert_array_equal(recipe(name)(settled(probe, inputs), batch), found)


def test_silent_pictures_give_finite_maps(name, probe):
    """Constant pictures (black and grey), which leave some layers dead, give finite maps."""
    pictures = tf.constant([[[[0.0]]], [[[0.5]]]]) * tf.ones(SHAPE)
    assert np.isfinite(recipe(name)(probe, pictures).numpy()).all()


def test_recipe_is_its_repr(name):
    """A recipe is frozen, equal to its twin, and its repr rebuilds it."""
    made = recipe(name)
    names = {known.__name__: known for known in (type(resolve(each)) for each in NAMES)}
    assert eval(repr(made), names) == made  # noqa: S307
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.anything = 1


@pytest.mark.parametrize(
    "complete", [n for n in NAMES if isinstance(recipe(n), Complete)]
)
def test_gap_is_what_is_missing(probe, inputs, complete):
    """Little is missing from a map; of one scaled by half, about half is."""
    made, most = recipe(complete), GAPS.get(complete, 0.01)
    found = made(probe, inputs)
    gap = made.gap(probe, inputs, found)
    assert gap.shape == (SHAPE[0],)
    assert np.max(gap) <= most
    assert_allclose(made.gap(probe, inputs, found / 2), 0.5, atol=most)


@pytest.mark.parametrize(
    "layered", [n for n in NAMES if isinstance(recipe(n), Layered)]
)
def test_layer_maps(probe, inputs, layered):
    """There is a map in [0, 1] for each layer, on the grid of the input."""
    found = recipe(layered).layer_maps(probe, inputs).numpy()
    assert found.shape == (*SHAPE[:3], len(probe.layers))
    assert found.min() >= 0
    assert found.max() <= 1


def test_resolve_returns_callables_as_they_are():
    """A function is an explainer; a class stands for its defaults; a name for its class."""

    def plain(probe, inputs):
        return inputs

    assert resolve(plain) is plain
    assert resolve("gradcam") == resolve(catalogue()["gradcam"])
