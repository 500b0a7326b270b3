"""The edge of the room: whatever a file provokes leaves as one type of error, or as a note."""

import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar, final

from saliency.errors import DicomError, SaliencyError

_Value = TypeVar("_Value")


@contextmanager
def contained() -> Iterator[None]:
    """Turn an error that nobody foresaw into a DicomError.

    The text of the error is dropped, because it may quote a value of the file. A fuzzer that finds
    its way here has found a check that is missing further in.
    """
    try:
        yield
    except SaliencyError:
        raise
    except Exception as error:  # noqa: BLE001  the edge of the room
        kind = type(error).__name__
        msg = f"Expected a well-formed file, found one that provokes {kind}: it is broken."
        raise DicomError(msg, reason="broken") from None


def beside(what: str, read: Callable[[], _Value], otherwise: _Value) -> _Value:
    """Return what ``read`` returns; ``otherwise``, with a note, where the file has it broken.

    For all that lies beside the picture: zones, spacing, words on the acquisition. Whatever stands
    there, the picture is shown. What costs too much is refused as ever, and an error of the medium
    is none of the file.
    """
    try:
        return read()
    except OSError:
        raise
    except Exception as error:
        if getattr(error, "reason", "") == "over-limit":
            raise
        warn(f"{what} cannot be read: left out.")
        return otherwise


def warn(message: str) -> None:
    """Log a note about a file that is shown although something in it is wrong.

    Notes go to the logger ``saliency.dicom``, not to ``warnings``: a run over an archive asks for
    every one of them, not for the first. They name tags and clauses, never a value of the file.
    """
    logging.getLogger("saliency.dicom").warning(message)


@contextmanager
def without_warnings() -> Iterator[None]:
    """Keep pydicom's warnings back: they quote values of the file, and with them the patient.

    Python keeps one list of filters for all threads: the first that comes in sets it, the last that
    goes out puts it back.
    """
    _SILENCE.enter()
    try:
        yield
    finally:
        _SILENCE.leave()


@final
class _Silence:
    """How many threads want silence."""

    def __init__(self) -> None:
        self._lock, self._inside = threading.Lock(), 0
        self._filters = warnings.catch_warnings()

    def enter(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                logging.getLogger("pydicom").addFilter(_nothing)
            warnings.simplefilter("ignore")  # again: others may have changed the list

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                logging.getLogger("pydicom").removeFilter(_nothing)
                self._filters.__exit__(None, None, None)


_SILENCE: Final = _Silence()


def _nothing(record: logging.LogRecord) -> bool:  # noqa: ARG001 - what a filter is asked
    return False
