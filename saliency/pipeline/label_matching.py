"""Which entry of a table belongs to which picture: paths are compared from their ends."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import PurePath
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from saliency.errors import InputError
from saliency.values.image import DicomImage

Parts: TypeAlias = tuple[str, ...]
"""A path from its end: file name first, then folders."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|nan", re.IGNORECASE)


class _Claim(NamedTuple):
    """``parts``: twice the names in common, and one more in the same case of letters."""

    parts: int
    key: Any


def assigned(keys: Iterable[Any], sources: Sequence[Any]) -> list[Any | None]:
    """Return the key that belongs to each picture, None where none does.

    A key belongs to the picture whose path ends most like it: file name first (with its ending, or
    without), then folder by folder; in the same case of letters, or failing that in any. So a table
    may hold names, paths below the folder, or paths of another computer. One key belongs to one
    picture.

    Raises
    ------
    InputError
        Two pictures, or two keys, fit equally well.
    """
    given = list(keys)
    exact, folded = _keys_by_name(given, fold=False), _keys_by_name(given, fold=True)
    claims = [
        _best(exact, source, fold=False) or _best(folded, source, fold=True)
        for source in sources
    ]
    closest: dict[Any, int] = {}
    for claim in claims:
        if claim is not None:
            closest[claim.key] = max(closest.get(claim.key, 0), claim.parts)
    found = [
        claim.key if claim and claim.parts == closest[claim.key] else None
        for claim in claims
    ]
    _check_once(found, sources)
    return found


def aligned(
    values: object, sources: Sequence[Any], *, owner: str, name: str
) -> list[Any]:
    """Return one value for each image; None where there is none.

    Parameters
    ----------
    values
        A sequence in the order of the images; a mapping by path, end of a path, or digest, see
        :func:`assigned`; or None.
    sources
        The images.
    owner, name
        Who asks, and for what: of errors.

    Raises
    ------
    InputError
        The numbers differ, or a mapping belongs to none of the images.
    """
    if values is None:
        return [None] * len(sources)
    if isinstance(values, Mapping):
        keys = assigned(values, sources)
        if all(key is None for key in keys):
            msg = (
                f"{owner}: none of {len(values)} {name} belongs to one of {len(sources)} images. "
                "Expected keys that are paths, or file names."
            )
            raise InputError(msg)
        return [None if key is None else values[key] for key in keys]
    if isinstance(values, str | bytes) or not isinstance(values, Sequence | np.ndarray):
        kind = type(values).__name__
        msg = (
            f"{owner}: expected {name} as a sequence, or a mapping by path, got {kind}."
        )
        raise InputError(msg)
    if len(values) != len(sources):
        msg = (
            f"{owner}: expected one for each image, got {len(values)} {name} for {len(sources)} "
            "images. A mapping by path leaves no doubt which is whose."
        )
        raise InputError(msg)
    return list(values)


def plain_label(label: object) -> Any:
    """Return numbers as int or float, whatever they came as; None for NaN; the rest as it is."""
    if isinstance(label, np.generic):
        label = label.item()
    if isinstance(label, bool):
        return int(label)
    is_text_number = isinstance(label, str) and _NUMBER.fullmatch(label.strip())
    if not is_text_number and not isinstance(label, int | float):
        return label
    number = float(label)  # type: ignore[arg-type]
    if math.isnan(number):
        return None
    return int(number) if number.is_integer() else number


def _keys_by_name(
    keys: Iterable[Any], *, fold: bool
) -> dict[str, list[tuple[Parts, Any]]]:
    found = defaultdict(list)
    for key in keys:
        parts = _cased(_path_parts(key), fold=fold)
        if parts:
            found[parts[0]].append((parts, key))
    return found


def _cased(parts: Parts, *, fold: bool) -> Parts:
    return tuple(part.casefold() for part in parts) if fold else parts


def _best(
    by_name: dict[str, list[tuple[Parts, Any]]], source: Any, *, fold: bool
) -> _Claim | None:
    """Return the key whose end is most like the picture's path; of equal ones the same case."""
    for name in _names_of_source(source):
        parts = _cased(name, fold=fold)
        fitting = [
            _Claim(2 * _common_end(parts, other) + (not fold), key)
            for other, key in by_name.get(parts[0], ())
        ]
        if fitting:
            return _only(fitting)
    return None


def _only(fitting: list[_Claim]) -> _Claim:
    most = max(claim.parts for claim in fitting)
    best = [claim for claim in fitting if claim.parts == most]
    if len(best) > 1:
        msg = (
            f"labels: {len(best)} rows of the labels name the same image equally well. Expected "
            "paths that tell them apart."
        )
        raise InputError(msg)
    return best[0]


def _check_once(found: Sequence[Any | None], sources: Sequence[Any]) -> None:
    """Refuse two files for one key; the same picture twice is no doubt."""
    pairs = zip(found, sources, strict=True)
    used = {(key, str(path)) for key, path in pairs if isinstance(path, str | PathLike)}
    used = {pair for pair in used if pair[0] is not None}
    names = {key for key, _ in used}
    if len(names) < len(used):
        msg = (
            f"labels: {len(used)} images share {len(names)} names of the labels: files of one "
            "name lie in several folders. Expected paths with the folder, as a/1.dcm and b/1.dcm."
        )
        raise InputError(msg)


def _names_of_source(source: Any) -> list[Parts]:
    """Return what a picture may be called, the most exact first."""
    if isinstance(source, DicomImage):
        return [(source.digest,)]
    if not isinstance(source, str | PathLike):
        return []
    parts = _path_parts(source)
    stem = parts[0].rpartition(".")[0]
    return [parts, (stem, *parts[1:])] if stem else [parts]


def _path_parts(path: Any) -> Parts:
    text = str(path).strip().replace("\\", "/")
    return tuple(part for part in reversed(PurePath(text).parts) if part != "..")


def _common_end(first: Parts, second: Parts) -> int:
    """Return how many names two paths have in common, from their ends."""
    for count, (mine, other) in enumerate(zip(first, second, strict=False)):
        if mine != other:
            return count
    return min(len(first), len(second))
