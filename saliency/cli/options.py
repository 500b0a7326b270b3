"""Options that several verbs have, and the values that they stand for."""

import argparse
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from math import inf, isfinite
from os import PathLike
from pathlib import Path
from typing import Any, Final, TypeVar

import saliency as sal
from saliency.errors import DicomError, InputError, ModelError

MODELS: Final = (".keras", ".h5", ".hdf5")
SCALES: Final = (
    "unit",
    "pixel",
    "symmetric",
    "none",
    "zscore",
    "percentile",
    "imagenet",
    "caffe",
)
GREYS: Final = ("luminance", "mean", "red", "green", "blue")
_NEGATIVE: Final = re.compile(r"-[\d.]")
_WHOLE: Final = re.compile(r"-?\d+")
_METHOD: Final = (
    "see: saliency explainers; with arguments: lrp:composite=epsilon_plus; or several"
)
_NUMBERS: Final = frozenset({"--target", "--window", "--windows", "--mean", "--std"})


def options_joined(arguments: Sequence[str]) -> list[str]:
    """Write ``--window -600,1500`` as ``--window=-600,1500``: argparse takes it for an option."""
    found: list[str] = []
    for argument in arguments:
        if found and found[-1] in _NUMBERS and _NEGATIVE.match(argument):
            found[-1] += f"={argument}"
        else:
            found.append(argument)
    return found


def repeated(arguments: Sequence[str]) -> list[str]:
    """Put the arguments of an earlier run in the place of ``--from run.json``; later ones win.

    Raises
    ------
    InputError
        There is no such record, or it holds no arguments.
    """
    given = [part for text in arguments for part in _apart(text)]
    if "--from" not in given[:-1]:
        return given
    place = given.index("--from")
    path = Path(given[place + 1])
    try:
        told = json.loads(path.read_text(encoding="utf-8")).get("arguments")
    except (OSError, ValueError, AttributeError) as error:
        words = getattr(error, "strerror", None) or "it is no JSON object"
        msg = f"--from {path}: expected the run.json of an earlier run: {words}."
        raise InputError(msg) from error
    if not isinstance(told, list):
        msg = f"--from {path}: it was written with --anonymous, or not by the shell: no arguments."
        raise InputError(msg)
    rest = [*given[:place], *given[place + 2 :]]
    return [*rest[:1], *map(str, told), *rest[1:]]


def _apart(argument: str) -> tuple[str, ...]:
    """Return ``--from=run.json`` as ``--from`` and its file."""
    option, _, path = argument.partition("=")
    return (option, path) if option == "--from" and path else (argument,)


def spelled_out(text: str) -> str:
    """Refuse ``--fro run.json``: what stands for other arguments was taken before they are read."""
    msg = f"expected all its letters: --from {text}"
    raise argparse.ArgumentTypeError(msg)


def add_verb(
    commands: Any, name: str, purpose: str, run: object
) -> argparse.ArgumentParser:
    """Add a command with the options that all have."""
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=purpose, description=purpose
    )
    group = command.add_argument_group("what is said")
    group.add_argument("-v", "--verbose", action="store_true", help="all notes")
    group.add_argument("-q", "--quiet", action="store_true", help="errors alone")
    group.add_argument(
        "--log-file", type=Path, metavar="FILE", help="notes go there, too"
    )
    group.add_argument(
        "--debug", action="store_true", help="show the traceback of an error"
    )
    command.set_defaults(run=run)
    return command


def add_subject(
    command: argparse.ArgumentParser,
    source: str,
    what: str,
    *,
    model: str = "a Keras model: .keras or .h5",
    out: str = "where results go",
) -> None:
    """Add the model, the sources that it is asked about, and the folder of results."""
    add = command.add_argument
    add("model", metavar="MODEL", help=model)
    add(source, metavar=source.upper(), nargs="+", help=what)
    add("--out", type=folder, required=True, metavar="DIR", help=out)


def add_question(command: argparse.ArgumentParser) -> None:
    """Add what is asked of the model, and how."""
    add = command.add_argument
    add("--method", "--explainer", action="append", metavar="NAME", help=_METHOD)
    add(
        "--target",
        type=targets,
        default=(None,),
        help="indices or labels; default: predicted",
    )
    add("--labels", type=names, help="class names, comma-separated")
    add("--layer", type=names, metavar="NAMES", help="layers that maps are made of")


def add_window(command: argparse.ArgumentParser) -> None:
    """Add the window that images are shown through: a slide has that of its file."""
    command.add_argument(
        "--window",
        type=window,
        metavar="C,W",
        help="window that images are shown through; default: the file's",
    )


def add_prepare(
    command: argparse.ArgumentParser,
    fits: tuple[str, ...] = ("stretch", "letterbox", "crop"),
) -> None:
    """Add what says how the model was trained; left out, it is what Prepare() does."""
    group = command.add_argument_group("what the model was trained on")
    add = group.add_argument
    add("--prepare", metavar="WHAT", help="module:name, a Prepare or a function of yours; or a "
        "JSON file with the fields of a Prepare")  # fmt: skip
    add("--size", type=size, metavar="H,W", help="default: the model's own")
    add(
        "--intensity",
        choices=("display", "modality", "stored"),
        help="default: display",
    )
    add("--fit", choices=fits, help="default: stretch")
    add("--scale", type=scale, metavar="SCALE", help=f"{', '.join(SCALES)}, or a number that "
        "divides, as 4095; default: unit, 0..1")  # fmt: skip
    add(
        "--mean",
        type=one_or_several,
        metavar="M",
        help="subtracted then: one, or one for each channel",
    )
    add(
        "--std",
        type=one_or_several,
        metavar="S",
        help="divided by then: one, or one for each channel",
    )
    add(
        "--grey",
        choices=GREYS,
        help="how colour becomes grey, where the model is of grey",
    )
    add(
        "--windows",
        type=windows,
        metavar="C,W;C,W;C,W",
        help="windows shown as channels",
    )
    add(
        "--region",
        type=region,
        metavar="T,L,H,W",
        help="the part of the picture that is shown",
    )
    add(
        "--spacing", type=spacing, metavar="MM", help="resample to this many mm a pixel"
    )


def prepare_of(options: argparse.Namespace) -> Any:
    """Return the preparation that the options say.

    Raises
    ------
    InputError
        They contradict each other, or cannot be.
    """
    from saliency.cli.preparations import (
        preparation_in,
    )  # sal.Prepare would load numpy for --help

    names = (
        "size",
        "intensity",
        "fit",
        "scale",
        "mean",
        "std",
        "grey",
        "windows",
        "region",
        "spacing",
        "neighbours",
        "overlap",
        "halo",
    )
    given = vars(options)
    told: dict[str, Any] = {
        name: given[name] for name in names if given.get(name) is not None
    }
    if options.prepare is None:
        return sal.Prepare(**told)
    if told:
        msg = f"--prepare says all of it: leave out {', '.join(f'--{name}' for name in told)}."
        raise InputError(msg)
    return preparation_in(options.prepare)


def model_of(
    path: str,
    labels: tuple[str, ...] | None = None,
    layers: tuple[str, ...] | None = None,
    *,
    option: str = "--classes",
) -> Any:
    """Return the probe of a model's file.

    Parameters
    ----------
    option
        That names the labels.

    Raises
    ------
    SaliencyError
        It cannot be asked; the message begins with the path as the user gave it, or the option.
    """
    from saliency.pipeline.explain import probe_of

    with about(path, option):
        plain = labels is None and layers is None
        return (
            probe_of(path)
            if plain
            else sal.KerasProbe(path, labels=labels, layers=layers)
        )


@contextmanager
def about(path: str, option: str) -> Iterator[None]:
    """Begin errors of a model with its path, and those of its labels with their option."""
    try:
        yield
    except ModelError as error:
        said = str(error).removeprefix(f"{Path(path).name}: ")
        msg = f"{path}: {said}"
        raise ModelError(msg) from error
    except InputError as error:
        words = str(error)
        if not words.startswith("labels:"):
            raise
        raise InputError(words.replace("labels", option, 1)) from error


@contextmanager
def named(source: str | PathLike[str], *verbs: str) -> Iterator[None]:
    """Begin what is wrong with a source with its name, in the place of the verb of Python."""
    try:
        yield
    except (DicomError, InputError) as error:
        words = str(error)
        for verb in verbs:
            words = words.removeprefix(f"{verb}: ")
        name = str(source) or repr(source)
        # What is wrong with an option begins with that option.
        told = words.startswith((name, "--"))
        raise type(error)(words if told else f"{name}: {words}") from error


@contextmanager
def named_if_all_fail(source: str | PathLike[str], verb: str) -> Iterator[None]:
    """Begin the error of a run in which no image can be used with its source."""
    from saliency.pipeline.files import AllFailedError

    try:
        yield
    except AllFailedError as error:
        msg = f"{source}: {str(error).removeprefix(f'{verb}: ')}"
        raise AllFailedError(msg) from error


def check_model(path: str, sources: Sequence[str | PathLike[str]]) -> None:
    """Refuse a model that is not there, before anything is read; tell of another order.

    Raises
    ------
    SaliencyError
        The message begins with the path as the user gave it.
    """
    if not Path(path).exists():
        msg = f"{path}: no such model; expected a .keras or .h5 file."
        raise ModelError(msg)
    if Path(path).suffix.lower() in MODELS:
        return
    models = [
        str(source) for source in sources if Path(source).suffix.lower() in MODELS
    ]
    if models:
        msg = f"{path}: expected the model first: {models[0]}, then DICOM files."
        raise InputError(msg)


def check_target(
    targets: Sequence[object], labels: tuple[str, ...] | None, option: str
) -> None:
    """Refuse a target that is a label, where nobody said what the classes are called.

    Raises
    ------
    InputError
        The message names the option that says it.
    """
    named = [each for each in targets if isinstance(each, str)]
    if named and labels is None:
        msg = (
            f"--target {named[0]}: expected the index of a class, as 0 or 1; for a label, name all "
            f"classes in their order: {option} healthy,{named[0] or 'ill'}."
        )
        raise InputError(msg)


Parsed = TypeVar("Parsed")


def told_as(form: str) -> Callable[[Callable[[str], Parsed]], Callable[[str], Parsed]]:
    """Let the parser say what an option looks like, where its text cannot be read."""

    def decorate(parse: Callable[[str], Parsed]) -> Callable[[str], Parsed]:
        @wraps(parse)
        def parsed(text: str) -> Parsed:
            try:
                return parse(text)
            except ValueError as error:
                msg = f"expected {form}, got {text!r}"
                raise argparse.ArgumentTypeError(msg) from error

        return parsed

    return decorate


def target(text: str) -> int | str:
    """Return a class index, or a label."""
    return int(text) if _WHOLE.fullmatch(text) else text


def targets(text: str) -> tuple[int | str, ...]:
    """Return class indices or labels."""
    return tuple(map(target, names(text)))


def names(text: str) -> tuple[str, ...]:
    """Return words between commas."""
    return tuple(name.strip() for name in text.split(","))


def forms(text: str) -> tuple[str, ...]:
    """Return endings of files: ``PNG`` and ``.png`` are ``png``."""
    return tuple(name.lower().lstrip(".") for name in names(text))


@told_as("a whole number of 1 or more")
def count(text: str) -> int:
    """Return a number of things."""
    return _above_zero(int(text))


@told_as("a number above 0")
def positive(text: str) -> float:
    """Return a number above 0."""
    return _above_zero(float(text))


@told_as("a number, or one for each channel, as 0.485,0.456,0.406")
def one_or_several(text: str) -> float | tuple[float, ...]:
    """Return one number, or several."""
    parts = tuple(map(float, text.split(",")))
    return parts[0] if len(parts) == 1 else parts


@told_as("rows and columns, as 224,224; one number is a square; of a volume D,H,W")
def size(text: str) -> tuple[int, ...]:
    """Return (H, W) or (D, H, W); one number is a square."""
    return _two_or_three(_above_zero(int(part)) for part in text.split(","))


@told_as(f"one of {', '.join(SCALES)}, or a number above 0 that divides, as 4095")
def scale(text: str) -> float | str:
    """Return the name of a scale, or a number."""
    return text if text in SCALES else _above_zero(float(text))


@told_as("center and width, as 40,400; the width is above 0")
def window(text: str) -> tuple[float, float]:
    """Return (center, width)."""
    center, width = (float(part) for part in text.split(","))
    if not isfinite(center):
        raise ValueError
    return center, _above_zero(width)


@told_as("centers and widths, as '-600,1500;40,400;400,1800'; each width is above 0")
def windows(text: str) -> tuple[tuple[float, float], ...]:
    """Return several (center, width)."""
    return tuple(window(part) for part in text.split(";"))


@told_as("top, left, rows and columns in pixels, as 0,0,512,512")
def region(text: str) -> tuple[int, int, int, int]:
    """Return (top, left, rows, columns)."""
    top, left, rows, columns = (int(part) for part in text.split(","))
    if min(top, left) < 0:
        raise ValueError
    return top, left, _above_zero(rows), _above_zero(columns)


@told_as(
    "mm from pixel to pixel, as 0.5, or as 0.5,0.4 down and across; of a volume three numbers"
)
def spacing(text: str) -> tuple[float, ...]:
    """Return (row mm, column mm), or slice mm before them; one number stands for both."""
    return _two_or_three(_above_zero(float(part)) for part in text.split(","))


@told_as("first, all, a number from 1, or A:B")
def frames(text: str) -> str:
    """Return which frames are asked for."""
    from saliency.archive.sources import check_frames

    return check_frames(text)


@told_as("i/n, as 1/4 to 4/4")
def part(text: str) -> str:
    """Return which part of the files this run is about."""
    from saliency.archive.sources import part_of

    part_of(text)
    return text


@told_as("a day or a time, as 2026-01-31 or 2026-01-31T18:00")
def time(text: str) -> datetime:
    """Return a time, of this place where the text names no other."""
    return datetime.fromisoformat(text).astimezone()


@told_as("the name of a folder")
def folder(text: str) -> Path:
    """Return where results go; an empty text is a shell variable that was never set."""
    if not text.strip():
        raise ValueError
    return Path(text)


Number = TypeVar("Number", int, float)


def _above_zero(value: Number) -> Number:
    if not 0 < value < inf:
        raise ValueError
    return value


def _two_or_three(values: Iterable[Number]) -> tuple[Number, ...]:
    """Return two or three numbers: one stands for two."""
    parts = tuple(values)
    if len(parts) > 3:
        raise ValueError
    return parts * 2 if len(parts) == 1 else parts
