"""From element to element by their lengths, reading no value (PS3.5 7.1).

Every header counts against a limit, so that neither endless items nor endless nesting cost more
than a fraction of a second.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from struct import Struct
from typing import Final, Literal, NamedTuple

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
_LAST_TAG: Final = 0x7FE0FFFF  # in front of Pixel Data
_SHORT_LE, _SHORT_BE = Struct("<HH2sH"), Struct(">HH2sH")
_LONG_LE, _LONG_BE = Struct("<I"), Struct(">I")


def _by_code(vrs: tuple[str, ...]) -> dict[bytes, str]:
    return {vr.encode(): vr for vr in vrs}


#: VRs whose length has 16 bits; that of all others has 32, behind two reserved bytes (PS3.5 7.1.2).
_SHORT: Final = _by_code(
    ("AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO",
     "LT", "PN", "SH", "SL", "SS", "ST", "TM", "UI", "UL", "US")
)  # fmt: skip
_LONG: Final = _by_code(
    ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV")
)
#: Bytes in front of the value: tag, VR and length, the last with or without reserved bytes.
_HEADER_BYTES: Final = dict.fromkeys(_SHORT, 8) | dict.fromkeys(_LONG, 12)
_COMMON: Final = frozenset(
    {"AE", "CS", "DA", "DS", "IS", "LO", "PN", "SH", "SQ", "TM", "UI", "US"}
)


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

    def fields(
        self,
        start: int,
        end: int,
        encoding: Encoding,
        wanted: AbstractSet[int] | None = None,
    ) -> Iterator[Field]:
        """Walk the elements of a data set or item; delimiters, also stray ones, are passed over.

        Where ``wanted`` tags are named, plain elements of other tags are passed over, too.
        """
        end = min(end, self.store.size)
        asked = wanted if encoding == EXPLICIT else None
        while start + 8 <= end:
            if asked is not None:
                start = self._behind_unwanted(start, end, asked)
                if start + 8 > end:
                    return
            field = self.header(start, encoding)
            if field.tag in (ITEM_END, SEQUENCE_END):
                start = field.offset
                continue
            yield field
            start = self.after(field, depth=1)

    def _behind_unwanted(self, start: int, end: int, wanted: AbstractSet[int]) -> int:
        """Return where the next element starts that is wanted, or is not plain.

        An element is plain where it is written in explicit little endian, with a VR of the standard
        and a length that is defined. A series of a thousand files has some hundred thousand of
        them: they are counted, and nothing is made of them.
        """
        first, chunk = self.store.held(start)
        # The longest header has 12 bytes; where fewer are held, it is read the slow way.
        at, last = start - first, len(chunk) - 12
        count = 0
        while at <= last:
            group, element, letters, length = _SHORT_LE.unpack_from(chunk, at)
            header = _HEADER_BYTES.get(letters, 0)
            # The "VR" of an item is a part of its length, and may look like one.
            if group == 0xFFFE or not header or (group << 16 | element) in wanted:
                break
            if header == 12:
                if length:  # the two reserved bytes
                    break
                length = _LONG_LE.unpack_from(chunk, at + 8)[0]
            behind = at + header + length
            if first + behind > end:  # of undefined length, or cut
                break
            count += 1
            at = behind
        self._clock.step(count)
        return first + at

    def items(self, field: Field) -> Iterator[tuple[int, int]]:
        """Walk the items of a sequence: where the content of each starts and ends."""
        start = field.offset
        end = (
            self.store.size
            if field.length == UNDEFINED
            else field.offset + field.length
        )
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
        short, long = (
            (_SHORT_LE, _LONG_LE) if encoding.little else (_SHORT_BE, _LONG_BE)
        )
        group, element, letters, length = short.unpack_from(raw)
        tag = group << 16 | element
        if encoding.implicit or group == 0xFFFE:
            return Field(tag, "", at + 8, long.unpack_from(raw, 4)[0], encoding)
        if letters in _SHORT:
            return Field(tag, _SHORT[letters], at + 8, length, encoding)
        wide = long.unpack_from(raw.ljust(12, b"\0"), 8)[0]
        fits = wide == UNDEFINED or at + 12 + wide <= self.store.size
        if letters in _LONG and length == 0 and fits:
            inner = self._encoding_in_un(at + 12) if letters == b"UN" else encoding
            return Field(tag, _LONG[letters], at + 12, wide, inner)
        return self._most_believable(
            Field(tag, written_vr(letters), at + 12, wide, encoding), raw
        )

    def _most_believable(self, long: Field, raw: bytes) -> Field:
        """Return an element of a VR that nobody knows, or of a length that cannot be.

        The three ways in which a length is written are tried against the header that would follow:
        32 bits behind two reserved bytes, as the standard has it; 16 bits, as DCMTK reads it; and
        32 bits in the place of the VR, which some writers forget on single elements.
        """
        at = long.offset - 12
        order: Literal["little", "big"] = "little" if long.encoding.little else "big"
        short = long._replace(offset=at + 8, length=int.from_bytes(raw[6:8], order))
        omitted = long._replace(
            vr="", offset=at + 8, length=int.from_bytes(raw[4:8], order)
        )
        long, omitted = (
            self._with_encoding_of_items(long),
            self._with_encoding_of_items(omitted),
        )
        widths = [long, short] if raw[6:8] == b"\0\0" else [short, long]
        if not long.vr:
            widths.insert(0 if raw[6:8] == b"\0\0" else 1, omitted)
        elif raw[4:6] not in _LONG:
            widths.append(omitted)
        return max(widths, key=self._belief)

    def _with_encoding_of_items(self, field: Field) -> Field:
        hidden = field.length == UNDEFINED and field.vr not in _LONG.values()
        return (
            field._replace(encoding=self._encoding_in_un(field.offset))
            if hidden
            else field
        )

    def _belief(self, field: Field) -> int:
        """Return how much a length is to be believed: 0 where no header can follow the value."""
        self._clock.step()
        little = field.encoding.little
        short = _SHORT_LE if little else _SHORT_BE
        if field.length == UNDEFINED:
            head = self.store.peek(field.offset, 8)
            tag = _tag_of(short, head)
            return 3 if tag in (ITEM, SEQUENCE_END) else 0
        end = field.offset + field.length
        if end == self.store.size:
            return 3
        head = self.store.peek(end, 8)
        if end > self.store.size or len(head) < 8:
            return 0
        return _follows(short, field.tag, head)

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
        raise _cut_sequence()

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
        raise _cut_sequence()

    def _encoding_in_un(self, at: int) -> Encoding:
        """Return how items in a UN are written: Implicit VR (PS3.5 6.2.2), but not by all."""
        item = self.store.read(at, 14)
        return EXPLICIT if written_vr(item[12:14]) in _COMMON else IMPLICIT


def _tag_of(header: Struct, raw: bytes) -> int:
    group, element, _, _ = header.unpack(raw.ljust(8, b"\0"))
    return int(group) << 16 | int(element)


def _follows(header: Struct, tag: int, raw: bytes) -> int:
    """Return how likely it is that bytes are a header behind an element of ``tag``.

    3: a delimiter, or a known VR on a greater tag; 2: an item, or a known VR on a tag that is out
    of order; 1: a greater tag alone; 0: none of them.
    """
    next_tag = _tag_of(header, raw)
    if next_tag in (ITEM_END, SEQUENCE_END):
        # The length of a delimiter is 0 (PS3.5 7.5).
        return 3 if raw[4:] == bytes(4) else 0
    if next_tag == ITEM:
        return 2
    greater = tag < next_tag <= _LAST_TAG
    if raw[4:6] in _SHORT or raw[4:6] in _LONG:
        return 3 if greater else 2
    return int(greater)


def written_vr(raw: bytes) -> str:
    """Return a VR; ``""`` for what can be none: some writers forget it on single elements."""
    return raw.decode("ascii") if raw.isalpha() and raw.isupper() else ""


def _cut_sequence() -> DicomError:
    msg = "Expected the end of a sequence (FFFE,E0DD), found the end of the file: it is cut."
    return DicomError(msg, reason="truncated")
