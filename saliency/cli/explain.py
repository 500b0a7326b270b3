"""``saliency explain``."""

import argparse
import json
from itertools import product
from pathlib import Path
from typing import Any, Final

from saliency.cli.codes import FAILED, code_of
from saliency.cli.methods import methods_in
from saliency.cli.options import (
    add_prepare,
    add_question,
    add_subject,
    add_verb,
    add_window,
    check_model,
    check_target,
    count,
    forms,
    frames,
    model_of,
    named,
    part,
    positive,
    prepare_of,
    spelled_out,
    time,
)
from saliency.cli.quiet import start_tensorflow
from saliency.cli.say import Progress, say, say_error
from saliency.errors import InputError

_DICOM: Final = (
    "files, folders, globs, zips, a DICOMDIR, URLs, or a .txt or .csv that lists them"
)
_OUTSIDE: Final = "heat on non-diagnostic pixels: in the warning hue, or not at all"
_FRAMES: Final = "of a multi-frame file: first, all, N or A:B, from 1; default: first"
_WORKERS: Final = "processes of the engine; default: one a GPU or CPU"
_STORE: Final = (
    "store DICOM objects where images came from, or at this DICOMweb service"
)
_TRUST: Final = (
    "report.json of evaluate: captions say how well the method did on the model"
)
_FROM: Final = "repeat a run: its run.json; what else is given wins"


def add_explain(commands: Any) -> None:
    """Add the verb."""
    purpose = "write an overlay PNG for each DICOM file, and a page of all"
    command = add_verb(commands, "explain", purpose, explain_command)
    add = command.add_argument
    add_subject(command, "dicom", _DICOM)
    add("--frames", type=frames, default="first", help=_FRAMES)
    add_question(command)
    add("--trust", metavar="REPORT", help=_TRUST)
    add_window(command)
    _add_look(command)
    _add_run(command)
    add_prepare(command)


def _add_look(command: argparse.ArgumentParser) -> None:
    add = command.add_argument_group("what is written").add_argument
    add(
        "--save",
        type=forms,
        default=("png",),
        metavar="FORMS",
        help="png, npz, json, html, dicom",
    )
    add(
        "--store", nargs="?", const="source", default="", metavar="SERVICE", help=_STORE
    )
    add("--numbers", action="store_true", help="as --save png,npz")
    add("--figure", action="store_true", help="also image | heatmap | overlay")
    add(
        "--no-caption",
        action="store_true",
        help="PNGs without the band below the picture",
    )
    add(
        "--palette",
        default="green",
        help="green, hot, diverging, safe, auto, magma, ...",
    )
    add("--strength", type=float, default=0.65, help="greatest opacity, 0..1")
    add(
        "--vmax",
        type=positive,
        help="heat of full colour, one for all; default: each its own",
    )
    add("--outside", choices=("warn", "hide"), default="warn", help=_OUTSIDE)
    add("--redact", action="store_true", help="paint found text black")
    add("--anonymous", action="store_true", help="no names of files in the tables")
    add("--json", action="store_true", help="print rows as JSON, one a line")


def _add_run(command: argparse.ArgumentParser) -> None:
    add = command.add_argument_group("an archive").add_argument
    add(
        "--batch-size",
        type=count,
        default=8,
        help="images that the model sees at once; 8",
    )
    add(
        "--part",
        type=part,
        metavar="I/N",
        help="the I-th of N parts, for several machines",
    )
    add("--since", type=time, metavar="TIME", help="only files that changed since then")
    add("--limit", type=count, metavar="N", help="at most so many frames")
    add("--max-failures", type=count, metavar="N", help="stop when so many maps failed")
    add("--engine", choices=("ray",), help="a cluster of Ray; default: this process")
    add(
        "--workers",
        type=count,
        metavar="N",
        help=_WORKERS,
    )
    add("--overwrite", action="store_true", help="explain again what is there already")
    add("--from", type=spelled_out, metavar="RUN.JSON", help=_FROM)


def explain_command(options: argparse.Namespace) -> int:
    """Explain each frame by each method for each target; return the exit code."""
    check_model(options.model, options.dicom)
    check_target(options.target, options.labels, "--labels")
    start_tensorflow()
    from saliency.archive.loop import Counts
    from saliency.archive.run import engine_of, run_job
    from saliency.archive.sources import FoundFrames, Selection, part_of

    chosen = None if options.part is None else part_of(options.part)
    selection = Selection(
        options.frames, options.window, chosen, options.since, options.limit
    )
    found = FoundFrames(options.dicom, selection)
    job = _job(options)
    counts = Counts()
    tell = _Teller(options, counts)
    try:
        engine = engine_of(options.engine, options.workers)
        run_job(job, found, counts, tell, _about(options), engine)
    except OSError as error:
        words = error.strerror or str(error)
        return say_error(f"{options.out}: the tables could not be written: {words}")
    finally:
        tell.end(found.remark)
    if not counts.rows:
        say(options, "no image is in this part, or changed since then")
    return FAILED if counts.unwritten or counts.stopped else _code(counts)


def _job(options: argparse.Namespace) -> Any:
    from saliency.archive.job import Job, Question
    from saliency.pipeline.trusting import trust_table

    _check_look(options)
    with named(f"--trust {options.trust}", "trust"):
        known = trust_table(options.trust)
    methods = methods_in(options.method or ("fastcam",))
    pairs = product(methods, options.target)
    prepare = prepare_of(options)
    look = {
        name: getattr(options, name)
        for name in ("palette", "strength", "outside", "vmax")
    }
    return Job(
        model_of(options.model, options.labels, options.layer, option="--labels"),
        tuple(Question(method.name, method.recipe, target) for method, target in pairs),
        options.out,
        prepare,
        tuple(dict.fromkeys((*options.save, *("npz",) * options.numbers))),
        {**look, "redact": options.redact},
        caption=not options.no_caption,
        figure=options.figure,
        anonymous=options.anonymous,
        overwrite=options.overwrite,
        batch_size=options.batch_size,
        store=options.store,
        max_failures=options.max_failures,
        trust=known,
    )


def _check_look(options: argparse.Namespace) -> None:
    """Refuse a look or a form that no picture can have, before the model runs."""
    from saliency.archive.run import check_forms, check_store
    from saliency.render.palettes import check_palette

    check_palette(options.palette)
    if not 0 <= options.strength <= 1:
        msg = f"--strength: expected 0..1, got {options.strength}."
        raise InputError(msg)
    check_forms(options.save, "--save")
    check_store(options.store, "--store")
    if options.anonymous and "dicom" in options.save:
        msg = "--anonymous: DICOM objects name the patient; leave out --save dicom."
        raise InputError(msg)


def _about(options: argparse.Namespace) -> dict[str, Any]:
    """Return what run.json holds of the command: enough to run it again, but for names."""
    hidden = ("run", "dicom", "arguments")
    told = {name: value for name, value in vars(options).items() if name not in hidden}
    about = {"options": {**told, "model": Path(options.model).name}}
    return about if options.anonymous else {**about, "arguments": options.arguments}


class _Teller:
    """Says where each result lies, or why there is none; the file as the user gave it."""

    def __init__(self, options: argparse.Namespace, counts: Any) -> None:
        self._options, self._counts = options, counts
        self._methods = len(methods_in(options.method or ("fastcam",)))
        self._progress = Progress(quiet=options.quiet)
        self._frames_told: set[str] = set()

    def __call__(self, told: Any) -> None:
        """Tell of a row."""
        self._progress.clear()
        self._tell_of_frames(told)
        self._tell(told)
        counts = self._counts
        self._progress.show(counts.rows, counts.total, counts.failed, counts.skipped)

    def _tell(self, told: Any) -> None:
        row = told.row
        if row["error"]:
            say_error(f"{told.frame}: {row['error']}")
        if self._options.json:
            shown = {name: value for name, value in row.items() if name != "stamp"}
            print(json.dumps({**shown, "kept": told.kept}, ensure_ascii=False))
            return
        kept = " (kept)" if told.kept else ""
        for name in row["outputs"]:
            print(f"{told.frame} -> {self._options.out / name}{kept}")

    def _tell_of_frames(self, told: Any) -> None:
        """Say once that a file has more frames than the first."""
        count = told.frames
        file = str(told.frame)
        if self._options.frames != "first" or count == 1 or file in self._frames_told:
            return
        self._frames_told.add(file)
        say(self._options, f"{file}: frame 1 of {count}; --frames all for the others")

    def end(self, remark: str) -> None:
        """Say what was left out and what failed, and where the page lies."""
        counts, options = self._counts, self._options
        self._progress.clear()
        if remark and counts.rows:
            say(options, remark)
        if counts.failed:
            one = len(options.target) == 1 and options.frames == "first"
            what = "files" if one and self._methods == 1 else "maps"
            say_error(f"{counts.failed:,} of {counts.rows:,} {what} failed")
        if counts.stopped:
            say_error(f"stopped: --max-failures {options.max_failures} was reached")
        page = options.out / "index.html"
        if counts.rows > 1 and page.is_file():
            say(options, f"all of them: {page}")


def _code(counts: Any) -> int:
    return code_of(counts.done + counts.skipped, counts.failed)
