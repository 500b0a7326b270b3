"""Bytes of a value to numbers and text (PS3.5 6.2).

Values are taken as leniently as the standard's readers take them: padded with spaces or NUL,
with what is no number as NaN. Nothing here warns, because a warning would quote the value.
"""

import math
import re
import struct
from typing import Final

import numpy as np

_FORMATS: Final = {
    "US": "H", "SS": "h", "UL": "I", "SL": "i", "UV": "Q", "SV": "q", "FL": "f", "FD": "d",
    "OW": "H", "OV": "Q", "US or SS": "H", "US or OW": "H", "US or SS or OW": "H",
}  # fmt: skip
_DIGITS: Final = re.compile(r"[+-]?\d+")
#: ``1,5`` and ``-12,0E3``, but not ``1,234.5`` or ``1,234,567``: there a comma groups thousands.
_COMMA: Final = re.compile(r"[+-]?(?:\d+,\d*|,\d+)(?:[eE][+-]?\d+)?")


def numbers_of(raw: bytes, vr: str, *, little: bool) -> tuple[float, ...]:
    """Return the numbers of a binary or text value; ``"US or SS"`` is read as US."""
    code = _FORMATS.get(vr)
    if code is None:
        return numbers_in(ascii_text(raw), vr)
    count = len(raw) // struct.calcsize(code)
    numbers = struct.unpack_from(f"{'<' if little else '>'}{count}{code}", raw)
    return tuple(float(number) for number in numbers)


def numbers_in(text: str, vr: str) -> tuple[float, ...]:
    """Return the numbers of a DS or IS; an empty one keeps its place as NaN (PS3.5 6.4)."""
    return (
        tuple(number_of(part, vr) for part in text.split("\\")) if text.strip() else ()
    )


def number_of(part: str, vr: str) -> float:
    """Return one DS or IS, NaN for what is none.

    A comma in a DS can mean nothing but a point; an IS may trail what is no digit.
    """
    part = part.strip()
    if is_decimal_comma(part, vr):
        part = part.replace(",", ".")
    try:
        return math.nan if "_" in part else float(part)
    except ValueError:
        digits = _DIGITS.match(part) if vr == "IS" else None
        return float(digits.group()) if digits else math.nan


def is_decimal_comma(part: str, vr: str) -> bool:
    """Whether a DS was written by the rules of a locale with a decimal comma (PS3.5 6.2)."""
    return vr == "DS" and "," in part and _COMMA.fullmatch(part.strip()) is not None


def ascii_text(raw: bytes) -> str:
    """Return text without padding: code strings are ASCII, the rest is replaced."""
    return raw.decode("ascii", "replace").replace("\0", " ").strip()


def swap_words(raw: bytes) -> bytes:
    """Undo the swap of bytes within 16-bit words of big endian OW (PS3.5 7.3, D.2)."""
    even = raw if len(raw) % 2 == 0 else raw + b"\0"
    return np.frombuffer(even, "<u2").byteswap().tobytes()
