"""The inputs of a model: one is explained, the others are held at given values."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from inspect import Parameter, signature
from typing import Any, TypeAlias, final

import keras
import numpy as np
import tensorflow as tf

from saliency.errors import InputError, ModelError
from saliency.probe.protocol import Tensor
from saliency.values.arrays import Array

Shape: TypeAlias = tuple[int | None, ...]

Held: TypeAlias = Mapping[str | int, Any]
"""Values of the inputs that are not explained, by name or index."""


@final
@dataclass(frozen=True)
class InputSpec:
    """One input of a model.

    Parameters
    ----------
    name
        The key of a dict of inputs, else the name of the input; ``"input0"`` where it has none.
    shape
        With the batch axis; None where free.
    dtype
        What the model takes there.
    """

    name: str
    shape: Shape
    dtype: str = "float32"

    def __str__(self) -> str:
        return f"{self.name} {_shape_in_words(('N', *self.shape[1:]))}"


@final
@dataclass(frozen=True, eq=False)
class InputSpecs:
    """All inputs of a model, in flat order.

    Parameters
    ----------
    each
        At least one.
    structure
        What the model's call takes: a name, or lists and dicts of names.
    explained
        Index of the one that is explained.
    """

    each: tuple[InputSpec, ...]
    structure: Any = field(repr=False)
    explained: int = 0

    @property
    def shape(self) -> Shape:
        """Shape of the explained input, with a free batch axis."""
        return (None, *self.each[self.explained].shape[1:])

    @property
    def held(self) -> tuple[InputSpec, ...]:
        """The inputs that are held."""
        return tuple(
            door for index, door in enumerate(self.each) if index != self.explained
        )

    def whole(self, explained: Any, held: Sequence[Any]) -> list[Any]:
        """Return one thing for each input, in flat order."""
        return [*held[: self.explained], explained, *held[self.explained :]]

    def packed(self, flat: Sequence[Any]) -> Any:
        """Return flat inputs in the structure that the model's call takes."""
        return keras.tree.pack_sequence_as(self.structure, list(flat))


def doors_of(model: Any) -> tuple[tuple[InputSpec, ...], Any]:
    """Return the inputs of a built model, and the structure that its call takes them in.

    Raises
    ------
    ModelError
        They are not known.
    """
    try:
        symbols, structure = tuple(model.inputs), _structure(model)
    except (AttributeError, TypeError):
        return _built(model)
    if not isinstance(structure, list | tuple | dict):
        structure = symbols[0] if len(symbols) == 1 else list(symbols)
    names = _input_names(structure, [symbol.name for symbol in symbols])
    doors = tuple(
        InputSpec(name, tuple(symbol.shape), symbol.dtype)
        for name, symbol in zip(names, symbols, strict=True)
    )
    return doors, keras.tree.pack_sequence_as(structure, list(names))


def _structure(model: Any) -> Any:
    """Return the model's inputs as they are nested; None where it does not say.

    A Sequential of Keras 3.5 has inputs, but no ``input`` before it was called as a layer.
    """
    try:
        return model.input
    except (AttributeError, ValueError):
        return None


def explained_index(
    model: Any, doors: Sequence[InputSpec], chosen: str | int | None, held: Held | None
) -> int:
    """Return the index of the input that is explained: the one chosen, or the one not held.

    Raises
    ------
    ModelError
        There is no such input, or it is not clear which one is meant.
    """
    if chosen is not None:
        return _door_index(doors, chosen, "input")
    kept = {_door_index(doors, key, "held") for key in held or ()}
    free = [index for index in range(len(doors)) if index not in kept]
    if len(free) == 1:
        return free[0]
    listed = ", ".join(map(str, doors))
    msg = (
        f"The model {model.name!r} has {len(doors)} inputs ({listed}), and one is explained. Say "
        f"which, and at what values the others are held: KerasProbe(model, "
        f"input={doors[0].name!r}, held={{{doors[-1].name!r}: ...}})."
    )
    raise ModelError(msg)


def held_tensors(doors: InputSpecs, held: Held | None) -> tuple[Tensor, ...]:
    """Return the held values as tensors (k, ...), in the order of the inputs.

    A value without the batch axis is one row for all samples; so is a number, where a row has one.

    Raises
    ------
    InputError
        A value is missing, is not for an input that is held, or has another shape or dtype.
    ModelError
        The model has no input of that name.
    """
    given = {
        _door_index(doors.each, key, "held"): value
        for key, value in (held or {}).items()
    }
    if doors.explained in given:
        door = doors.each[doors.explained]
        msg = f"held: {door.name!r} is the input that is explained; hold the others."
        raise InputError(msg)
    missing = [
        str(door)
        for index, door in enumerate(doors.each)
        if index not in given and index != doors.explained
    ]
    if missing:
        msg = (
            f"held: expected a value for each input that is not explained, got none for "
            f"{', '.join(missing)}."
        )
        raise InputError(msg)
    return tuple(_held_rows(doors.each[index], given[index]) for index in sorted(given))


def rows_tiled(held: Tensor, samples: Tensor) -> Tensor:
    """Return k held rows for ``samples``, a multiple of k: sample i has row i modulo k."""
    times = samples // tf.shape(held)[0]
    return tf.tile(held, [times, *[1] * (len(held.shape) - 1)])


def _built(model: Any) -> tuple[tuple[InputSpec, ...], Any]:
    """Read the inputs of a subclassed model from the shapes that it was built with."""
    config = model.get_build_config() or {}
    shapes = config.get("input_shape")
    if not shapes or _takes_several(model):
        msg = (
            f"The inputs of the model {model.name!r} are not known: its call takes several "
            "arguments, or it was built without a shape. Draw a functional model around it: "
            "keras.Model([picture, age], model(picture, age))."
        )
        raise ModelError(msg)
    structure = _shape_leaves(shapes)
    flat = keras.tree.flatten(structure)
    names = _input_names(structure, [f"input{index}" for index in range(len(flat))])
    doors = tuple(
        InputSpec(name, (None, *leaf.shape[1:]))
        for name, leaf in zip(names, flat, strict=True)
    )
    return doors, keras.tree.pack_sequence_as(structure, list(names))


def _takes_several(model: Any) -> bool:
    """Return whether the model's call has more than one argument that must be given."""
    given = signature(model.call).parameters.values()
    needed = [
        each for each in given if each.default is each.empty and each.kind in _NAMED
    ]
    return len(needed) > 1


_NAMED = (
    Parameter.POSITIONAL_ONLY,
    Parameter.POSITIONAL_OR_KEYWORD,
    Parameter.KEYWORD_ONLY,
)


@final
@dataclass(frozen=True)
class _Leaf:
    """A shape that is not taken for a list of numbers."""

    shape: Shape


def _shape_leaves(shapes: Any) -> Any:
    if isinstance(shapes, dict):
        return {key: _shape_leaves(shape) for key, shape in shapes.items()}
    if all(axis is None or isinstance(axis, int) for axis in shapes):
        return _Leaf(tuple(shapes))
    return [_shape_leaves(shape) for shape in shapes]


def _input_names(structure: Any, names: Sequence[str]) -> tuple[str, ...]:
    """Return keys of a flat dict of inputs in flat order, else the given names."""
    flat_dict = isinstance(structure, dict) and len(structure) == len(names)
    if not flat_dict:
        return tuple(names)
    return tuple(keras.tree.flatten({key: str(key) for key in structure}))


def _door_index(doors: Sequence[InputSpec], key: str | int, word: str) -> int:
    names = [door.name for door in doors]
    if isinstance(key, str) and names.count(key) == 1:
        return names.index(key)
    whole = isinstance(key, int | np.integer) and not isinstance(key, bool)
    if whole and 0 <= int(key) < len(doors):
        return int(key)
    near = difflib.get_close_matches(str(key), names, n=1)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    listed = ", ".join(map(str, doors))
    msg = f"{word}: expected an input of the model ({listed}) or its index, got {key!r}.{meant}"
    raise ModelError(msg)


def _held_rows(door: InputSpec, value: Any) -> Tensor:
    """Return a held value as a tensor (k, ...)."""
    array, row = _held_array(door, value), door.shape[1:]
    if array.ndim == 0 and all(axis == 1 for axis in row):
        array = array.reshape((1, *[1] * len(row)))
    elif array.ndim == len(row):
        array = array[np.newaxis]
    if (
        array.ndim != len(door.shape)
        or not len(array)
        or not _shape_fits(array.shape[1:], row)
    ):
        msg = (
            f"held: expected {door.name!r} of shape {_shape_in_words(row)}, or "
            f"{_shape_in_words(('N', *row))} with a row for each picture, got {np.shape(value)}."
        )
        raise InputError(msg)
    return _as_dtype(door, array)


def _held_array(door: InputSpec, value: Any) -> Array:
    try:
        return np.asarray(value)
    except ValueError as error:  # numpy's word for rows of several lengths
        msg = f"held: expected rows of one shape for {door.name!r}, got {type(value).__name__}."
        raise InputError(msg) from error


def _as_dtype(door: InputSpec, array: Array) -> Tensor:
    """Return a tensor of the input's dtype; refuse what would be another value there."""
    text = door.dtype == "string"
    if text or array.dtype.kind not in "biuf":
        if not (text and array.dtype.kind in "USO"):
            msg = f"held: expected {door.dtype} for {door.name!r}, got {array.dtype}."
            raise InputError(msg)
        return tf.constant(array.astype(str))
    if not np.isfinite(array).all():
        msg = f"held: expected finite numbers for {door.name!r}, got NaN or infinity."
        raise InputError(msg)
    whole = tf.as_dtype(door.dtype).is_integer
    if whole and not np.array_equal(array, np.round(array)):
        msg = f"held: expected whole numbers ({door.dtype}) for {door.name!r}, got {array.dtype}."
        raise InputError(msg)
    return tf.cast(tf.constant(array), door.dtype)


def _shape_fits(shape: Shape, wanted: Shape) -> bool:
    return all(want in (None, have) for have, want in zip(shape, wanted, strict=True))


def _shape_in_words(shape: Sequence[object]) -> str:
    axes = ["any" if axis is None else str(axis) for axis in shape]
    return f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"
