"""A table of files and labels, as spreadsheets write it."""

import codecs
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from saliency.errors import InputError

DELIMITERS = ",;\t|"


@final
@dataclass(frozen=True)
class LabelTable:
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
        key = 0 if files is None else self._place(files, "files")
        place = self._place(name, "labels")
        found: dict[str, str] = {}
        for number, row in enumerate(self.rows, start=2):
            value = row[place]
            if value and row[key] and found.setdefault(row[key], value) != value:
                msg = f"labels: row {number} gives a file another {name!r} than a row above."
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
        msg = (
            f"{option}: expected a column {name!r} in the table, got columns: {found}."
        )
        raise InputError(msg)


def table_in(path: Path) -> LabelTable:
    """Return a CSV file: UTF-8, or UTF-16 with a byte order mark, as spreadsheets write it.

    Cells are divided by commas, semicolons, tabs or bars, whichever the header has most of.

    Raises
    ------
    InputError
        There is no such file, it is no text of the kind, or it has no header.
    """
    try:
        text = decoded_text(path.read_bytes())
        first, _, rest = text.partition("\n")
        if first.lower().startswith("sep="):  # a note of spreadsheets to themselves
            first, text = rest.partition("\n")[0], rest
        delimiter = max(DELIMITERS, key=first.count)
        lines = io.StringIO(text, newline=None)  # ends of lines of any system
        rows = list(csv.reader(lines, delimiter=delimiter))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"labels: expected a CSV file in UTF-8, reading it failed: {type(error).__name__}."
        raise InputError(msg) from error
    cells = [[cell.strip() for cell in row] for row in rows if any(map(str.strip, row))]
    if not cells:
        msg = "labels: expected a table with a header, got one without columns: none."
        raise InputError(msg)
    width = len(cells[0])
    return LabelTable(
        tuple(cells[0]), [(row + [""] * width)[:width] for row in cells[1:]]
    )


def decoded_text(raw: bytes) -> str:
    """Return the text of a file that a spreadsheet, an editor or a shell wrote.

    Raises
    ------
    UnicodeDecodeError
        It is neither UTF-8 nor UTF-16 with a byte order mark.
    """
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16")
    return raw.decode("utf-8-sig")
