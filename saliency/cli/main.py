"""The same verbs for a shell.

Parsing, help and usage errors import no TensorFlow. Results go to standard output, progress and
errors to standard error. Exit code 0: all done; 1: something failed; 2: wrong usage; 3: nothing
found.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import saliency as sal
from saliency.errors import InputError, SaliencyError
from saliency.values.failure import Failure

DONE, FAILED, USAGE, NOTHING = 0, 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    options = parser().parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        code: int = options.run(options)
    except SaliencyError as error:
        if options.debug:
            raise
        return _say_error(str(error), code=_code(error))
    except BrokenPipeError:
        # The reader of our output went away (| head): what is left goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        return _say_error("stopped; pictures that were written are whole", code=130)
    return code


def _code(error: SaliencyError) -> int:
    from saliency.pipeline.files import NothingFoundError

    return NOTHING if isinstance(error, NothingFoundError) else FAILED


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    root = argparse.ArgumentParser(
        prog="saliency",
        description="Which pixels of a DICOM image does a Keras model look at?",
        epilog="A heat map is not a diagnosis.",
    )
    root.add_argument("--version", action="version", version=f"dicom-saliency {sal.__version__}")
    commands = root.add_subparsers(required=True, metavar="COMMAND")
    _add_explain(commands)
    _add_audit(commands)
    _add_transplant(commands)
    _add_info(commands)
    _add_explainers(commands)
    return root


def _add_explain(commands: Any) -> None:
    command = _add(commands, "explain", "write an overlay PNG for each DICOM file", _explain)
    command.add_argument("model", metavar="MODEL", help="a Keras model: .keras or .h5")
    command.add_argument("dicom", metavar="DICOM", nargs="+", help="files, or folders of files")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="where PNGs go")
    command.add_argument("--explainer", default="fastcam", help="see: saliency explainers")
    command.add_argument("--target", type=_target, help="class index or label; default: predicted")
    command.add_argument("--labels", type=_names, help="class names, comma-separated")
    command.add_argument("--palette", default="green", help="green, hot, diverging, safe, ...")
    command.add_argument("--strength", type=float, default=0.65, help="greatest opacity, 0..1")
    command.add_argument("--outside", choices=("warn", "hide"), default="warn", help=_OUTSIDE)
    command.add_argument("--figure", action="store_true", help="also image | heatmap | overlay")
    command.add_argument("--numbers", action="store_true", help="also the heatmap, as .npz")
    command.add_argument("--batch-size", type=int, default=8)
    _add_prepare(command)


_OUTSIDE = "heat on non-diagnostic pixels: in the warning hue, or not at all"


def _add_prepare(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("what the model was trained on")
    group.add_argument("--size", type=_size, metavar="H,W", help="default: the model's own")
    group.add_argument("--intensity", choices=("display", "modality", "stored"), default="display")
    group.add_argument("--fit", choices=("stretch", "letterbox", "crop"), default="stretch")
    group.add_argument("--scale", choices=("unit", "pixel", "symmetric", "none"), default="unit")


def _add_audit(commands: Any) -> None:
    command = _add(commands, "audit", "find out what a model reads besides the patient", _audit)
    command.add_argument("model", metavar="MODEL", help="a Keras model: .keras or .h5")
    command.add_argument("folder", metavar="FOLDER", type=Path, help="DICOM files")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the report")
    command.add_argument("--labels", type=Path, metavar="CSV", help="a table of files")
    command.add_argument("--column", default="label", help="of the labels; default: label")
    command.add_argument("--files", metavar="COLUMN", help="of file names; default: the first")
    command.add_argument("--above", metavar="LIMIT", type=_limit, help=_ABOVE)
    command.add_argument("--strata", type=_names, default=(), metavar="NAMES", help=_STRATA)
    command.add_argument("--classes", type=_names, help="class names, comma-separated")
    command.add_argument("--target", type=_target, help="class index or name; default: all")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--no-pictures", action="store_true", help="none in the report")
    command.add_argument("--file-table", action="store_true", help="also files.csv: digest, file")
    _add_prepare(command)


_ABOVE = "labels that are numbers: 1 above it, else 0; a number, or median; with --target"
_STRATA = "columns of the table (site, device), or attributes (StationName), comma-separated"


def _add_transplant(commands: Any) -> None:
    purpose = "put a zone of one picture into others, and see whether their score follows"
    command = _add(commands, "transplant", purpose, _transplant)
    command.add_argument("model", metavar="MODEL", help="a Keras model: .keras or .h5")
    command.add_argument("donor", metavar="DONOR", type=Path, help="the DICOM file with the zone")
    command.add_argument("dicom", metavar="DICOM", nargs="+", help=_HOSTS)
    command.add_argument("--zone", default="text", help="text, marker, border, ...; default: text")
    command.add_argument("--most", type=int, default=16, help="files that it is put into; 16")
    command.add_argument("--classes", type=_names, help="class names, comma-separated")
    command.add_argument("--target", type=_target, help="class index or name; default: predicted")
    command.add_argument("--controls", type=int, default=19, help="places elsewhere; default: 19")
    command.add_argument("--seed", type=int, default=0)
    _add_prepare(command)


_HOSTS = "files without the zone, or folders; those that have it are left out"


def _add_info(commands: Any) -> None:
    command = _add(commands, "info", "say what a DICOM file holds; no patient data", _info)
    command.add_argument("dicom", metavar="DICOM", nargs="+")


def _add_explainers(commands: Any) -> None:
    _add(commands, "explainers", "list the explainers, their cost and needs", _explainers)


def _add(commands: Any, name: str, purpose: str, run: object) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=purpose, description=purpose)
    command.add_argument("--debug", action="store_true", help="show the traceback of an error")
    command.set_defaults(run=run)
    return command


def _explain(options: argparse.Namespace) -> int:
    files = _files(options.dicom)
    options.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    for file, written in zip(files, _progress(_written(options, files), len(files)), strict=True):
        if isinstance(written, Failure):
            failed += 1
            _say_error(f"{file}: {written.message}")
        else:
            for path in written:
                print(f"{file} -> {path}")
    if failed:
        _say_error(f"{failed} of {len(files)} files failed")
    return FAILED if failed else DONE


def _written(options: argparse.Namespace, files: Sequence[Any]) -> Iterator[list[Path] | Failure]:
    """Paint and save in threads, behind the model; matplotlib's figures are not made for those."""
    from saliency.pipeline.prefetch import ahead

    write = partial(_write, options)
    results = enumerate(_results(options, files))
    if options.figure:
        return map(write, results)
    return ahead(write, results, window=max(1, options.batch_size))


def _results(options: argparse.Namespace, files: Sequence[Any]) -> Iterator[Any]:
    return sal.explain_many(
        _model(options.model, options.labels),
        files,
        options.explainer,
        target=options.target,
        prepare=_prepare(options),
        batch_size=options.batch_size,
    )


def _model(path: str, names: tuple[str, ...] | None) -> object:
    return sal.KerasProbe(path, labels=names) if names else path


def _prepare(options: argparse.Namespace) -> Any:  # sal.Prepare would load numpy for --help
    return sal.Prepare(
        options.size, intensity=options.intensity, fit=options.fit, scale=options.scale
    )


def _write(options: argparse.Namespace, item: tuple[int, Any]) -> list[Path] | Failure:
    """Write what was asked for; names hold no part of the source's, which may name a patient."""
    index, result = item
    if isinstance(result, Failure):
        return result
    stem = f"{index + 1:04d}-{result.image.digest[:12]}-{options.explainer}-{result.target}"
    overlay = result.overlay(
        palette=options.palette, strength=options.strength, outside=options.outside
    )
    paths = [overlay.save(options.out / f"{stem}.png")]
    if options.numbers:
        paths.append(result.save(options.out / f"{stem}.npz"))
    if options.figure:
        paths.append(_figure(options.out / f"{stem}-figure.png", result, overlay))
    return paths


def _figure(path: Path, result: Any, overlay: Any) -> Path:
    from saliency.render.figure import figure, save

    title = f"{result.recipe}\ntarget {result.target}, score {result.score:.3g}"
    drawn = figure(result.image.display, result.heatmap, overlay, title=title)
    return save(drawn, path)


def _audit(options: argparse.Namespace) -> int:
    from saliency.cli.audit import STATE, check_out, divided, lines, strata_in, table_in

    check_out(options.out)
    table = table_in(options.labels) if options.labels else None
    labels = table.column(options.column, options.files) if table else None
    report = sal.audit(
        options.model if options.classes is None else _model(options.model, options.classes),
        _files((options.folder,)),
        labels=divided(labels, options.above),
        prepare=_prepare(options),
        target=options.target,
        strata=strata_in(table, options.strata, options.files),
        resume=options.out / STATE,
        seed=options.seed,
    )
    for line in lines(report):
        print(line)
    for failure in report.failures:
        _say_error(f"image {failure.index + 1}: {failure.message}")
    page = report.save(options.out, pictures=not options.no_pictures, files=options.file_table)
    print(f"report -> {page}")
    return FAILED if report.failures else DONE


def _transplant(options: argparse.Namespace) -> int:
    from saliency.audit.exchange.transplant import transplant
    from saliency.cli.transplant import hosts_in, lines

    if not options.donor.is_file():
        msg = f"{options.donor}: expected a DICOM file, the picture that has the zone."
        raise InputError(msg)
    hosts = hosts_in(_files(options.dicom), options.zone, options.most)
    found = transplant(
        _model(options.model, options.classes),
        options.donor,
        options.zone,
        hosts.images,
        target=options.target,
        prepare=_prepare(options),
        controls=options.controls,
        seed=options.seed,
    )
    for line in lines(found):
        print(line)
    if hosts.having:
        print(f"left out: {hosts.having} with a zone {options.zone!r} of their own")
    for failure in hosts.failures:
        _say_error(failure)
    return FAILED if hosts.failures else DONE


def _info(options: argparse.Namespace) -> int:
    from saliency.dicom import describe
    from saliency.pipeline.files import content_of

    failed = 0
    for source in _files(options.dicom):
        try:
            facts = describe(content_of(source))
        except SaliencyError as error:
            if options.debug:
                raise
            failed += 1
            _say_error(f"{source}: {error}")
            continue
        print(source)
        for name, value in facts.items():
            print(f"  {name:<26} {value}")
    return FAILED if failed else DONE


def _explainers(options: argparse.Namespace) -> int:  # noqa: ARG001
    from saliency.explainers.catalogue import DEMANDING, ENTRIES, installed

    for name, entry in {**ENTRIES, **DEMANDING}.items():
        print(f"{name:<22} {entry.summary}")
        print(f"{'':<22} costs {entry.cost}; needs {entry.needs or 'nothing'}")
    for plugin in installed():
        try:
            print(f"{plugin.name:<22} {plugin.said('summary')} ({plugin.package or 'a plug-in'})")
            print(f"{'':<22} costs {plugin.said('cost')}; needs {plugin.said('needs')}")
        except SaliencyError as error:  # the others are listed all the same
            print(f"  {error}")
    return DONE


def _files(sources: Sequence[Any]) -> Sequence[Any]:
    """Return the pictures of the sources; say what was left out."""
    from saliency.pipeline.files import exists, listing

    for source in sources:
        if not exists(str(source)):
            msg = f"{source}: no such file or folder."
            raise InputError(msg)
    found = listing(sources)
    if found.remark:
        print(f"saliency: {found.remark}", file=sys.stderr)
    return found.files


def _progress(results: Iterator[Any], count: int) -> Iterator[Any]:
    """Show a bar on a terminal, where there is more than one file."""
    if count < 2 or not sys.stderr.isatty():
        return results
    from rich.console import Console
    from rich.progress import track

    bar = track(results, "Explaining", total=count, console=Console(stderr=True))
    return iter(bar)


def _target(text: str) -> int | str:
    return int(text) if text.lstrip("-").isdigit() else text


def _limit(text: str) -> float | str:
    return text if text == "median" else float(text)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))


def _size(text: str) -> tuple[int, int]:
    rows, columns = (int(part) for part in text.split(","))
    return rows, columns


def _say_error(message: str, *, code: int = FAILED) -> int:
    print(f"saliency: error: {' '.join(message.split())}", file=sys.stderr)
    return code
