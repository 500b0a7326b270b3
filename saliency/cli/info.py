"""``saliency info``."""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from saliency.archive.reading import reading
from saliency.cli.codes import code_of
from saliency.cli.options import add_verb
from saliency.cli.say import say_error
from saliency.cli.sources import files_of
from saliency.errors import SaliencyError

_HEAD: Final = (
    " series",
    "modality ",
    "images",
    f"{'size':<12}",
    f"{'plane':<9}",
    "spacing, mm",
)


def add_info(commands: Any) -> None:
    """Add the verb."""
    purpose = "say what DICOM files hold, and which series a folder; no patient data"
    command = add_verb(commands, "info", purpose, info)
    add = command.add_argument
    add(
        "dicom",
        metavar="DICOM",
        nargs="+",
        help="files, folders, globs, zips, a DICOMDIR",
    )
    add(
        "--files",
        action="store_true",
        help="each file of a folder, in the place of its series",
    )
    add("--json", action="store_true", help="one JSON object a line")


def info(options: argparse.Namespace) -> int:
    """Print what each file and each series holds; return the exit code."""
    told, failed = 0, 0
    for source in options.dicom:
        files = files_of(options, (source,))
        alone = len(files) == 1 and str(files[0]) == str(source)
        shown = _tell_of_files if alone or options.files else _series
        broken = shown(options, source, files)
        told, failed = told + len(files), failed + broken
    return code_of(told - failed, failed)


def _tell_of_files(
    options: argparse.Namespace,
    source: Any,  # noqa: ARG001 - as _tell_of_series takes it
    files: Sequence[Any],
) -> int:
    """Print what each file holds; return how many cannot be read."""
    from saliency.dicom import describe
    from saliency.pipeline.files import content_of

    failed = 0
    for file in files:
        try:
            with reading(str(file)):
                facts = describe(content_of(file))
        except SaliencyError as error:
            if options.debug:
                raise
            failed += 1
            say_error(f"{file}: {error}")
            continue
        if options.json:
            print(json.dumps({"source": str(file), **facts}, default=str))
            continue
        print(file)
        for name, value in facts.items():
            print(f"  {name:<26} {value}")
    return failed


def _series(options: argparse.Namespace, source: Any, files: Sequence[Any]) -> int:
    """Print the series of a folder, a zip or a DICOMDIR; return how many files cannot be read."""
    from saliency.volumes.series import list_series

    sound = list(_sound(files))
    found = list_series(sound) if sound else ()
    if not options.json:
        print(f"{source}: {len(found)} series, {len(sound)} files")
        print(
            f"  {'series':>7} {'modality':<9} {'images':>6} {'size':<12} {'plane':<9} spacing, mm"
        )
    for series in found:
        if options.json:
            print(json.dumps({"source": str(source), **asdict(series)}))
            continue
        for line in _rows_of_series(series):
            print(f"  {line}")
    return len(files) - len(sound)


def _sound(files: Sequence[Any]) -> Iterator[Any]:
    """Yield the files whose headers can be read; tell of the others."""
    from saliency.dicom.slices import frame_headers
    from saliency.pipeline.files import content_of

    for file in files:
        try:
            with reading(str(file)):
                frame_headers(content_of(file))
        except SaliencyError as error:
            say_error(f"{file}: {error}")
            continue
        yield file


def _rows_of_series(series: Any) -> Iterator[str]:
    """Yield a row about a series, and why it is no volume."""
    number = "-" if series.number is None else series.number
    size = f"{series.rows} x {series.columns}"
    spacing = (
        "-"
        if series.spacing is None
        else ", ".join(f"{mm:.4g}" for mm in series.spacing)
    )
    plane, modality = series.orientation or "-", series.modality or "-"
    yield f"{number:>7} {modality:<9} {series.frames:>6} {size:<12} {plane:<9} {spacing}"
    if series.note:
        yield f"{'':>7} no volume: {series.note}"
