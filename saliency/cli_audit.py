"""What the shell needs for an audit: a table of labels, and the findings in lines."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from saliency.errors import InputError

if TYPE_CHECKING:
    from saliency.audit.report import AuditReport


def labels_in(table: Path, column: str) -> dict[str, str]:
    """Return the label of each file in a CSV file.

    Parameters
    ----------
    table
        UTF-8, with a header; the first column holds paths or names of files.
    column
        Where the labels are. A file without one is left out.

    Raises
    ------
    InputError
        There is no such file or column, or a file is labelled twice, and differently.
    """
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"--labels: expected a CSV file in UTF-8, reading it failed: {type(error).__name__}."
        raise InputError(msg) from error
    names = list(rows[0]) if rows else []
    if column not in names[1:]:
        found = ", ".join(names) or "none"
        msg = f"--labels: expected a column {column!r} after the first, got columns: {found}."
        raise InputError(msg)
    return _labels(rows, names[0], column)


def check_out(folder: Path) -> None:
    """Refuse a place where no report can be written, before the audit rather than after it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.is_file():
        msg = "--out: expected a folder, got a file."
        raise InputError(msg)


def lines(report: "AuditReport") -> Iterator[str]:
    """Yield the findings, one line each, then whatever makes them doubtful."""
    for name, verdict in report.verdicts.items():
        yield f"{name}: {verdict.finding}. {verdict.sentence}"
    for warning in report.facts["warnings"]:
        yield f"warning: {warning}"


def _labels(rows: list[dict[str, str]], key: str, column: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, row in enumerate(rows, start=2):
        label = (row[column] or "").strip()
        if label and found.setdefault(row[key], label) != label:
            msg = f"--labels: line {number} labels a file that is labelled otherwise above."
            raise InputError(msg)
    return found
