"""Options that several verbs have, and the values that they stand for."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import saliency as sal
from saliency.errors import InputError, ModelError, SaliencyError

SCALES: Final = ("unit", "pixel", "symmetric", "none", "zscore", "percentile", "imagenet", "caffe")
GREYS: Final = ("luminance", "mean", "red", "green", "blue")
_NEGATIVE: Final = re.compile(r"-[\d.]")
_NUMBERS: Final = frozenset({"--target", "--window", "--windows", "--mean", "--std"})


def joined(arguments: Sequence[str]) -> list[str]:
    """Write ``--window -600,1500`` as ``--window=-600,1500``: argparse takes it for an option."""
    found: list[str] = []
    for argument in arguments:
        if found and found[-1] in _NUMBERS and _NEGATIVE.match(argument):
            found[-1] += f"={argument}"
        else:
            found.append(argument)
    return found


def add_verb(commands: Any, name: str, purpose: str, run: object) -> argparse.ArgumentParser:
    """Add a command with the options that all have."""
    command: argparse.ArgumentParser = commands.add_parser(name, help=purpose, description=purpose)
    group = command.add_argument_group("what is said")
    group.add_argument("-v", "--verbose", action="store_true", help="all notes")
    group.add_argument("-q", "--quiet", action="store_true", help="errors alone")
    group.add_argument("--log-file", type=Path, metavar="FILE", help="notes go there, too")
    group.add_argument("--debug", action="store_true", help="show the traceback of an error")
    command.set_defaults(run=run)
    return command


def add_prepare(command: argparse.ArgumentParser) -> None:
    """Add what says how the model was trained; left out, it is what Prepare() does."""
    group = command.add_argument_group("what the model was trained on")
    add = group.add_argument
    add("--prepare", metavar="WHAT", help="module:name, a Prepare or a function of yours; or a "
        "JSON file with the fields of a Prepare")  # fmt: skip
    add("--size", type=size, metavar="H,W", help="default: the model's own")
    add("--intensity", choices=("display", "modality", "stored"), help="default: display")
    add("--fit", choices=("stretch", "letterbox", "crop"), help="default: stretch")
    add("--scale", type=scale, metavar="SCALE", help=f"{', '.join(SCALES)}, or a number that "
        "divides, as 4095; default: unit, 0..1")  # fmt: skip
    add("--mean", type=numbers, metavar="M", help="subtracted then: one, or one for each channel")
    add("--std", type=numbers, metavar="S", help="divided by then: one, or one for each channel")
    add("--grey", choices=GREYS, help="how colour becomes grey, where the model is of grey")
    add("--windows", type=windows, metavar="C,W;C,W;C,W", help="windows shown as channels")
    add("--region", type=region, metavar="T,L,H,W", help="the part of the picture that is shown")
    add("--spacing", type=spacing, metavar="MM", help="resample to this many mm a pixel")


def prepare_of(options: argparse.Namespace) -> Any:
    """Return the preparation that the options say.

    Raises
    ------
    InputError
        They contradict each other, or cannot be.
    """
    from saliency.cli.preparations import preparation_in  # sal.Prepare would load numpy for --help

    names = ("size", "intensity", "fit", "scale", "mean", "std", "grey", "windows", "region")
    told = {name: getattr(options, name) for name in (*names, "spacing")}
    told = {name: value for name, value in told.items() if value is not None}
    if options.prepare is None:
        return sal.Prepare(**told)
    if told:
        msg = f"--prepare says all of it: leave out {', '.join(f'--{name}' for name in told)}."
        raise InputError(msg)
    return preparation_in(options.prepare)


def model_of(
    path: str, labels: tuple[str, ...] | None = None, layers: tuple[str, ...] | None = None
) -> Any:
    """Return the probe of a model's file.

    Raises
    ------
    ModelError
        It cannot be asked; the message begins with the path as the user gave it.
    """
    from saliency.pipeline.explain import probe_of

    try:
        plain = labels is None and layers is None
        return probe_of(path) if plain else sal.KerasProbe(path, labels=labels, layers=layers)
    except SaliencyError as error:
        if isinstance(error, ModelError):
            msg = f"{path}: {error}"
            raise ModelError(msg) from error
        raise


def target(text: str) -> int | str:
    """Return a class index, or a label."""
    return int(text) if text.lstrip("-").isdigit() else text


def targets(text: str) -> tuple[int | str, ...]:
    """Return class indices or labels."""
    return tuple(map(target, names(text)))


def names(text: str) -> tuple[str, ...]:
    """Return words between commas."""
    return tuple(name.strip() for name in text.split(","))


def numbers(text: str) -> float | tuple[float, ...]:
    """Return one number, or several."""
    found = tuple(float(part) for part in text.split(","))
    return found[0] if len(found) == 1 else found


def size(text: str) -> tuple[int, int]:
    """Return (H, W); one number is a square."""
    parts = [int(part) for part in text.split(",")]
    rows, columns = parts * 2 if len(parts) == 1 else parts
    return rows, columns


def scale(text: str) -> float | str:
    """Return the name of a scale, or a number."""
    if text in SCALES:
        return text
    try:
        return float(text)
    except ValueError as error:
        msg = f"expected one of {', '.join(SCALES)}, or a number that divides; got {text!r}"
        raise argparse.ArgumentTypeError(msg) from error


def window(text: str) -> tuple[float, float]:
    """Return (center, width)."""
    center, width = (float(part) for part in text.split(","))
    return center, width


def windows(text: str) -> tuple[tuple[float, float], ...]:
    """Return several (center, width)."""
    return tuple(window(part) for part in text.split(";"))


def region(text: str) -> tuple[int, int, int, int]:
    """Return (top, left, rows, columns)."""
    top, left, rows, columns = (int(part) for part in text.split(","))
    return top, left, rows, columns


def spacing(text: str) -> tuple[float, float]:
    """Return (row mm, column mm); one number stands for both."""
    parts = [float(part) for part in text.split(",")]
    down, across = parts * 2 if len(parts) == 1 else parts
    return down, across
