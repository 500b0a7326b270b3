"""``saliency audit``."""

import argparse
from pathlib import Path
from typing import Any, Final

import saliency as sal
from saliency.cli.codes import DONE, FAILED
from saliency.cli.labels_table import (
    STATE,
    audit_lines,
    check_out,
    divided,
    patients_in,
    strata_in,
)
from saliency.cli.options import (
    about,
    add_prepare,
    add_verb,
    check_model,
    check_target,
    folder,
    model_of,
    named,
    named_if_all_fail,
    names,
    prepare_of,
    target,
    told_as,
)
from saliency.cli.quiet import start_tensorflow
from saliency.cli.say import say_error
from saliency.cli.sources import files_of
from saliency.pipeline.label_table import table_in

_ABOVE: Final = (
    "labels that are numbers: 1 above it, else 0; a number, or median; with --target"
)
_STRATA: Final = (
    "columns of the table (site, device), or attributes (StationName), comma-separated"
)


def add_audit(commands: Any) -> None:
    """Add the verb."""
    command = add_verb(
        commands,
        "audit",
        "find out what a model reads besides the patient",
        audit_command,
    )
    command.add_argument("model", metavar="MODEL", help="a Keras model: .keras or .h5")
    command.add_argument("folder", metavar="FOLDER", type=folder, help="DICOM files")
    command.add_argument(
        "--out", type=folder, required=True, metavar="DIR", help="for the report"
    )
    command.add_argument("--labels", type=Path, metavar="CSV", help="a table of files")
    command.add_argument(
        "--column", default="label", help="of the labels; default: label"
    )
    command.add_argument(
        "--files", metavar="COLUMN", help="of file names; default: the first"
    )
    command.add_argument("--above", metavar="LIMIT", type=_limit, help=_ABOVE)
    command.add_argument(
        "--strata", type=names, default=(), metavar="NAMES", help=_STRATA
    )
    command.add_argument(
        "--patients",
        metavar="COLUMN",
        help="of patients, the unit of all tests; default: Patient ID of the files",
    )
    command.add_argument("--classes", type=names, help="class names, comma-separated")
    command.add_argument(
        "--target", type=target, help="class index or name; default: all"
    )
    command.add_argument("--seed", type=int, default=0)
    command.add_argument(
        "--no-pictures", action="store_true", help="none in the report"
    )
    command.add_argument(
        "--file-table", action="store_true", help="also files.csv: digest, file"
    )
    add_prepare(command)


def audit_command(options: argparse.Namespace) -> int:
    """Audit a model, print the findings, write the report; return the exit code."""
    check_model(options.model, (options.folder,))
    check_target((options.target,), options.classes, "--classes")
    start_tensorflow()
    check_out(options.out)
    files = files_of(options, (options.folder,))
    with named(f"--labels {options.labels}", "labels", "files"):
        table = table_in(options.labels) if options.labels else None
        labels = table.column(options.column, options.files) if table else None
        patients = patients_in(table, options.patients, options.files)
    plain = options.classes is None  # the file tells a resumed audit which model it was
    model = options.model if plain else model_of(options.model, options.classes)
    with about(options.model, "--classes"), named_if_all_fail(options.folder, "audit"):
        report = sal.audit(
            model,
            files,
            labels=divided(labels, options.above),
            prepare=prepare_of(options),
            target=options.target,
            strata=strata_in(table, options.strata, options.files),
            groups=patients,
            resume=options.out / STATE,
            seed=options.seed,
        )
    for line in audit_lines(report):
        print(line)
    for failure in report.failures:
        say_error(f"{files[failure.index]}: {failure.message}")
    page = report.save(
        options.out, pictures=not options.no_pictures, files=options.file_table
    )
    print(f"report -> {page}")
    return FAILED if report.failures else DONE


@told_as("a number, or median")
def _limit(text: str) -> float | str:
    limit = text if text == "median" else float(text)
    if limit != limit:  # noqa: PLR0124 - no label is above NaN
        raise ValueError
    return limit
