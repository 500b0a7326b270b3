"""Laws of every explainer in the catalogue."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from small_probes import small_network

from saliency.explainers.asking import settled
from saliency.explainers.catalogue import ENTRIES, catalogue, resolve
from saliency.explainers.protocol import Complete, Layered

NAMES = tuple(ENTRIES)
SHAPE = (2, 21, 29, 2)

#: Smaller than the defaults where a default asks hundreds of questions.
QUICK = {
    "smoothgrad": {"samples": 5},
    "smoothgrad_squared": {"samples": 5},
    "vargrad": {"samples": 5},
    "occlusion": {"stride": 16},
    "expected_gradients": {"samples": 24},
    "guided_integrated_gradients": {"steps": 32},
    "blur_integrated_gradients": {"steps": 24},
    "integrated_decision_gradients": {"steps": 8},
}

#: Completeness gap that the quick forms keep to; the defaults keep to 0.01.
GAPS = {
    "expected_gradients": 0.5,
    "guided_integrated_gradients": 0.05,
    "blur_integrated_gradients": 0.05,
}


def recipe(name):
    return catalogue()[name](**QUICK.get(name, {}))


@pytest.fixture(scope="module")
def probe():
    return small_network(channels=2)


@pytest.fixture(scope="module")
def inputs():
    return tf.random.stateless_uniform(SHAPE, [0, 11])


@pytest.mark.parametrize("name", NAMES)
def test_shape_and_type(probe, inputs, name):
    """A map is float32, finite, one number a pixel, or one a pixel and channel."""
    found = recipe(name)(probe, inputs)
    assert found.shape in (SHAPE, SHAPE[:3])
    assert found.dtype == tf.float32
    assert np.isfinite(found.numpy()).all()


@pytest.mark.parametrize("name", NAMES)
def test_batch_is_loop(probe, inputs, name):
    """A picture has the same map alone and in a batch, though targets are predicted."""
    together = recipe(name)(probe, inputs)
    scale = float(tf.reduce_max(tf.abs(together))) + 1e-12
    for index in range(SHAPE[0]):
        alone = recipe(name)(probe, inputs[index : index + 1])
        assert_allclose(alone[0] / scale, together[index] / scale, atol=2e-4)


@pytest.mark.parametrize("name", NAMES)
def test_twice_is_the_same(probe, inputs, name):
    """The same recipe gives the same map, bit for bit."""
    assert_array_equal(recipe(name)(probe, inputs), recipe(name)(probe, inputs))


@pytest.mark.parametrize("name", NAMES)
def test_silent_pictures_give_finite_maps(probe, name):
    """Constant pictures (black, grey), which leave some layers dead, give finite maps."""
    for value in (0.0, 0.5):
        found = recipe(name)(probe, tf.fill((1, *SHAPE[1:]), value))
        assert np.isfinite(found.numpy()).all()


@pytest.mark.parametrize("name", NAMES)
def test_settled_target(probe, inputs, name):
    """Predicted classes are chosen once, at the picture: never anew at a noisy or hidden one."""
    assert_array_equal(recipe(name)(probe, inputs), recipe(name)(settled(probe, inputs), inputs))


@pytest.mark.parametrize("name", NAMES)
def test_recipe_is_its_repr(name):
    """A recipe is frozen, equal to its twin, and its repr rebuilds it."""
    made = recipe(name)
    cls = type(made)
    names = {"Gradient": catalogue()["gradient"], cls.__name__: cls}
    assert eval(repr(made), names) == made  # noqa: S307
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.anything = 1


@pytest.mark.parametrize("name", NAMES)
def test_inputs_are_read_only(probe, inputs, name):
    """A numpy batch is as good as a tensor, and is not written to."""
    batch = inputs.numpy()
    batch.flags.writeable = False
    assert_array_equal(recipe(name)(probe, batch), recipe(name)(probe, inputs))


@pytest.mark.parametrize("name", [name for name in NAMES if isinstance(recipe(name), Complete)])
def test_gap_is_what_is_missing(probe, inputs, name):
    """Little is missing from a map; of one scaled by half, about half is."""
    made = recipe(name)
    found = made(probe, inputs)
    gap = made.gap(probe, inputs, found)
    assert gap.shape == (SHAPE[0],)
    assert np.max(gap) <= GAPS.get(name, 0.01)
    assert_allclose(made.gap(probe, inputs, found / 2), 0.5, atol=GAPS.get(name, 0.01))


@pytest.mark.parametrize("name", [name for name in NAMES if isinstance(recipe(name), Layered)])
def test_layer_maps(probe, inputs, name):
    """There is a map in [0, 1] for each layer, on the grid of the input."""
    found = recipe(name).layer_maps(probe, inputs).numpy()
    assert found.shape == (*SHAPE[:3], len(probe.layers))
    assert found.min() >= 0
    assert found.max() <= 1


def test_resolve_returns_callables_as_they_are():
    """A function is an explainer; a class stands for its defaults; a name for its class."""

    def plain(probe, inputs):
        return inputs

    assert resolve(plain) is plain
    assert resolve("gradcam") == resolve(catalogue()["gradcam"])
