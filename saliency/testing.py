"""check_explainer: what every explainer must do, ours and yours."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from saliency.errors import ExplainerError, NotFiniteError
from saliency.explainers.catalogue import resolve
from saliency.kernels.resize import space_of
from saliency.pipeline.checks import collapsed
from saliency.pipeline.explain import name_of
from saliency.probe.closed_form import ClosedFormProbe
from saliency.probe.keras_probe import BoundProbe
from saliency.probe.protocol import Probe
from saliency.values.arrays import Array

#: Neither square nor even: an explainer that swaps rows and columns is caught.
SHAPE = (37, 53, 1)


def check_explainer(
    explainer: object, probe: Probe | None = None, *, shape: tuple[int, ...] = SHAPE
) -> None:
    """Hold an explainer to the laws of an explainer; return None when it keeps them all.

    - It answers floating (N, H, W, C) or (N, H, W), finite, for batches of 1 and 3.
    - It answers the same when asked again: randomness is a seed of the recipe.
    - A batch gives what its pictures give one by one.
    - It stays finite on a constant picture, and where the gradient is zero everywhere.
    - NaN of the model is not turned into a picture: it comes out as NaN, or as an error.
    - Its name holds no memory address: it is kept in the Explanation as the recipe.

    Parameters
    ----------
    explainer
        A name of ``catalogue()`` or a callable ``(probe, inputs) -> attribution``.
    probe
        What to ask; None: a small smooth network with two tapped layers. An explainer that asks
        for a Keras model's own layers is given a KerasProbe's.
    shape
        (H, W, C) of the pictures that ``probe`` takes, or (D, H, W, C) of volumes.

    Raises
    ------
    ExplainerError
        Names the law that is broken, and how.

    Examples
    --------
    >>> check_explainer(lambda probe, inputs: probe.gradient(inputs) * inputs)
    """
    recipe = resolve(explainer)
    ask = probe or network(shape[-1], axes=len(shape) - 1)
    for law in laws(recipe, ask, shape):
        law()


def laws(recipe: Any, probe: Probe, shape: tuple[int, ...]) -> Iterator[Callable[[], None]]:
    """Yield one check for each law."""
    pictures = np.random.default_rng(0).uniform(0, 1, (3, *shape)).astype(np.float32)
    yield partial(_has_a_name, recipe)
    yield partial(_keeps_the_contract, recipe, probe, pictures[:1])
    yield partial(_keeps_the_contract, recipe, probe, pictures)
    yield partial(_repeats_itself, recipe, probe, pictures)
    yield partial(_treats_a_batch_as_its_pictures, recipe, probe, pictures)
    yield partial(_keeps_the_contract, recipe, probe, np.full((1, *shape), 0.5, np.float32))
    yield partial(_keeps_the_contract, recipe, _sloped(probe, shape, 0.0), pictures[:1])
    yield partial(_loses_no_nan, recipe, probe, pictures[:1])


def network(channels: int, *, axes: int = 2, slope: float = 1.0) -> ClosedFormProbe:
    """Return a small network with two tapped layers and a pooled, linear score.

    ``axes``: 2 for pictures, 3 for volumes.

    ``slope`` multiplies the score: 0 makes every gradient 0, NaN makes every answer NaN.
    """
    generator = np.random.default_rng(1)
    window = [3] * axes
    first = generator.normal(0, 0.4, (*window, channels, 4)).astype(np.float32)
    second = generator.normal(0, 0.3, (*window, 4, 6)).astype(np.float32)
    weights = generator.normal(0, 1, 6).astype(np.float32)

    def score(features: Any) -> Any:
        return slope * tf.linalg.matvec(tf.reduce_mean(features, space_of(features)), weights)

    return ClosedFormProbe(score, stages=(_convolved(first), _convolved(second)))


def _convolved(kernel: Array) -> Callable[[Any], Any]:
    if kernel.ndim == 5:
        strides = (1, 2, 2, 2, 1)
        return lambda x: tf.nn.relu(tf.nn.conv3d(x, kernel, strides, "SAME") + 0.1)
    return lambda x: tf.nn.relu(tf.nn.conv2d(x, kernel, strides=2, padding="SAME") + 0.1)


def _maps(recipe: Any, probe: Probe, pictures: Array) -> Array:
    answer = recipe(probe, tf.constant(pictures))
    return collapsed(answer, pictures.shape, name_of(recipe))


def _has_a_name(recipe: Any) -> None:
    name = name_of(recipe)
    if " at 0x" in name:
        _broken(name, "its repr holds a memory address; make it a frozen dataclass")


def _keeps_the_contract(recipe: Any, probe: Probe, pictures: Array) -> None:
    _maps(recipe, probe, pictures)


def _repeats_itself(recipe: Any, probe: Probe, pictures: Array) -> None:
    if not np.array_equal(_maps(recipe, probe, pictures), _maps(recipe, probe, pictures)):
        _broken(name_of(recipe), "asked twice it gave two answers; draw from a seed of the recipe")


def _treats_a_batch_as_its_pictures(recipe: Any, probe: Probe, pictures: Array) -> None:
    whole = _maps(recipe, probe, pictures)
    single = np.concatenate([_maps(recipe, probe, picture[np.newaxis]) for picture in pictures])
    worst = float(np.abs(whole - single).max())
    if worst > 1e-4 * float(np.abs(whole).max()) + 1e-7:
        _broken(
            name_of(recipe),
            f"a batch of 3 and its pictures one by one differ by up to {worst:.3g}; "
            "do not mix samples, and draw the same noise for each",
        )


def _sloped(probe: Probe, shape: tuple[int, ...], slope: float) -> Probe:
    """Return a probe whose score is multiplied: of the given Keras model, else a small network."""
    if isinstance(probe, BoundProbe):
        return probe.source.at(partial(_multiplied, slope))
    return network(shape[-1], axes=len(shape) - 1, slope=slope)


def _multiplied(slope: float, output: Any) -> Any:
    """Return the sum of all outputs of each sample, times a number."""
    flat = (tf.reshape(each, (tf.shape(each)[0], -1)) for each in tf.nest.flatten(output))
    return slope * tf.add_n([tf.reduce_sum(each, axis=1) for each in flat])


def _loses_no_nan(recipe: Any, probe: Probe, pictures: Array) -> None:
    """Accept a finite answer from a model of NaN only where it never depended on the score."""
    shape = pictures.shape[1:]
    try:
        answer = _maps(recipe, _sloped(probe, shape, float("nan")), pictures)
    except NotFiniteError:
        return
    if not np.array_equal(answer, _maps(recipe, _sloped(probe, shape, 1.0), pictures)):
        _broken(name_of(recipe), "NaN of the model became a picture; let it through")


def _broken(name: str, law: str) -> None:
    msg = f"{name}: {law}."
    raise ExplainerError(msg)
