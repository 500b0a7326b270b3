"""What a compressed frame says about itself, read before a decoder believes it.

A header of 64 x 64 over a codestream of 65,500 x 65,500 costs gigabytes in any decoder, so the
size in SOF (ISO/IEC 10918-1 B.2.2) or SIZ (15444-1 A.5.1) must equal Rows x Columns.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from struct import unpack_from
from typing import Final

from saliency.dicom.file.limits import FEW_TILES, LEAST_TILE, MAX_SCANS, check
from saliency.dicom.pixels.jpeg2000 import CODESTREAM, Grid, check_cuts
from saliency.errors import DicomError

_SOF: Final = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
_LOSSLESS: Final = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
#: Processes in which a component has one scan; progressive ones (10918-1 annex G) have more.
_ONE_SCAN: Final = frozenset({0xC0, 0xC1, 0xC3, 0xF7})
_APP0, _APP14 = 0xE0, 0xEE
_SOF55: Final = 0xF7  # JPEG-LS
_COD, _SOT = b"\xff\x52", b"\xff\x90"  # JPEG 2000
_NO_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD9)})


@dataclass(frozen=True)
class Stream:
    """Header of a codestream.

    Parameters
    ----------
    rows, columns, components, precision
        The size of the picture, and bits of a sample.
    signed
        Samples are signed (JPEG 2000 only).
    lossy
        The samples are not those that were encoded.
    ids
        Component identifiers (JPEG only).
    subsampled
        Components have unequal sampling factors.
    adobe
        Transform flag of the APP14 segment; -1 where there is none.
    jfif
        There is a JFIF segment (JPEG only).
    mct
        A multiple component transformation was applied (JPEG 2000 only): the decoder undoes it.
    """

    rows: int
    columns: int
    components: int
    precision: int
    signed: bool = False
    lossy: bool = False
    ids: bytes = b""
    subsampled: bool = False
    adobe: int = -1
    jfif: bool = False
    mct: bool = False


def is_jpegls(data: bytes) -> bool:
    """Whether a JPEG stream is JPEG-LS: its frame header is SOF55 (ISO/IEC 14495-1 C.1.1)."""
    return any(marker == 0xF7 for marker, _, _ in _jpeg_segments(data))


def read_jpeg(data: bytes) -> Stream:
    """Read the frame header of a JPEG or JPEG-LS stream.

    Raises
    ------
    DicomError
        There is none, or there are more scans than an honest encoder makes.
    """
    adobe, jfif = -1, False
    for marker, at, length in _jpeg_segments(data):
        whole = at + min(length, 12) <= len(data)
        name = data[at : at + 5]
        if marker == _APP14 and name == b"Adobe" and whole and length >= 12:
            adobe = data[at + 11]
        jfif |= marker == _APP0 and name == b"JFIF\0"
        if marker in _SOF and whole and length >= 6:
            stream = replace(_frame_header(data, marker, at), adobe=adobe, jfif=jfif)
            if marker not in _ONE_SCAN or stream.components > 1:
                check(data.count(b"\xff\xda"), MAX_SCANS, "scans in a frame")
            return stream
    msg = "Expected a JPEG frame header (SOF), found none: the frame is broken."
    raise DicomError(msg, reason="broken-codestream")


def _frame_header(data: bytes, marker: int, at: int) -> Stream:
    # P, Y, X, Nf, then C, H and V, Tq of each component (ISO/IEC 10918-1 B.2.2)
    precision, rows, columns, count = unpack_from(">BHHB", data, at)
    components = data[at + 6 : at + 6 + 3 * count]
    samplings = set(components[1::3])
    lossy = _near(data, at) > 0 if marker == _SOF55 else marker not in _LOSSLESS
    return Stream(
        rows=rows,
        columns=columns,
        components=count,
        precision=precision,
        lossy=lossy,
        ids=components[0::3],
        subsampled=len(samplings) > 1,
    )


def _near(data: bytes, at: int) -> int:
    """Return NEAR of the first scan: how far JPEG-LS may move a sample (ISO/IEC 14495-1 C.2.3)."""
    scan = data.find(b"\xff\xda", at)
    components = data[scan + 4 : scan + 5] if scan >= 0 else b""
    if not components or components == b"\0":
        return 0
    near_at = scan + 5 + 2 * components[0]
    return data[near_at] if near_at < len(data) else 0


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Walk marker segments up to the first scan: marker, where its content is, how long."""
    at = data.find(b"\xff\xd8") + 2
    while 2 <= at <= len(data) - 4:
        if data[at] != 0xFF:
            return
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _NO_LENGTH:
            at += 2
        elif marker in (0xDA, 0xD9):
            return
        else:
            length = int.from_bytes(data[at + 2 : at + 4], "big")
            yield marker, at + 4, max(length - 2, 0)
            at += 2 + max(length, 2)


def read_jpeg2k(data: bytes) -> Stream:
    """Read SIZ and COD of a JPEG 2000 codestream, raw or in a JP2 file.

    Raises
    ------
    DicomError
        There is none, or it has more tiles than can be.
    """
    at = data.find(CODESTREAM)
    if at < 0 or len(data) < at + 44:
        msg = "Expected a JPEG 2000 codestream (SOC, SIZ), found none: the frame is broken."
        raise DicomError(msg, reason="broken-codestream")
    # Xsiz to YTOsiz, Csiz, Ssiz of the first component (ISO/IEC 15444-1 A.5.1)
    x1, y1, x0, y0, tile_x, tile_y, tile_x0, tile_y0, components, depth = unpack_from(
        ">8IHB", data, at + 8
    )
    rows = y1 - y0
    columns = x1 - x0
    tiles = _steps_covering(x1 - tile_x0, tile_x) * _steps_covering(
        y1 - tile_y0, tile_y
    )
    most = max(FEW_TILES, rows * columns // LEAST_TILE)
    check(tiles, most, "tiles in a frame of this size")
    wide = 1 if components < 257 else 2
    check_cuts(data, at + 2, Grid(rows, columns, tiles), wide=wide)
    lossy, mct = _coding(data, at + 4)
    return Stream(
        rows=rows,
        columns=columns,
        components=components,
        precision=(depth & 0x7F) + 1,
        signed=depth > 0x7F,
        lossy=lossy,
        mct=mct,
    )


def _steps_covering(length: int, step: int) -> int:
    """Return how many steps cover a length."""
    return -(-max(length, 0) // max(step, 1))


def _coding(data: bytes, at: int) -> tuple[bool, bool]:
    """Return whether COD (15444-1 A.6.1) names the irreversible wavelet, and an MCT."""
    while at + 14 <= len(data):
        at += int.from_bytes(data[at : at + 2], "big")
        marker = data[at : at + 2]
        if marker == _COD:
            transformation = data[at + 13 : at + 14]  # 0: 9-7 irreversible
            components_mixed = data[at + 8 : at + 9]
            return transformation == b"\0", components_mixed == b"\1"
        if marker[:1] != b"\xff" or marker == _SOT:
            break
        at += 2
    return True, False


def read_jpegxl(data: bytes) -> Stream:
    """Read the size header of a JPEG XL codestream (ISO/IEC 18181-1 D.3), raw or boxed.

    Components and precision are not read: zero stands for "as the data set says".

    Raises
    ------
    DicomError
        There is none.
    """
    at = data.find(b"\xff\x0a", 0, 4096)
    if at < 0:
        msg = "Expected a JPEG XL codestream (FF0A), found none: the frame is broken."
        raise DicomError(msg, reason="broken-codestream")
    bits = _Bits(data[at + 2 : at + 18])
    small = bits.take(1)
    rows = 8 * (bits.take(5) + 1) if small else bits.size()
    ratio = bits.take(3)
    if ratio:
        up, down = _RATIOS[ratio - 1]
        return Stream(rows, rows * up // down, 0, 0, lossy=True)
    columns = 8 * (bits.take(5) + 1) if small else bits.size()
    return Stream(rows, columns, 0, 0, lossy=True)


_RATIOS: Final = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


class _Bits:
    """Takes bits off bytes, the least significant first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self._value & (1 << count) - 1
        self._value >>= count
        return value

    def size(self) -> int:
        """Take U32(1+u(9), 1+u(13), 1+u(18), 1+u(30))."""
        return 1 + self.take((9, 13, 18, 30)[self.take(2)])
