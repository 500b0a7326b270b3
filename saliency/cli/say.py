"""What the shell says besides results: errors, notes, and how far it is. All of it on stderr."""

import argparse
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from saliency.cli.codes import FAILED
from saliency.errors import InputError

_READING: Final = threading.local()
"""The file that this thread reads, for notes: the rooms below know no names of files."""


def say_error(message: str, *, code: int = FAILED) -> int:
    """Print an error as one line; return the exit code."""
    print(f"saliency: error: {' '.join(message.split())}", file=sys.stderr)
    return code


def say(options: argparse.Namespace, message: str) -> None:
    """Print a remark, unless the user wants none."""
    if not options.quiet:
        print(f"saliency: {message}", file=sys.stderr)


def words_of(error: Exception) -> str:
    """Return what an error says; of a system's error without the name of the file."""
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Name the file that notes of this thread are about."""
    _READING.name = name
    try:
        yield
    finally:
        _READING.name = ""


def progress(results: Iterator[Any], count: int, what: str, *, quiet: bool) -> Iterator[Any]:
    """Show a bar on a terminal, where there is more than one file."""
    if count < 2 or quiet or not sys.stderr.isatty():
        return results
    from rich.console import Console
    from rich.progress import track

    return iter(track(results, what, total=count, console=Console(stderr=True)))


@contextmanager
def notes(options: argparse.Namespace) -> Iterator[None]:
    """Send the library's log to stderr, and to ``--log-file``, while a command runs.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    usual = logging.INFO if options.verbose else logging.WARNING
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    handlers[0].setLevel(logging.ERROR if options.quiet else usual)
    if options.log_file is not None:
        handlers.append(_log_file(options.log_file))
        handlers[1].setLevel(min(usual, logging.INFO))
    logger = logging.getLogger("saliency")
    before = (logger.level, logger.propagate)
    logger.setLevel(logging.INFO)
    for handler in handlers:
        handler.setFormatter(_Line())
        logger.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()
        logger.level, logger.propagate = before


def _log_file(path: Path) -> logging.Handler:
    try:
        return logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        msg = f"--log-file {path}: expected a file that can be written, got: {error.strerror}."
        raise InputError(msg) from error


class _Line(logging.Formatter):
    """``saliency: note: FILE: message``, on one line."""

    def format(self, record: logging.LogRecord) -> str:
        name = getattr(_READING, "name", "")
        about = f"{name}: " if name else ""
        kind = "error" if record.levelno >= logging.ERROR else "note"
        return f"saliency: {kind}: {about}{' '.join(record.getMessage().split())}"
