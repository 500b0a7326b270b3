"""From element to element by their lengths, reading no value (PS3.5 7.1).

Every header counts against a limit, so that neither endless items nor endless nesting cost more
than a fraction of a second.
"""

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

from saliency.dicom.file.byte_source import Store
from saliency.dicom.file.limits import (
    HEADERS_PER_FRAME,
    MAX_DEPTH,
    MAX_HEADERS,
    MOST_HEADERS,
    Clock,
    check,
)
from saliency.dicom.file.syntax import EXPLICIT, IMPLICIT, Encoding
from saliency.errors import DicomError

UNDEFINED: Final = 0xFFFFFFFF
ITEM: Final = 0xFFFEE000
ITEM_END: Final = 0xFFFEE00D
SEQUENCE_END: Final = 0xFFFEE0DD
_SHORT_LE, _SHORT_BE = Struct("<HH2sH"), Struct(">HH2sH")
_LONG_LE, _LONG_BE = Struct("<I"), Struct(">I")
_LONG: Final = frozenset(
    {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}
)
_COMMON: Final = frozenset({"AE", "CS", "DA", "DS", "IS", "LO", "PN", "SH", "SQ", "TM", "UI", "US"})


class Field(NamedTuple):
    """Where one element lies: its value starts at ``offset`` and has ``length`` bytes.

    ``vr`` is ``""`` where the file writes none. ``length`` may be :data:`UNDEFINED`.
    ``encoding`` is how its items are written, where it is a sequence.
    """

    tag: int
    vr: str
    offset: int
    length: int
    encoding: Encoding


class Walker:
    """Reads headers of elements and items, and counts them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._clock = Clock("elements and items", MAX_HEADERS)

    def allow_frames(self, frames: float) -> None:
        """Let the functional groups of so many frames be long."""
        more = HEADERS_PER_FRAME * frames if frames > 0 else 0
        self._clock.most = int(min(MAX_HEADERS + more, MOST_HEADERS))

    def fields(self, start: int, end: int, encoding: Encoding) -> Iterator[Field]:
        """Walk the elements of a data set or item; delimiters, also stray ones, are passed over."""
        end = min(end, self.store.size)
        while start + 8 <= end:
            field = self.header(start, encoding)
            if field.tag in (ITEM_END, SEQUENCE_END):
                start = field.offset
                continue
            yield field
            start = self.after(field, depth=1)

    def items(self, field: Field) -> Iterator[tuple[int, int]]:
        """Walk the items of a sequence: where the content of each starts and ends."""
        start = field.offset
        end = self.store.size if field.length == UNDEFINED else field.offset + field.length
        while start + 8 <= min(end, self.store.size):
            item = self.header(start, field.encoding)
            if item.tag != ITEM:
                return
            start = self._after_item(item, depth=2)
            yield item.offset, start

    def header(self, at: int, encoding: Encoding) -> Field:
        """Read the header at an offset."""
        self._clock.step()
        raw = self.store.read(at, 12)
        short, long = (_SHORT_LE, _LONG_LE) if encoding.little else (_SHORT_BE, _LONG_BE)
        group, element, letters, length = short.unpack_from(raw)
        tag = group << 16 | element
        vr = "" if encoding.implicit or group == 0xFFFE else written_vr(letters)
        if not vr:
            return Field(tag, "", at + 8, long.unpack_from(raw, 4)[0], encoding)
        if vr in _LONG:
            padded = raw.ljust(12, b"\0")
            inner = self._hidden(at + 12) if vr == "UN" else encoding
            return Field(tag, vr, at + 12, long.unpack_from(padded, 8)[0], inner)
        return Field(tag, vr, at + 8, length, encoding)

    def after(self, field: Field, depth: int) -> int:
        """Return the offset behind an element."""
        if field.length != UNDEFINED:
            return field.offset + field.length
        check(depth, MAX_DEPTH, "sequences within sequences")
        start = field.offset
        while start + 8 <= self.store.size:
            item = self.header(start, field.encoding)
            if item.tag == SEQUENCE_END:
                return item.offset
            if item.tag != ITEM:
                return start
            start = self._after_item(item, depth + 1)
        return self._cut()

    def _after_item(self, item: Field, depth: int) -> int:
        if item.length != UNDEFINED:
            return item.offset + item.length
        start = item.offset
        while start + 8 <= self.store.size:
            field = self.header(start, item.encoding)
            if field.tag == ITEM_END:
                return field.offset
            if field.tag == SEQUENCE_END:
                return start
            start = self.after(field, depth)
        return self._cut()

    def _hidden(self, at: int) -> Encoding:
        """Return how items in a UN are written: Implicit VR (PS3.5 6.2.2), but not by all."""
        item = self.store.read(at, 14)
        return EXPLICIT if written_vr(item[12:14]) in _COMMON else IMPLICIT

    def _cut(self) -> int:
        msg = "Expected the end of a sequence (FFFE,E0DD), found the end of the file: it is cut."
        raise DicomError(msg, reason="truncated")


def written_vr(raw: bytes) -> str:
    """Return a VR; ``""`` for what can be none: some writers forget it on single elements."""
    return raw.decode("ascii") if raw.isalpha() and raw.isupper() else ""
