"""What long work has found so far, in a file: so that what was stopped goes on."""

import json
import logging
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import blake2b
from os import PathLike
from pathlib import Path
from typing import Any, Final, Self, TypeAlias, final

from saliency.errors import InputError

Row: TypeAlias = Mapping[str, Any]
"""Plain values: numbers, texts, lists, mappings."""
FORM: Final = 3
"""Of the rows; files of another form are begun anew."""

ANOTHER: Final = (
    "resume: the file was kept for another model, other pictures, labels or settings, or by "
    "another version. What it holds is dropped, and the {owner} is begun anew."
)


@final
class State:
    """Rows by stage and number, each written whole or not at all.

    The file is an SQLite database: a row is there after a crash, or it is not, but never half. It
    holds scores, shares and coarse heatmaps by number; no pixels, masks, names, or labels. Each row
    begins with a digest of itself and the key. A row that was damaged, or that other work wrote
    into the same file meanwhile, is as good as none.

    Parameters
    ----------
    path
        Of the file; None: nothing is kept.
    key
        Of the model, the pictures and the settings. What was kept for another key is dropped, and
        the logger ``saliency.audit`` says so, or that of another owner.
    owner
        Whose work it is: ``"audit"``, ``"slide"``, ``"evaluation"``.

    Raises
    ------
    InputError
        The file cannot be read or written: here, and whenever it is used.
    """

    def __init__(self, path: Path | None, key: str = "", owner: str = "audit") -> None:
        self._key, self._owner = f"{FORM} {key}", owner
        self._name = "" if path is None else path.name
        self._connection = None
        if path is not None:
            _check_place(path, owner)
            with _usable(self._name, owner):
                self._connection = _connected(path, self._key, owner)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()

    def rows(self, stage: str) -> dict[int, Row]:
        """Return what was kept of a stage, by number."""
        return dict(self.each(stage))

    def each(self, stage: str) -> Iterator[tuple[int, Row]]:
        """Yield what was kept of a stage, number and row, one in memory at a time."""
        if self._connection is None:
            return
        with _usable(self._name, self._owner):
            found = self._connection.execute(
                "SELECT number, row FROM rows WHERE stage = ? ORDER BY number", (stage,)
            )
            for number, line in found:
                digest, _, text = str(line).partition(" ")
                if digest == self._digest(stage, number, text):
                    yield number, json.loads(text)

    def keep(self, stage: str, number: int, row: Row) -> None:
        """Write a row; it is on the disk when this returns."""
        self.keep_all(stage, {number: row})

    def keep_all(self, stage: str, rows: Mapping[int, Row]) -> None:
        """Write rows by number, all of them or none; they are on the disk when this returns."""
        if self._connection is None:
            return
        lines = []
        for number, row in rows.items():
            text = json.dumps(row)
            digest = self._digest(stage, number, text)
            lines.append((stage, number, f"{digest} {text}"))
        with _usable(self._name, self._owner), self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO rows VALUES (?, ?, ?)", lines
            )

    def _digest(self, stage: str, number: int, text: str) -> str:
        """Return what a row of this work begins with."""
        told = "\n".join((self._key, stage, str(number), text))
        return blake2b(told.encode(), digest_size=8).hexdigest()


@contextmanager
def kept(
    path: str | PathLike[str] | None, parts: Sequence[str], owner: str = "audit"
) -> Iterator[State]:
    """Open a state; where all goes well, its file has served, and is removed."""
    place = None if path is None else _place(path, owner)
    with State(place, "|".join(parts), owner) as state:
        yield state
    if place is not None:
        place.unlink(missing_ok=True)


def _place(path: object, owner: str) -> Path:
    if isinstance(path, str | PathLike):
        return Path(path)
    msg = (
        f"{owner}: expected resume to be the name of a file, got {type(path).__name__}."
    )
    raise InputError(msg)


@contextmanager
def _usable(name: str, owner: str) -> Iterator[None]:
    """Say in one sentence that a file cannot be read or written.

    Raises
    ------
    InputError
        It cannot.
    """
    try:
        yield
    except sqlite3.Error as error:
        msg = (
            f"{owner}: the file of resume, {name}, cannot be used: {error}. Is another {owner} at "
            "work there, may nobody write there, or is the disk full? Else delete the file."
        )
        raise InputError(msg) from error


def _check_place(path: Path, owner: str) -> None:
    if not path.parent.is_dir() or path.is_dir():
        msg = f"{owner}: expected resume to be a file, or a name for one, in a folder that exists."
        raise InputError(msg)


def _connected(path: Path, key: str, owner: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    # Bytes that are no UTF-8 are damage, which the digest tells.
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    try:
        return _with_tables(connection, key, owner)
    except sqlite3.Error:
        connection.close()
        raise


def _with_tables(
    connection: sqlite3.Connection, key: str, owner: str
) -> sqlite3.Connection:
    with connection:
        connection.execute("CREATE TABLE IF NOT EXISTS of (key TEXT)")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS rows (stage TEXT, number INTEGER, row TEXT, "
            "PRIMARY KEY (stage, number))"
        )
        found = connection.execute("SELECT key FROM of").fetchall()
        if found and found != [(key,)]:
            logger = logging.getLogger(f"saliency.{owner}")
            logger.warning("%s", ANOTHER.format(owner=owner))
        if found != [(key,)]:
            connection.execute("DELETE FROM rows")
            connection.execute("DELETE FROM of")
            connection.execute("INSERT INTO of VALUES (?)", (key,))
    return connection
