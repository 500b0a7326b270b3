"""TensorFlow's errors, told in one line: no traceback, no path, no name of a node."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import tensorflow as tf

from saliency.errors import ModelError, SaliencyError

LONGEST: Final = 240
"""Characters of a message that are kept."""

_DECORATION: Final = re.compile(
    r"\x1b\[[\d;]*m|\{\{.*?\}\}|\[\[.*?\]\]|\[Op:[^\]]*\]|name: *$"
)
"""Colours of a terminal, names of nodes and operations."""

_PATH: Final = re.compile(r"(?:[A-Za-z]:)?(?:[\\/][\w.+@ -]+){2,}[\\/]?")

_TRACE: Final = re.compile(
    r"Graph execution error|Detected at node|File \"|<stack traces|Original stack trace"
    r"|Exception encountered when calling|Arguments received by|\(\d+\) |\d+ root error|Stack trace"
)
"""How lines begin that say where, and not what."""


def one_line(error: Exception) -> str:
    """Return the line of an error that says what happened, without paths."""
    lines = (_DECORATION.sub("", line).strip() for line in _message(error).splitlines())
    said = [line for line in lines if line and not _TRACE.match(line)]
    text = _PATH.sub("(a file)", said[0]) if said else "no reason was given"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


@contextmanager
def told_plainly(model: str) -> Iterator[None]:
    """Turn an error that TensorFlow raises into a ModelError of one sentence.

    Raises
    ------
    ModelError
        TensorFlow stopped while the model ran.
    """
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        msg = f"{_stopped(model, error)} Ask for fewer images at a time (batch_size=)."
        raise ModelError(msg) from error
    except tf.errors.OpError as error:
        raise ModelError(_stopped(model, error)) from error


@contextmanager
def drawn_plainly(model: str) -> Iterator[None]:
    """Turn any error of a model's own code into a ModelError of one sentence.

    Raises
    ------
    ModelError
        A layer cannot be called.
    """
    try:
        yield
    except SaliencyError:
        raise
    except Exception as error:
        msg = (
            f"The model {model!r} cannot be called on tensors of its own input shape: "
            f"{type(error).__name__}: {one_line(error)}"
        )
        raise ModelError(msg) from error


def _message(error: Exception) -> str:
    return str(error.message if isinstance(error, tf.errors.OpError) else error)


def _stopped(model: str, error: tf.errors.OpError) -> str:
    kind = type(error).__name__
    return f"TensorFlow stopped with {kind} in the model {model!r}: {one_line(error)}"
