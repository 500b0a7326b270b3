"""What a JPEG 2000 decoder must be kept from: too many pieces, and segments that harm it.

Tiles, precincts, code-blocks and layers are numbers of a few bytes; precincts of 4 x 4 make
OpenJPEG allocate nine gigabytes for 780 bytes. They are counted before it allocates anything.

OpenJPEG 2.5.3 and 2.5.4 write behind the end of a table that TLM sizes and SOT fills
(OSV-2025-219): ten kilobytes end the process. At a marker it does not know it searches for the
next one it does, so a TLM may hide in such a segment. pydicom's plugins walk the boxes of a JP2
file for ever where one has the length 0. So a decoder gets a codestream with nothing around it,
and no segment that it can do without.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from saliency.dicom.file.limits import FEW_BLOCKS, LEAST_BLOCK, LEAST_PRECINCT, check

CODESTREAM: Final = b"\xff\x4f\xff\x51"  # SOC, SIZ (ISO/IEC 15444-1 A.4.1, A.5.1)
_COMMENT: Final = b"\xff\x64"
#: SIZ, COD, COC, QCD, QCC, RGN, POC, PPM, COM (15444-1 A.4 to A.9), CAP (15444-15 A.3), and MCT,
#: MCC, MCO, CBD (15444-2 A.3).
_KEPT: Final = frozenset(b"\x51\x52\x53\x5c\x5d\x5e\x5f\x60\x64\x50\x74\x75\x77\x78")
_SOT, _SOD, _COD, _COC, _EOC = 0xFF90, 0xFF93, 0xFF52, 0xFF53, 0xFFD9
_TILE_PART: Final = _SOT.to_bytes(2)
_WHOLE: Final = 0xF  # exponent of a precinct that nothing cuts


@dataclass(frozen=True)
class Grid:
    """Pixels of a frame, and in how many tiles they lie."""

    rows: int
    columns: int
    tiles: int


@dataclass(frozen=True)
class Cut:
    """How the components of a frame are cut (ISO/IEC 15444-1 A.6.1, A.6.2).

    Parameters
    ----------
    layers
        1 in COC, which does not say.
    block
        Pixels of a code-block.
    precincts
        Exponents of width and height, the smallest resolution first.
    """

    layers: int
    block: int
    precincts: tuple[tuple[int, int], ...]

    def count(self, grid: Grid) -> int:
        """Return how many precincts all resolutions have, roughly where there are tiles."""
        last = len(self.precincts) - 1
        return sum(
            max(
                grid.tiles,
                _parts(grid.columns, last - k + x) * _parts(grid.rows, last - k + y),
            )
            for k, (x, y) in enumerate(self.precincts)
        )


def check_cuts(data: bytes, at: int, grid: Grid, *, wide: int) -> None:
    """Refuse a codestream that is cut into too many pieces.

    ``at`` is where its first marker segment starts; ``wide``, how many bytes name a component.

    Raises
    ------
    DicomError
        There are more precincts, code-blocks or packets than a frame of this size needs.
    """
    pixels = grid.rows * grid.columns
    most = max(FEW_BLOCKS, pixels // LEAST_BLOCK)
    for cut in cuts(data, at, wide):
        precincts = cut.count(grid)
        check(
            precincts,
            max(FEW_BLOCKS, pixels // LEAST_PRECINCT),
            "precincts in such a frame",
        )
        check(pixels // cut.block, most, "code-blocks in such a frame")
        check(precincts * cut.layers, 16 * most, "packets in such a frame")


def cuts(data: bytes, at: int, wide: int) -> Iterator[Cut]:
    """Yield every COD and COC of the main header and of the tile-parts."""
    for marker, start, end in _segments(data, at):
        if marker == _COD:
            yield _cut(
                data[start:end],
                1,
                int.from_bytes(data[start + 2 : start + 4], "big"),
                5,
            )
        elif marker == _COC:
            yield _cut(data[start + wide : end], 1, 1, 1)


def _cut(raw: bytes, style: int, layers: int, at: int) -> Cut:
    """Read SPcod or SPcoc at ``at``; ``style`` bytes before it say whether precincts follow."""
    raw = raw.ljust(at + 5, b"\0")
    levels = min(raw[at], 32)
    # Exponents of a code-block are written less 2 (table A.18).
    width, height = min(raw[at + 1], 8) + 2, min(raw[at + 2], 8) + 2
    told = raw[style - 1] & 1
    sizes = raw[at + 5 : at + 6 + levels] if told else b""
    untold = levels + 1 - len(sizes)
    exponents = [(size & 15, size >> 4) for size in sizes]
    exponents += [(_WHOLE, _WHOLE)] * untold
    return Cut(max(layers, 1), 1 << width + height, tuple(exponents))


def _segments(data: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Walk marker segments from behind SOC, from one tile-part to the next: marker, start, end."""
    tile = at
    while at + 4 <= len(data):
        marker = int.from_bytes(data[at : at + 2], "big")
        if marker == _SOD:
            length = int.from_bytes(data[tile + 6 : tile + 10], "big")
            if length <= at - tile:
                return
            at = tile + length
            continue
        if marker == _EOC or marker < 0xFF00:
            return
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _SOT:
            tile = at
        yield marker, at + 4, end
        at = max(end, at + 4)


def _parts(length: int, exponent: int) -> int:
    return -(-length // (1 << min(exponent, 40)))


def bare(data: bytes) -> bytes:
    """Return the first codestream in ``data``; in its main header all that may go is a comment.

    Where there is none, nothing is changed: what reads the header says so.
    """
    at = data.find(CODESTREAM)
    stream = data[max(at, 0) :]
    spots = [spot for spot in _main_header(stream) if stream[spot + 1] not in _KEPT]
    if not spots:
        return stream
    tamed = bytearray(stream)
    for spot in spots:
        tamed[spot : spot + 2] = _COMMENT
    return bytes(tamed)


def _main_header(stream: bytes) -> Iterator[int]:
    """Yield where each marker segment of the main header starts."""
    at = 2
    while (
        at + 4 <= len(stream)
        and stream[at] == 0xFF
        and stream[at : at + 2] != _TILE_PART
    ):
        yield at
        at += 2 + max(2, int.from_bytes(stream[at + 2 : at + 4], "big"))
