"""Which cluster of Ray is meant: one that is there, never one of ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from saliency.errors import InputError, MissingExtraError


@contextmanager
def cluster() -> Iterator[Any]:
    """Give Ray, connected to a cluster that somebody else has started and will stop.

    Raises
    ------
    MissingExtraError
        Ray is not installed (extra ``ray``).
    InputError
        There is no cluster.
    """
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
