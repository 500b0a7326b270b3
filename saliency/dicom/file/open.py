"""From a file, bytes or Dataset to its elements and the place of its pixels."""

import io
import struct
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final, cast

from pydicom.dataset import Dataset

from saliency.dicom.file.byte_source import BytesStore, Store, open_store
from saliency.dicom.file.dataset_elements import BorrowedElements, find_element
from saliency.dicom.file.dicomweb import fetched, web_place_of
from saliency.dicom.file.elements import Elements, FileElements, number
from saliency.dicom.file.guard import warn
from saliency.dicom.file.inflate import inflate
from saliency.dicom.file.limits import check, inflate_cap
from saliency.dicom.file.parser import UNDEFINED, Field, Walker, written_vr
from saliency.dicom.file.syntax import (
    BIG,
    EXPLICIT,
    IMPLICIT,
    Encoding,
    Syntax,
    find_syntax,
)
from saliency.dicom.file.tags import PER_FRAME, PIXEL_TAGS, READ, TAGS
from saliency.dicom.file.value_codec import ascii_text
from saliency.errors import DicomError, InputError

#: Bytes in front of "DICM" (PS3.10 7.1), and the group of the File Meta Information.
_PREAMBLE: Final = 128
_META: Final = 0x0002
#: A data set without a preamble starts with no later group than that of the pixels' description.
_LAST_FIRST_GROUP: Final = 0x0028
_PACKED: Final = {
    b"\x1f\x8b": ("gzip", "gzip.open(path)"),
    b"PK\x03\x04": ("zip", "zipfile.ZipFile(path).open(member)"),
}
_PLAIN_VRS: Final = frozenset(
    {"AE", "CS", "DA", "IS", "LO", "OB", "SH", "SQ", "UI", "UL", "UN"}
)


@dataclass(frozen=True)
class Pixels:
    """Where the pixel data lies.

    Parameters
    ----------
    tag
        (7FE0,0008), (7FE0,0009) or (7FE0,0010).
    vr
        ``"OB"``, ``"OW"``, ...; ``""`` where the file writes none.
    offset, length
        The value in ``store``; length ``walk.UNDEFINED`` where it is encapsulated.
    """

    store: Store
    tag: int
    vr: str
    offset: int
    length: int

    @property
    def there(self) -> int:
        """Bytes of the value that the file really has."""
        return max(0, min(self.length, self.store.size - self.offset))


@dataclass(frozen=True)
class Opened:
    """A data set without the pixels, and where they are."""

    elements: Elements
    syntax: Syntax
    pixels: Pixels | None


@contextmanager
def open_source(source: object, tags: AbstractSet[int] = READ) -> Iterator[Opened]:
    """Open what ``read_dicom`` takes; the pixels can be read while it is open.

    Of a file only the elements of ``tags`` are kept.

    Raises
    ------
    InputError
        The source is of no type that can be read.
    DicomError
        It is no DICOM file, is cut, or costs more than ``limits`` allow.
    """
    place = web_place_of(source)
    if place is not None:
        source = fetched(place)
    if isinstance(source, Dataset):
        yield _borrow(source)
        return
    with open_store(source) as store:
        yield _parse(store, tags)


def _borrow(dataset: Dataset) -> Opened:
    meta = getattr(dataset, "file_meta", None) or Dataset()
    # None, Explicit VR Little Endian, where the Dataset was made in memory.
    _, little = dataset.original_encoding
    encoding = BIG if little is False else EXPLICIT
    uid = BorrowedElements(meta, little=True).text(TAGS["TransferSyntaxUID"])
    syntax = find_syntax(uid, encoding)
    elements = BorrowedElements(dataset, little=encoding.little)
    return Opened(elements, syntax, _borrowed_pixels(dataset))


def _borrowed_pixels(dataset: Dataset) -> Pixels | None:
    # Pixel Data (7FE0,0010) comes before the float kinds, (7FE0,0009) and (7FE0,0008).
    for tag in sorted(PIXEL_TAGS, reverse=True):
        element = find_element(dataset, tag)
        if element is not None:
            value = element.value or b""
            held = not isinstance(value, io.BufferedIOBase)
            if held and not isinstance(value, bytes | bytearray | memoryview):
                msg = (
                    "read_dicom: expected bytes in the pixel data (7FE0,0008-0010) of the Dataset, "
                    f"got {type(value).__name__}. Dataset.set_pixel_data takes an array."
                )
                raise InputError(msg)
            store = BytesStore(bytes(value)) if held else Store(cast(IO[bytes], value))
            return Pixels(store, tag, str(element.VR or ""), 0, store.size)
    return None


def _parse(store: Store, tags: AbstractSet[int]) -> Opened:
    start, uid = _start_and_syntax(store)
    if store.size - start < 8:
        msg = "Expected a data set, found the end of the file: it is empty or cut."
        raise DicomError(msg, reason="truncated" if start else "not-dicom")
    syntax = find_syntax(uid, IMPLICIT)
    if syntax.deflated and not _is_not_deflated(store, start):
        store, start = BytesStore(_inflated_data_set(store, start)), 0
    encoding = _encoding_found(store, start, syntax.encoding)
    if not uid:
        syntax = find_syntax("", encoding)
    pixels, kept = _walk_to_pixels(store, start, encoding, tags)
    return Opened(FileElements(store, encoding, kept), syntax, pixels)


def _walk_to_pixels(
    store: Store, start: int, encoding: Encoding, tags: AbstractSet[int]
) -> tuple[Pixels | None, dict[int, Field]]:
    """Return where the pixels are, and the first of each listed element in front of them.

    Where the pixels are not described by then, what stands behind them is looked at as well.
    """
    walker, kept = Walker(store), dict[int, Field]()
    elements = FileElements(store, encoding, kept)
    pixels = None
    wanted = {*tags, *PIXEL_TAGS, PER_FRAME}
    for field in walker.fields(start, store.size, encoding, wanted):
        if field.tag in PIXEL_TAGS and pixels is None:
            pixels = Pixels(store, field.tag, field.vr, field.offset, field.length)
            if TAGS["Rows"] in kept or field.length > store.size - field.offset:
                break
            continue
        if field.length != UNDEFINED and field.offset + field.length > store.size:
            msg = "Expected the value of an element, found the end of the file: it is cut."
            raise DicomError(msg, reason="truncated")
        if field.tag in tags:
            kept.setdefault(field.tag, field)
        if field.tag == PER_FRAME:
            walker.allow_frames(number(elements, TAGS["NumberOfFrames"], 1))
    return pixels, kept


def _start_and_syntax(store: Store) -> tuple[int, str]:
    """Return where the data set starts, and its Transfer Syntax UID (PS3.10 7.1)."""
    start = _PREAMBLE + 4 if store.read(_PREAMBLE, 4) == b"DICM" else 0
    if not start:
        _check_first_element(store.read(0, 8))
    walker, uid = Walker(store), ""
    for field in walker.fields(start, store.size, EXPLICIT):
        if field.tag >> 16 != _META:
            break
        if field.tag == TAGS["TransferSyntaxUID"]:
            uid = ascii_text(store.read(field.offset, min(field.length, 64)))
        start = walker.after(field, depth=1)
    return start, uid


def _check_first_element(raw: bytes) -> None:
    """Refuse what starts neither with a preamble nor with a low, even group."""
    for start, (what, remedy) in _PACKED.items():
        if raw.startswith(start):
            msg = f"Expected a DICOM file, found a {what} file. Hand in {remedy}."
            raise DicomError(msg, reason="not-dicom")
    groups = {int.from_bytes(raw[:2], "little"), int.from_bytes(raw[:2], "big")}
    if len(raw) < 8 or not any(2 <= group <= _LAST_FIRST_GROUP for group in groups):
        msg = (
            "Expected a DICOM file: 'DICM' at byte 128 (PS3.10 7.1) or an element of a low group "
            "at byte 0; found neither."
        )
        raise DicomError(msg, reason="not-dicom")


def _encoding_found(store: Store, start: int, named: Encoding) -> Encoding:
    """Return how elements are written: as named, but for a VR that is (not) there.

    Raises
    ------
    DicomError
        The byte order is the other one.
    """
    raw = store.read(start, 8)
    if len(raw) < 8:
        msg = "Expected a data set, found the end of the file: it is cut."
        raise DicomError(msg, reason="truncated")
    # The first group is low: the byte order in which it is low is the file's.
    groups = struct.unpack_from("<H", raw)[0], struct.unpack_from(">H", raw)[0]
    group, swapped = groups if named.little else groups[::-1]
    if group > _LAST_FIRST_GROUP >= swapped:
        if not named.implicit:
            msg = (
                "Expected the byte order that Transfer Syntax UID (0002,0010) names, found the "
                "other one. Correct the UID."
            )
            raise DicomError(msg, reason="byte-order")
        return BIG if written_vr(raw[4:6]) else Encoding(implicit=True, little=False)
    if not named.little:
        return named
    vr = written_vr(raw[4:6])
    if vr in _PLAIN_VRS:
        return EXPLICIT
    return named if vr or _is_explicit_behind(store, start, named) else IMPLICIT


def _is_explicit_behind(store: Store, start: int, named: Encoding) -> bool:
    """Whether the first element alone lacks a VR, in a file that is named explicit."""
    if named.implicit:
        return False
    first = Walker(store).header(start, named)
    behind = store.peek(first.offset + first.length, 6)
    return written_vr(behind[4:6]) in _PLAIN_VRS


def _is_not_deflated(store: Store, start: int) -> bool:
    """Whether a data set labelled deflated is not: writers that keep the label of a copy exist.

    It starts with an explicit element of group 0008, as no deflate stream does: 08 would open a
    stored block (RFC 1951 3.2.4), whose length is followed by its complement.
    """
    raw = store.read(start, 6)
    is_element = raw[:2] == b"\x08\0" and written_vr(raw[4:6]) in _PLAIN_VRS
    if is_element:
        warn("A data set that is labelled deflated (PS3.5 A.5) is not: read as it is.")
    return is_element


def _inflated_data_set(store: Store, start: int) -> bytes:
    """Inflate a data set (PS3.5 A.5), stopping at a cap.

    Raises
    ------
    DicomError
        The stream is broken, or becomes longer than any honest file of its size.
    """
    raw = store.read(start, store.size - start)
    data = inflate(raw, inflate_cap(len(raw)))
    if data is None:
        msg = "Expected a deflate stream (PS3.5 A.5), found broken bytes."
        raise DicomError(msg, reason="broken-deflate")
    check(len(data), inflate_cap(len(raw)), "inflated bytes (PS3.5 A.5)")
    return data
