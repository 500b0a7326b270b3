"""What the shell needs for an audit: a table of labels, and the findings in lines."""

import codecs
import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from saliency.errors import InputError

if TYPE_CHECKING:
    from saliency.audit.report.report import AuditReport

DELIMITERS = ",;\t|"
STATE = "unfinished.sqlite"
"""Name of the file that an audit which was stopped goes on from."""


@final
@dataclass(frozen=True)
class Table:
    """A table of files: a header, and a row for each.

    Parameters
    ----------
    columns
        Names of the columns, without blanks around them.
    rows
        One text for each column.
    """

    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]

    def column(self, name: str, files: str | None = None) -> dict[str, str]:
        """Return the value of each file; files without one are left out.

        Parameters
        ----------
        name
            Of the column, in any case of letters.
        files
            Name of the column that holds the files; None: the first.

        Raises
        ------
        InputError
            There is no such column, or a file has two values.
        """
        key = 0 if files is None else self._place(files, "--files")
        place = self._place(name, "--labels")
        found: dict[str, str] = {}
        for number, row in enumerate(self.rows, start=2):
            value = row[place]
            if value and row[key] and found.setdefault(row[key], value) != value:
                msg = f"--labels: row {number} gives a file another {name!r} than a row above."
                raise InputError(msg)
        return found

    def has(self, name: str) -> bool:
        """Say whether there is a column of that name, in any case of letters."""
        return name.lower() in map(str.lower, self.columns)

    def _place(self, name: str, option: str) -> int:
        names = [column.lower() for column in self.columns]
        if name.lower() in names:
            return names.index(name.lower())
        found = ", ".join(self.columns) or "none"
        msg = f"{option}: expected a column {name!r} in the table, got columns: {found}."
        raise InputError(msg)


def table_in(path: Path) -> Table:
    """Return a CSV file: UTF-8, or UTF-16 with a byte order mark, as spreadsheets write it.

    Cells are divided by commas, semicolons, tabs or bars, whichever the header has most of.

    Raises
    ------
    InputError
        There is no such file, it is no text of the kind, or it has no header.
    """
    try:
        text = _decoded(path.read_bytes())
        first, _, rest = text.partition("\n")
        if first.lower().startswith("sep="):  # a note of spreadsheets to themselves
            first, text = rest.partition("\n")[0], rest
        delimiter = max(DELIMITERS, key=first.count)
        rows = list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"--labels: expected a CSV file in UTF-8, reading it failed: {type(error).__name__}."
        raise InputError(msg) from error
    cells = [[cell.strip() for cell in row] for row in rows if any(map(str.strip, row))]
    if not cells:
        msg = "--labels: expected a table with a header, got one without columns: none."
        raise InputError(msg)
    width = len(cells[0])
    return Table(tuple(cells[0]), [(row + [""] * width)[:width] for row in cells[1:]])


def strata_in(table: Table | None, names: Sequence[str], files: str | None) -> Mapping[str, object]:
    """Return what the pictures are divided by: columns of the table, else attributes of the files.

    Raises
    ------
    InputError
        A name is neither.
    """
    from saliency.dicom.file.header_groups import STRATA

    found: dict[str, object] = {}
    for name in names:
        if table is not None and table.has(name):
            found[name] = table.column(name, files)
        elif name in STRATA:
            found[name] = None
        else:
            columns = ", ".join(table.columns) if table else "no table"
            msg = (
                f"--strata: expected a column of the table ({columns}), or one of "
                f"{', '.join(sorted(STRATA))}; got {name!r}."
            )
            raise InputError(msg)
    return found


def divided(
    labels: Mapping[str, Any] | None, limit: float | str | None
) -> Mapping[str, Any] | None:
    """Return labels as they are, or 1 for those above the limit, or above the ``"median"``.

    Raises
    ------
    InputError
        There is a limit and no labels, or they are no numbers, or all lie on one side.
    """
    if limit is None:
        return labels
    if labels is None:
        msg = "--above: expected --labels, the table with the numbers."
        raise InputError(msg)
    from saliency.audit.cases.halves import halved

    return halved(labels, None if isinstance(limit, str) else limit)


def check_out(folder: Path) -> None:
    """Refuse a place where no report can be written, before the audit rather than after it."""
    if folder.is_file():
        msg = "--out: expected a folder, got a file."
        raise InputError(msg)
    folder.mkdir(parents=True, exist_ok=True)


def lines(report: "AuditReport") -> Iterator[str]:
    """Yield what makes the findings doubtful, the findings, one line each, and other warnings."""
    for doubt in report.doubts:
        yield f"read this first: {doubt}"
    for name, verdict in report.verdicts.items():
        yield f"{name}: {verdict.finding}. {verdict.sentence}"
    for division in report.divisions:
        yield from (f"{division.name}: {sentence}" for sentence in division.sentences)
    if report.strategies is not None:
        yield report.strategies.sentence
    yield report.worth.sentence
    for warning in report.facts["warnings"]:
        if warning not in report.doubts:
            yield f"warning: {warning}"


def _decoded(raw: bytes) -> str:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16")
    return raw.decode("utf-8-sig")
