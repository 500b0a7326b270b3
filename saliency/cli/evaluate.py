"""``saliency evaluate``."""

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, final

import saliency as sal
from saliency.cli.codes import DONE, FAILED
from saliency.cli.labels_table import STATE, check_out
from saliency.cli.methods import methods_in
from saliency.cli.options import (
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
)
from saliency.cli.quiet import start_tensorflow
from saliency.cli.say import say, say_error
from saliency.cli.sources import files_of
from saliency.errors import InputError
from saliency.pipeline.label_table import table_in

_TRUTH: Final = (
    "what the heat should lie on: DIR/NAME.png for a file NAME.dcm, above 0 inside; or DICOM "
    "Segmentations and RT Structure Sets that refer to the files"
)
_TABLE: Final = "a table of files, for --column and --patients"


def add_evaluate(commands: Any) -> None:
    """Add the verb."""
    purpose = "find out which explainer to trust for a model"
    command = add_verb(commands, "evaluate", purpose, evaluate_command)
    add = command.add_argument
    add("model", metavar="MODEL", help="a Keras model: .keras or .h5")
    add("folder", metavar="FOLDER", type=folder, help="DICOM files")
    add("--out", type=folder, required=True, metavar="DIR", help="for the report")
    add(
        "--method",
        action="append",
        metavar="NAMES",
        help="as of explain; default: five fast ones",
    )
    add("--truth", type=Path, metavar="DIR", help=_TRUTH)
    add(
        "--metrics",
        type=names,
        metavar="NAMES",
        help="the first ranks; default: see the docs",
    )
    add("--table", type=Path, metavar="CSV", help=_TABLE)
    add(
        "--column",
        metavar="COLUMN",
        help="of the class that is explained; default: predicted",
    )
    add(
        "--patients",
        metavar="COLUMN",
        help="of patients: images of one are one witness",
    )
    add("--files", metavar="COLUMN", help="of file names; default: the first")
    add("--classes", type=names, help="class names, comma-separated")
    add(
        "--target",
        type=target,
        help="class index or name; default: the predicted class",
    )
    add("--seed", type=int, default=0)
    add("--no-pictures", action="store_true", help="none in the report")
    add_prepare(command)


def evaluate_command(options: argparse.Namespace) -> int:
    """Measure explainers, print the verdict, write the report; return the exit code."""
    check_model(options.model, (options.folder,))
    check_target((options.target,), options.classes, "--classes")
    _check_table(options)
    start_tensorflow()
    check_out(options.out)
    from saliency.evaluation.evaluate import FAST

    files = files_of(options, (options.folder,))
    labels, patients = _columns(options)
    methods = [
        method.name if ":" not in method.name else method.recipe
        for method in methods_in(options.method or ())
    ]
    plain = options.classes is None  # the file tells a resumed run which model it was
    with _progress(options), named_if_all_fail(options.folder, "evaluate"):
        report = sal.evaluate(
            options.model if plain else model_of(options.model, options.classes),
            files,
            methods or FAST,
            labels=labels,
            groups=patients,
            truth=_truths(options, files),
            prepare=prepare_of(options),
            target=options.target,
            metrics=options.metrics,
            resume=options.out / STATE,
            seed=options.seed,
        )
    print(report.verdict)
    for failure in report.failures:
        say_error(f"{files[failure.index]}: {failure.message}")
    page = report.save(options.out, pictures=not options.no_pictures)
    print(f"report -> {page}")
    return FAILED if report.failures else DONE


@contextmanager
def _progress(options: argparse.Namespace) -> Iterator[None]:
    """Say how far the evaluation is, where the log does not already."""
    logger, spoken = logging.getLogger("saliency.evaluation"), _Spoken()
    silent = options.quiet or options.verbose
    if not silent:
        logger.addHandler(spoken)
    try:
        yield
    finally:
        logger.removeHandler(spoken)


@final
class _Spoken(logging.Handler):
    """Says what is less than a warning, as a line of the shell."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.WARNING:
            print(f"saliency: {record.getMessage()}", file=sys.stderr)


def _check_table(options: argparse.Namespace) -> None:
    asked = [name for name in ("column", "patients", "files") if getattr(options, name)]
    if asked and options.table is None:
        msg = f"--{asked[0]}: expected --table, the CSV that has this column."
        raise InputError(msg)


def _columns(options: argparse.Namespace) -> tuple[Any, Any]:
    """Return the class and the patient of each file; None each where no column is named."""
    if options.table is None:
        return None, None
    with named(f"--table {options.table}", "labels", "files"):
        table = table_in(options.table)
        asked = (options.column, options.patients)
        labels, patients = (
            table.column(name, options.files) if name else None for name in asked
        )
    return labels, patients


def _truths(options: argparse.Namespace, files: Sequence[Any]) -> Any:
    """Return the mask of each file, bool (rows, columns); None for a file without.

    A folder without PNG files is returned as it is: it may hold DICOM objects with regions.

    Raises
    ------
    InputError
        No file has a mask.
    """
    if options.truth is None:
        return None
    if options.truth.is_file() or _holds_no_png(options.truth):
        return options.truth
    masks = [_mask(place) for place in _mask_places(options.truth, files)]
    found = sum(mask is not None for mask in masks)
    if not found:
        example = f"{Path(str(files[0])).stem}.png"
        msg = f"--truth {options.truth}: expected a mask for each file, as {example}; found none."
        raise InputError(msg)
    if found < len(files):
        say(options, f"{len(files) - found} of {len(files)} files have no mask")
    return masks


def _mask_places(folder: Path, files: Sequence[Any]) -> list[Path]:
    """Return where the mask of each file would lie.

    Raises
    ------
    InputError
        Files of one name, from several folders, would share a mask.
    """
    places = [folder / f"{Path(str(file)).stem}.png" for file in files]
    shared = [place for place, count in Counter(places).items() if count > 1]
    for place in shared:
        if place.is_file():
            msg = (
                f"--truth {place}: expected a mask for one file, found {places.count(place)} files "
                "of that name. Evaluate one folder of images at a time."
            )
            raise InputError(msg)
    return places


def _holds_no_png(folder: Path) -> bool:
    endings = {path.suffix.lower() for path in folder.rglob("*") if path.is_file()}
    return bool(endings) and ".png" not in endings


def _mask(path: Path) -> Any:
    import numpy as np
    from PIL import Image

    if not path.is_file():
        return None
    try:
        values = np.asarray(Image.open(path).convert("L"))
    except OSError as error:
        msg = f"--truth {path}: expected a PNG: {error}."
        raise InputError(msg) from error
    return values > 0
