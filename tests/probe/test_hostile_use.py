"""Threads, weights that change, recipes that fail, and probes that outlive their models."""

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from probe import nets

import saliency as sal
from saliency.explainers.deeplift import DeepLIFT
from saliency.explainers.fullgrad import FullGrad
from saliency.explainers.relevance import LRP
from saliency.probe.cache import probe_for

RECIPES = (sal.Gradient(), sal.GradCAM(), LRP(), DeepLIFT(), FullGrad())


@pytest.mark.parametrize("shared", [True, False])
def test_threads_give_what_one_thread_gives(shared):
    """Through one probe, and through one model object that is asked for the first time."""
    model, pictures = nets.flat(), nets.pictures(2)
    expected = [recipe(sal.KerasProbe(model).at(1), pictures) for recipe in RECIPES]
    probe = sal.KerasProbe(model)

    def ask(recipe):
        return recipe((probe if shared else probe_for(model)).at(1), pictures)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, RECIPES * 2))

    for one, other in zip(found, expected * 2, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("recipe", RECIPES, ids=repr)
def test_new_weights_give_new_answers(recipe):
    """Also of what is worked out from weights, such as a folded batch normalisation."""
    model, pictures = nets.flat(), nets.pictures(2)
    kept = sal.KerasProbe(model)
    before = np.array(recipe(kept.at(1), pictures))
    nets.filled(model, seed=2)
    fresh = nets.filled(nets.flat(), seed=2)

    found = recipe(kept.at(1), pictures)

    expected = recipe(sal.KerasProbe(fresh).at(1), pictures)
    np.testing.assert_allclose(
        found, expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max()
    )
    assert not np.allclose(found, before, rtol=1e-2)


def test_a_recipe_that_fails_leaves_nothing_behind():
    """The same model answers as before, and is as it was."""
    model, pictures = nets.nested(), nets.pictures(1)
    before, expected = (
        nets.snapshot(model),
        sal.Gradient()(probe_for(model).at(1), pictures),
    )

    def broken(probe, inputs):
        probe.gradient(inputs)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken(probe_for(model).at(1), pictures)

    np.testing.assert_array_equal(probe_for(model).at(1).gradient(pictures), expected)
    assert nets.snapshot(model) == before


@pytest.mark.parametrize("recipe", RECIPES, ids=repr)
def test_what_a_recipe_compiled_goes_with_the_model(recipe):
    """A probe keeps its model alive; when both are dropped nothing is left."""
    model, pictures = nets.flat(), nets.pictures(1)
    probe, known = sal.KerasProbe(model), weakref.ref(model)
    del model
    gc.collect()
    recipe(probe.at(1), pictures)
    del probe
    for _ in range(3):
        gc.collect()
    assert known() is None
