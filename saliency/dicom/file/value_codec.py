"""Bytes of a value to numbers and text (PS3.5 6.2).

Values are taken as leniently as the standard's readers take them: padded with spaces or NUL,
with what is no number as NaN. Nothing here warns, because a warning would quote the value.
"""

import math
import re
import struct
from typing import Final

_FORMATS: Final = {
    "US": "H", "SS": "h", "UL": "I", "SL": "i", "UV": "Q", "SV": "q", "FL": "f", "FD": "d",
    "OW": "H", "OV": "Q", "US or SS": "H", "US or OW": "H", "US or SS or OW": "H",
}  # fmt: skip
_DIGITS: Final = re.compile(r"[+-]?\d+")


def numbers_of(raw: bytes, vr: str, *, little: bool) -> tuple[float, ...]:
    """Return the numbers of a binary or text value; ``"US or SS"`` is read as US."""
    code = _FORMATS.get(vr)
    if code is None:
        return tuple(_number(part, vr) for part in text_of(raw).split("\\") if part.strip())
    count = len(raw) // struct.calcsize(code)
    numbers = struct.unpack_from(f"{'<' if little else '>'}{count}{code}", raw)
    return tuple(float(number) for number in numbers)


def text_of(raw: bytes) -> str:
    """Return text without padding: code strings are ASCII, the rest is replaced."""
    return raw.decode("ascii", "replace").replace("\0", " ").strip()


def _number(part: str, vr: str) -> float:
    """Return a decimal or integer string; an IS may trail what is no digit."""
    try:
        return float(part)
    except ValueError:
        digits = _DIGITS.match(part.strip()) if vr == "IS" else None
        return float(digits.group()) if digits else math.nan
