"""The same worker on a cluster of Ray: each actor loads the model once and explains batches."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain, cycle, islice
from pathlib import Path
from typing import Any, Final

from saliency.archive.job import Job
from saliency.archive.loop import (
    Counts,
    Engine,
    Todo,
    Told,
    batches,
    explained,
    given_up,
)
from saliency.archive.table import Table
from saliency.errors import InputError, MissingExtraError

#: Batches that a worker gets at once, to read ahead of the model; and how often ahead of time.
_TOGETHER: Final = 4
_AHEAD: Final = 3
#: How often the same frames are tried again when the worker dies.
_TRIES: Final = 2


class Worker:
    """What an actor is: a job with its model, and the table as it was at the start."""

    def __init__(self, job: Job, folder: str) -> None:
        os.chdir(folder)  # names of files count from where the run was started
        self._job, self._table = job, Table(job.out)

    def explain(self, todos: Iterable[Todo]) -> tuple[list[Told], dict[str, float]]:
        """Return the rows of some frames, whose files are written, and what each stage took."""
        counts = Counts()
        rows = list(explained(self._job, self._table, todos, counts))
        return rows, counts.seconds

    def is_ready(self) -> bool:
        """Answer when the model is loaded."""
        return True


def on_ray(workers: int | None = None) -> Engine:
    """Return an engine of actors; None: one a GPU of the cluster, else one a CPU."""
    return partial(_explained, workers)


def _explained(
    workers: int | None, job: Job, table: Table, todos: Iterable[Todo], counts: Counts
) -> Iterator[Told]:
    del table  # each actor has its own
    with _cluster() as ray:
        sent = _sent(ray, job)  # kept as long as actors may be started again with it
        actors = _actors(ray, sent, workers)
        turn = cycle(actors)

        def begun(group: list[Todo]) -> tuple[list[Todo], Any]:
            return group, next(turn).explain.remote(group)

        groups = _groups(todos, job.batch_size)
        waiting = deque(map(begun, islice(groups, _AHEAD * len(actors))))
        while waiting:
            group, promise = waiting.popleft()
            rows = _rows(ray, partial(_again, ray, turn, job), group, promise, counts)
            waiting.extend(map(begun, islice(groups, 1)))
            yield from rows


def _groups(todos: Iterable[Todo], size: int) -> Iterator[list[Todo]]:
    whole = batches(todos, size)
    while group := list(chain.from_iterable(islice(whole, _TOGETHER))):
        yield group


def _rows(
    ray: Any, again: Callable[..., Any], group: list[Todo], promise: Any, counts: Counts
) -> list[Told]:
    """Wait for the rows of a group; where its worker died each time, ask about each frame alone."""
    try:
        rows, seconds = ray.get(promise)
    except ray.exceptions.RayActorError:
        return list(chain.from_iterable(again(todo, counts) for todo in group))
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    counts.add(seconds)
    return list(rows)


def _again(ray: Any, turn: Any, job: Job, todo: Todo, counts: Counts) -> list[Told]:
    try:
        rows, seconds = ray.get(next(turn).explain.remote([todo]))
    except ray.exceptions.RayActorError:
        words = f"the worker died of it {_TRIES + 1} times"
        return list(given_up(job, todo, counts, words))
    counts.add(seconds)
    return list(rows)


def _sent(ray: Any, job: Job) -> Any:
    """Put a job where every actor finds it.

    Raises
    ------
    InputError
        The model or something else in it cannot be pickled.
    """
    for question in job.questions:
        job.key(question, "")  # worked out once, and the same for all actors
    try:
        return ray.put(job)
    except Exception as error:
        words = str(error).splitlines()[0]
        msg = f"engine: expected a model and a question that can be pickled: {words}"
        raise InputError(msg) from error


def _actors(ray: Any, sent: Any, workers: int | None) -> list[Any]:
    """Start the actors; return them when each has the model.

    Raises
    ------
    InputError
        The cluster has too few processors, or an actor cannot start.
    """
    there = ray.cluster_resources()
    kind = "GPU" if there.get("GPU", 0) >= 1 else "CPU"
    count = int(there.get(kind, 0)) if workers is None else workers
    if not 1 <= count <= there.get(kind, 0):
        msg = f"engine: expected at most {there.get(kind, 0):g} workers, one a {kind}, got {count}."
        raise InputError(msg)
    share = {"num_cpus": 1, "num_gpus": int(kind == "GPU")}
    actor = ray.remote(max_restarts=-1, max_task_retries=_TRIES, **share)(Worker)
    actors = [actor.remote(sent, str(Path.cwd())) for _ in range(count)]
    try:
        ray.get([each.is_ready.remote() for each in actors])
    except ray.exceptions.RayError as error:
        words = str(error).splitlines()[-1]
        msg = f"engine: expected workers that can start, one said: {words}"
        raise InputError(msg) from error
    return actors


@contextmanager
def _cluster() -> Iterator[Any]:
    """Give Ray, connected to a cluster that somebody else has started and will stop."""
    try:
        import ray  # noqa: PLC0415 - an extra
    except ImportError as error:
        msg = "engine: expected Ray, found none: pip install 'dicom-saliency[ray]'."
        raise MissingExtraError(msg) from error
    ours = not ray.is_initialized()
    try:
        if ours:
            ray.init(address="auto")
    except ConnectionError as error:
        msg = "engine: expected a cluster of Ray, found none: `ray start --head`, or RAY_ADDRESS."
        raise InputError(msg) from error
    try:
        yield ray
    finally:
        if ours:
            ray.shutdown()  # the connection alone: the cluster goes on
