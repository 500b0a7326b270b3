"""What a file may cost: every limit of the reader, with its reason.

A file that asks for more is refused before the memory or the time is spent.
"""

from time import thread_time
from typing import Final

from saliency.errors import DicomError

#: Samples of one frame (rows x columns x samples), unless the caller says otherwise.
MAX_SAMPLES: Final = 2**31
#: A frame with more samples than FREE_SAMPLES (8,192 x 8,192) has a byte for each 1,024 of them:
#: deflate, the tightest of the codecs on anything but a blank, makes 1,032 bytes of one.
FREE_SAMPLES: Final = 2**26
SAMPLES_PER_BYTE: Final = 2**10
#: Element and item headers of a data set, per-frame functional groups apart.
MAX_HEADERS: Final = 100_000
#: Headers that the functional groups of one frame may add, and the most for any number of frames.
HEADERS_PER_FRAME: Final = 500
MOST_HEADERS: Final = 2_000_000
#: Sequences within sequences; the deepest standard object (SR) stays below 16.
MAX_DEPTH: Final = 32
#: Bytes of one value other than pixel data: an overlay of 2**28 pixels has 32 MiB.
MAX_VALUE: Final = 2**26
#: Bytes of a list of numbers. The length field of an explicit DS ends at 2**16 (PS3.5 7.1.2); in an
#: implicit file the Frame Time Vector of a long cine is longer.
MAX_NUMBERS: Final = 2**20
#: Frames of one object; (0028,0008) is an integer string of at most 2**31 - 1.
MAX_FRAMES: Final = 2**24
#: Inflated bytes: as many times the file as honest headers compress, and a floor.
INFLATE_RATIO: Final = 20
INFLATE_FLOOR: Final = 2**26
#: A tile of a JPEG 2000 frame holds this many pixels on average, unless the tiles are few.
LEAST_TILE: Final = 2**12
FEW_TILES: Final = 64
#: A precinct and a code-block of a JPEG 2000 frame hold so many pixels, unless they are few.
LEAST_PRECINCT: Final = 2**9
LEAST_BLOCK: Final = 2**7
FEW_BLOCKS: Final = 2**12
#: Scans of a progressive JPEG: a byte of input may cost a pass over the whole frame.
MAX_SCANS: Final = 64
#: Bytes of a file from a server that cannot send a part of one.
MAX_FETCHED: Final = 2**28
#: Items of a sequence of zones: overlays and ultrasound regions.
MAX_ZONES: Final = 64
#: Processor time of one walk over headers, in seconds: a read takes two.
MAX_SECONDS: Final = 4.0
#: Steps between two looks at the clock, which costs as much as a header.
_EVERY: Final = 2**12


def check(value: int, most: int, what: str) -> None:
    """Refuse a file with more of ``what`` than ``most``."""
    if value > most:
        msg = f"Expected at most {most:,} {what}, found {value:,}: the file asks for too much."
        raise DicomError(msg, reason="over-limit")


def check_claim(samples: int, stored: int) -> None:
    """Refuse a frame of more samples than ``stored`` bytes can honestly hold."""
    check(
        samples,
        max(FREE_SAMPLES, SAMPLES_PER_BYTE * stored),
        f"samples in {stored:,} bytes",
    )


class Clock:
    """Counts the steps of a walk, and refuses too many and those that take too long."""

    def __init__(self, what: str, most: int, *, seconds: float = MAX_SECONDS) -> None:
        self._what = what
        self._count = 0
        self._seconds = seconds
        self._end = thread_time() + seconds
        self.most = most

    def step(self, count: int = 1) -> None:
        """Count a step, or several."""
        before = self._count // _EVERY
        self._count += count
        if self._count > self.most:
            check(self._count, self.most, self._what)
        if self._count // _EVERY > before and thread_time() > self._end:
            msg = f"Expected {self._what} read within {self._seconds:g} seconds, found more."
            raise DicomError(msg, reason="over-limit")


def inflate_cap(size: int) -> int:
    """Most bytes that ``size`` deflated bytes may become."""
    return INFLATE_RATIO * size + INFLATE_FLOOR
