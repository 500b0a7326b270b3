"""The same worker on a cluster of Ray: each actor loads the model once and explains batches."""

from collections import deque
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, cycle, islice
from typing import Any, Final

from saliency.archive.actors import TRIES, actors_of
from saliency.archive.cluster import cluster
from saliency.archive.job import Job
from saliency.archive.loop import Counts, Engine, Todo, Told, batches_to_read, given_up
from saliency.archive.table import Table
from saliency.errors import InputError

#: Batches that a worker gets at once, to read ahead of the model; and how many gets wait for it.
_TOGETHER: Final = 4
_AHEAD: Final = 3


def on_ray(workers: int | None = None) -> Engine:
    """Return an engine of actors; None: one a GPU of the cluster, else one a CPU."""
    return partial(_explained, workers)


def _explained(
    workers: int | None, job: Job, _: Table, todos: Iterable[Todo], counts: Counts
) -> Iterator[Told]:
    with cluster() as ray:
        sent = _sent(ray, job)  # kept here: a worker that died is started again with it
        actors = actors_of(ray, sent, workers)
        turn = cycle(actors)

        def begun(group: list[Todo]) -> tuple[list[Todo], Any]:
            return group, next(turn).explain.remote(group)

        def rows(group: list[Todo], promise: Any) -> list[Told]:
            try:
                told, seconds = ray.get(promise)
            except ray.exceptions.RayActorError:
                if len(group) > 1:  # so that only the frame that kills a worker fails
                    return [row for todo in group for row in rows(*begun([todo]))]
                return list(given_up(job, group[0], counts, TRIES + 1))
            except ray.exceptions.RayTaskError as error:
                raise error.cause from None
            counts.add(seconds)
            return list(told)

        whole = batches_to_read(todos, job.batch_size)
        groups = iter(lambda: [*chain.from_iterable(islice(whole, _TOGETHER))], [])
        waiting = deque(map(begun, islice(groups, _AHEAD * len(actors))))
        while waiting:
            found = rows(*waiting.popleft())
            waiting.extend(map(begun, islice(groups, 1)))
            yield from found


def _sent(ray: Any, job: Job) -> Any:
    try:
        return ray.put(job.settled())
    except Exception as error:
        words, *_ = [*str(error).splitlines(), type(error).__name__]
        msg = f"engine: expected a model and a question that can be pickled: {words}"
        raise InputError(msg) from error
