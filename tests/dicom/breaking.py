"""Ways to break a file: bytes in, bytes out.

Each works on what it finds without parsing: a header is a VR of PS3.5 6.2 behind four bytes of tag.
"""

import re
from typing import Final

_LONG: Final = rb"(?:OB|OW|OF|OD|OL|OV|SQ|SV|UC|UN|UR|UT|UV)\0\0"
_SHORT: Final = rb"(?:AE|AS|AT|CS|DA|DS|FD|FL|IS|LO|LT|PN|SH|SL|SS|ST|TM|UI|UL|US)"
_HEADER: Final = re.compile(_LONG + rb"|" + _SHORT)
_ITEM, _ITEM_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0\0\0\0\0"
_SEQUENCE, _SEQUENCE_END = (
    b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff",
    b"\xfe\xff\xdd\xe0\0\0\0\0",
)
#: Numbers at which lengths, counts and sizes go wrong.
EDGES: Final = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF)
_MOST_HEADERS: Final = 300


def lengths(data: bytes) -> list[tuple[int, int]]:
    """Return where the length fields of explicit headers are, and how many bytes each has."""
    found = []
    for match in _HEADER.finditer(data, 4):
        found.append((match.end(), 4 if match.end() - match.start() == 4 else 2))
        if len(found) == _MOST_HEADERS:
            break
    return [(at, size) for at, size in found if at + size <= len(data)]


def cut(data: bytes, at: int) -> bytes:
    """Return the file up to a byte."""
    return data[: at % (len(data) + 1)]


def flip(data: bytes, at: int, value: int) -> bytes:
    """Change one byte."""
    changed = bytearray(data)
    if changed:
        changed[at % len(changed)] = value & 0xFF
    return bytes(changed)


def swap_lengths(data: bytes, first: int, second: int) -> bytes:
    """Exchange the lengths of two elements."""
    fields = lengths(data)
    if not fields:
        return data
    (a, wide), (b, other) = fields[first % len(fields)], fields[second % len(fields)]
    size, changed = min(wide, other), bytearray(data)
    changed[a : a + size], changed[b : b + size] = (
        data[b : b + size],
        data[a : a + size],
    )
    return bytes(changed)


def set_number(data: bytes, which: int, edge: int) -> bytes:
    """Give the length of an element, or the first word of its value, a number that hurts."""
    fields = lengths(data)
    if not fields:
        return data
    at, size = fields[which // 2 % len(fields)]
    if which % 2:
        at, size = at + size, 2
    number = EDGES[edge % len(EDGES)]
    changed = bytearray(data)
    changed[at : at + size] = number.to_bytes(2, "little") * (size // 2)
    return bytes(changed)


def nest(data: bytes, which: int, depth: int, *, closed: bool) -> bytes:
    """Put an element into sequences within sequences; leave them open where not ``closed``."""
    fields = lengths(data)
    if not fields:
        return data
    start = max(0, fields[which % len(fields)][0] - 8)
    opening = (_SEQUENCE + _ITEM + b"\xff\xff\xff\xff") * depth
    closing = (_ITEM_END + _SEQUENCE_END) * depth if closed else b""
    end = min(start + 16, len(data))
    return data[:start] + opening + data[start:end] + closing + data[end:]


def double(data: bytes, start: int, length: int, times: int) -> bytes:
    """Repeat a piece of the file."""
    start %= len(data) + 1
    return data[:start] + data[start : start + length] * times + data[start:]
