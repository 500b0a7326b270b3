"""``saliency info``."""

import argparse
import json
from typing import Any

from saliency.cli.codes import code_of
from saliency.cli.options import add_verb
from saliency.cli.say import reading, say_error
from saliency.cli.sources import files_of
from saliency.errors import SaliencyError


def add_info(commands: Any) -> None:
    """Add the verb."""
    command = add_verb(commands, "info", "say what a DICOM file holds; no patient data", info)
    command.add_argument("dicom", metavar="DICOM", nargs="+", help="files, folders, zips, DICOMDIR")
    command.add_argument("--json", action="store_true", help="one JSON object a line")


def info(options: argparse.Namespace) -> int:
    """Print what each file holds; return the exit code."""
    from saliency.dicom import describe
    from saliency.pipeline.files import content_of

    files = files_of(options, options.dicom)
    failed = 0
    for source in files:
        try:
            with reading(str(source)):
                facts = describe(content_of(source))
        except SaliencyError as error:
            if options.debug:
                raise
            failed += 1
            say_error(f"{source}: {error}")
            continue
        if options.json:
            print(json.dumps({"source": str(source), **facts}, default=str))
            continue
        print(source)
        for name, value in facts.items():
            print(f"  {name:<26} {value}")
    return code_of(len(files) - failed, failed)
