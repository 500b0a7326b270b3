"""``saliency explain``."""

import argparse
import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from itertools import product
from pathlib import Path
from time import perf_counter
from typing import Any, Final, final

import saliency as sal
from saliency.cli import results
from saliency.cli.codes import FAILED, code_of
from saliency.cli.methods import Method, methods_in
from saliency.cli.options import (
    add_prepare,
    add_verb,
    check_model,
    check_target,
    count,
    folder,
    forms,
    model_of,
    names,
    positive,
    prepare_of,
    targets,
    window,
)
from saliency.cli.quiet import start_tensorflow
from saliency.cli.say import progress, say, say_error, words_of
from saliency.cli.sources import FIRST, Frame, check_frames, files_of, frames_of
from saliency.errors import InputError
from saliency.values.failure import Failure

_OUTSIDE: Final = "heat on non-diagnostic pixels: in the warning hue, or not at all"
_METHOD: Final = "see: saliency explainers; with arguments: lrp:composite=epsilon_plus; or several"
_FRAMES: Final = "of a multi-frame file: first, all, N or A:B, from 1; default: first"
_THUMBNAIL: Final = 256


def add_explain(commands: Any) -> None:
    """Add the verb."""
    purpose = "write an overlay PNG for each DICOM file, and a page of all"
    command = add_verb(commands, "explain", purpose, explain)
    add = command.add_argument
    add("model", metavar="MODEL", help="a Keras model: .keras or .h5")
    add("dicom", metavar="DICOM", nargs="+", help="files, folders, globs, zips, a DICOMDIR")
    add("--out", type=folder, required=True, metavar="DIR", help="where results go")
    add("--method", "--explainer", action="append", metavar="NAME", help=_METHOD)
    add("--target", type=targets, default=(None,), help="indices or labels; default: predicted")
    add("--labels", type=names, help="class names, comma-separated")
    add("--layer", type=names, metavar="NAMES", help="layers that maps are made of")
    add("--frames", type=check_frames, default=FIRST, help=_FRAMES)
    add("--window", type=window, metavar="C,W", help="window of the display; default: the file's")
    add(
        "--batch-size", type=count, default=8, help="images that the model sees at once; default: 8"
    )
    _add_look(command)
    add_prepare(command)


def _add_look(command: argparse.ArgumentParser) -> None:
    add = command.add_argument_group("what is written").add_argument
    add("--save", type=forms, default=("png",), metavar="FORMS", help="png, npz, json, html")
    add("--numbers", action="store_true", help="as --save png,npz")
    add("--figure", action="store_true", help="also image | heatmap | overlay")
    add("--no-caption", action="store_true", help="PNGs without the band below the picture")
    add("--palette", default="green", help="green, hot, diverging, safe, ...")
    add("--strength", type=float, default=0.65, help="greatest opacity, 0..1")
    add(
        "--vmax",
        type=positive,
        help="heat of full colour, one for all files; default: each its own",
    )
    add("--outside", choices=("warn", "hide"), default="warn", help=_OUTSIDE)
    add("--redact", action="store_true", help="paint found text black")
    add("--anonymous", action="store_true", help="no names of files in the tables")
    add("--overwrite", action="store_true", help="explain again what is there already")
    add("--json", action="store_true", help="print rows as JSON, one a line")


@final
@dataclass(frozen=True, eq=False)
class Run:
    """What is the same for all results of a run.

    Parameters
    ----------
    options
        Of the command line.
    probe, prepare
        The model, and the preparation.
    known
        Rows of earlier runs by their record.
    """

    options: argparse.Namespace
    probe: Any
    prepare: Any
    known: Mapping[str, results.Row] = field(default_factory=dict)

    @property
    def look(self) -> dict[str, Any]:
        """How pictures are painted."""
        options = self.options
        told = {name: getattr(options, name) for name in ("palette", "strength", "outside")}
        return {**told, "vmax": options.vmax, "redact": options.redact}

    @property
    def forms(self) -> tuple[str, ...]:
        """Endings of the files of each result."""
        return tuple(dict.fromkeys((*self.options.save, *("npz",) * self.options.numbers)))

    def record(self, method: Method, target: object) -> str:
        """Return what tells this way of explaining from others; "" where it cannot be told."""
        from saliency.pipeline.description import digest_of
        from saliency.pipeline.explain import versions

        asked = (self.probe, method.recipe, target, self.prepare)
        told = (self.look, self.forms, self.options.figure, self.options.no_caption)
        try:
            return digest_of((*asked, *told, versions(), method.name)).hex()
        except InputError:
            return ""


def explain(options: argparse.Namespace) -> int:
    """Explain each frame by each method for each target; return the exit code."""
    check_model(options.model, options.dicom)
    check_target(options.target, options.labels, "--labels")
    start_tensorflow()
    results.make_folder(options.out)
    results.make_folder(options.out / results.THUMBNAILS)
    methods = methods_in(options.method or ("fastcam",))
    _check_look(options)
    prepare = prepare_of(options)
    files = files_of(options, options.dicom)
    probe = model_of(options.model, options.labels, options.layer, option="--labels")
    old = results.rows_in(options.out)
    known = {row["record"]: row for row in old if _is_there(options.out, row)}
    run = Run(options, probe, prepare, {} if options.overwrite else known)
    frames = list(frames_of(files, options.frames, options.window))
    rows: list[results.Row] = []
    told = 0
    try:
        for method, target in product(methods, options.target):
            rows.extend(_explained(run, frames, method, target))
    finally:
        if rows:  # a question that is refused leaves no files
            told = _write_tables(run, results.merged(old, rows), methods)
    return max(told, _summary(options, rows, len(files)))


def _explained(
    run: Run, frames: Sequence[Frame], method: Method, target: Any
) -> Iterator[results.Row]:
    """Yield a row for each frame, in order, and tell of it."""
    record = run.record(method, target)
    feed = _Feed(run, frames, record)
    found = sal.explain_many(
        run.probe,
        iter(feed),
        method.recipe,
        target=target,
        prepare=run.prepare,
        batch_size=run.options.batch_size,
    )
    write = partial(_row, run, method, record)
    pairs = feed.paired(found)
    made = _ahead(write, pairs, run) if not run.options.figure else map(write, pairs)
    for row in progress(made, len(frames), method.name, quiet=run.options.quiet):
        _tell(run, row)
        yield {name: value for name, value in row.items() if name != "kept"}


def _ahead(write: Any, pairs: Iterator[Any], run: Run) -> Iterator[Any]:
    """Paint and save in threads, behind the model; matplotlib's figures are not made for those."""
    from saliency.pipeline.prefetch import ahead

    return ahead(write, pairs, window=max(1, run.options.batch_size))


@final
class _Feed:
    """Reads frames ahead, and remembers which of them the model was asked about."""

    def __init__(self, run: Run, frames: Sequence[Frame], record: str) -> None:
        self._run, self._frames, self._record = run, frames, record
        self._waiting: deque[tuple[Frame, Any]] = deque()
        self._last = perf_counter()

    def __iter__(self) -> Iterator[Any]:
        """Yield the images that are to be explained; a Failure for what cannot be read."""
        from saliency.pipeline.prefetch import ahead

        window = 2 * max(1, self._run.options.batch_size)
        images = ahead(Frame.read, self._frames, window=window)
        for frame, image in zip(self._frames, images, strict=True):
            key = _key(self._record, image)
            row = self._run.known.get(key)
            self._waiting.append((frame, row))
            if row is None:
                self._tell_of_frames(frame, image)
                yield image

    def paired(self, found: Iterator[Any]) -> Iterator[tuple[Frame, Any, float]]:
        """Yield each frame with its explanation, its Failure, or the row of an earlier run."""
        for result in found:
            yield from self._kept()
            frame, _ = self._waiting.popleft()
            yield frame, result, self._seconds()
        yield from self._kept()

    def _kept(self) -> Iterator[tuple[Frame, Any, float]]:
        while self._waiting and self._waiting[0][1] is not None:
            yield *self._waiting.popleft(), 0.0

    def _seconds(self) -> float:
        before, self._last = self._last, perf_counter()
        return self._last - before

    def _tell_of_frames(self, frame: Frame, image: Any) -> None:
        if self._run.options.frames == FIRST and getattr(image, "frames", 1) > 1:
            others = "--frames all for the others"
            say(self._run.options, f"{frame}: frame 1 of {image.frames}; {others}")


def _key(record: str, image: Any) -> str:
    """Return what tells one result from others: the question and the image; "" where it cannot."""
    from saliency.pipeline.fingerprint import of_image

    if not record or isinstance(image, Failure):
        return ""
    return sha256(f"{record} {of_image(image)}".encode()).hexdigest()


def _row(run: Run, method: Method, record: str, item: tuple[Frame, Any, float]) -> dict[str, Any]:
    """Write what was asked for; return its row of the table."""
    frame, result, seconds = item
    source = "" if run.options.anonymous else str(frame)
    if isinstance(result, dict):
        return {**result, "source": source, "kept": True}
    if isinstance(result, Failure):
        failed = results.row_of_failure(source, method.name, frame.number, result.message)
        return {**failed, "record": "", "caption": "", "thumbnail": None, "file": str(frame)}
    try:
        outputs, thumbnail = _written(run, method, result)
    except OSError as error:
        words = f"the result could not be written: {words_of(error)}"
        return _row(run, method, record, (frame, Failure(0, "OSError", words), seconds))
    return {
        "source": source,
        "digest": result.image.digest,
        "frame": result.image.frame,
        "method": method.name,
        "target": result.target,
        "label": result.label,
        "probability": result.probability,
        "score": result.score,
        "gap": result.gap,
        "outside": result.outside,
        "seconds": round(seconds, 4),
        "outputs": outputs,
        "error": None,
        "caption": result.caption,
        "thumbnail": thumbnail,
        "record": _key(record, result.image),
        "file": str(frame),
    }


def _written(run: Run, method: Method, result: Any) -> tuple[list[str], str]:
    """Write the files of a result; return their names, and that of the thumbnail."""
    from saliency.pipeline.fingerprint import of_image
    from saliency.pipeline.writers import save_explanation

    out, image = run.options.out, result.image
    stem = results.stem_of(image, of_image(image), method.name, result.target)
    look = {**run.look, "caption": not run.options.no_caption}
    paths = [save_explanation(result, out / f"{stem}.{form}", look) for form in run.forms]
    if run.options.figure:
        paths.append(_figure(out / f"{stem}-figure.png", result, run.options.vmax))
    thumbnail = f"{results.THUMBNAILS}/{stem}.jpg"
    _write_thumbnail(out / thumbnail, result.overlay(**run.look).rgb)
    return [path.name for path in paths], thumbnail


def _figure(path: Path, result: Any, vmax: float | None) -> Path:
    from saliency.render.figure import save

    return save(result.figure(vmax=vmax), path)


def _write_thumbnail(path: Path, rgb: Any) -> None:
    """Write a small JPEG, which a page of thousands can show."""
    import io

    from PIL import Image

    from saliency.values.files import write_whole

    small = Image.fromarray(rgb)
    small.thumbnail((_THUMBNAIL, _THUMBNAIL))
    data = io.BytesIO()
    small.save(data, "JPEG", quality=85)
    write_whole(path, data.getvalue())


def _tell(run: Run, row: dict[str, Any]) -> None:
    """Print where a result lies, or why there is none; the file as the user gave it."""
    file = row.pop("file", row["source"])
    if row["error"]:
        say_error(f"{file}: {row['error']}")
    if run.options.json:
        print(json.dumps(row, ensure_ascii=False))
        return
    kept = " (kept)" if row.get("kept") else ""
    for name in row["outputs"]:
        print(f"{file} -> {run.options.out / name}{kept}")


def _is_there(folder: Path, row: results.Row) -> bool:
    """Say whether all that an earlier run wrote is still there."""
    names_of = [*row["outputs"], *filter(None, [row.get("thumbnail")])]
    return bool(row["record"]) and all((folder / name).is_file() for name in names_of)


def _check_look(options: argparse.Namespace) -> None:
    """Refuse a look or a form that no picture can have, before the model runs."""
    from saliency.pipeline.writers import WRITERS
    from saliency.render.palettes import Palette

    Palette(options.palette)
    if not 0 <= options.strength <= 1:
        msg = f"--strength: expected 0..1, got {options.strength}."
        raise InputError(msg)
    unknown = [form for form in options.save if f".{form}" not in WRITERS]
    if unknown:
        known = ", ".join(sorted(ending.lstrip(".") for ending in WRITERS))
        msg = f"--save {','.join(unknown)}: expected some of {known}."
        raise InputError(msg)


def _write_tables(run: Run, rows: Sequence[results.Row], methods: Sequence[Method]) -> int:
    """Write the tables; return 0, or the exit code of a failure, which is told of."""
    from saliency.pipeline.explain import versions
    from saliency.pipeline.plain import plain

    told = {
        name: value for name, value in vars(run.options).items() if name not in ("run", "dicom")
    }
    failed = sum(bool(row["error"]) for row in rows)
    about = {
        "versions": versions(),
        "options": {**told, "model": Path(run.options.model).name},
        "methods": {method.name: repr(method.recipe) for method in methods},
        "prepare": plain(run.prepare),
        "frame": "index from 0, as in read_dicom(frame=)",
        "done": len(rows) - failed,
        "failed": failed,
    }
    try:
        results.write_tables(run.options.out, rows, about)
    except OSError as error:
        return say_error(f"{run.options.out}: the tables could not be written: {words_of(error)}")
    return 0


def _summary(options: argparse.Namespace, rows: Sequence[results.Row], files: int) -> int:
    failed = [row for row in rows if row["error"]]
    if failed:
        what = "files" if len(rows) == files else "maps"
        say_error(f"{len(failed)} of {len(rows)} {what} failed")
    unwritten = any("could not be written" in row["error"] for row in failed)
    page = options.out / "index.html"
    if len(rows) > 1 and page.is_file():
        say(options, f"all of them: {page}")
    return FAILED if unwritten else code_of(len(rows) - len(failed), len(failed))
