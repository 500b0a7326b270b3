"""The file that a thread is at work on, for notes: the rooms below know no names of files."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_READING: Final = threading.local()


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Name the file that notes of this thread are about."""
    _READING.name = name
    try:
        yield
    finally:
        _READING.name = ""


def being_read() -> str:
    """Return the file that this thread is at work on; "" where it is at none."""
    return str(getattr(_READING, "name", ""))
