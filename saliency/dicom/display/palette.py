"""PALETTE COLOR: indices to RGB by three tables (PS3.3 C.7.6.3.1.5, C.7.6.3.1.6, C.7.9.2)."""

import struct
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from saliency.dicom.display.codes import by_code
from saliency.dicom.display.lut import (
    Descriptor,
    Lut,
    are_bytes,
    read_descriptor,
    unpack_entries,
)
from saliency.dicom.file.elements import Elements
from saliency.dicom.file.guard import warn
from saliency.dicom.file.tags import TAGS
from saliency.errors import DicomError
from saliency.values.arrays import Array

_COLOURS: Final = ("Red", "Green", "Blue")
_MOST_ENTRIES: Final = 0x10000
_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2


def paint_palette(elements: Elements, stored: Array, *, signed: bool) -> Array:
    """Return RGB as uint8 (rows, columns, 3) of indices (rows, columns).

    Raises
    ------
    DicomError
        A table is missing or shorter than its descriptor says.
    """
    return read_palette(elements, stored, signed=signed)(stored)


@dataclass(frozen=True)
class ColourTables:
    """Three tables, of red, green and blue."""

    tables: tuple[Lut, Lut, Lut]

    @property
    def first(self) -> int:
        """The least stored value that any table maps."""
        return min(table.first for table in self.tables)

    def __call__(self, stored: Array) -> Array:
        """Return uint8 (..., 3) of indices.

        Entries of 16 bits are shown by their upper 8, unless none of the three tables uses them.
        """
        shift = self._shift()
        planes = []
        for table in self.tables:
            plane = by_code(ColourPlane(table, shift), stored, np.uint8)
            planes.append(plane)
        return np.stack(planes, axis=-1)

    def _shift(self) -> int:
        """Return by how many bits entries are moved down.

        The standard knows 8 and 16 bits an entry; tables that say 10 or 12, and keep to it, exist.
        """
        greatest = max(int(table.entries.max()) for table in self.tables)
        if greatest <= 0xFF:
            return 0
        said = max(table.bits for table in self.tables)
        return said - 8 if said > 8 and greatest >> said == 0 else 8


def read_palette(elements: Elements, stored: Array, *, signed: bool) -> ColourTables:
    """Read the three tables of a data set, for the indices ``stored``.

    Raises
    ------
    DicomError
        A table is missing, or shorter than its descriptor says and than the indices need.
    """
    greatest = int(stored.max())
    red, green, blue = (
        _colour_table(elements, colour, greatest, signed=signed) for colour in _COLOURS
    )
    return ColourTables((red, green, blue))


@dataclass(frozen=True)
class ColourPlane:
    """One colour of indices: entries, moved down by ``shift`` bits."""

    table: Lut
    shift: int

    def __call__(self, indices: Array) -> Array:
        """Look up."""
        entries: Array = self.table.entries_of(indices) >> self.shift
        return entries


def _colour_table(
    elements: Elements, colour: str, greatest: int, *, signed: bool
) -> Lut:
    name = f"{colour}PaletteColorLookupTable"
    descriptor = read_descriptor(
        elements.numbers(TAGS[f"{name}Descriptor"]), signed=signed
    )
    entries = None
    if descriptor is not None:
        raw = elements.octets(TAGS[f"{name}Data"])
        if raw:
            descriptor = _as_far_as_needed(descriptor, raw, greatest)
            entries = unpack_entries(raw, descriptor, little=elements.little)
        else:
            segmented = elements.octets(TAGS[f"Segmented{name}Data"])
            entries = expand_segments(segmented, descriptor, little=elements.little)
    if descriptor is None or entries is None:
        msg = (
            f"Expected the {colour} Palette Color Lookup Table (0028,1101-1223) with as many "
            "entries as its descriptor says (PS3.3 C.7.6.3.1.5), found none or fewer."
        )
        raise DicomError(msg, reason="palette")
    return Lut(descriptor.first, entries, descriptor.bits)


def _as_far_as_needed(descriptor: Descriptor, raw: bytes, greatest: int) -> Descriptor:
    """Return a descriptor of the entries that are there, where they reach the greatest index.

    Tables of 8-bit indices that say 0, for 65,536 entries, and have 256 exist.
    """
    there = len(raw) // (2 if descriptor.bits > 8 else 1)
    too_few = there < descriptor.count and not are_bytes(raw, descriptor)
    if not too_few or greatest - descriptor.first >= there:
        return descriptor
    warn(
        "A Palette Color Lookup Table (0028,1201-1203) has fewer entries than its descriptor "
        "says: used, as they reach the greatest index of the frame."
    )
    return replace(descriptor, count=there)


def expand_segments(
    raw: bytes, descriptor: Descriptor, *, little: bool
) -> Array | None:
    """Expand a segmented palette (C.7.9.2); None where it is broken or of another length."""
    size = 1 if descriptor.bits == 8 else 2
    words = np.frombuffer(
        raw[: len(raw) // size * size], f"{'<' if little else '>'}u{size}"
    )
    entries: list[int] = []
    at = 0
    while at + 2 <= words.size and len(entries) < descriptor.count:
        code, length = int(words[at]), int(words[at + 1])
        if code == _INDIRECT:
            # The offset has 32 bits, in words of the table's size.
            wide = 4 // size
            start = _byte_offset(words[at + 2 : at + 2 + wide], little=little) // size
            usable = at + 2 + wide <= words.size and _repeat_segments(
                words, at, start, entries
            )
            at += 2 + wide
        else:
            usable = _add_segment(words, at, entries)
            at += 2 + (length if code == _DISCRETE else 1)
        if not usable:
            return None
    return np.array(entries, np.uint16) if len(entries) == descriptor.count else None


def _add_segment(words: Array, at: int, entries: list[int]) -> bool:
    """Add a discrete or linear segment."""
    code, length = int(words[at]), int(words[at + 1])
    if code == _DISCRETE and at + 2 + length <= words.size:
        entries.extend(int(word) for word in words[at + 2 : at + 2 + length])
        return length > 0
    if code == _LINEAR and entries and at + 2 < words.size:
        # A line from the last entry, which is there already, to the given one (C.7.9.2.2).
        ramp = np.linspace(entries[-1], int(words[at + 2]), length + 1)[1:]
        entries.extend(int(value) for value in np.rint(ramp))
        return length > 0
    return False


def _byte_offset(words: Array, *, little: bool) -> int:
    """Return a byte offset of 32 bits, its lower 16 bits first (C.7.9.2.3)."""
    raw, order = words.tobytes(), "<" if little else ">"
    low, high = struct.unpack_from(f"{order}HH", raw.ljust(4, b"\0"))
    return int(low) | int(high) << 16


def _repeat_segments(words: Array, at: int, start: int, entries: list[int]) -> bool:
    """Add again as many segments as the one at ``at`` says, from the word ``start`` on."""
    count = int(words[at + 1])
    for _ in range(count):
        if (
            start + 2 > at
            or len(entries) > _MOST_ENTRIES
            or not _add_segment(words, start, entries)
        ):
            return False
        start += 2 + (int(words[start + 1]) if int(words[start]) == _DISCRETE else 1)
    return count > 0
