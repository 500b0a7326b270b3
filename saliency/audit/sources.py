"""Which pictures, and what each is labelled: nothing is read here."""

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from saliency.errors import InputError
from saliency.values.image import DicomImage

Source: TypeAlias = Any
"""A DicomImage, or anything that read_dicom takes."""
Label: TypeAlias = Any
"""A class index, a class name, or 0 and 1 for a target."""


def sources_of(images: object) -> list[Source]:
    """Return the pictures in order; the files of a folder by name.

    Raises
    ------
    InputError
        There are none, or ``images`` is no folder and nothing to go through.
    """
    if isinstance(images, str | PathLike):
        found = _below(Path(images))
    elif isinstance(images, DicomImage | bytes) or not isinstance(images, Iterable):
        kind = type(images).__name__
        msg = f"audit: expected a folder or a sequence of images, got one {kind}. Use intervene."
        raise InputError(msg)
    else:
        found = list(images)
    if not found:
        msg = "audit: expected images, got none."
        raise InputError(msg)
    return found


def labels_of(labels: object, sources: Sequence[Source]) -> list[Label | None]:
    """Return one label for each picture, None for those that a mapping leaves out.

    A mapping's keys are paths as given, file names, file names without their ending, or digests
    of DicomImages.

    Raises
    ------
    InputError
        A sequence of another length, or a mapping that names none of the pictures.
    """
    if labels is None:
        return [None] * len(sources)
    if isinstance(labels, Mapping):
        return _mapped(labels, sources)
    if isinstance(labels, str | bytes) or not isinstance(labels, Sequence | np.ndarray):
        kind = type(labels).__name__
        msg = f"audit: expected labels as a sequence, or a mapping by path, got {kind}."
        raise InputError(msg)
    if len(labels) != len(sources):
        msg = (
            f"audit: expected one label for each image, got {len(labels)} labels for "
            f"{len(sources)} images. A mapping by path leaves no doubt which is whose."
        )
        raise InputError(msg)
    return [plain(label) for label in labels]


def plain(label: object) -> Label:
    """Return whole numbers as int, whatever they came as; anything else as it is."""
    if isinstance(label, np.generic):
        label = label.item()
    if isinstance(label, bool) or (isinstance(label, float) and label.is_integer()):
        return int(label)
    if isinstance(label, str) and label.strip().lstrip("-").isdigit():
        return int(label)
    return label


NOT_PICTURES = (".csv", ".htm", ".html", ".json", ".md", ".tsv", ".txt", ".xlsx", ".xml", ".yaml")
"""Endings of what lies beside pictures; any other file is tried, and reported if it is none."""


def _below(folder: Path) -> list[Source]:
    if not folder.is_dir():
        msg = "audit: expected a folder that exists, or a sequence of images; got another path."
        raise InputError(msg)
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path for path in found if not _beside(path)]


def _beside(path: Path) -> bool:
    return path.name.startswith(".") or path.suffix.lower() in NOT_PICTURES


def _mapped(labels: Mapping[Any, Any], sources: Sequence[Source]) -> list[Label | None]:
    by_key = {_key(key): plain(label) for key, label in labels.items()}
    found = [_first(by_key, _names(source)) for source in sources]
    matched = sum(label is not None for label in found)
    if not matched:
        msg = (
            f"audit: none of {len(by_key)} labels belongs to one of {len(sources)} images. Expected"
            " keys that are paths as given, or file names."
        )
        raise InputError(msg)
    return found


def _first(by_key: Mapping[str, Label], names: Iterable[str]) -> Label | None:
    return next((by_key[name] for name in names if name in by_key), None)


def _names(source: Source) -> tuple[str, ...]:
    """Return what a label may call a picture, the most exact first."""
    if isinstance(source, DicomImage):
        return (source.digest,)
    if not isinstance(source, str | PathLike):
        return ()
    path = Path(source)
    return _key(path), str(path.resolve()), path.name, path.stem


def _key(key: object) -> str:
    return str(Path(key)) if isinstance(key, str | PathLike) else str(key)
