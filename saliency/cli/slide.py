"""``saliency slide``."""

import argparse
import json
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Final

import saliency as sal
from saliency.cli.codes import DONE
from saliency.cli.methods import methods_in
from saliency.cli.options import (
    add_prepare,
    add_question,
    add_subject,
    add_verb,
    check_model,
    check_target,
    count,
    forms,
    model_of,
    named,
    prepare_of,
)
from saliency.cli.quiet import start_tensorflow
from saliency.cli.say import Progress
from saliency.errors import InputError

_SLIDE: Final = "a folder, files or a URL of one whole slide image"
_OUT: Final = "where results go; of several questions a folder each"
_TILE: Final = "pixels of a tile's side; default: the model's input"
_TISSUE: Final = "auto: glass is skipped; none: all is asked about; default: auto"
_SAVE: Final = (
    "dicom: also objects for a PACS (extra pacs), in DIR/dicom; the other files of DIR are always "
    "written"
)
_CHOICES: Final = {
    "series=": "--number",
    "optical_path:": "--optical-path:",
    "focal_plane:": "--focal-plane:",
}
_ANEW: Final = "do not go on where an earlier run stopped"


def add_slide(commands: Any) -> None:
    """Add the verb."""
    purpose = "explain a whole slide image, tile by tile"
    command = add_verb(commands, "slide", purpose, slide)
    add = command.add_argument
    model = "a Keras model of tiles: .keras or .h5"
    add_subject(command, "slide", _SLIDE, model=model, out=_OUT)
    add_question(command)
    _add_choice(command)
    add("--tile", type=count, metavar="PIXELS", help=_TILE)
    add("--overlap", type=float, default=0.25, metavar="SHARE", help="default: 0.25")
    add("--tissue", choices=("auto", "none"), default="auto", help=_TISSUE)
    add("--batch-size", type=count, default=8, metavar="N", help="default: 8")
    add("--anew", action="store_true", help=_ANEW)
    add("--save", type=forms, default=(), metavar="FORMS", help=_SAVE)
    add("--palette", default="green", help="green, hot, diverging, safe, magma, ...")
    add(
        "--json",
        action="store_true",
        help="print a JSON object for each map, one a line",
    )
    add_prepare(command)


def _add_choice(command: argparse.ArgumentParser) -> None:
    """Add what of the source is read, where it holds more than one picture of the specimen."""
    add = command.add_argument_group("which pixels").add_argument
    add("--number", type=int, metavar="N", help="Series Number, of several slides")
    add("--optical-path", metavar="ID", help="Optical Path Identifier; default: first")
    add(
        "--focal-plane",
        type=int,
        metavar="N",
        help="from the slide up, from 0; default: 0",
    )
    add("--icc", action="store_true", help="colours through the ICC profile, as sRGB")


def slide(options: argparse.Namespace) -> int:
    """Explain a slide by each method for each target; return the exit code."""
    from saliency.archive.naming import safe
    from saliency.archive.objects import DICOM
    from saliency.render.palettes import check_palette
    from saliency.values.files import make_folder

    _check_slide_forms(options.save)
    check_model(options.model, options.slide)
    check_target(options.target, options.labels, "--labels")
    check_palette(options.palette)
    start_tensorflow()
    make_folder(options.out)
    methods = methods_in(options.method or ("fastcam",))
    # Tiles are read at this spacing: it is no part of how a tile is prepared.
    spacing, options.spacing = options.spacing, None
    prepare = prepare_of(options)
    probe = model_of(options.model, options.labels, options.layer, option="--labels")
    questions = list(product(methods, options.target))
    source = options.slide[0] if len(options.slide) == 1 else options.slide
    with _opened_slide(options, source) as opened:
        tissue = opened.tissue() if options.tissue == "auto" else None
        for method, target in questions:
            name = f"{safe(method.name)}-{safe(str(target))}"
            out = options.out if len(questions) == 1 else options.out / name
            progress = Progress(quiet=options.quiet, unit="tiles")
            result = sal.explain_slide(
                probe,
                opened,
                method.recipe,
                target=target,
                prepare=prepare,
                spacing=spacing,
                tile=options.tile,
                overlap=options.overlap,
                batch_size=options.batch_size,
                tissue=tissue,
                out=out,
                resume=not options.anew,
                progress=partial(_show_progress, progress),
            )
            progress.clear()
            if options.palette != "green":
                result.save(out, palette=options.palette)
            if options.save:
                sal.export_dicom(result, source, out / DICOM)
            _tell_of_slide(options, method.name, result, out)
    return DONE


def _opened_slide(options: argparse.Namespace, source: Any) -> Any:
    """Open the slide; what is wrong with the choice names the options of the shell."""
    others = f" and {len(options.slide) - 1} more" if len(options.slide) > 1 else ""
    try:
        with named(f"{options.slide[0]}{others}", "open_slide"):
            return sal.open_slide(
                source,
                series=options.number,
                optical_path=options.optical_path,
                focal_plane=options.focal_plane,
                icc=options.icc,
            )
    except InputError as error:
        words = str(error)
        for argument, option in _CHOICES.items():
            words = words.replace(argument, option)
        raise type(error)(words) from error


def _check_slide_forms(wanted: tuple[str, ...]) -> None:
    """Refuse a form that no slide is kept in, and objects without highdicom, before it is asked."""
    from saliency.archive.objects import DICOM, check_objects

    unknown = [form for form in wanted if form != DICOM]
    if unknown:
        msg = (
            f"--save {','.join(unknown)}: expected dicom; PNG, NPZ, GeoJSON and JSON are always "
            "written."
        )
        raise InputError(msg)
    if wanted:
        check_objects()


def _show_progress(line: Progress, at: Any) -> None:
    line.show(at.done, at.total, None, at.kept)


def _tell_of_slide(
    options: argparse.Namespace, method: str, result: Any, out: Path
) -> None:
    if not options.json:
        print(f"{' '.join(options.slide)} -> {out}")
        print(result.caption)
        return
    told = ("target", "label", "probability", "score", "vmax")
    row = {name: getattr(result, name) for name in told}
    more = {
        "tiles": int(result.asked.sum()),
        "veil": result.veil_reason,
        "hottest_mm": list(result.hottest()),
        "outputs": sorted(
            path.name for path in out.iterdir() if path.suffix != ".sqlite"
        ),
    }
    print(json.dumps({"method": method, **row, **more}))
