"""The one loop over files: read ahead, ask in batches, paint behind, append rows."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from queue import SimpleQueue
from time import perf_counter
from typing import Any, Final, Generic, TypeAlias, TypeVar, final

from saliency.archive.job import Job, Question
from saliency.archive.page import Row
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
    image
        What was read; None where nothing was, or where it could not be.
    """

    frame: Frame
    row: Row
    kept: bool = False
    image: DicomImage | None = None


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

    def count(self, told: Told) -> None:
        """Count a row."""
        error = told.row["error"]
        self.skipped += told.kept
        self.failed += bool(error)
        self.done += not (told.kept or error)
        self.unwritten += bool(error) and str(error).startswith(UNWRITTEN)


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
    identity, mark, seconds
        As in Answered.
    """

    frame: Frame
    image: DicomImage | Failure | None
    rows: dict[Question, dict[str, Any]]
    identity: str = ""
    mark: bytes = b""
    seconds: float = 0.0


def run(
    job: Job, frames: Iterable[Frame], table: Table, counts: Counts, tell: Tell
) -> None:
    """Explain frames; append a row for each frame and question to the table, and tell of it.

    Parameters
    ----------
    counts
        Is kept up to date.
    tell
        Called for each row when it is on the disk.

    Raises
    ------
    SaliencyError
        A question is wrong for all images, or there are none.
    OSError
        The table cannot be written.
    """
    with closing(_Pump(frames)) as found:
        asked = _asked(job, table, found, counts)
        window = max(2, 2 * job.batch_size)
        writing = _writing(job, counts)
        # matplotlib's figures are not made for threads
        rows = (
            map(writing, asked) if job.figure else ahead(writing, asked, window=window)
        )
        with closing(_Journal(job, table, counts, tell)) as journal:
            for told in rows:
                if found.count is not None:
                    counts.total = found.count * len(job.questions)
                journal.add(told)
                if job.max_failures is not None and counts.failed >= job.max_failures:
                    counts.stopped = True
                    break
    _tell_stages(counts)


def _asked(
    job: Job, table: Table, frames: Iterable[Frame], counts: Counts
) -> Iterator[Answered | Told]:
    """Yield what came of each frame and question, frame by frame of a batch."""

    def read(frame: Frame) -> _Read:
        return _read(job, table, frame)

    for batch in _batches(
        ahead(read, frames, window=2 * job.batch_size), job.batch_size
    ):
        counts.seconds["reading"] += sum(each.seconds for each in batch)
        answers = {
            question: _answers(job, question, batch, counts)
            for question in job.questions
        }
        for place in range(len(batch)):
            for question in job.questions:
                yield answers[question][place]


def _read(job: Job, table: Table, frame: Frame) -> _Read:
    """Read a frame, unless all its rows are there; find the rows that are."""
    start = perf_counter()
    mark = frame.stamp()
    by_stamp = {
        each: _kept(job, table, job.stamp(each, mark)) for each in job.questions
    }
    rows = {
        question: dict(row) for question, row in by_stamp.items() if row is not None
    }
    if len(rows) == len(job.questions):
        return _Read(frame, None, rows, seconds=perf_counter() - start)
    image = frame.read()
    identity = ""
    if isinstance(image, DicomImage):
        try:
            identity = of_image(image)
        except Exception as error:  # noqa: BLE001 - zones are found late, and by plug-ins too
            image = Failure(0, type(error).__name__, f"{type(error).__name__}: {error}")
    if isinstance(image, DicomImage):
        for question in job.questions:
            row = _kept(job, table, job.record(question, identity))
            if row is not None and question not in rows:
                stamp = job.stamp(question, mark)
                rows[question] = {**row, "stamp": stamp}
    return _Read(frame, image, rows, identity, mark, perf_counter() - start)


def _kept(job: Job, table: Table, key: str) -> Row | None:
    return None if job.overwrite or not key else table.row_of(key)


def _batches(read: Iterator[_Read], size: int) -> Iterator[list[_Read]]:
    """Gather frames until the model has ``size`` to see; what it need not see rides along."""
    while batch := list(islice(read, 1)):
        waiting = 0
        while True:
            waiting += isinstance(batch[-1].image, DicomImage)
            if waiting >= size or len(batch) >= 8 * size:
                break
            following = next(read, None)
            if following is None:
                break
            batch.append(following)
        yield batch


def _answers(
    job: Job, question: Question, batch: Sequence[_Read], counts: Counts
) -> list[Answered | Told]:
    """Return what came of one question about a batch, in its order."""
    start = perf_counter()
    open_ = [each for each in batch if question not in each.rows]
    images = [each.image for each in open_ if isinstance(each.image, DicomImage)]
    found = iter(
        explain_many(
            job.probe,
            images,
            question.recipe,
            target=question.target,
            prepare=job.prepare,
            batch_size=job.batch_size,
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
        image = each.image if isinstance(each.image, DicomImage) else None
        if question in each.rows:
            row = row_again(job, each.frame, each.rows[question])
            answers.append(Told(each.frame, row, kept=True, image=image))
            continue
        failed = isinstance(each.image, Failure)
        result = each.image if failed else next(following)
        seconds = each.seconds / len(job.questions) + (0 if failed else share)
        told = (each.identity, each.mark, seconds)
        answers.append(Answered(each.frame, question, result, *told))  # type: ignore[arg-type]
    return answers


def _writing(job: Job, counts: Counts) -> Callable[[Answered | Told], Told]:
    def written(item: Answered | Told) -> Told:
        if isinstance(item, Told):
            return item
        start = perf_counter()
        row = row_of(job, item)
        counts.seconds["painting and writing"] += perf_counter() - start
        image = None if isinstance(item.result, Failure) else item.result.image
        return Told(item.frame, row, image=image)

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
