"""Working ahead changes when things are done, never what comes out."""

import threading
import time

import pytest

from saliency.pipeline.prefetch import ahead


def test_order_is_kept():
    """A slow item holds back the ones behind it."""

    def slow_first(item):
        time.sleep(0.05 if item == 0 else 0)
        return item * item

    assert list(ahead(slow_first, range(20), window=4)) == [i * i for i in range(20)]


def test_no_further_than_the_window():
    """Items are drawn when their turn comes near: memory stays flat."""
    drawn = []

    def source():
        for item in range(100):
            drawn.append(item)
            yield item

    results = ahead(lambda item: item, source(), window=5)
    next(results)
    results.close()

    assert len(drawn) <= 6


def test_an_error_comes_at_its_turn():
    """What came before it is not lost."""
    results = ahead(lambda item: 1 // item, [2, 1, 0, 1], window=4)

    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_work_overlaps():
    """Two items wait for each other: only threads get past the barrier."""
    barrier = threading.Barrier(2, timeout=5)

    assert len(list(ahead(lambda _: barrier.wait(), range(2), window=2))) == 2
