"""A pydicom Dataset as elements, read and never written into."""

import io
import math
from collections.abc import Iterable, Sequence
from typing import cast

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_deferred_data_element

from saliency.dicom.file.byte_source import Store
from saliency.dicom.file.charset import decoded
from saliency.dicom.file.elements import (
    CommaNotes,
    Elements,
    FileItems,
    LazyItems,
    codes,
    split,
)
from saliency.dicom.file.guard import without_warnings
from saliency.dicom.file.parser import Field, Walker
from saliency.dicom.file.syntax import Encoding
from saliency.dicom.file.tags import CHARSET, vr_of
from saliency.dicom.file.value_codec import (
    ascii_text,
    number_of,
    numbers_of,
    swap_words,
)
from saliency.errors import DicomError


class BorrowedElements:
    """Elements of a Dataset; ``get_item`` hands out what lies there without converting it."""

    def __init__(
        self, dataset: Dataset, *, little: bool, charset: tuple[str, ...] = ()
    ) -> None:
        self._dataset = dataset
        self._little = little
        self._outer_charset = charset
        self._notes = CommaNotes()

    @property
    def little(self) -> bool:
        """Byte order of values that still are bytes."""
        return self._little

    def has(self, tag: int) -> bool:
        """Whether the element is there with a value."""
        return bool(self.octets(tag)) or bool(self.items(tag))

    def octets(self, tag: int) -> bytes:
        """Return the value as bytes."""
        element = self._element(tag)
        value = None if element is None else element.value
        if isinstance(value, (bytes, bytearray, memoryview)):
            return bytes(value)
        if element is None or element.VR not in ("US", "SS", "US or SS", "OW"):
            return _as_text(value).encode("ascii", "replace")
        # Numbers that pydicom has converted: 16-bit words again, a negative one as its complement.
        order = "little" if self._little else "big"
        words = (int(number) & 0xFFFF for number in _as_numbers(value))
        return b"".join(word.to_bytes(2, order) for word in words)  # type: ignore[arg-type]

    def words(self, tag: int) -> bytes:
        """Return the value with the lower byte of each word first: pydicom keeps it as written."""
        element, raw = self._element(tag), self.octets(tag)
        bytewise = element is None or element.VR == "OB"
        return raw if self._little or bytewise else swap_words(raw)

    def numbers(self, tag: int) -> tuple[float, ...]:
        """Return the value as numbers."""
        element = self._element(tag)
        value = None if element is None else element.value
        if element is None or not isinstance(value, bytes):
            return _as_numbers(value)
        little = (
            element.is_little_endian
            if isinstance(element, RawDataElement)
            else self._little
        )
        vr = str(element.VR if element.VR not in (None, "UN") else vr_of(tag))
        self._notes.look(tag, value, vr)
        return numbers_of(value, vr, little=little)

    def text(self, tag: int) -> str:
        """Return the value as text."""
        return ascii_text(self.octets(tag))

    def labels(self, tag: int) -> tuple[str, ...]:
        """Return the values of a text; pydicom has decoded those that it has converted."""
        element = self._element(tag)
        value = None if element is None else element.value
        if isinstance(value, bytes):
            return split(decoded(value, self._charset()))
        return split(_as_text(value))

    def _charset(self) -> tuple[str, ...]:
        return codes(self, CHARSET) or self._outer_charset

    def items(self, tag: int) -> Sequence[Elements]:
        """Return the items of a sequence."""
        element = self._element(tag)
        if element is None or not element.value or vr_of(tag) != "SQ":
            return ()
        if isinstance(element, RawDataElement):
            # The Dataset still holds the sequence as bytes.
            raw = element.value or b""
            encoding = Encoding(element.is_implicit_VR, element.is_little_endian)
            field = Field(int(element.tag), "SQ", 0, len(raw), encoding)
            return FileItems(Walker(Store(io.BytesIO(raw))), field, self._charset())
        items = cast(Sequence[Dataset], element.value)
        return BorrowedItems(items, little=self._little, charset=self._charset())

    def _element(self, tag: int) -> DataElement | RawDataElement | None:
        return find_element(self._dataset, tag)


def find_element(dataset: Dataset, tag: int) -> DataElement | RawDataElement | None:
    """Return an element as it lies in a Dataset, which would convert and keep it otherwise."""
    element: object = (
        dataset.get_item(tag, keep_deferred=True) if tag in dataset else None
    )
    deferred = isinstance(element, RawDataElement) and element.value is None
    if isinstance(element, RawDataElement) and deferred and element.length:
        return _read_deferred(dataset, element)
    return element if isinstance(element, (DataElement, RawDataElement)) else None


def _read_deferred(dataset: Dataset, element: RawDataElement) -> RawDataElement:
    """Read a value that the Dataset left in its file; what pydicom says then names the file."""
    source = dataset.filename or dataset.buffer
    try:
        with without_warnings():
            return read_deferred_data_element(
                dataset.fileobj_type, source, dataset.timestamp, element
            )
    except Exception as error:  # noqa: BLE001  the file is gone, or is another one by now
        msg = (
            "Expected the file that the Dataset was read from, to fetch a value that was left in "
            f"it, got {type(error).__name__}. Read the Dataset without defer_size."
        )
        raise DicomError(msg, reason="cannot-open") from None


class BorrowedItems(LazyItems):
    """The items of a sequence in a Dataset."""

    def __init__(
        self, items: Sequence[Dataset], *, little: bool, charset: tuple[str, ...] = ()
    ) -> None:
        self._items = items
        self._little = little
        self._charset = charset

    def __len__(self) -> int:
        return len(self._items)

    def item(self, index: int) -> Elements:
        """Return an item."""
        return BorrowedElements(
            self._items[index], little=self._little, charset=self._charset
        )


def _single_values(value: object) -> tuple[object, ...]:
    """Return the values of a pydicom value: one, many or none."""
    if value is None:
        return ()
    if isinstance(value, Iterable) and not isinstance(value, str):
        return tuple(value)
    return (value,)


def _as_text(value: object) -> str:
    """Return values as the file wrote them, with backslashes between (PS3.5 6.2)."""
    return "\\".join(
        "" if single is None else str(single) for single in _single_values(value)
    )


def _as_numbers(value: object) -> tuple[float, ...]:
    values = _single_values(value)
    return () if values == ("",) else tuple(_number_or_nan(single) for single in values)


def _number_or_nan(value: object) -> float:
    """Return a number, NaN for what is none: each value keeps its place."""
    if isinstance(value, str):
        return number_of(value, "DS")
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return math.nan
