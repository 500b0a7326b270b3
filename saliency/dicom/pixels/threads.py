"""How many threads a decoder may use."""

import os
from typing import Final

#: Starting threads costs a frame of fewer pixels more than they save it.
_LEAST_PIXELS: Final = 2**17
_MOST: Final = 8


def threads_for(pixels: int) -> int:
    """Return threads for a frame: one a core of this process, or OMP_NUM_THREADS if that is less.

    Ray and schedulers of clusters set OMP_NUM_THREADS to the share of a worker.
    """
    return min(_MOST, _cores(), _told()) if pixels >= _LEAST_PIXELS else 1


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _told() -> int:
    told = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, int(told)) if told.isdecimal() else _MOST
