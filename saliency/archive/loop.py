"""The one loop over files: read ahead, ask in batches, paint behind, append rows."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from queue import SimpleQueue
from time import perf_counter
from typing import Final, Generic, TypeAlias, TypeVar, final

from saliency.archive.job import Job
from saliency.archive.objects import Origin, origin_of
from saliency.archive.page import Row
from saliency.archive.reading import reading
from saliency.archive.sources import Frame
from saliency.archive.table import Table
from saliency.archive.writing import UNWRITTEN, Answered, row_again, row_of
from saliency.pipeline.explain_many import explain_many
from saliency.pipeline.fingerprint import of_image
from saliency.pipeline.prefetch import ahead
from saliency.values.failure import Failure
from saliency.values.image import DicomImage

T = TypeVar("T")
Tell: TypeAlias = Callable[["Told"], None]

_STAGES: Final = ("reading", "model", "painting and writing")
#: Rows are appended together at least as often as this, in seconds.
_PATIENCE: Final = 0.5


@final
@dataclass(frozen=True, eq=False)
class Told:
    """A row as it is told of.

    Parameters
    ----------
    frame
        What the row is about, with the name that an anonymous row has not.
    row
        Of the table; it is on the disk.
    kept
        An earlier run had it.
    frames
        How many frames the file has; 1 where it was not read.
    """

    frame: Frame
    row: Row
    kept: bool = False
    frames: int = 1


@final
@dataclass(eq=False)
class Counts:
    """How far a run is; it changes while the run is under way.

    Parameters
    ----------
    done, skipped, failed
        Rows: explained now, explained before, and not explained.
    unwritten
        How many of the failed were the disk's fault.
    seconds
        Of each stage; stages run side by side.
    total
        Rows there will be; None until all files were found.
    stopped
        The run ended at its greatest number of failures.
    """

    done: int = 0
    skipped: int = 0
    failed: int = 0
    unwritten: int = 0
    seconds: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(_STAGES, 0.0)
    )
    total: int | None = None
    stopped: bool = False

    @property
    def rows(self) -> int:
        """All rows so far."""
        return self.done + self.skipped + self.failed

    def add(self, seconds: Mapping[str, float]) -> None:
        """Add what stages took in another process."""
        for name, value in seconds.items():
            self.seconds[name] += value

    def count(self, told: Told) -> None:
        """Count a row."""
        error = told.row["error"]
        self.skipped += told.kept
        self.failed += bool(error)
        self.done += not (told.kept or error)
        self.unwritten += bool(error) and str(error).startswith(UNWRITTEN)


@final
@dataclass(frozen=True, eq=False)
class Todo:
    """A frame before it is read.

    Parameters
    ----------
    mark
        Of the file as it is now; b"" where none can tell.
    rows
        Those that are in the table, known without reading the file, by the number of the question:
        a question itself is another one in another process.
    is_open
        Some rows are missing: the file is to be read.
    """

    frame: Frame
    mark: bytes
    rows: Mapping[int, Row]
    is_open: bool


@final
@dataclass(frozen=True, eq=False)
class _Read:
    """A frame that was read, or need not be.

    Parameters
    ----------
    image
        A Failure where it cannot be read; None where all its rows are there.
    rows
        Those that are there already.
    identity, origin, seconds
        As in Answered.
    """

    todo: Todo
    image: DicomImage | Failure | None
    rows: Mapping[int, Row]
    identity: str = ""
    origin: Origin | None = None
    seconds: float = 0.0

    @property
    def is_open(self) -> bool:
        """The file was read."""
        return self.todo.is_open


Engine: TypeAlias = Callable[[Job, Table, Iterable[Todo], Counts], Iterator[Told]]
"""What explains frames and writes their files; yields their rows in order."""


def explain_frames(
    job: Job,
    frames: Iterable[Frame],
    table: Table,
    counts: Counts,
    tell: Tell,
    engine: Engine | None = None,
) -> None:
    """Explain frames; append a row for each frame and question to the table, and tell of it.

    Parameters
    ----------
    counts
        Is kept up to date.
    tell
        Called for each row when it is on the disk.
    engine
        None: this process.

    Raises
    ------
    SaliencyError
        A question is wrong for all images, or there are none.
    OSError
        The table cannot be written.
    """
    with closing(_Pump(frames)) as found:
        todos = (_looked_up(job, table, frame) for frame in found)
        rows = (engine or explained)(job, table, todos, counts)
        with closing(_Journal(job, table, counts, tell)) as journal:
            for told in rows:
                if found.count is not None:
                    counts.total = found.count * len(job.questions)
                journal.add(told)
                if job.max_failures is not None and counts.failed >= job.max_failures:
                    counts.stopped = True
                    break
    _tell_stages(counts)


def explained(
    job: Job, table: Table, todos: Iterable[Todo], counts: Counts
) -> Iterator[Told]:
    """Explain frames in this process and write their files: reading ahead, painting behind."""

    def read(todo: Todo) -> _Read:
        return _frame_read(job, table, todo)

    window = max(2, 2 * job.batch_size)
    found = ahead(read, todos, window=window)
    answered = (
        answer
        for batch in batches_to_read(found, job.batch_size)
        for answer in _answers_to_batch(job, batch, counts)
    )
    writing = _writing(job, counts)
    # matplotlib's figures are not made for threads
    if job.figure:
        yield from map(writing, answered)
    else:
        yield from ahead(writing, answered, window=window)


def given_up(job: Job, todo: Todo, counts: Counts, times: int) -> Iterator[Told]:
    """Yield the rows of a frame that no process lived to explain, though it was tried often."""
    words = f"the worker died of it {times} times"
    read = _Read(todo, Failure(0, "WorkerDied", words), todo.rows)
    yield from map(_writing(job, counts), _answers_to_batch(job, [read], counts))


def _looked_up(job: Job, table: Table, frame: Frame) -> Todo:
    """Find the rows of a frame that are there, without reading it."""
    mark = frame.stamp()
    found = [_kept(job, table, job.stamp(each, mark)) for each in job.questions]
    rows = {number: row for number, row in enumerate(found) if row is not None}
    return Todo(frame, mark, rows, len(rows) < len(job.questions))


def _frame_read(job: Job, table: Table, todo: Todo) -> _Read:
    """Read a frame, unless all its rows are there; find rows of its content."""
    if not todo.is_open:
        return _Read(todo, None, todo.rows)
    start = perf_counter()
    frame, origin = todo.frame, None
    image: DicomImage | Failure
    try:
        with reading(str(frame)):
            content = frame.content()
            image = frame.read(content)
            if job.makes_objects:
                origin = origin_of(frame, content, image, todo.mark, job.store)
            identity = _identity_of(image, origin)  # zones are found here: late
    except Exception as error:  # noqa: BLE001 - the edge of a file
        image, identity = frame.failure(error), ""
    rows = dict(todo.rows)
    for number, question in enumerate(job.questions if identity else ()):
        row = _kept(job, table, job.record(question, identity))
        if row is not None and number not in rows:
            rows[number] = {**row, "stamp": job.stamp(question, todo.mark)}
    return _Read(todo, image, rows, identity, origin, perf_counter() - start)


def _identity_of(image: DicomImage, origin: Origin | None) -> str:
    """Return what tells an image from others; with DICOM objects also its file from others.

    They name the patient: files of equal pixels may be of two.
    """
    return of_image(image) if origin is None else f"{of_image(image)} {origin.identity}"


def _kept(job: Job, table: Table, key: str) -> Row | None:
    return None if job.overwrite or not key else table.row_of(key)


Item = TypeVar("Item", Todo, _Read)


def batches_to_read(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Gather frames until ``size`` are to be read; what need not be read rides along.

    What is in a batch does not depend on what reading brings, so that any process forms the same.
    """
    batch: list[Item] = []
    waiting = 0
    for item in items:
        batch.append(item)
        waiting += item.is_open
        if waiting >= size or len(batch) >= 8 * size:
            yield batch
            batch, waiting = [], 0
    if batch:
        yield batch


def _answers_to_batch(
    job: Job, batch: Sequence[_Read], counts: Counts
) -> Iterator[Answered | Told]:
    """Yield what came of each frame and question, frame by frame of a batch."""
    counts.seconds["reading"] += sum(each.seconds for each in batch)
    numbers = range(len(job.questions))
    answers = [_answers(job, number, batch, counts) for number in numbers]
    for of_frame in zip(*answers, strict=True):
        yield from of_frame


def _answers(
    job: Job, number: int, batch: Sequence[_Read], counts: Counts
) -> list[Answered | Told]:
    """Return what came of one question about a batch, in its order."""
    start = perf_counter()
    question = job.questions[number]
    open_ = [each for each in batch if number not in each.rows]
    images = [each.image for each in open_ if isinstance(each.image, DicomImage)]
    found = iter(
        explain_many(
            job.probe,
            images,
            question.recipe,
            target=question.target,
            prepare=job.prepare,
            batch_size=job.batch_size,
            trust=job.trust,
        )
        if images
        else ()
    )
    results = list(found)
    took = perf_counter() - start
    counts.seconds["model"] += took
    share = took / max(1, len(results))
    following = iter(results)
    answers: list[Answered | Told] = []
    for each in batch:
        frame, mark = each.todo.frame, each.todo.mark
        if number in each.rows:
            row = row_again(job, frame, each.rows[number])
            frames = each.image.frames if isinstance(each.image, DicomImage) else 1
            answers.append(Told(frame, row, kept=True, frames=frames))
            continue
        failed = isinstance(each.image, Failure)
        result = each.image if failed else next(following)
        seconds = each.seconds / len(job.questions) + (0 if failed else share)
        answers.append(
            Answered(
                frame,
                question,
                result,  # type: ignore[arg-type]
                each.identity,
                mark,
                each.origin,
                seconds,
            )
        )
    return answers


def _writing(job: Job, counts: Counts) -> Callable[[Answered | Told], Told]:
    def written(item: Answered | Told) -> Told:
        if isinstance(item, Told):
            return item
        start = perf_counter()
        row = row_of(job, item)
        counts.seconds["painting and writing"] += perf_counter() - start
        failed = isinstance(item.result, Failure)
        frames = 1 if failed else item.result.image.frames  # type: ignore[union-attr]
        return Told(item.frame, row, frames=frames)

    return written


@final
class _Journal:
    """Rows on their way to the table: appended together, told of when they are there."""

    def __init__(self, job: Job, table: Table, counts: Counts, tell: Tell) -> None:
        self._size = max(1, job.batch_size)
        self._table, self._counts, self._tell = table, counts, tell
        self._waiting: list[Told] = []
        self._last = perf_counter()

    def add(self, told: Told) -> None:
        self._counts.count(told)
        self._waiting.append(told)
        if len(self._waiting) >= self._size or perf_counter() - self._last > _PATIENCE:
            self.close()

    def close(self) -> None:
        """Append what waits."""
        waiting, self._waiting = self._waiting, []
        new = [
            each.row
            for each in waiting
            if not (each.kept and self._table.has(each.row))
        ]
        self._table.append(new)
        for told in waiting:
            self._tell(told)
        self._last = perf_counter()


@final
class _Pump(Generic[T]):
    """Goes through an iterable in a thread of its own: looking for files takes time, too.

    ``count`` is how many items there are in all; None until that is known.
    """

    def __init__(self, items: Iterable[T]) -> None:
        self._queue: SimpleQueue[tuple[T] | BaseException | None] = SimpleQueue()
        self._stop = threading.Event()
        self.count: int | None = None
        threading.Thread(
            target=self._work, args=(items,), daemon=True, name="saliency-files"
        ).start()

    def _work(self, items: Iterable[T]) -> None:
        count = 0
        try:
            for item in items:
                if self._stop.is_set():
                    return
                self._queue.put((item,))
                count += 1
            self.count = count
            self._queue.put(None)
        except BaseException as error:  # noqa: BLE001 - raised where the items are awaited
            self._queue.put(error)

    def __iter__(self) -> Iterator[T]:
        while (item := self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item[0]

    def close(self) -> None:
        """Look no further."""
        self._stop.set()


def _tell_stages(counts: Counts) -> None:
    words = ", ".join(
        f"{name} {seconds:.1f} s" for name, seconds in counts.seconds.items()
    )
    logging.getLogger("saliency.archive").info("%s", f"stages, side by side: {words}")
