"""TensorFlow's start without its log.

Its C++ side writes lines such as ``WARNING: All log messages before absl::InitializeLog()`` past
Python and past ``TF_CPP_MIN_LOG_LEVEL``, to the file descriptor of standard error. They
would come before the first result of a command, a demo or a notebook: an alarm about nothing.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_STDERR: Final = 2


def start_tensorflow() -> None:
    """Import TensorFlow and run its first operation; what it logs is shown only where that fails.

    To be called by programs before they print, never by the library. Where TensorFlow is loaded
    already, nothing happens.
    """
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault(
        "TF_CPP_MIN_LOG_LEVEL", "3"
    )  # the C++ side reads it when it is loaded
    with _held_back():
        import tensorflow as tf

        tf.zeros(1)  # devices are looked for, and told of, at the first operation


@contextmanager
def _held_back() -> Iterator[None]:
    """Keep what is written to standard error in a file; write it out where the block fails."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as log:
        try:
            before = os.dup(_STDERR)
        except OSError:  # there is no standard error: nothing will be seen anyway
            yield
            return
        os.dup2(log.fileno(), _STDERR)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(before, _STDERR)
            os.close(before)
            if failed:
                log.seek(0)
                os.write(_STDERR, log.read())
