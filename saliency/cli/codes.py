"""Exit codes, which docs/shell.md lists too."""

from typing import Final

DONE: Final = 0
"""All was done."""
FAILED: Final = 1
"""Some files failed, a result could not be written, or an argument has a wrong value."""
USAGE: Final = 2
"""The command line cannot be understood."""
NOTHING: Final = 3
"""No source holds a DICOM image."""
ALL_FAILED: Final = 4
"""There were images, and none of them could be read and explained."""
INTERRUPTED: Final = 130
"""Stopped by the user (128 + SIGINT); what was written is whole."""


def code_of(done: int, failed: int) -> int:
    """Return the exit code of a run over files."""
    if not failed:
        return DONE
    return FAILED if done else ALL_FAILED
