"""Files that are written whole or not at all."""

import os
import re
import secrets
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Final

from saliency.errors import InputError

_DRAFT: Final = re.compile(r"\.[0-9a-f]{16}\.part")


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
    place = Path(path)
    allowed = (endings,) if isinstance(endings, str) else endings
    if place.suffix.lower() not in allowed:
        found = place.suffix or "none"
        msg = f"{owner}.save: expected a file name ending in {' or '.join(allowed)}, got {found!r}."
        raise InputError(msg)
    if not place.parent.is_dir():
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
    place = Path(path)
    if not place.parent.is_dir() or place.is_file():
        msg = f"{owner}.save: expected a folder, or a name for one in a folder that exists."
        raise InputError(msg)
    return place


def write_together(place: Path, files: Mapping[str, str]) -> None:
    """Write texts into a folder: drafts first, so that what can fail fails before any is there."""
    place.mkdir(exist_ok=True)
    drafts = {name: place / f".{secrets.token_hex(8)}.part" for name in files}
    try:
        for name, text in files.items():
            drafts[name].write_text(text, encoding="utf-8")
        for name, draft in drafts.items():
            draft.replace(place / name)
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def write_whole(
    place: Path, data: bytes | Iterable[bytes], *, lasting: bool = False
) -> Path:
    """Write a file under another name and rename it: readers never meet half of one.

    Parameters
    ----------
    lasting
        It is on the disk before it is renamed: a machine that loses power keeps the old or the new.
    """
    draft = place.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with draft.open("wb") as file:
            file.writelines((data,) if isinstance(data, bytes) else data)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)
    return place
