"""The table of a folder of results: the truth about what was done.

A row is appended after its files are written, whole, under a lock, and is on the disk when that
returns. So a process that is killed leaves complete rows, and at most one torn line, which the next
run drops. Several processes may append to one table.
"""

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final, final

from saliency.archive.page import Row, index_page_of
from saliency.archive.parquet import write_parquet
from saliency.errors import InputError
from saliency.values.files import write_whole

COLUMNS: Final = (
    *(
        "source",
        "digest",
        "frame",
        "method",
        "target",
        "label",
        "probability",
        "score",
        "gap",
    ),
    *("outside", "seconds", "outputs", "error", "truth"),
)
"""Of results.csv; results.jsonl also has ``caption``, ``thumbnail``, ``record`` and ``stamp``."""

TABLE: Final = "results.jsonl"
THUMBNAILS: Final = "thumbnails"
#: What a row begins with, and without which it is none.
_START: Final = b'{"source": '
_NEEDED: Final = frozenset(COLUMNS) - {"gap", "seconds", "truth"} | {"record"}
_BLOCK: Final = 2**16
#: The most figures of index.html: a browser shows so many.
MOST_FIGURES: Final = 5000


@final
class Table:
    """Rows of a folder, known by what was asked.

    Parameters
    ----------
    folder
        Of the results; it exists.

    Raises
    ------
    OSError
        The table cannot be written.
    InputError
        Another program wrote it, or another version of this one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / TABLE
        self._places: dict[bytes, int] = {}
        self._owners: dict[bytes, bytes] = {}
        self._answers: dict[bytes, bytes] = {}
        self._open()

    def _open(self) -> None:
        """Drop a torn last line; learn where each row that still holds lies."""
        if not self._path.is_file():  # a question that is refused leaves no files
            return
        with self._locked():
            self._check_first_line()
            self._mend()
            places = sorted(self._winners().values())
            for place, row in zip(places, self._rows_at(places), strict=True):
                self._learn(row, place)

    def row_of(self, key: str) -> Row | None:
        """Return the row of a record or a stamp, if all of its files are still there."""
        place = self._places.get(bytes.fromhex(key)) if key else None
        if place is None:
            return None
        row = next(self._rows_at((place,)))
        told = key in (row.get("record"), row.get("stamp"))
        return row if told and self._is_there(row) else None

    def has(self, row: Row) -> bool:
        """Say whether the row of this file, frame, method and target is this very result."""
        return self._answers.get(_hashed(_answer_of_row(row)), b"") == _record_of_row(
            row
        )

    def append(self, rows: Sequence[Row]) -> None:
        """Write rows; they are on the disk when this returns.

        Raises
        ------
        OSError
            They cannot be written: then none of them is there.
        """
        if not rows:
            return
        lines = [_line_of_row(row) for row in rows]
        with self._locked(), self._path.open("ab") as file:
            place = file.tell()
            try:
                file.write(b"".join(lines))
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                with suppress(OSError):
                    file.truncate(place)
                raise
        for row, line in zip(rows, lines, strict=True):
            self._learn(row, place)
            place += len(line)

    def finish(self, about: Mapping[str, Any]) -> None:
        """Write each row once, and from them results.csv, Parquet, run.json and index.html.

        Raises
        ------
        OSError
            One cannot be written.
        """
        with self._locked():
            self._mend()
            winners = sorted(self._winners().values())
            self._drop_others(set(winners))
            run = json.dumps(about, indent=2, ensure_ascii=False, default=str)
            write_whole(self._folder / "run.json", f"{run}\n".encode())
            page = index_page_of(self._rows_at(winners), most=MOST_FIGURES)
            write_whole(self._folder / "results.csv", _csv(self._rows_at(winners)))
            write_parquet(self._folder, self._rows_at(winners), COLUMNS)
            write_whole(self._folder / "index.html", (part.encode() for part in page))
            # The table comes last: until it is replaced, the places in it are true.
            write_whole(self._path, self._lines_at(winners), lasting=True)
        for known in (self._places, self._owners, self._answers):
            known.clear()
        self._open()

    def drop_nameless_failures(self) -> None:
        """Forget failures that name no file, so that a run over all files does not double them."""
        if not self._path.is_file():
            return
        with self._locked():
            self._mend()
            told = list(self._lines())
            kept = [place for place, row in told if row["source"] or not row["error"]]
            if len(kept) < len(told):
                write_whole(self._path, self._lines_at(kept), lasting=True)
        self._open()

    def rows(self) -> Iterator[Row]:
        """Yield every row, each once."""
        with self._locked():
            places = sorted(self._winners().values())
        return self._rows_at(places)

    def _winners(self) -> dict[bytes, int]:
        """Return where the last row of each answer lies; what was replaced is not there.

        A failure gives way to whatever came of the same frame and method since.
        """
        found: dict[bytes, int] = {}
        failed: dict[bytes, bytes] = {}
        for place, row in self._lines():
            question = _hashed(_question(row))
            if row["source"] or not row["error"]:
                found.pop(failed.pop(question, b""), None)
            key = (
                _hashed(_answer_of_row(row))
                if row["source"] or not row["error"]
                else b"%d" % place
            )
            if row["error"] and row["source"]:
                failed[question] = key
            found[key] = place
        return found

    def _lines(self) -> Iterator[tuple[int, Row]]:
        """Yield every line that is a row, with its place."""
        if not self._path.is_file():
            return
        with self._path.open("rb") as file:
            place = 0
            for line in file:
                row = _parsed(line)
                if row is not None:
                    yield place, row
                place += len(line)

    def _lines_at(self, places: Iterable[int]) -> Iterator[bytes]:
        if not self._path.is_file():
            return
        with self._path.open("rb") as file:
            for place in places:
                file.seek(place)
                yield file.readline()

    def _rows_at(self, places: Iterable[int]) -> Iterator[Row]:
        for line in self._lines_at(places):
            yield _parsed(line) or {}

    def _is_there(self, row: Row) -> bool:
        """Say whether all that a row tells of is still there, and of this very question."""
        if row["error"]:
            return False
        owners = {self._owners.get(_hashed((name,))) for name in row["outputs"]}
        own = owners <= {_record_of_row(row)}
        return own and all((self._folder / name).is_file() for name in _files(row))

    def _learn(self, row: Row, place: int) -> None:
        record = _record_of_row(row)  # one object for all: a row costs some 500 bytes
        self._answers[_hashed(_answer_of_row(row))] = record
        for key in (record, bytes.fromhex(row.get("stamp") or "")):
            if key:
                self._places[key] = place
        for name in row["outputs"]:
            self._owners[_hashed((name,))] = record

    def _check_first_line(self) -> None:
        """Refuse a table that is not ours, which would be dropped line by line."""
        with self._path.open("rb") as file:
            line = file.readline()
        whole = line.endswith(b"\n")
        if not (
            _START.startswith(line[: len(_START)]) and (_parsed(line) or not whole)
        ):
            msg = (
                f"out: expected a folder for results, found a {TABLE} that another program or "
                "version wrote. Choose another folder."
            )
            raise InputError(msg)

    def _mend(self) -> None:
        """Cut off a last line that a killed process began."""
        if not self._path.is_file():
            return
        with self._path.open("rb+") as file:
            whole = _end_of_lines(file)
            if whole < file.seek(0, os.SEEK_END):
                file.truncate(whole)

    def _drop_others(self, winners: set[int]) -> None:
        """Remove files of rows that were replaced, and that no row names any more."""
        named: set[str] = set()
        replaced: set[str] = set()
        for place, row in self._lines():
            (named if place in winners else replaced).update(_files(row))
        for name in replaced - named:
            (self._folder / name).unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes from the table; where the system has no such lock, do without."""
        try:
            import fcntl  # noqa: PLC0415 - not on every system
        except ImportError:
            yield
            return
        with (self._folder / ".lock").open("a") as file:
            with suppress(OSError):  # file systems of networks may have none
                fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _end_of_lines(file: IO[bytes]) -> int:
    """Return how many bytes there are up to the last newline, and with it."""
    start = file.seek(0, os.SEEK_END)
    while start:
        start = max(0, start - _BLOCK)
        file.seek(start)
        place = file.read(_BLOCK).rfind(b"\n")
        if place >= 0:
            return start + place + 1
    return 0


def _line_of_row(row: Row) -> bytes:
    """Return a row as it stands in the table."""
    try:
        return f"{json.dumps(row, ensure_ascii=False)}\n".encode()
    except (
        UnicodeEncodeError
    ):  # a file name that is no UTF-8: escaped, it comes back as it was
        return f"{json.dumps(row)}\n".encode()


def _parsed(line: bytes) -> Row | None:
    """Return the row of a line; None where it is none."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and row.keys() >= _NEEDED else None


def _files(row: Row) -> list[str]:
    """Return the files of a row: names in the folder, whatever the table says."""
    names = [*row["outputs"], *filter(None, [row.get("thumbnail")])]
    return [
        name
        for name in names
        if Path(name).parts in ((name,), (THUMBNAILS, Path(name).name))
    ]


def _csv(rows: Iterable[Row]) -> Iterator[bytes]:
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        cells = {**row, "outputs": json.dumps(row["outputs"], ensure_ascii=False)}
        writer.writerow([_harmless(cells.get(name)) for name in COLUMNS])
        yield page.getvalue().encode("utf-8", "surrogateescape")
        page.seek(0)
        page.truncate()
    yield page.getvalue().encode()


def _harmless(cell: Any) -> Any:
    """Keep a spreadsheet from running a text as a formula."""
    return (
        f"'{cell}"
        if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@"))
        else cell
    )


def _question(row: Row) -> tuple[object, ...]:
    return row["source"], row["frame"], row["method"]


def _answer_of_row(row: Row) -> tuple[object, ...]:
    return *_question(row), row["digest"], row["target"]


def _record_of_row(row: Row) -> bytes:
    return bytes.fromhex(row["record"] or "")


def _hashed(values: tuple[object, ...]) -> bytes:
    """Return 128 bits: two of a billion rows are equal by chance once in 10^20 archives."""
    return sha256(repr(values).encode("utf-8", "surrogatepass")).digest()[:16]
