"""Work ahead in threads, in order, never further than a window."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

#: Decoders and files release the interpreter, so two threads hide them behind the model.
WORKERS = 2


def ahead(
    function: Callable[[T], R], items: Iterable[T], *, window: int
) -> Iterator[R]:
    """Yield ``function(item)`` in order, while the next ``window`` items are under way.

    An exception of ``function`` or ``items`` is raised at its turn. When the consumer stops,
    nothing more is begun.
    """
    source = iter(items)
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="saliency-ahead") as pool:
        waiting: deque[Future[R]] = deque()
        try:
            waiting.extend(
                pool.submit(function, item) for item in islice(source, window)
            )
            while waiting:
                first = waiting.popleft().result()
                waiting.extend(
                    pool.submit(function, item) for item in islice(source, 1)
                )
                yield first
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
