"""Workers on a cluster of Ray: how many there are, what each of them holds, and their start."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from saliency.archive.worker import Worker
from saliency.errors import InputError

TRIES: Final = 2
"""How often the same frames are tried again when the worker dies."""


@final
@dataclass(frozen=True)
class _Share:
    """How many workers share a cluster, and what each of them holds of it."""

    workers: int
    cpus: int
    gpus: int


def actors_of(ray: Any, sent: Any, workers: int | None) -> list[Any]:
    """Start a worker on each share of a cluster.

    Parameters
    ----------
    ray
        Connected to the cluster.
    sent
        The job, as a reference of Ray.
    workers
        None: one a GPU of the cluster, else one a CPU.

    Returns
    -------
    list of actors
        All of them have loaded the model.

    Raises
    ------
    InputError
        The cluster has no room for so many, or one cannot start.
    """
    share = _share_of(ray.cluster_resources(), workers)
    actor = ray.remote(
        num_cpus=share.cpus,
        num_gpus=share.gpus,
        max_restarts=-1,
        max_task_retries=TRIES,
    )(Worker)
    actors = [actor.remote(sent, str(Path.cwd())) for _ in range(share.workers)]
    try:
        ray.get([each.explain.remote([]) for each in actors])
    except ray.exceptions.RayError as error:
        *_, words = [type(error).__name__, *str(error).splitlines()]
        msg = f"engine: expected workers that can start, one said: {words}"
        raise InputError(msg) from error
    return actors


def _share_of(resources: dict[str, float], workers: int | None) -> _Share:
    """Return the share of a worker: a GPU where there are some, else a CPU."""
    kind = "GPU" if resources.get("GPU", 0) >= 1 else "CPU"
    most = int(resources.get(kind, 0))
    count = most if workers is None else workers
    if not 1 <= count <= most:
        msg = f"engine: expected at most {most} workers, one a {kind}, got {count}."
        raise InputError(msg)
    return _Share(count, cpus=1, gpus=int(kind == "GPU"))
