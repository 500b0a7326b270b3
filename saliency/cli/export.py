"""``saliency export``."""

import argparse
from pathlib import Path
from typing import Any

from saliency.cli.codes import DONE
from saliency.cli.options import add_verb, folder, named, names, positive
from saliency.cli.quiet import start_tensorflow
from saliency.errors import InputError


def add_export(commands: Any) -> None:
    """Add the verb."""
    purpose = "write a saved result as DICOM objects for a PACS (extra pacs)"
    command = add_verb(commands, "export", purpose, export)
    command.add_argument(
        "result",
        metavar="RESULT",
        help="an .npz of saliency explain, or a folder of saliency slide",
    )
    command.add_argument(
        "source",
        metavar="DICOM",
        help="what was explained: a file, the folder of a slide, or a URL",
    )
    command.add_argument(
        "--out", type=folder, required=True, metavar="DIR", help="for the objects"
    )
    command.add_argument(
        "--kinds",
        type=names,
        default=("sc", "pm", "seg"),
        help="sc, pm, seg, outline, sr, pr, comma-separated; default: sc,pm,seg",
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
    start_tensorflow()
    _check_kinds(options.kinds)
    import saliency as sal

    with named(options.result, "load", "load_slide"):
        result = _saved_result(Path(options.result), options.source)
    with named(options.source, "export", "export_dicom"):
        written = sal.export_dicom(
            result, options.source, options.out, options.kinds, vmax=options.vmax
        )
    for path in written:
        print(path)
    return DONE


def _check_kinds(wanted: tuple[str, ...]) -> None:
    from saliency.export.files import KINDS

    unknown = [kind for kind in wanted if kind not in KINDS]
    if unknown:
        msg = f"--kinds {','.join(unknown)}: expected some of {', '.join(KINDS)}."
        raise InputError(msg)


def _saved_result(saved: Path, source: str) -> Any:
    """Return a saved explanation: of an image from its file, of a slide from its folder."""
    import saliency as sal
    from saliency.slides.result_load import ARRAYS

    is_of_slide = saved.is_dir() or saved.name == ARRAYS
    return sal.load_slide(saved, source) if is_of_slide else sal.load(saved)
