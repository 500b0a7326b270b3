"""A worker of an engine, whatever the engine: the loop around a job, in a process of its own."""

import os
from collections.abc import Iterable

from saliency.archive.job import Job
from saliency.archive.loop import Counts, Todo, Told, explained
from saliency.archive.table import Table


class Worker:
    """A job with its model, and the table as it was at the start.

    Parameters
    ----------
    job
        With the model, which is loaded once.
    folder
        Names of files count from there.
    """

    def __init__(self, job: Job, folder: str) -> None:
        os.chdir(folder)
        self._job, self._table = job, Table(job.out)

    def explain(self, todos: Iterable[Todo]) -> tuple[list[Told], dict[str, float]]:
        """Return the rows of some frames, whose files are written, and what each stage took."""
        counts = Counts()
        rows = list(explained(self._job, self._table, todos, counts))
        return rows, counts.seconds
