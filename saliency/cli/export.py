"""``saliency export``."""

import argparse
from pathlib import Path
from typing import Any

from saliency.cli.codes import DONE
from saliency.cli.options import add_verb, names, positive
from saliency.errors import InputError


def add_export(commands: Any) -> None:
    """Add the verb."""
    purpose = "write a saved result as DICOM objects for a PACS (extra pacs)"
    command = add_verb(commands, "export", purpose, export)
    command.add_argument(
        "result",
        metavar="RESULT",
        type=Path,
        help="an .npz of saliency explain, or a folder of saliency slide",
    )
    command.add_argument(
        "source",
        metavar="DICOM",
        help="what was explained: a file, the folder of a slide, or a URL",
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
    command.add_argument(
        "--vmax",
        type=positive,
        help="full heat, one scale for several results; default: the result's own",
    )


def export(options: argparse.Namespace) -> int:
    """Write the objects, print their paths; return the exit code."""
    if options.out.is_file():
        msg = "--out: expected a folder, got a file."
        raise InputError(msg)
    import saliency as sal

    result = _saved_result(options.result, options.source)
    written = sal.export_dicom(
        result, options.source, options.out, options.kinds, vmax=options.vmax
    )
    for path in written:
        print(path)
    return DONE


def _saved_result(saved: Path, source: str) -> Any:
    """Return a saved explanation: of an image from its file, of a slide from its folder."""
    import saliency as sal
    from saliency.slides.result_load import ARRAYS

    is_of_slide = saved.is_dir() or saved.name == ARRAYS
    return sal.load_slide(saved, source) if is_of_slide else sal.load(saved)
