"""What a network does to the places of a picture behind its first layers: crops, margins, flips.

What a step does is not read off its name. It is run on the numbers of rows and columns, and where
they come out is where each place went.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias, final

import keras
import numpy as np

from saliency.errors import ModelError
from saliency.probe.model.geometry import (
    TURNED,
    SeenWindow,
    fit_axes,
    front_steps,
    is_plain_step,
)
from saliency.probe.model.keras_internals import (
    has_weights,
    inference,
    inference_arguments,
)
from saliency.probe.model.shapes import HELD, Outline, Step
from saliency.probe.model.taps import (
    GLOBAL_POOLS,
    RECTIFIERS,
    RECTIFYING_OPERATIONS,
)
from saliency.values.arrays import Array

POINTS: Final = 200
"""Places of a step's output that are looked for in its input."""

MOVED: Final = 0.02
"""Share of an axis that a layer's grid may lie off the picture; a cell of the layer may be more."""

KEPT: Final = 0.1
"""Share of a step's output that must be values of its input: a wide margin leaves few."""

_RESIZES: Final = (keras.layers.UpSampling1D, keras.layers.UpSampling2D)


@final
@dataclass(frozen=True, eq=False)
class Grid:
    """Where the grid of a step lies.

    Parameters
    ----------
    first, last
        For each axis of space, its first and last edge as a share of the first layers' grid; last
        below first: flipped.
    before, after
        A margin beyond those edges, as such a share, 0 or more: the next valid convolution takes
        off what it can.
    cells
        Number of cells along each axis.
    """

    first: Array
    last: Array
    before: Array
    after: Array
    cells: Array

    @property
    def cell(self) -> Array:
        """Return the length of a cell along each axis."""
        margins = self.before + self.after
        length: Array = np.abs(self.last - self.first) + margins
        return length / self.cells

    def with_margin(self) -> "Grid":
        """Return the grid whose margin is a part of it."""
        way = np.sign(self.last - self.first)
        none = np.zeros_like(self.before)
        return Grid(
            self.first - way * self.before,
            self.last + way * self.after,
            none,
            none,
            self.cells,
        )


Place: TypeAlias = Grid | SeenWindow | None
"""A grid; TURNED where axes do not stay axes; None where it is not known."""


def moved_grid(outline: Outline, taps: Sequence[int], rank: int) -> SeenWindow | None:
    """Return where the tapped layers look, as shares of the first layers' grid; None: at all of it.

    Convolutions and poolings of either padding leave the edges where they are, as maps are drawn
    everywhere. Shares are those of ``SeenWindow.edges``, 0 to 1.

    Raises
    ------
    ModelError
        Tapped layers look at several parts, or the picture was turned before one of them.
    """
    moving = moving_steps(outline, taps, rank)
    grids = _grids(outline, {step.index for step in moving}, max(taps), rank)
    seen = [grids.get(tap) for tap in taps]
    windows = [_window_of(each) for each in seen]
    if all(window is None for window in windows):
        return None
    names = ", ".join(repr(step.name) for step in moving[:3])
    if TURNED in windows or not _alike(windows):
        msg = (
            f"The model moves or turns the picture between its layers ({names}), so that a map of "
            "them has no one place. Choose a layer before or behind it (layer=), or use an "
            "explainer of the input (gradient, integrated gradients, occlusion)."
        )
        raise ModelError(msg)
    return windows[-1]


def moving_steps(outline: Outline, taps: Sequence[int], rank: int) -> tuple[Step, ...]:
    """Return the steps between the first layers and the last tap that may move places."""
    front = front_steps(outline, rank)
    behind = (step for step in outline.steps if step.index not in front)
    last = max(taps, default=-1)
    return tuple(
        step for step in behind if step.index <= last and _may_move(step, rank)
    )


def _may_move(step: Step, rank: int) -> bool:
    """Return whether a step makes a picture of one picture, without weights or a window."""
    name, operation = type(step.operation).__name__, step.operation
    if len(step.inputs) != 1 or {len(step.inputs[0]), len(step.shape)} != {rank}:
        return False
    known = isinstance(operation, (*GLOBAL_POOLS, *RECTIFIERS, *_RESIZES))
    still = known or name in RECTIFYING_OPERATIONS or is_plain_step(step)
    return not (still or has_weights(operation) or hasattr(operation, "strides"))


def _grids(
    outline: Outline, moving: set[int], last: int, rank: int
) -> dict[int, Place]:
    """Follow the edges of the first layers' grid from step to step, up to the last tap."""
    front = front_steps(outline, rank)
    grids: dict[int, Place] = {}
    for step in outline.steps[: last + 1]:
        parents = [
            _whole_grid(shape) if parent in front else grids.get(parent)
            for parent, shape in zip(step.parents, step.inputs, strict=True)
            if parent != HELD and _is_picture(shape, rank)
        ]
        if step.index not in front and parents and len(step.shape) == rank:
            grids[step.index] = _grid_behind(
                step, parents, outline, moves=step.index in moving
            )
    return grids


def _grid_behind(
    step: Step, parents: Sequence[Place], outline: Outline, *, moves: bool
) -> Place:
    if TURNED in parents:
        return None if moves else TURNED
    known = [each for each in parents if isinstance(each, Grid)]
    if len(known) != len(parents) or not all(_agree(known[0], each) for each in known):
        return None
    cells = np.array([axis or 1 for axis in step.shape[1:-1]], float)
    if moves:
        return _moved(step, known[0].with_margin(), cells, outline)
    taken = _taken(step, len(cells)) * known[0].cell
    return replace(
        known[0],
        before=np.maximum(known[0].before - taken, 0),
        after=np.maximum(known[0].after - taken, 0),
        cells=cells,
    )


def _is_picture(shape: Sequence[int | None], rank: int) -> bool:
    return len(shape) == rank and max(axis or 2 for axis in shape[1:-1]) > 1


def _whole_grid(shape: Sequence[int | None]) -> Grid:
    cells = np.array([axis or 1 for axis in shape[1:-1]], float)
    none = np.zeros(len(cells))
    return Grid(none, none + 1, none, none, cells)


def _agree(one: Grid, other: Grid) -> bool:
    """Return whether two grids lie in one place but for a cell."""
    ends = zip(
        (one.with_margin().first, one.with_margin().last),
        (other.with_margin().first, other.with_margin().last),
        strict=True,
    )
    cell = np.maximum(one.cell, other.cell)
    return all((np.abs(a - b) <= cell).all() for a, b in ends)


def _taken(step: Step, axes: int) -> Array:
    """Return the cells that a valid convolution or pooling takes off each edge.

    Its first cell is centred (width - 1) / 2 behind the edge, and is as long as a stride.
    """
    operation = step.operation
    window = getattr(operation, "kernel_size", getattr(operation, "pool_size", 1))
    if getattr(operation, "padding", "") != "valid":
        return np.zeros(axes)
    strides = getattr(operation, "strides", None) or window
    apart = _by_axis(getattr(operation, "dilation_rate", 1), axes)
    width = (_by_axis(window, axes) - 1) * apart + 1
    taken: Array = np.maximum(0, (width - _by_axis(strides, axes)) / 2)
    return taken


def _by_axis(value: Any, axes: int) -> Array:
    """Return a number for each axis of space: 1 for an axis of time, which is not convolved."""
    numbers = np.atleast_1d(value)
    if len(numbers) == 1:
        return np.repeat(numbers, axes)
    return np.concatenate([np.ones(axes), numbers])[-axes:]


def _moved(step: Step, grid: Grid, cells: Array, outline: Outline) -> Place:
    """Return the grid behind a step that may move places; as it is where values are changed."""
    size = grid.cells
    edges = _edges_in_input(step, size, channels_first=outline.channels_first)
    if isinstance(edges, SeenWindow):
        return edges
    if edges is None:
        return replace(grid, cells=cells)
    inner = [np.clip(edge, 0, size) for edge in edges]
    way = grid.last - grid.first
    first, last = (grid.first + edge / size * way for edge in inner)
    before, after = (
        np.abs(edge - held) / size * np.abs(way)
        for edge, held in zip(edges, inner, strict=True)
    )
    return Grid(first, last, before, after, cells)


def _edges_in_input(
    step: Step, size: Array, *, channels_first: bool
) -> tuple[Array, Array] | SeenWindow | None:
    """Return the first and last edges of a step's grid in cells of what comes in.

    None where values are not moved but made anew.
    """
    places = []
    kept: Any = True
    for axis, length in enumerate(size.astype(int)):
        up = np.arange(1.0, length + 1)
        rising, falling = (
            _made_of(step, line, axis, channels_first=channels_first)
            for line in (up, up[::-1])
        )
        if rising is None or falling is None or rising.shape != falling.shape:
            return None
        # Values that are moved, and not made anew, still add up to the same.
        kept = (
            kept
            & (np.ptp(rising, axis=-1) <= 2)
            & (rising + falling == length + 1).all(-1)
        )
        places.append(rising.mean(-1) - 0.5)
    if np.mean(kept) < KEPT:
        return None
    where = np.argwhere(kept)
    some = where[np.random.default_rng(0).permutation(len(where))[:POINTS]]
    seen = np.stack([each[tuple(some.T)] for each in places], axis=1)
    return fit_axes((some + 0.5) / kept.shape, seen, size)


def _made_of(step: Step, line: Array, axis: int, *, channels_first: bool) -> Any:
    """Return what a step makes of a picture that changes along one axis: (h, w, c), or None."""
    shape = [int(each or 1) for each in step.inputs[0][1:]]
    along = np.moveaxis(
        np.broadcast_to(line, (*np.delete(shape, axis), len(line))), -1, axis
    )
    picture = np.moveaxis(along, -1, 0) if channels_first else along

    def given(value: Any) -> Any:
        if not isinstance(value, keras.KerasTensor):
            return value
        return keras.ops.convert_to_tensor(picture[np.newaxis], value.dtype)

    args, kwargs = keras.tree.map_structure(given, (step.args, dict(step.kwargs)))
    try:
        made = inference(
            lambda: step.operation(*args, **inference_arguments(step.operation, kwargs))
        )
    except Exception:  # noqa: BLE001 - foreign code may fail in any way
        return None
    values = np.asarray(made, np.float64)[0]
    return np.moveaxis(values, 0, -1) if channels_first else values


def _window_of(place: Place) -> SeenWindow | None:
    """Return the window of a tapped layer's grid; None where it is the whole, or not known."""
    if not isinstance(place, Grid):
        return place
    grid = place.with_margin()
    tolerance = np.maximum(grid.cell, MOVED)
    if (np.abs(grid.first) <= tolerance).all() and (
        np.abs(grid.last - 1) <= tolerance
    ).all():
        return None
    return SeenWindow(
        tuple((float(a), float(b)) for a, b in zip(grid.first, grid.last, strict=True))
    )


def _alike(windows: Sequence[SeenWindow | None]) -> bool:
    """Return whether all windows are one but for a few hundredths."""
    if None in windows:
        return False
    edges = np.array([window.edges for window in windows if window])
    return bool(np.ptp(edges, axis=0).max() <= 2 * MOVED)
