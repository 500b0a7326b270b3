"""Files that are written whole or not at all."""

import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import Final, final

from saliency.errors import InputError

_DRAFT: Final = re.compile(r"\.[0-9a-f]{16}\.part")


@final
class UnwritableError(InputError, OSError):
    """A file or folder cannot be written: it is in the way, not allowed, or the disk is full.

    ``strerror`` is what the system said.
    """


@contextmanager
def writable(name: str) -> Iterator[None]:
    """Say in one sentence which file or folder cannot be written, and why.

    Raises
    ------
    UnwritableError
        The system refuses.
    """
    try:
        yield
    except UnwritableError:
        raise
    except OSError as error:
        words = error.strerror or str(error)
        msg = f"{name}: expected a place that can be written, got: {words}. Choose another one."
        told = UnwritableError(msg)
        told.strerror = words
        raise told from error


def is_draft(name: str) -> bool:
    """Say whether a file is one that is being written here, by its name."""
    return _DRAFT.fullmatch(name) is not None


def place_of(
    path: str | PathLike[str], endings: str | tuple[str, ...], owner: str
) -> Path:
    """Return where a file is to lie: a name with such an ending, in a folder that exists.

    Raises
    ------
    InputError
        The name has another ending, or the folder is missing.
    """
    place = _path(path, owner)
    allowed = (endings,) if isinstance(endings, str) else endings
    if place.suffix.lower() not in allowed:
        found = place.suffix or "none"
        msg = f"{owner}.save: expected a file name ending in {' or '.join(allowed)}, got {found!r}."
        raise InputError(msg)
    with writable(f"{owner}.save"):
        there = place.parent.is_dir()
    if not there:
        msg = f"{owner}.save: expected a folder that exists, got a missing one. Create it first."
        raise InputError(msg)
    return place


def folder_of(path: str | PathLike[str], owner: str) -> Path:
    """Return where a folder of files is to lie: there already, or new in one that exists.

    Raises
    ------
    InputError
        Its parent is missing, or it is a file.
    """
    place = _path(path, owner)
    with writable(f"{owner}.save"):
        allowed = place.parent.is_dir() and not place.is_file()
    if not allowed:
        msg = f"{owner}.save: expected a folder, or a name for one in a folder that exists."
        raise InputError(msg)
    return place


def _path(path: object, owner: str) -> Path:
    if isinstance(path, str | PathLike) and str(path) and "\0" not in str(path):
        return Path(path)
    found = repr(path) if isinstance(path, str) else type(path).__name__
    msg = f"{owner}.save: expected a path, got {found}."
    raise InputError(msg)


def make_folder(folder: Path, owner: str = "out") -> None:
    """Make a folder, and those above it, where they are missing.

    Raises
    ------
    InputError
        It cannot be made, or is a file.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # ValueError: a null byte
        words = getattr(error, "strerror", None) or str(error)
        msg = f"{owner}: expected a folder that can be written, got: {words}."
        raise InputError(msg) from error


def write_together(place: Path, files: Mapping[str, str]) -> None:
    """Write texts into a folder: drafts first, so that what can fail fails before any is there.

    Raises
    ------
    UnwritableError
        The folder cannot be made, or a file not be written.
    """
    with writable(place.name):
        place.mkdir(exist_ok=True)
    drafts = {name: place / f".{secrets.token_hex(8)}.part" for name in files}
    try:
        for name, text in files.items():
            with writable(name):
                drafts[name].write_text(text, encoding="utf-8")
        for name, draft in drafts.items():
            with writable(name):
                draft.replace(place / name)
    finally:
        for draft in drafts.values():
            with suppress(OSError):
                draft.unlink(missing_ok=True)


def write_whole(
    place: Path, data: bytes | Iterable[bytes], *, lasting: bool = False
) -> Path:
    """Write a file under another name and rename it: readers never meet half of one.

    Parameters
    ----------
    lasting
        It is on the disk before it is renamed: a machine that loses power keeps the old or the new.

    Raises
    ------
    UnwritableError
        The file cannot be written.
    """
    draft = place.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with writable(place.name):
            with draft.open("wb") as file:
                file.writelines((data,) if isinstance(data, bytes) else data)
                if lasting:
                    file.flush()
                    os.fsync(file.fileno())
            draft.replace(place)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return place
