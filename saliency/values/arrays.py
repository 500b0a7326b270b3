"""Arrays that cannot be changed: how every value of this room keeps its pixels."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from saliency.errors import InputError

Array: TypeAlias = NDArray[Any]


def frozen(
    array: object, dtype: DTypeLike, name: str, *, ranks: Sequence[int]
) -> Array:
    """Copy ``array`` into a read-only array of ``dtype``; refuse other ranks.

    An array that already is read-only, of that dtype and order, and owns its memory or is made of
    bytes is returned as it is: nobody can change it, so values may share it.

    Raises
    ------
    InputError
        The rank is not among ``ranks``, an axis is empty, or the cast would lose the kind.
    """
    given = np.asarray(array)
    _check(given, np.dtype(dtype), name, ranks)
    if given is array and given.dtype == dtype and _settled(given):
        return given
    copy = np.array(given, dtype=dtype, order="C")
    copy.flags.writeable = False
    return copy


def finite(array: Array, name: str) -> Array:
    """Return ``array`` when it holds neither NaN nor infinity; else raise InputError."""
    if not np.isfinite(array).all():
        bad = int(array.size - np.isfinite(array).sum())
        msg = f"{name}: expected finite numbers, got {bad} NaN or infinite of {array.size}."
        raise InputError(msg)
    return array


def _settled(array: Array) -> bool:
    """Say whether nobody can write into the array: bytes, as decoders hand them out, do not change.

    A view of an array that is not of bytes is in the hands of who holds that array.
    """
    if array.flags.writeable or not array.flags.c_contiguous:
        return False
    base: object = array.base
    while isinstance(base, np.ndarray) and base.base is not None:
        base = base.base
    owner = base.obj if isinstance(base, memoryview) else base
    return owner is None or isinstance(owner, bytes)


def _check(array: Array, dtype: np.dtype[Any], name: str, ranks: Sequence[int]) -> None:
    if array.ndim not in ranks:
        want = " or ".join(str(rank) for rank in ranks)
        msg = f"{name}: expected an array of rank {want}, got shape {array.shape}."
        raise InputError(msg)
    if 0 in array.shape:
        msg = f"{name}: expected no empty axis, got shape {array.shape}."
        raise InputError(msg)
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        msg = f"{name}: expected {dtype} or what casts to it, got {array.dtype}."
        raise InputError(msg)
