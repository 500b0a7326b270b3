"""Where one frame lies, found without reading the others (PS3.5 A.4, PS3.3 C.7.6.3.1.8)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np

from saliency.dicom.file.elements import Elements
from saliency.dicom.file.inflate import is_whole
from saliency.dicom.file.limits import MAX_VALUE, MOST_HEADERS, Clock, check
from saliency.dicom.file.open import Pixels
from saliency.dicom.file.parser import UNDEFINED
from saliency.dicom.file.syntax import Syntax
from saliency.dicom.file.tags import TAGS
from saliency.dicom.file.value_codec import swap_words
from saliency.dicom.pixels.image_pixel import Layout
from saliency.dicom.pixels.rle import is_rle
from saliency.errors import DicomError

_ITEM: Final = b"\xfe\xff\x00\xe0"
_SEQUENCE_END: Final = b"\xfe\xff\xdd\xe0"
_HEADER: Final = 8  # bytes of an item's tag and length (PS3.5 7.5)
_RLE: Final = "RLE"
_LONG_TABLE: Final = 2**20  # bytes; a longer one must have an entry a frame
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


#: The fragments of each frame.
FrameFragments: TypeAlias = tuple[tuple[Fragment, ...], ...]


def is_encapsulated(pixels: Pixels, syntax: Syntax) -> bool:
    """Whether pixel data lies in fragments, as it shows: labels of either kind can be wrong.

    A Dataset without its file meta says neither the syntax nor that the length was undefined.
    """
    if pixels.store.peek(pixels.offset, 4) != _ITEM:
        return False
    said = pixels.length == UNDEFINED or syntax.family != "native"
    return said or _are_items_alone(pixels)


def _are_items_alone(pixels: Pixels) -> bool:
    """Whether items follow each other from the first byte of a value to its last."""
    clock = Clock("fragments of pixel data", MOST_HEADERS)
    at, end = pixels.offset, pixels.offset + pixels.there
    while at < end:
        clock.step()
        fragment = _header(pixels, at, end)
        if fragment is None:
            return pixels.store.peek(at, 4) == _SEQUENCE_END
        at = fragment.offset + fragment.length
    return at == end


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
    start, bit = divmod(first, 8)
    end = (first + layout.frame_bits + 7) // 8
    if not swapped:
        return pixels.store.view(pixels.offset + start, end - start), bit
    odd = start % 2
    even_end = end + end % 2
    length = even_end - start + odd
    words = swap_words(pixels.store.read(pixels.offset + start - odd, length))
    return words[odd : odd + end - start], bit


class PlainStream:
    """One codestream that is the value of Pixel Data itself, without an item around it."""

    def __init__(self, pixels: Pixels) -> None:
        self._pixels = pixels

    def read(self, _frame: int) -> bytes:
        """Return the encoded bytes of the only frame."""
        return self._pixels.store.read(self._pixels.offset, self._pixels.there)


def is_plain_stream(pixels: Pixels, layout: Layout, syntax: Syntax) -> bool:
    """Whether pixel data that lies in no fragments is a codestream all the same.

    Words that are not compressed may start like one, and are known by their number.
    """
    if layout.frames > 1 or pixels.length == UNDEFINED:
        return False
    size = layout.fitted(pixels.there).frame_bytes
    if pixels.there in (size, size + size % 2):
        return False
    native = syntax.family == "native" and pixels.there > size
    return not native and _start_of(pixels.store.peek(pixels.offset, 64)) is not None


class FrameIndex:
    """Finds the fragments of a frame of encapsulated pixel data.

    By the Extended Offset Table (7FE0,0001), else the Basic Offset Table, else one walk over the
    headers of all fragments. A table that points elsewhere than at items is not believed.
    """

    def __init__(
        self, pixels: Pixels, elements: Elements, layout: Layout, syntax: Syntax
    ) -> None:
        self._pixels = pixels
        self._layout = layout
        self._family = syntax.family
        frames = self._frames = 1 if syntax.family == "video" else layout.frames
        named = pixels.offset + pixels.length
        cut_off = pixels.length == UNDEFINED or named > pixels.store.size
        self._end = pixels.store.size if cut_off else named
        table = _header(pixels, pixels.offset, self._end)
        if table is not None and self._is_frame(table):
            table = None
        self._first = pixels.offset
        if table is not None:
            self._first = table.offset + table.length
        self._offsets = _extended(elements, frames) or _basic(pixels, table, frames)
        # The table of a single frame says nothing, and may stand above fragments of many.
        believed = len(self._offsets) == frames > 1 and self._point_at_items()
        self._starts = self._absolute() if believed else ()
        self._groups: FrameFragments | None = None

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
                msg = (
                    "Expected a whole fragment of pixel data (PS3.5 A.4), found it cut."
                )
                raise DicomError(msg, reason="truncated")
        read = self._pixels.store.read
        data = b"".join(read(each.offset, each.length) for each in fragments)
        if not data:
            msg = "Expected the bytes of a frame (PS3.5 A.4), found an empty fragment or none."
            raise DicomError(msg, reason="empty-frame")
        return data

    def _is_frame(self, first: Fragment) -> bool:
        """Whether the first item is a frame, its table left out.

        The offsets of a table start with 0 and rise; in some they start with another number.
        """
        raw = self._pixels.store.peek(first.offset, min(first.length, 64))
        if not any(raw[:4]) and not raw.startswith(_STARTS):
            return False
        behind = _header(self._pixels, first.offset + first.length, self._end)
        offsets = np.frombuffer(raw[: len(raw) // 4 * 4], "<u4")
        falls = any(a >= b for a, b in pairwise(offsets.tolist()))
        return (
            behind is None
            or first.length % 4 > 0
            or falls
            or _start_of(raw) is not None
        )

    def _of(self, frame: int) -> tuple[Fragment, ...]:
        if self._starts and self._are_items(self._starts[frame : frame + 2]):
            last = frame + 1 == len(self._starts)
            stop = self._end if last else self._starts[frame + 1]
            return tuple(self._walk(self._starts[frame], stop))
        if self._groups is None:
            self._groups = self._grouped()
        return self._groups[frame] if frame < len(self._groups) else ()

    def _absolute(self) -> tuple[int, ...]:
        return tuple(self._first + offset for offset in self._offsets)

    def _point_at_items(self) -> bool:
        offsets = self._offsets
        if (
            not offsets
            or offsets[0] != 0
            or not all(a < b for a, b in pairwise(offsets))
        ):
            return False
        return self._are_items((self._first + offsets[-1], self._first))

    def _are_items(self, places: tuple[int, ...]) -> bool:
        return all(self._pixels.store.peek(place, 4) == _ITEM for place in places)

    def _walk(self, start: int, stop: int) -> Iterator[Fragment]:
        while start < stop:
            fragment = _header(self._pixels, start, self._end)
            if fragment is None:
                return
            yield fragment
            start = fragment.offset + fragment.length

    def _grouped(self) -> FrameFragments:
        clock = Clock("fragments of pixel data", MOST_HEADERS)
        fragments = []
        for fragment in self._walk(self._first, self._end):
            fragments.append(fragment)
            clock.step()
        if self._family == "video":
            return (tuple(fragments),)
        if len(fragments) == self._frames:
            return tuple((fragment,) for fragment in fragments)
        return self._by_start(fragments)

    def _by_start(self, fragments: list[Fragment]) -> FrameFragments:
        """Group fragments by where a codestream starts, as no table says it.

        A start looks as the first one does. Where the first has none to look for, words that are
        not compressed are counted, and a table with fewer entries than there are fragments is
        believed though it has not one a frame; other fragments are a frame each (PS3.5 A.4.2).
        """
        fragments = [fragment for fragment in fragments if fragment.length]
        # A header of RLE has 64 bytes (PS3.5 G.5), the longest signature of the others has 12.
        width = 64 if self._family == "rle" else 12
        peek = self._pixels.store.peek
        starts = [_start_of(peek(fragment.offset, width)) for fragment in fragments]
        if starts and starts[0]:
            return _cut_at_starts(fragments, [start == starts[0] for start in starts])
        if self._family in ("native", "uncompressed"):
            return _sized(fragments, self._layout)
        if 1 < len(self._offsets) < len(fragments) and self._point_at_items():
            return _cut_at_starts(fragments, self._begins(fragments))
        if self._frames > 1 or self._is_whole(fragments[:1]):
            return tuple((fragment,) for fragment in fragments)
        return (tuple(fragments),)

    def _begins(self, fragments: list[Fragment]) -> list[bool]:
        """Return which fragments the table points at."""
        items = frozenset(self._absolute())
        return [fragment.offset - _HEADER in items for fragment in fragments]

    def _is_whole(self, first: list[Fragment]) -> bool:
        """Whether a deflated frame ends with its first fragment (PS3.5 A.4.13)."""
        if self._family != "deflate" or not first:
            return False
        check(first[0].length, MAX_VALUE, "bytes of one deflated frame")
        data = self._pixels.store.read(first[0].offset, first[0].length)
        return is_whole(data, self._layout.frame_bytes + 1)


def _cut_at_starts(fragments: list[Fragment], starts: list[bool]) -> FrameFragments:
    """Group fragments, a new group from each start on."""
    groups: list[list[Fragment]] = []
    for fragment, start in zip(fragments, starts, strict=True):
        if start or not groups:
            groups.append([])
        groups[-1].append(fragment)
    return tuple(tuple(group) for group in groups)


def _sized(fragments: list[Fragment], layout: Layout) -> FrameFragments:
    """Group fragments of words that are not compressed by the bytes of a frame."""
    whole_bytes = layout.frame_bits % 8 == 0
    if len(fragments) == 1 < layout.frames and whole_bytes:
        return _sliced(fragments[0], layout)
    starts = []
    there = layout.frame_bytes
    for fragment in fragments:
        full = there >= layout.frame_bytes
        starts.append(full)
        there = fragment.length if full else there + fragment.length
    return _cut_at_starts(fragments, starts)


def _sliced(fragment: Fragment, layout: Layout) -> FrameFragments:
    """Cut one fragment that holds all frames."""
    size = layout.frame_bytes
    count = min(fragment.length // size, layout.frames)
    return tuple((Fragment(fragment.offset + k * size, size),) for k in range(count))


def _start_of(raw: bytes) -> object:
    """Return what a codestream starts with, None for what is no start of one."""
    for signature in _STARTS:
        if raw.startswith(signature):
            return signature
    return _RLE if is_rle(raw) else None


def _header(pixels: Pixels, at: int, end: int) -> Fragment | None:
    raw = pixels.store.peek(at, _HEADER)
    if len(raw) < _HEADER or at + _HEADER > end or raw[:4] != _ITEM:
        return None
    return Fragment(at + _HEADER, int.from_bytes(raw[4:], "little"))


def _basic(pixels: Pixels, table: Fragment | None, frames: int) -> tuple[int, ...]:
    """Return the Basic Offset Table (PS3.5 A.4): of any length, as long as that is honest."""
    if table is None or (table.length != 4 * frames and table.length > _LONG_TABLE):
        return ()
    raw = pixels.store.read(table.offset, table.length)
    return tuple(np.frombuffer(raw[: len(raw) // 4 * 4], "<u4").tolist())


def _extended(elements: Elements, frames: int) -> tuple[int, ...]:
    """Return the Extended Offset Table (PS3.3 C.7.6.3.1.8), where it has an entry a frame."""
    raw = elements.octets(TAGS["ExtendedOffsetTable"])
    return tuple(np.frombuffer(raw, "<u8").tolist()) if len(raw) == 8 * frames else ()
