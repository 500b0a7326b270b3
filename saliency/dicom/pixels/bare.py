"""A JPEG 2000 codestream as a decoder gets it: nothing around it, and no segment it can do without.

OpenJPEG 2.5.3 and 2.5.4 write behind the end of a table that TLM sizes and SOT fills
(OSV-2025-219): ten kilobytes end the process. At a marker it does not know it searches for the
next one it does, so a TLM may hide in such a segment. pydicom's plugins walk the boxes of a JP2
file for ever where one has the length 0.
"""

from collections.abc import Iterator
from typing import Final

CODESTREAM: Final = b"\xff\x4f\xff\x51"  # SOC, SIZ (ISO/IEC 15444-1 A.4.1, A.5.1)
_SOT: Final = b"\xff\x90"
_COM: Final = b"\xff\x64"
#: SIZ, COD, COC, QCD, QCC, RGN, POC, PPM, COM (15444-1 A.4 to A.9), CAP (15444-15 A.3), and MCT,
#: MCC, MCO, CBD (15444-2 A.3).
_KEPT: Final = frozenset(b"\x51\x52\x53\x5c\x5d\x5e\x5f\x60\x64\x50\x74\x75\x77\x78")


def bare(data: bytes) -> bytes:
    """Return the first codestream in ``data``; in its main header all that may go is a comment.

    Where there is none, nothing is changed: what reads the header says so.
    """
    at = data.find(CODESTREAM)
    stream = data[max(at, 0) :]
    spots = [spot for spot in _segments(stream) if stream[spot + 1] not in _KEPT]
    if not spots:
        return stream
    tamed = bytearray(stream)
    for spot in spots:
        tamed[spot : spot + 2] = _COM
    return bytes(tamed)


def _segments(stream: bytes) -> Iterator[int]:
    """Yield where each marker segment of the main header starts."""
    at = 2
    while at + 4 <= len(stream) and stream[at] == 0xFF and stream[at : at + 2] != _SOT:
        yield at
        at += 2 + max(2, int.from_bytes(stream[at + 2 : at + 4], "big"))
