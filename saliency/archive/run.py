"""``explain_archive``: point it at a folder, walk away, and find every result once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from time import perf_counter, time
from typing import Any, Final, final

from saliency.archive import loop
from saliency.archive.job import Job, Question
from saliency.archive.objects import DICOM, WHENCE, check_objects
from saliency.archive.on_ray import on_ray
from saliency.archive.sources import FoundFrames, Selection, check_frames, part_of
from saliency.archive.table import TABLE, THUMBNAILS, Table
from saliency.errors import InputError
from saliency.explainers.catalogue import resolve
from saliency.export.dicomweb import check_service
from saliency.pipeline.explain import Explainer, probe_of, versions
from saliency.pipeline.plain import plain
from saliency.pipeline.prepare import Prepare
from saliency.pipeline.preparing import preparation
from saliency.pipeline.trusting import trust_table
from saliency.pipeline.writers import WRITERS
from saliency.probe.protocol import Target
from saliency.values.files import make_folder

#: Seconds after which a draft is nobody's: a file is written in far less.
_OLD: Final = 3600


@final
@dataclass(frozen=True)
class RunSummary:
    """What a run over an archive did.

    Parameters
    ----------
    done
        Rows that were explained.
    skipped
        Rows that an earlier run had explained.
    failed
        Rows that hold an error.
    table
        Path of results.jsonl; results.csv, run.json and index.html lie beside it.
    """

    done: int
    skipped: int
    failed: int
    table: Path


def explain_archive(  # noqa: PLR0913 - the same options as the shell
    model: object,
    sources: str | PathLike[str] | Sequence[str | PathLike[str]],
    out: str | PathLike[str],
    explainer: Explainer = "fastcam",
    *,
    target: Target = None,
    prepare: Prepare | Callable[..., Any] | None = None,
    save: Sequence[str] = ("png",),
    frames: str = "first",
    batch_size: int = 8,
    engine: str | None = None,
    workers: int | None = None,
    part: str | None = None,
    overwrite: bool = False,
    store: str = "",
    trust: object = None,
) -> RunSummary:
    """Explain all images of an archive; leave a folder with a table, pictures and a page.

    The table is the truth: a row is appended after its files are written. A run that was killed
    loses at most the rows under way; called again, it does what is missing.

    Parameters
    ----------
    model, explainer, target, prepare
        As for :func:`saliency.explain`.
    sources
        Files, folders, globs, zips, DICOMDIRs, URLs (extra ``remote``) and those of a study, series
        or instance of DICOMweb (extra ``pacs``), and lists of them: a text with one a line, or a
        CSV.
    out
        Folder of the results; made where it is not there. Several parts may share one.
    save
        Forms of each result: ``"png"``, ``"npz"``, ``"json"``, ``"html"``; ``"dicom"``: a Secondary
        Capture, a Parametric Map and two Segmentations, fractional and binary (extra ``pacs``).
    frames
        Of a multi-frame file: ``"first"``, ``"all"``, a number from 1 or ``"A:B"``.
    batch_size
        Images that the model sees at once, 1 or more.
    engine
        None: this process. ``"ray"``: actors of a cluster of Ray (extra ``ray``) that is there:
        ``ray.init`` or ``RAY_ADDRESS`` says which. Sources and ``out`` have the same names on all
        of its machines. Rows are those of this process, bit for bit on equal machines.
    workers
        Of ``"ray"``: how many processes load the model; None: one a GPU, else one a CPU.
    part
        ``"1/4"``: the first of four parts, disjoint and together complete.
    overwrite
        Explain again what is there.
    store
        URL of a DICOMweb service that DICOM objects of each result are stored at; ``"source"``: the
        one that the image came from. What it refuses is a row with an error.
    trust
        As for :func:`saliency.explain`.

    Returns
    -------
    RunSummary
        Counts, and where the table lies. Images that cannot be explained are rows with an error.

    Raises
    ------
    SaliencyError
        An argument is wrong for all images, or there are none.
    OSError
        The table cannot be written.
    """
    _check_asked(save, batch_size)
    check_store(store)
    given = _several(sources)
    chosen = None if part is None else part_of(part)
    found = FoundFrames(given, Selection(check_frames(frames), part=chosen))
    method = explainer if isinstance(explainer, str) else repr(explainer)
    job = Job(
        probe_of(model),
        (Question(method, resolve(explainer), target),),
        Path(out),
        preparation(prepare),
        tuple(save),
        batch_size=batch_size,
        overwrite=overwrite,
        store=store,
        trust=trust_table(trust),
    )
    counts = loop.Counts()
    run_job(job, found, counts, about={"part": part}, engine=engine_of(engine, workers))
    return RunSummary(counts.done, counts.skipped, counts.failed, job.out / TABLE)


def run_job(
    job: Job,
    found: FoundFrames,
    counts: loop.Counts,
    tell: loop.Tell = lambda _: None,
    about: Mapping[str, Any] | None = None,
    engine: loop.Engine | None = None,
) -> None:
    """Run a job; write the tables and the page however it ends.

    Parameters
    ----------
    counts
        Is kept up to date.
    tell
        Called for each row when it is on the disk.
    about
        More for run.json.
    engine
        None: this process.

    Raises
    ------
    SaliencyError
        A question is wrong for all images, or there are none.
    OSError
        A table cannot be written.
    """
    make_folder(job.out / THUMBNAILS)
    _sweep(job.out)
    table = Table(job.out)
    if job.anonymous and found.selection.part is None:
        table.drop_nameless_failures()
    start = perf_counter()
    try:
        loop.explain_frames(job, found, table, counts, tell, engine)
    finally:
        if counts.rows:  # a question that is refused leaves no files
            took = {"wall": round(perf_counter() - start, 3)}
            table.finish(
                _record(job, found.selection, counts, {**took, **(about or {})})
            )


def _sweep(out: Path) -> None:
    """Remove drafts that a killed run left; younger ones may be another part's, at work now."""
    for draft in (*out.glob(".*.part"), *out.glob("*/.*.part")):
        with suppress(OSError):
            if time() - draft.stat().st_mtime > _OLD:
                draft.unlink()


def _record(
    job: Job, selection: Selection, counts: loop.Counts, about: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what run.json holds."""
    return {
        "versions": versions(),
        "methods": {each.method: repr(each.recipe) for each in job.questions},
        "targets": [plain(each.target) for each in job.questions],
        "prepare": plain(job.prepare),
        "frames": selection.frames,
        "frame": "index from 0, as in read_dicom(frame=)",
        "done": counts.done + counts.skipped,
        "skipped": counts.skipped,
        "failed": counts.failed,
        "seconds": {name: round(value, 3) for name, value in counts.seconds.items()},
        **about,
    }


def engine_of(name: str | None, workers: int | None = None) -> loop.Engine | None:
    """Return an engine by its name.

    Raises
    ------
    InputError
        There is no such engine, or it has no workers.
    """
    if name not in (None, "ray"):
        msg = f"engine: expected None, which is this process, or 'ray', got {name!r}."
        raise InputError(msg)
    if workers is not None and (name is None or workers < 1):
        msg = (
            f"workers: expected 1 or more, and an engine that has some, got {workers}."
        )
        raise InputError(msg)
    return None if name is None else on_ray(workers)


def _several(sources: Any) -> list[Any]:
    """Return sources one by one; the labels of a mapping would be lost."""
    if isinstance(sources, str | PathLike):
        return [sources]
    many = isinstance(sources, Iterable) and not isinstance(sources, Mapping)
    given = list(sources) if many else [sources]
    wrong = [each for each in given if not isinstance(each, str | PathLike)]
    if wrong:
        kind = type(wrong[0]).__name__
        msg = f"sources: expected a path, or a sequence of paths, got {kind}."
        raise InputError(msg)
    return given


def _check_asked(save: Iterable[str], batch_size: int) -> None:
    check_forms(save)
    if batch_size < 1:
        msg = f"explain_archive: expected batch_size of 1 or more, got {batch_size}."
        raise InputError(msg)


def check_forms(save: Iterable[str], option: str = "save") -> None:
    """Refuse forms that no explanation is kept in; ``option`` begins the message.

    Raises
    ------
    InputError
        The message names them.
    """
    unknown = [form for form in save if form != DICOM and f".{form}" not in WRITERS]
    if unknown:
        known = ", ".join(sorted((*(each.lstrip(".") for each in WRITERS), DICOM)))
        msg = f"{option} {','.join(unknown)}: expected some of {known}."
        raise InputError(msg)
    if DICOM in save:
        check_objects()


def check_store(store: str, option: str = "store") -> None:
    """Refuse what is no service to store at, before the model runs.

    Raises
    ------
    SaliencyError
        It is no URL of a DICOMweb service; or an extra is missing.
    """
    if not store:
        return
    check_objects()
    if store != WHENCE:
        check_service(store, option)
