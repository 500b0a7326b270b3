"""Where in the input the network looks: crops, margins, flips and sizes before its first layer.

What a step does to the places of a picture is not read off its name. A few places of the tensor
that feeds the first convolution are chosen, and the input pixel that each of them depends on is
found by differentiation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, final

import keras
import numpy as np
import tensorflow as tf

from saliency.errors import ModelError
from saliency.probe.model.head import SAME_AT_INFERENCE
from saliency.probe.model.shapes import HELD, Outline, Step
from saliency.probe.model.taps import has_kernel
from saliency.probe.protocol import Tensor
from saliency.values.arrays import Array

POINTS: Final = 16
"""Places that are followed back. A margin hides some of them; a line needs two, for each axis."""

DRAWS: Final = 100
"""Fits that are tried where not all places lie on one line."""

SAMPLES: Final = 4
"""Places that are followed back in one pass."""

COMPACT: Final = 0.5
"""Share of a derivative that must lie near its centre: else it is no place but a mean of many."""

MOST: Final = 0.6
"""Share of the places that must lie on a line where some do not: a mirrored margin hides few."""

STRAY: Final = 0.1
"""Share of an axis that a place may move when the other axis is walked: more is a rotation."""

PLAIN_LAYERS: Final = (
    *SAME_AT_INFERENCE,
    keras.layers.Activation,
    keras.layers.BatchNormalization,
    keras.layers.Concatenate,
    keras.layers.Normalization,
    keras.layers.Rescaling,
)

PLAIN_OPERATIONS: Final = frozenset(
    {
        "Absolute",
        "Add",
        "Cast",
        "Clip",
        "Concatenate",
        "Divide",
        "Exp",
        "Log",
        "Log1p",
        "Maximum",
    }
    | {
        "Minimum",
        "Multiply",
        "Negative",
        "Power",
        "Sqrt",
        "Square",
        "Subtract",
        "TrueDivide",
    }
)
"""What works place by place: it needs no look."""


@final
@dataclass(frozen=True)
class SeenWindow:
    """The part of an input that the network sees.

    Parameters
    ----------
    edges
        For each axis of space, the coordinate in input pixels (0 is the picture's first edge) of
        the first and of the last edge of the network's own grid. Last below first: flipped.
        Beyond the picture: the network adds a margin.
    """

    edges: tuple[tuple[float, float], ...]


@final
@dataclass(frozen=True)
class EntryTensors:
    """Tensors that feed the network's first layers.

    Parameters
    ----------
    steps
        Indices of the calls that give them, -1 for the input itself.
    names
        The calls before them that may change places, for messages.
    taken
        For each axis of space, cells that the first layers take off each edge of that tensor: a
        valid convolution of 7 takes 3, and so the margin of 3 that a ResNet begins with.
    """

    steps: tuple[int, ...]
    names: tuple[str, ...]
    taken: tuple[float, ...]


TURNED: Final = SeenWindow(())
"""Stands for a picture whose axes do not stay axes."""


class _Reached(Exception):  # noqa: N818 - no error: it ends a walk early
    """Carries the tensor that a walk was made for."""

    def __init__(self, tensor: Tensor) -> None:
        super().__init__()
        self.tensor = tensor


def entry_of(outline: Outline, rank: int) -> EntryTensors | None:
    """Return what feeds the first layers; None where every place lies where it lay in the input."""
    front = front_steps(outline, rank)
    used: set[int] = set()
    taken: list[tuple[float, ...]] = []
    for step in outline.steps:
        fed = front.keys() & step.parents
        if fed and step.index not in front:
            used |= fed
            taken.append(_taken_off(step.operation, rank - 2))
    if all(front[index] for index in used):
        return None
    moving = [
        step.name
        for step in outline.steps
        if step.index in front and not is_plain_step(step)
    ]
    least = tuple(min(cells) for cells in zip(*taken, strict=True))
    return EntryTensors(tuple(sorted(used)), tuple(moving), least)


def front_steps(outline: Outline, rank: int) -> dict[int, bool]:
    """Return the steps before the first layers, -1 for the input; True where no place has moved."""
    front: dict[int, bool] = {-1: True}
    for step in outline.steps:
        shown = [parent for parent in step.parents if parent != HELD]
        if shown and all(parent in front for parent in shown) and _in_front(step, rank):
            front[step.index] = is_plain_step(step) and all(
                front[parent] for parent in shown
            )
    return front


def _taken_off(operation: Any, axes: int) -> tuple[float, ...]:
    """Return the cells taken off each edge: (kernel - 1) / 2 by a valid convolution, else none."""
    kernel = getattr(operation, "kernel_size", None)
    if kernel is None or getattr(operation, "padding", "") != "valid":
        return (0.0,) * axes
    apart = getattr(operation, "dilation_rate", (1,) * axes)
    cells = tuple(
        step * (size - 1) / 2 for size, step in zip(kernel, apart, strict=True)
    )
    return ((0.0,) * axes + cells)[-axes:]


def window_of(
    run: Callable[..., Any],
    entry: EntryTensors,
    shape: Sequence[int],
    *,
    channels_first: bool,
) -> SeenWindow | None:
    """Return the part of an input of ``shape`` (H, W, C) that is seen; None where it is all of it.

    Also None where a place cannot be told: a step that mixes all places, or has no derivative.

    Raises
    ------
    ModelError
        The network turns or bends the picture, or looks at several parts of it.
    """
    windows = [
        _window_of_step(run, step, shape, entry.taken, channels_first=channels_first)
        for step in entry.steps
    ]
    first = windows[0]
    if all(map(partial(_same_window, first), windows)) and first != TURNED:
        return first
    steps = ", ".join(map(repr, entry.names))
    msg = (
        f"The model looks at several parts of its input, or turns or bends it ({steps}), so that a "
        "map of its layers has no one place. Do this in Prepare, before the model, or use an "
        "explainer of the input (gradient, integrated gradients, occlusion)."
    )
    raise ModelError(msg)


def _in_front(step: Step, rank: int) -> bool:
    """Return whether a step only changes values or places of the input."""
    picture = (
        len(step.shape) == rank and max(axis or 2 for axis in step.shape[1:-1]) > 1
    )
    return (
        picture
        and not hasattr(step.operation, "strides")
        and not has_kernel(step.operation, 3)
    )


def is_plain_step(step: Step) -> bool:
    """Return whether a step is known to work place by place."""
    pictures = [shape for shape in step.inputs if len(shape) == len(step.shape)]
    if any(shape[1:-1] != step.shape[1:-1] for shape in pictures):
        return False
    name = type(step.operation).__name__
    return isinstance(step.operation, PLAIN_LAYERS) or name in PLAIN_OPERATIONS


def _window_of_step(
    run: Callable[..., Any],
    step: int,
    shape: Sequence[int],
    taken: tuple[float, ...],
    *,
    channels_first: bool,
) -> SeenWindow | None:
    if step < 0:
        return None
    try:
        found = _followed(run, step, shape, channels_first=channels_first)
    except Exception:  # noqa: BLE001 - foreign code may fail in any way, or have no derivative
        return None
    size = np.array(shape[:-1], float)
    edges = fit_axes(found.places, found.seen, size)
    if edges is None or isinstance(edges, SeenWindow):
        return edges
    pixels_a_cell = np.abs(edges[1] - edges[0]) / found.grid
    starts, ends = (_less_margin(edge, size, pixels_a_cell * taken) for edge in edges)
    tolerance = 1 + 0.02 * size
    if (np.abs(starts) <= tolerance).all() and (np.abs(ends - size) <= tolerance).all():
        return None
    return SeenWindow(
        tuple((float(a), float(b)) for a, b in zip(starts, ends, strict=True))
    )


def _less_margin(edge: Array, size: Array, taken: Array) -> Array:
    """Return edges moved inwards by what is taken off, no further than the picture's own."""
    below = np.where(edge < 0, np.minimum(0, edge + taken), edge)
    moved: Array = np.where(edge > size, np.maximum(size, edge - taken), below)
    return moved


def _same_window(one: SeenWindow | None, other: SeenWindow | None) -> bool:
    """Return whether two windows are one but for a pixel."""
    if one is None or other is None or not one.edges or not other.edges:
        return one == other
    apart = np.array(one.edges) - np.array(other.edges)
    return bool(np.abs(apart).max() <= 1)


def fit_axes(
    places: Array, seen: Array, size: Array
) -> tuple[Array, Array] | SeenWindow | None:
    """Fit seen = slope x place + offset for each axis; places (P, axes) as shares of the grid.

    Returns the pixels of the grid's first and last edges; TURNED where axes do not stay axes, or
    places are bent or wrapped around; None where too few places were found.
    """
    axes = len(size)
    if len(places) <= axes + 1:
        return None
    design = np.concatenate([places, np.ones((len(places), 1))], 1)
    tolerance = np.maximum(1.5, 0.02 * size)
    slopes, fits = _line_fitted(design, seen, tolerance)
    if not fits.all():
        slopes, fits = _line_of_most(design, seen, tolerance)
        first, last = slopes[axes], slopes[axes] + np.diag(slopes[:axes])
        low = np.minimum(first, last) - tolerance
        high = np.maximum(first, last) + tolerance
        again = (seen[~fits] >= low) & (seen[~fits] <= high)
        # What is off the line must be seen on it as well, as in a margin that mirrors.
        if fits.mean() < MOST or not again.all():
            return TURNED
    along = np.diag(slopes[:axes])
    across = np.abs(slopes[:axes] - np.diag(along))
    if (across > STRAY * size).any():
        return TURNED
    return slopes[axes], slopes[axes] + along


def _line_fitted(design: Array, seen: Array, tolerance: Array) -> tuple[Array, Array]:
    """Return the least squares fit, and which places lie on it: bool (P,)."""
    slopes: Array = np.linalg.lstsq(design, seen, rcond=None)[0]
    fits: Array = (np.abs(design @ slopes - seen) <= tolerance).all(axis=1)
    return slopes, fits


def _line_of_most(design: Array, seen: Array, tolerance: Array) -> tuple[Array, Array]:
    """Return the fit on which most places lie, of many fits through a few places each."""
    generator = np.random.default_rng(0)
    best = np.zeros(len(design), bool)
    for _ in range(DRAWS):
        few = generator.choice(len(design), design.shape[1] + 1, replace=False)
        slopes, *_ = np.linalg.lstsq(design[few], seen[few], rcond=None)
        fits = (np.abs(design @ slopes - seen) <= tolerance).all(1)
        best = fits if fits.sum() > best.sum() else best
    slopes, _ = _line_fitted(design[best], seen[best], tolerance)
    on_it: Array = (np.abs(design @ slopes - seen) <= tolerance).all(axis=1)
    return slopes, on_it


@final
@dataclass(frozen=True, eq=False)
class Followed:
    """Places of a step's grid (P, axes), 0 to 1, the input pixels that they see, and its size."""

    places: Array
    seen: Array
    grid: Array


def _followed(
    run: Callable[..., Any], step: int, shape: Sequence[int], *, channels_first: bool
) -> Followed:
    """Follow some places of a step's grid back to the input."""
    generator = np.random.default_rng(0)
    shares = generator.random((POINTS, len(shape) - 1))
    places: list[Array] = []
    seen: list[Array] = []
    for some in np.split(shares, POINTS // SAMPLES):
        picture = tf.constant(generator.random((SAMPLES, *shape)), tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(picture)
            grid = _output_of_step(run, step, picture, channels_first=channels_first)
            size = np.array(grid.shape[1:-1])
            cells = np.minimum((some * size).astype(int), size - 1)
            chosen = tf.gather_nd(
                grid, np.concatenate([np.arange(SAMPLES)[:, None], cells], 1)
            )
            total = tf.reduce_sum(chosen)
        slope = np.abs(tape.gradient(total, picture).numpy()).sum(-1)
        for cell, weights in zip(cells, slope, strict=True):
            centre = _centre(weights, size)
            if centre is not None:
                places.append((cell + 0.5) / size)
                seen.append(centre)
    return Followed(np.array(places), np.array(seen), size)


def _centre(weights: Array, grid: Array) -> Array | None:
    """Return where a derivative (H, W) lies, in pixels; None where it is 0 everywhere.

    Raises
    ------
    ValueError
        It is spread over the picture.
    """
    if not weights.any():
        return None
    places = np.indices(weights.shape) + 0.5
    strong = np.where(weights >= 0.5 * weights.max(), weights, 0)
    centre = (places * strong).reshape(len(grid), -1).sum(1) / strong.sum()
    reach = np.maximum(2.0, 1.5 * np.array(weights.shape) / grid)
    offset = np.abs(places - centre.reshape(-1, *[1] * len(grid)))
    near = (offset <= reach.reshape(-1, *[1] * len(grid))).all(0)
    if weights[near].sum() < COMPACT * weights.sum():
        raise ValueError
    return np.asarray(centre)


def _output_of_step(
    run: Callable[..., Any], step: int, picture: Tensor, *, channels_first: bool
) -> Tensor:
    """Return the output of a call (N, h, w, c); nothing behind it is run."""
    turns = iter(range(step + 1))

    def stop(_: str, __: Any, args: tuple[Any, ...], call: Callable[..., Any]) -> Any:
        output = call(*args)
        if next(turns) == step:
            raise _Reached(output)
        return output

    rank = len(picture.shape)
    first = (0, rank - 1, *range(1, rank - 1))
    last = (0, *range(2, rank), 1)
    try:
        run(tf.transpose(picture, first) if channels_first else picture, stop)
    except _Reached as reached:
        tensor = tf.cast(reached.tensor, tf.float32)
        return tf.transpose(tensor, last) if channels_first else tensor
    raise ValueError(step)
