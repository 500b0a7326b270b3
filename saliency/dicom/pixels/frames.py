"""Where one frame lies, found without reading the others (PS3.5 A.4, PS3.3 C.7.6.3.1.8)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from saliency.dicom.file.elements import Elements
from saliency.dicom.file.limits import MOST_HEADERS, Clock
from saliency.dicom.file.open import Pixels
from saliency.dicom.file.parser import UNDEFINED
from saliency.dicom.file.syntax import Syntax
from saliency.dicom.file.tags import TAGS
from saliency.dicom.pixels.image_pixel import Layout
from saliency.dicom.pixels.native import swap_words
from saliency.errors import DicomError

_ITEM: Final = b"\xfe\xff\x00\xe0"
#: JPEG and JPEG-LS, JPEG 2000 (raw, boxed), JPEG XL (raw, boxed).
_STARTS: Final = (
    b"\xff\xd8\xff",
    b"\xff\x4f\xff\x51",
    b"\0\0\0\x0cjP  ",
    b"\xff\x0a",
    b"\0\0\0\x0cJXL ",
)


@dataclass(frozen=True)
class Fragment:
    """The value of one item: where it starts, and how long it is."""

    offset: int
    length: int


def is_encapsulated(pixels: Pixels, syntax: Syntax) -> bool:
    """Whether pixel data lies in fragments, as it shows: labels of either kind can be wrong."""
    items = pixels.store.peek(pixels.offset, 4) == _ITEM
    return items and (pixels.length == UNDEFINED or syntax.family != "native")


def native_frame(
    pixels: Pixels, layout: Layout, frame: int, *, swapped: bool = False
) -> tuple[bytes | memoryview, int]:
    """Return the bytes of a native frame, and the bit at which it starts in the first of them.

    Frames of 1 bit follow each other without padding (PS3.5 8.1.1). ``swapped``: bytes lie in
    big endian words of 16 bits, which frames of an odd number of bytes share (PS3.5 7.3, D.2).

    Raises
    ------
    DicomError
        The pixel data is shorter than the frames it should hold.
    """
    needed = (layout.frame_bits * layout.frames + 7) // 8
    if pixels.there < needed:
        msg = f"Expected {needed:,} bytes of pixel data, found {pixels.there:,}: the file is cut."
        raise DicomError(msg, reason="truncated")
    first = layout.frame_bits * frame
    start, end = first // 8, (first + layout.frame_bits + 7) // 8
    if not swapped:
        return pixels.store.view(pixels.offset + start, end - start), first % 8
    even = start - start % 2
    words = pixels.store.read(pixels.offset + even, end + end % 2 - even)
    return swap_words(words)[start - even : end - even], first % 8


class FrameIndex:
    """Finds the fragments of a frame of encapsulated pixel data.

    By the Extended Offset Table (7FE0,0001), else the Basic Offset Table, else one walk over the
    headers of all fragments. A table that points elsewhere than at items is not believed.
    """

    def __init__(self, pixels: Pixels, elements: Elements, frames: int) -> None:
        self._pixels = pixels
        self._frames = frames
        self._end = min(pixels.store.size, pixels.offset + pixels.length)
        if pixels.length == UNDEFINED:
            self._end = pixels.store.size
        table = _header(pixels, pixels.offset, self._end)
        self._first = pixels.offset if table is None else table.offset + table.length
        self._starts = self._believed(_extended(elements, frames) or _basic(pixels, table, frames))
        self._groups: tuple[tuple[Fragment, ...], ...] | None = None

    def read(self, frame: int) -> bytes:
        """Return the encoded bytes of a frame (from 0).

        Raises
        ------
        DicomError
            The frame is not there, is empty, or the file ends within it.
        """
        fragments = self._of(frame)
        for fragment in fragments:
            if fragment.offset + fragment.length > self._end:
                msg = "Expected a whole fragment of pixel data (PS3.5 A.4), found it cut."
                raise DicomError(msg, reason="truncated")
        read = self._pixels.store.read
        data = b"".join(read(each.offset, each.length) for each in fragments)
        if not data:
            msg = "Expected the bytes of a frame (PS3.5 A.4), found an empty fragment or none."
            raise DicomError(msg, reason="empty-frame")
        return data

    def _of(self, frame: int) -> tuple[Fragment, ...]:
        if self._starts:
            last = frame + 1 == len(self._starts)
            stop = self._end if last else self._starts[frame + 1]
            return tuple(self._walk(self._starts[frame], stop))
        if self._groups is None:
            self._groups = self._grouped()
        return self._groups[frame] if frame < len(self._groups) else ()

    def _believed(self, offsets: tuple[int, ...]) -> tuple[int, ...]:
        rising = all(a < b for a, b in pairwise(offsets))
        if len(offsets) != self._frames or offsets[0] != 0 or not rising:
            return ()
        starts = tuple(self._first + offset for offset in offsets)
        items = all(self._pixels.store.peek(start, 4) == _ITEM for start in (starts[-1], starts[0]))
        return starts if items else ()

    def _walk(self, start: int, stop: int) -> Iterator[Fragment]:
        while start < stop:
            fragment = _header(self._pixels, start, self._end)
            if fragment is None:
                return
            yield fragment
            start = fragment.offset + fragment.length

    def _grouped(self) -> tuple[tuple[Fragment, ...], ...]:
        fragments, clock = [], Clock("fragments of pixel data", MOST_HEADERS)
        for fragment in self._walk(self._first, self._end):
            fragments.append(fragment)
            clock.step()
        if self._frames == 1:
            return (tuple(fragments),)
        if len(fragments) == self._frames:
            return tuple((fragment,) for fragment in fragments)
        return self._by_start(fragments)

    def _by_start(self, fragments: list[Fragment]) -> tuple[tuple[Fragment, ...], ...]:
        """Group fragments by where a codestream starts, as no table says it."""
        groups: list[list[Fragment]] = []
        for fragment in fragments:
            starts = self._pixels.store.peek(fragment.offset, 12).startswith(_STARTS)
            if starts or not groups:
                groups.append([])
            groups[-1].append(fragment)
        return tuple(tuple(group) for group in groups)


def _header(pixels: Pixels, at: int, end: int) -> Fragment | None:
    raw = pixels.store.peek(at, 8)
    if len(raw) < 8 or at + 8 > end or raw[:4] != _ITEM:
        return None
    return Fragment(at + 8, int.from_bytes(raw[4:], "little"))


def _basic(pixels: Pixels, table: Fragment | None, frames: int) -> tuple[int, ...]:
    """Return the Basic Offset Table (PS3.5 A.4), where it has an entry a frame."""
    if table is None or table.length != 4 * frames:
        return ()
    raw = pixels.store.read(table.offset, table.length)
    return tuple(np.frombuffer(raw[: len(raw) // 4 * 4], "<u4").tolist())


def _extended(elements: Elements, frames: int) -> tuple[int, ...]:
    """Return the Extended Offset Table (PS3.3 C.7.6.3.1.8), where it has an entry a frame."""
    raw = elements.octets(TAGS["ExtendedOffsetTable"])
    return tuple(np.frombuffer(raw, "<u8").tolist()) if len(raw) == 8 * frames else ()
