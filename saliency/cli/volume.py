"""``saliency volume``."""

import argparse
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any, Final

import saliency as sal
from saliency.cli.codes import DONE
from saliency.cli.methods import methods_in
from saliency.cli.options import (
    add_prepare,
    add_question,
    add_subject,
    add_verb,
    add_window,
    check_model,
    check_target,
    forms,
    model_of,
    prepare_of,
)
from saliency.cli.quiet import start_tensorflow
from saliency.cli.sources import files_of
from saliency.errors import DicomError, InputError

_SERIES: Final = "a folder, files, a zip, a DICOMDIR, or one multi-frame file"
_WHERE: Final = (
    "which images, where several lie at one place: EchoTime=20, repetition=0"
)
_SAVE: Final = (
    "png (montage), npz, nii.gz, html, gif, webp, slices (a folder); default: png"
)
_NEIGHBOURS: Final = (
    "slices below, and as many above, that a model of images sees as channels"
)
_OVERLAP: Final = (
    "of --fit sliding: the part of a window that the next one covers too; default: 0.5"
)
_HALO: Final = "of --fit sliding: voxels at each side of a window that do not count"
_FITS: Final = ("stretch", "letterbox", "crop", "sliding")
#: ``where={"EchoTime": 20}``, as a message for Python writes it.
_EXAMPLE_OF_WHERE: Final = re.compile(r'where=\{"(\w+)": "?([^"}]*)"?\}')
#: A form that is no file: a folder with a PNG for each slice.
SLICES: Final = "slices"


def add_volume(commands: Any) -> None:
    """Add the verb."""
    purpose = "explain a series as one volume"
    command = add_verb(commands, "volume", purpose, volume)
    add = command.add_argument
    add_subject(command, "series", _SERIES)
    add(
        "--number", type=int, metavar="N", help="Series Number, where there are several"
    )
    add("--where", type=_pair, action="append", metavar="KEY=VALUE", help=_WHERE)
    add_question(command)
    add_window(command)
    add("--save", type=forms, default=("png",), metavar="FORMS", help=_SAVE)
    add(
        "--palette",
        default="green",
        help="green, hot, diverging, safe, auto, magma, ...",
    )
    add(
        "--json",
        action="store_true",
        help="print a JSON object for each map, one a line",
    )
    add_prepare(command, fits=_FITS)
    add("--neighbours", type=int, metavar="N", help=_NEIGHBOURS)
    add("--overlap", type=float, metavar="PART", help=_OVERLAP)
    add("--halo", type=int, metavar="VOXELS", help=_HALO)


def volume(options: argparse.Namespace) -> int:
    """Explain a volume by each method for each target; return the exit code."""
    from saliency.archive.naming import safe
    from saliency.render.palettes import check_palette
    from saliency.values.files import make_folder

    check_model(options.model, options.series)
    check_target(options.target, options.labels, "--labels")
    _check_forms(options.save)
    check_palette(options.palette)
    start_tensorflow()
    make_folder(options.out)
    methods = methods_in(options.method or ("fastcam",))
    prepare = prepare_of(options)
    read = _read_volume(options)
    probe = model_of(options.model, options.labels, options.layer, option="--labels")
    for method, target in product(methods, options.target):
        with _named_series(options.series):
            result = sal.explain(
                probe, read, method.recipe, target=target, prepare=prepare
            )
        stem = f"{read.digest[:12]}-{safe(method.name)}-{safe(str(result.target))}"
        paths = [_save_form(result, options, stem, form) for form in options.save]
        _tell(options, method.name, result, paths)
    return DONE


def _read_volume(options: argparse.Namespace) -> Any:
    """Return the volume; errors begin with the source as the user gave it."""
    files = files_of(options, options.series)
    shown = None if options.window is None else sal.Window(*options.window)
    where: Mapping[str, Any] = dict(options.where or ())
    source = options.series[0] if len(options.series) == 1 else files
    with _named_series(options.series):
        return sal.read_series(
            source, window=shown, series=options.number, where=where or None
        )


@contextmanager
def _named_series(series: list[str]) -> Iterator[None]:
    """Begin what is wrong with a series with its name; ``series=`` is ``--number`` in a shell."""
    try:
        yield
    except (DicomError, InputError) as error:
        others = f" and {len(series) - 1} more" if len(series) > 1 else ""
        words = str(error).removeprefix("read_series: ")
        words = _EXAMPLE_OF_WHERE.sub(r"--where \1=\2", words)
        for argument, option in (("series=", "--number"), ("where=", "--where")):
            words = words.replace(argument, option)
        msg = f"{series[0]}{others}: {words}"
        raise InputError(msg) from error


def _save_form(result: Any, options: argparse.Namespace, stem: str, form: str) -> Path:
    name = f"{stem}-{SLICES}" if form == SLICES else f"{stem}.{form}"
    path: Path = result.save(options.out / name, palette=options.palette)
    return path


def _tell(
    options: argparse.Namespace, method: str, result: Any, paths: list[Path]
) -> None:
    if options.json:
        told = ("target", "label", "probability", "score", "gap")
        row = {name: getattr(result, name) for name in told}
        scores = None if result.scores is None else result.scores.tolist()
        outputs = [path.name for path in paths]
        print(
            json.dumps({"method": method, **row, "scores": scores, "outputs": outputs})
        )
        return
    for path in paths:
        print(f"{' '.join(options.series)} -> {path}")


def _check_forms(wanted: tuple[str, ...]) -> None:
    """Refuse a form that no volume is kept in, before the model runs."""
    from saliency.volumes.writers import WRITERS

    known = [*sorted(ending.lstrip(".") for ending in WRITERS), SLICES]
    unknown = [form for form in wanted if form not in known]
    if unknown:
        msg = f"--save {','.join(unknown)}: expected some of {', '.join(known)}."
        raise InputError(msg)


def _pair(text: str) -> tuple[str, float | str]:
    """Return a keyword and its value, a number where it is one."""
    key, equals, value = text.partition("=")
    if not equals:
        msg = f"expected KEY=VALUE, as EchoTime=20, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    try:
        return key, int(value) if value.isdigit() else float(value)
    except ValueError:
        return key, value
