"""Look-up tables of a data set (PS3.3 C.11.1.1.1, C.11.2.1.1, C.7.6.3.1.5)."""

from dataclasses import dataclass

import numpy as np

from saliency.dicom.file.elements import Elements
from saliency.dicom.file.guard import warn
from saliency.dicom.file.tags import TAGS
from saliency.values.arrays import Array


@dataclass(frozen=True)
class Lut:
    """A table: value ``first`` is mapped to ``entries[0]``.

    Parameters
    ----------
    first
        First value mapped.
    entries
        uint16.
    bits
        Bits of an entry.
    """

    first: int
    entries: Array
    bits: int

    def entries_of(self, values: Array) -> Array:
        """Return the entry of each value; those outside take the first or the last entry."""
        index = np.rint(np.asarray(values, np.float64) - self.first)
        return self.entries[np.clip(index, 0, self.entries.size - 1).astype(np.intp)]

    def unit(self, values: Array) -> Array:
        """Return entries as float64 in 0..1, 1 being the largest number of ``bits`` bits."""
        return self.entries_of(values) / float((1 << self.bits) - 1)


@dataclass(frozen=True)
class Descriptor:
    """Number of entries, first value mapped, bits of an entry."""

    count: int
    first: int
    bits: int


def read_descriptor(numbers: tuple[float, ...], *, signed: bool) -> Descriptor | None:
    """Read a LUT Descriptor: 0 entries mean 65,536; only the second number may be signed."""
    if len(numbers) < 3 or not np.isfinite(numbers[:3]).all():
        return None
    count, first, bits = (int(number) for number in numbers[:3])
    if signed and first >= 0x8000:
        first -= 0x10000
    # Of a writer that has signed all three: the same 16 bits.
    count, bits = count & 0xFFFF, bits & 0xFFFF
    return Descriptor(count or 0x10000, first, bits) if 1 <= bits <= 16 else None


def read_lut(item: Elements, *, signed: bool) -> Lut | None:
    """Read a LUT from an item of a Modality or VOI LUT Sequence; None where it is broken."""
    descriptor = read_descriptor(item.numbers(TAGS["LUTDescriptor"]), signed=signed)
    if descriptor is None:
        return None
    raw = item.octets(TAGS["LUTData"])
    entries = unpack_entries(raw, descriptor, little=item.little)
    if entries is None:
        return None
    # Entries wider than their descriptor says are taken for what they are.
    said = 8 if are_bytes(raw, descriptor) else descriptor.bits
    bits = max(said, int(entries.max()).bit_length())
    return Lut(descriptor.first, entries, bits)


def unpack_entries(raw: bytes, descriptor: Descriptor, *, little: bool) -> Array | None:
    """Return the entries as uint16; None where there are fewer than the descriptor says.

    Entries of 8 bits lie two to a word, or one to a word as most writers have it. Where there is
    one byte for each entry, they have 8 bits whatever the descriptor says.
    """
    order = "<" if little else ">"
    if len(raw) >= 2 * descriptor.count:
        return np.frombuffer(raw, f"{order}u2", descriptor.count).astype(np.uint16)
    if are_bytes(raw, descriptor):
        warn(
            "A look-up table has one byte an entry, and says more bits: read as 8 bits."
        )
    elif descriptor.bits > 8 or len(raw) < descriptor.count:
        return None
    # Two to a word, the first in its lower byte: of big endian words the bytes change places.
    if not little:
        raw = np.frombuffer(raw[: len(raw) // 2 * 2], ">u2").astype("<u2").tobytes()
    return np.frombuffer(raw, np.uint8)[: descriptor.count].astype(np.uint16)


def are_bytes(raw: bytes, descriptor: Descriptor) -> bool:
    """Whether entries that are said to be wider have one byte each, and one to make it even."""
    count = descriptor.count
    whole = len(raw) >= 2 * count  # of a single entry, which is even as it is
    return descriptor.bits > 8 and not whole and len(raw) in (count, count + count % 2)
