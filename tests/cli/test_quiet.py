"""TensorFlow's log at its start is held back, and shown where the start fails."""

import subprocess
import sys

import pytest

BLOCK = """
import os, sys
from saliency.cli.quiet import _held_back
with _held_back():
    os.write(2, b"log of a library in C")
    {last}
print("after", file=sys.stderr)
"""


def stderr_of(last, **how):
    """Return what a process that holds back its log writes to standard error."""
    command = [sys.executable, "-c", BLOCK.format(last=last)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, **how
    ).stderr


def test_what_went_well_says_nothing():
    """Only what follows is seen."""
    assert stderr_of("pass") == "after\n"


def test_the_log_of_a_failure_is_shown():
    """The log comes first, then the error."""
    shown = stderr_of("raise ImportError('libcudart')")
    assert shown.startswith("log of a library in C")
    assert shown.rstrip().endswith("ImportError: libcudart")


@pytest.mark.skipif(sys.platform == "win32", reason="closes a file descriptor")
def test_a_process_without_standard_error_goes_on():
    """Services close it."""
    code = "import os; os.close(2)\n" + BLOCK.format(last="print('done')").replace(
        "os.write", "str"
    )
    command = [
        sys.executable,
        "-c",
        code.replace('str(2, b"log of a library in C")', "pass"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "done\n"
