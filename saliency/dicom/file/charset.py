"""Text under the Specific Character Set (0008,0005): PS3.3 C.12.1.1.2, PS3.5 6.1.2.

A value may switch between character sets by the escape sequences of ISO/IEC 2022: bytes below 0x80
are read by the set in G0, those above by the set in G1. pydicom knows the same rules; it lacks
ISO_IR 203, splits GB18030 within a character, and its warnings quote the value.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

#: Sets that need no escape sequences and allow none (PS3.3 table C.12-5).
_WHOLE: Final = {"192": "utf_8", "GB18030": "gb18030", "GBK": "gbk"}
#: Defined term, without "ISO_IR" or "ISO 2022 IR": the Python codec of G1 (tables C.12-2, C.12-3).
_SINGLE: Final = {
    "100": "latin_1",
    "101": "iso8859_2",
    "109": "iso8859_3",
    "110": "iso8859_4",
    "144": "iso8859_5",
    "127": "iso8859_6",
    "126": "iso8859_7",
    "138": "iso8859_8",
    "148": "iso8859_9",
    "203": "iso8859_15",
    "166": "tis_620",
    "13": "shift_jis",
}
#: Escape sequence: the codec that it puts into G1 (PS3.3 tables C.12-3 and C.12-4).
_TO_G1: Final = {
    b"-A": "latin_1",
    b"-B": "iso8859_2",
    b"-C": "iso8859_3",
    b"-D": "iso8859_4",
    b"-L": "iso8859_5",
    b"-G": "iso8859_6",
    b"-F": "iso8859_7",
    b"-H": "iso8859_8",
    b"-M": "iso8859_9",
    b"-b": "iso8859_15",
    b"-T": "tis_620",
    b")I": "shift_jis",
    b"$)C": "euc_kr",
    b"$)A": "gb2312",
}
#: Escape sequence: the codec that it puts into G0, which wants to see the sequence itself.
_TO_G0: Final = {b"$B": "iso2022_jp", b"$(D": "iso2022_jp_2"}
_TO_ASCII: Final = (
    b"(B",
    b"(J",
)  # JIS X 0201 differs by the signs for yen and overline
_TOKENS: Final = re.compile(
    rb"\x1b(?P<escape>\$[()]?.|[-()].)|(?P<delimiter>[\t\n\f\r])"
    rb"|(?P<high>[\x80-\xff]+)|(?P<low>[^\x1b\t\n\f\r\x80-\xff]+)",
    re.DOTALL,
)


@dataclass(frozen=True)
class _Active:
    """The codecs of G0 and G1, and the escape sequence of G0; ``""`` where G1 is empty."""

    g1: str
    g0: str = "ascii"
    escape: bytes = b""

    def after(self, escape: bytes) -> "_Active":
        """Return what is active behind an escape sequence; one that nobody knows does nothing."""
        if escape in _TO_G1:
            return replace(self, g1=_TO_G1[escape])
        if escape in _TO_ASCII:
            return replace(self, g0="ascii", escape=b"")
        return replace(self, g0=_TO_G0.get(escape, self.g0), escape=b"\x1b" + escape)

    def high(self, run: bytes) -> str:
        """Decode bytes from 0x80 on."""
        return run.decode(self.g1, "replace") if self.g1 else unnamed(run)

    def low(self, run: bytes) -> str:
        """Decode bytes below 0x80."""
        return (self.escape + run).decode(self.g0, "replace")


def decoded(raw: bytes, terms: Sequence[str]) -> str:
    """Return the text of a value, its backslashes still in it.

    Parameters
    ----------
    raw
        The value as it is written.
    terms
        The values of Specific Character Set, in upper case; a term that nobody knows is passed
        over. Where there is none, bytes above 0x7F are UTF-8 if they can be, else Latin-1.
    """
    first = terms[0].replace("_", " ").split(" ")[-1] if terms else ""
    if first in _WHOLE:
        return raw.decode(_WHOLE[first], "replace")
    if not any(terms):
        return unnamed(raw)
    start = active = _Active(_SINGLE.get(first, ""))
    text = ""
    for token in _TOKENS.finditer(raw):
        run = token.group()
        if token["escape"]:
            active = active.after(token["escape"])
        elif token["high"]:
            text += active.high(run)
        else:
            text += active.low(run)
            # Delimiters bring back the first set (PS3.5 6.1.2.5.3); 0x5C may be half a kanji.
            ends = token["delimiter"] or (active.g0 == "ascii" and b"\\" in run)
            active = start if ends else active
    return text


def unnamed(raw: bytes) -> str:
    """Decode text of no known character set."""
    try:
        return raw.decode("utf_8")
    except UnicodeDecodeError:
        return raw.decode("latin_1")
