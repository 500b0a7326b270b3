"""What the shell says besides results: errors, notes, and how far it is. All of it on stderr."""

import argparse
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Final, final

from saliency.archive.reading import being_read
from saliency.cli.codes import FAILED
from saliency.errors import InputError


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


@final
class Progress:
    """How far a run over files is: a line that changes on a terminal, else one each 30 seconds.

    Parameters
    ----------
    quiet
        Nothing is said.
    unit
        What is counted.
    """

    def __init__(self, *, quiet: bool, unit: str = "maps") -> None:
        self._quiet, self._terminal = quiet, sys.stderr.isatty()
        self._unit = unit
        self._start = self._last = perf_counter()

    def show(
        self, rows: int, total: int | None, failed: int | None, skipped: int
    ) -> None:
        """Say how far the run is, if it is time to; ``failed`` None: nothing can fail alone."""
        now = perf_counter()
        wait = _ON_TERMINAL if self._terminal else _ELSEWHERE
        if self._quiet or now - self._last < wait:
            return
        self._last = now
        words = _progress_words(
            now - self._start, rows, total, failed, skipped, self._unit
        )
        if self._terminal:
            print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)
        else:
            print(f"saliency: {words}", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Make room on a terminal for a line that stays."""
        if self._terminal and not self._quiet and self._last > self._start:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


#: Seconds between two words about how far a run is.
_ON_TERMINAL: Final = 0.2
_ELSEWHERE: Final = 30.0


def _progress_words(
    seconds: float,
    rows: int,
    total: int | None,
    failed: int | None,
    skipped: int,
    unit: str,
) -> str:
    """Return ``"120 of 800 maps, 4.0 per second, 2 min 50 s left, 3 failed"``."""
    rate = (rows - skipped) / max(seconds, 1e-9)
    parts = [f"{rows:,} {unit}" if total is None else f"{rows:,} of {total:,} {unit}"]
    parts.append(f"{rate:.1f} per second")
    if total is not None and rate > 0:
        minutes, rest = divmod(round((total - rows) / rate), 60)
        hours, minutes = divmod(minutes, 60)
        left = f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
        parts.append(f"{left if hours or minutes else f'{rest} s'} left")
    if failed is not None:
        parts.append(f"{failed:,} failed")
    return ", ".join(parts)


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
        logger.setLevel(before[0])  # an assignment would not reach loggers below it
        logger.propagate = before[1]


def _log_file(path: Path) -> logging.Handler:
    try:
        return logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        msg = f"--log-file {path}: expected a file that can be written, got: {error.strerror}."
        raise InputError(msg) from error


class _Line(logging.Formatter):
    """``saliency: note: FILE: message``, on one line."""

    def format(self, record: logging.LogRecord) -> str:
        about = f"{name}: " if (name := being_read()) else ""
        kind = "error" if record.levelno >= logging.ERROR else "note"
        return f"saliency: {kind}: {about}{' '.join(record.getMessage().split())}"
