"""check_explainer: what every explainer must do, ours and yours."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from types import FunctionType
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
    """Check an explainer against the laws of explainers; return None when it keeps them all.

    - It answers floating (N, H, W, C) or (N, H, W), finite, for batches of 1 and 3.
    - It answers the same when asked again: randomness is a seed of the recipe.
    - A batch gives what its images give one by one.
    - It stays finite on a constant image, and where the gradient is zero everywhere.
    - NaN of the model is not turned into a map: it comes out as NaN, or as an error.
    - Its name holds no memory address: it is kept in the Explanation as the recipe.
    - Its numbers cannot be changed afterwards, and it leaves its input as it was.
    - Where a bright spot off the centre is all the evidence, the map's heat lies on the spot, and
      evidence for the target gets no less heat than the same evidence against it. (Asked of a
      network in closed form; an explainer that needs a Keras model's own layers is not asked.)

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


def laws(
    recipe: Any, probe: Probe, shape: tuple[int, ...]
) -> Iterator[Callable[[], None]]:
    """Yield one check for each law."""
    pictures = np.random.default_rng(0).uniform(0, 1, (3, *shape)).astype(np.float32)
    yield partial(_has_a_name, recipe)
    yield partial(_cannot_be_changed, recipe)
    yield partial(_leaves_its_input, recipe, probe, pictures[:1])
    yield partial(_keeps_the_contract, recipe, probe, pictures[:1])
    yield partial(_is_a_function_of_each_picture, recipe, probe, pictures)
    yield partial(
        _keeps_the_contract, recipe, probe, np.full((1, *shape), 0.5, np.float32)
    )
    yield partial(_keeps_the_contract, recipe, _sloped(probe, shape, 0.0), pictures[:1])
    yield partial(_loses_no_nan, recipe, probe, pictures[:1])
    if not (isinstance(probe, BoundProbe) and _needs_keras(recipe, shape)):
        yield partial(_finds_the_spot, recipe, shape)


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
        return slope * tf.linalg.matvec(
            tf.reduce_mean(features, space_of(features)), weights
        )

    return ClosedFormProbe(score, stages=(_convolved(first), _convolved(second)))


def _convolved(kernel: Array) -> Callable[[Any], Any]:
    if kernel.ndim == 5:
        strides = (1, 2, 2, 2, 1)
        return lambda x: tf.nn.relu(tf.nn.conv3d(x, kernel, strides, "SAME") + 0.1)
    return lambda x: tf.nn.relu(
        tf.nn.conv2d(x, kernel, strides=2, padding="SAME") + 0.1
    )


def spotted(shape: tuple[int, ...]) -> tuple[Array, tuple[int, ...]]:
    """Return a dark picture (1, *shape) with one bright spot, and the middle of the spot.

    Axes shorter than 12 pixels are 12 long: there is no room on them for a spot off the centre.
    The spot is 3 pixels wide and off the centre on every axis: a map that is mirrored, turned or
    moved has its heat elsewhere.
    """
    sides = tuple(max(size, 12) for size in shape[:-1])
    # A cell of the last layer of evidence() has 4 pixels: the middle of the spot is 4 k + 2.
    cells = [round(side * 0.3 / 4 - 0.5) for side in sides]
    middle = tuple(4 * cell + 2 for cell in cells)
    dark = np.random.default_rng(2).uniform(0, 0.005, (1, *sides, shape[-1]))
    picture = dark.astype(np.float32)
    picture[0][_around(middle)] = 1.0
    return picture, middle


def evidence(*, sign: float = 1.0) -> ClosedFormProbe:
    """Return a network that counts bright pixels: the score is ``sign`` times sum f(v).

    v is the mean of a pixel's channels and f(v) = 2 relu(v - 0.4) - 0.01 relu(v + 0.01) +
    relu(v - 1): what is bright speaks for the target (f(1) = 1.19), and a little brightness against
    it (f'(0) = -0.01), so that a derivative taken at another picture has the other sign. The corner
    at 1 makes derivatives vary there, which some methods show. Two tapped layers, each half as wide
    as the one before.
    """

    def score(features: Any) -> Any:
        weights = tf.constant([2.0, -0.1, 0.0, 1.0])
        return sign * tf.reduce_sum(
            tf.linalg.matvec(features, weights), space_of(features)
        )

    def bright(pictures: Any) -> Any:
        v = tf.reduce_mean(pictures, axis=-1, keepdims=True)
        bent = (v - 0.4, 0.1 * v + 0.001, -v, v - 1.0)
        return _pooled(tf.nn.relu(tf.concat(bent, axis=-1)))

    return ClosedFormProbe(score, stages=(bright, _pooled))


def _pooled(features: Any) -> Any:
    """Return sums over cells of two pixels along each axis; a last odd pixel is a cell too."""
    sides = features.shape[1:-1]
    axes = len(sides)
    until_even = [[0, size % 2] for size in sides]
    even = tf.pad(features, [[0, 0], *until_even, [0, 0]])
    pool = tf.nn.avg_pool3d if axes == 3 else tf.nn.avg_pool2d
    window = [1, *[2] * axes, 1]
    means = pool(even, window, window, "VALID")
    return 2**axes * means  # sums of 2 x 2 (x 2) pixels


def _maps(recipe: Any, probe: Probe, pictures: Array) -> Array:
    answer = recipe(probe, tf.constant(pictures))
    return collapsed(answer, pictures.shape, name_of(recipe))


def _has_a_name(recipe: Any) -> None:
    name = name_of(recipe)
    if " at 0x" in name:
        _refuse(name, "its repr holds a memory address; make it a frozen dataclass")


def _cannot_be_changed(recipe: Any) -> None:
    """Try to set each attribute of an object to what it is."""
    if isinstance(recipe, FunctionType | partial):
        return
    for name, value in getattr(recipe, "__dict__", {}).items():
        if isinstance(value, list | dict | set | bytearray):
            _refuse(
                name_of(recipe), f"its {name} can be changed afterwards; keep a tuple"
            )
        try:
            setattr(recipe, name, value)
        except AttributeError:  # of which FrozenInstanceError is one
            continue
        _refuse(
            name_of(recipe),
            f"its {name} can be changed afterwards, and what the Explanation says of it would "
            "then be untrue; make it a frozen dataclass",
        )


def _leaves_its_input(recipe: Any, probe: Probe, pictures: Array) -> None:
    """Hand it a numpy array, which it could write into; a tensor it could not."""
    array = pictures.copy()
    with suppress(Exception):  # it may take tensors alone
        recipe(probe, array)
    if not np.array_equal(array, pictures):
        _refuse(name_of(recipe), "it changed its input in place; work on a copy")


def _keeps_the_contract(recipe: Any, probe: Probe, pictures: Array) -> None:
    _maps(recipe, probe, pictures)


def _is_a_function_of_each_picture(recipe: Any, probe: Probe, pictures: Array) -> None:
    """Ask about a batch twice, and about its pictures one by one."""
    whole = _maps(recipe, probe, pictures)
    if not np.array_equal(whole, _maps(recipe, probe, pictures)):
        _refuse(
            name_of(recipe),
            "asked twice it gave two answers; draw from a seed of the recipe",
        )
    single = np.concatenate(
        [_maps(recipe, probe, picture[np.newaxis]) for picture in pictures]
    )
    worst = float(np.abs(whole - single).max())
    if worst > 1e-4 * float(np.abs(whole).max()) + 1e-7:
        _refuse(
            name_of(recipe),
            f"a batch of 3 and its pictures one by one differ by up to {worst:.3g}; "
            "do not mix samples, and draw the same noise for each",
        )


def _needs_keras(recipe: Any, shape: tuple[int, ...]) -> bool:
    """Return whether an explainer refuses every probe but one of a Keras model."""
    picture, _ = spotted(shape)
    try:
        recipe(evidence(), tf.constant(picture))
    except (ExplainerError, AttributeError):
        return True
    return False


def _finds_the_spot(recipe: Any, shape: tuple[int, ...]) -> None:
    picture, middle = spotted(shape)
    axes = len(middle)
    heat, against = (
        _maps(recipe, evidence(sign=sign), picture)[0] for sign in (1.0, -1.0)
    )
    _is_in_place(name_of(recipe), heat, middle)
    more = (heat - against)[_around(middle)].sum()
    room = 0.02 * max(np.abs(heat).max(), np.abs(against).max())
    if more < -room * 3**axes:
        _refuse(
            name_of(recipe),
            "evidence for the target got less heat than the same evidence against it: the sign "
            "is turned, or the derivative was taken at another picture",
        )


def _is_in_place(name: str, heat: Array, middle: tuple[int, ...]) -> None:
    """Raise where the spot lies outside the hot pixels' box, one pixel wider on each side.

    Hot is what differs from the map's median by half of the most; a coarse map has a wide box.
    """
    apart = np.abs(heat - np.median(heat))
    if apart.max() <= 1e-6 * np.abs(heat).max():
        return
    half = np.nonzero(apart >= apart.max() / 2)
    for axis, (at, places) in enumerate(zip(middle, half)):  # noqa: B905
        if not places.min() - 1 <= at <= places.max() + 1:
            _refuse(
                name,
                f"the spot that is all the evidence lies at {at} of axis {axis}, its heat at "
                f"{places.min()} to {places.max()}; maps lie on the pixels of the input",
            )


def _around(middle: tuple[int, ...]) -> tuple[slice, ...]:
    """Return where the 3 pixels along each axis lie."""
    return tuple(slice(at - 1, at + 2) for at in middle)


def _sloped(probe: Probe, shape: tuple[int, ...], slope: float) -> Probe:
    """Return a probe whose score is multiplied: of the given Keras model, else a small network."""
    if isinstance(probe, BoundProbe):
        return probe.source.at(partial(_scaled_sum, slope))
    return network(shape[-1], axes=len(shape) - 1, slope=slope)


def _scaled_sum(slope: float, output: Any) -> Any:
    """Return the sum of all outputs of each sample, times a number."""
    flat = (
        tf.reshape(each, (tf.shape(each)[0], -1)) for each in tf.nest.flatten(output)
    )
    return slope * tf.add_n([tf.reduce_sum(each, axis=1) for each in flat])


def _loses_no_nan(recipe: Any, probe: Probe, pictures: Array) -> None:
    """Accept a finite answer from a model of NaN only where it never depended on the score."""
    shape = pictures.shape[1:]
    try:
        answer = _maps(recipe, _sloped(probe, shape, float("nan")), pictures)
    except NotFiniteError:
        return
    if not np.array_equal(answer, _maps(recipe, _sloped(probe, shape, 1.0), pictures)):
        _refuse(name_of(recipe), "NaN of the model became a picture; let it through")


def _refuse(name: str, law: str) -> None:
    msg = f"{name}: {law}."
    raise ExplainerError(msg)
