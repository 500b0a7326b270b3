"""``saliency export``."""

import argparse
from pathlib import Path
from typing import Any

from saliency.cli.codes import DONE
from saliency.cli.options import add_verb, names
from saliency.errors import InputError


def add_export(commands: Any) -> None:
    """Add the verb."""
    purpose = "write a saved result as DICOM objects for a PACS (extra pacs)"
    command = add_verb(commands, "export", purpose, export)
    command.add_argument(
        "result", metavar="RESULT", type=Path, help="an .npz of saliency explain"
    )
    command.add_argument(
        "source", metavar="DICOM", type=Path, help="the file that was explained"
    )
    command.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="for the objects"
    )
    command.add_argument(
        "--kinds",
        type=names,
        default=("sc", "pm", "seg"),
        help="sc, pm, seg, sr, pr, comma-separated; default: sc,pm,seg",
    )


def export(options: argparse.Namespace) -> int:
    """Write the objects, print their paths; return the exit code."""
    if options.out.is_file():
        msg = "--out: expected a folder, got a file."
        raise InputError(msg)
    import saliency as sal

    result = sal.load(options.result)
    for path in sal.export_dicom(result, options.source, options.out, options.kinds):
        print(path)
    return DONE
