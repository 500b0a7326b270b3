"""What the shell needs for an audit: what the images are divided by, and the findings in lines."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saliency.errors import InputError
from saliency.pipeline.label_table import LabelTable
from saliency.values.files import make_folder, writable

if TYPE_CHECKING:
    from saliency.audit.report.report import AuditReport

STATE = "unfinished.sqlite"
"""Name of the file that an audit which was stopped goes on from."""


def strata_in(
    table: LabelTable | None, names: Sequence[str], files: str | None
) -> Mapping[str, object]:
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


def patients_in(
    table: LabelTable | None, column: str | None, files: str | None
) -> Mapping[str, Any] | None:
    """Return the column of patients, None where none is asked for.

    Raises
    ------
    InputError
        There is no table, or no such column.
    """
    if column is None:
        return None
    if table is None:
        msg = "--patients: expected --labels, the table with the column of patients."
        raise InputError(msg)
    return table.column(column, files)


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
    make_folder(folder, "--out")
    for name in ("report.html", "report.json"):
        if (folder / name).is_dir():
            msg = f"--out: expected a folder for {name}, found a folder of that name in it."
            raise InputError(msg)
    trial = folder / f".{secrets.token_hex(8)}.part"
    with writable("--out"):
        trial.touch()
        trial.unlink()


def audit_lines(report: "AuditReport") -> Iterator[str]:
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
