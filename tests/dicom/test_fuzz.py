"""Real files with bytes cut and changed: nothing but SaliencyError ever comes out.

``SALIENCY_FUZZ_SECONDS`` makes it last longer than the seconds it takes in the suite.
"""

import logging
import os
import time
from collections.abc import Iterator
from functools import cache

import pytest
from dicom import breaking
from dicom.test_reported_files import KINDS
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from shared import ROOT

from saliency.dicom import describe, read_dicom
from saliency.errors import DicomError, SaliencyError

SECONDS = float(os.environ.get("SALIENCY_FUZZ_SECONDS", "10"))
LARGEST = 150_000  # bytes of a seed
BYTE = st.integers(0, 255)


@cache
def seeds() -> tuple[bytes, ...]:
    """Return the small files of the corpus, and one of each kind that was reported."""
    paths = sorted(ROOT.glob("corpus/corpus/*.dcm"))
    real = (p.read_bytes() for p in paths if p.stat().st_size < LARGEST)
    return (*real, *(made().data for made in KINDS.values()))


def head(data: bytes) -> tuple[int, int]:
    """Return the first 200 bytes of the first codestream, or of the file."""
    found = [data.find(start) for start in (b"\xff\xd8\xff", b"\xff\x4f\xff\x51")]
    begin = max(found)
    return (
        (begin, min(begin + 200, len(data))) if begin > 0 else (0, min(200, len(data)))
    )


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """Return a file broken in up to four ways: bytes, lengths, nested sequences, a cut."""
    data = draw(st.sampled_from(seeds()))
    for _ in range(draw(st.integers(0, 4))):
        data = draw(st.sampled_from((flipped, flipped, relabelled, nested, cut)))(
            draw, data
        )
    return data


def flipped(draw: st.DrawFn, data: bytes) -> bytes:
    """Change up to eight bytes, mostly in headers."""
    begin, end = draw(
        st.sampled_from(((0, len(data)), (0, min(len(data), 3000)), head(data)))
    )
    for _ in range(draw(st.integers(1, 8))):
        data = breaking.flip(
            data, draw(st.integers(begin, max(begin, end - 1))), draw(BYTE)
        )
    return data


def relabelled(draw: st.DrawFn, data: bytes) -> bytes:
    """Exchange the lengths of two elements, or give one a number that hurts."""
    first, second = draw(st.integers(0, 599)), draw(st.integers(0, 599))
    change = draw(st.sampled_from((breaking.swap_lengths, breaking.set_number)))
    return change(data, first, second)


def nested(draw: st.DrawFn, data: bytes) -> bytes:
    """Put an element into sequences within sequences."""
    depth = draw(st.sampled_from((1, 2, 31, 33, 500)))
    return breaking.nest(
        data, draw(st.integers(0, 299)), depth, closed=draw(st.booleans())
    )


def cut(draw: st.DrawFn, data: bytes) -> bytes:
    """Return the file up to a byte."""
    return breaking.cut(data, draw(st.integers(0, len(data))))


@settings(
    max_examples=400,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(broken())
def read_broken(data: bytes) -> None:
    """Read one broken file, and let no error through that is not ours."""
    for read in (read_dicom, describe):
        try:
            read(data)
        except DicomError as error:
            assert error.reason != "broken", str(error)  # noqa: PT017
        except SaliencyError:
            pass


@pytest.fixture
def _unlogged() -> Iterator[None]:
    """Log nothing: pytest keeps every record, and the pixels in the frames of its traceback."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.slow
@pytest.mark.spread
@pytest.mark.usefixtures("_unlogged")
def test_broken_files_raise_nothing_else() -> None:
    """Whatever is broken in a file, it is shown or refused, and never by the last safety net."""
    stop, number = time.monotonic() + SECONDS, 0
    while time.monotonic() < stop:
        seed(number)(read_broken)()
        number += 1
