"""A pydicom Dataset as elements, read and never written into."""

import io
import math
from collections.abc import Iterable, Sequence
from typing import cast, overload

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_deferred_data_element

from saliency.dicom.file.byte_source import Store
from saliency.dicom.file.elements import Elements, FileItems
from saliency.dicom.file.parser import Field, Walker
from saliency.dicom.file.syntax import Encoding
from saliency.dicom.file.tags import vr_of
from saliency.dicom.file.value_codec import numbers_of, text_of


class BorrowedElements:
    """Elements of a Dataset; ``get_item`` hands out what lies there without converting it."""

    def __init__(self, dataset: Dataset, *, little: bool) -> None:
        self._dataset = dataset
        self._little = little

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
            return "\\".join(str(each) for each in _parts(value)).encode("ascii", "replace")
        order = "little" if self._little else "big"
        words = (int(each) & 0xFFFF for each in _numbers(value))
        return b"".join(word.to_bytes(2, order) for word in words)  # type: ignore[arg-type]

    def numbers(self, tag: int) -> tuple[float, ...]:
        """Return the value as numbers."""
        element = self._element(tag)
        value = None if element is None else element.value
        if element is None or not isinstance(value, bytes):
            return _numbers(value)
        little = element.is_little_endian if isinstance(element, RawDataElement) else self._little
        vr = element.VR if element.VR not in (None, "UN") else vr_of(tag)
        return numbers_of(value, str(vr), little=little)

    def text(self, tag: int) -> str:
        """Return the value as text."""
        return text_of(self.octets(tag))

    def items(self, tag: int) -> Sequence[Elements]:
        """Return the items of a sequence."""
        element = self._element(tag)
        if element is None or not element.value or vr_of(tag) != "SQ":
            return ()
        if isinstance(element, RawDataElement):
            return _parsed(element)
        return BorrowedItems(cast(Sequence[Dataset], element.value), little=self._little)

    def _element(self, tag: int) -> DataElement | RawDataElement | None:
        return find_element(self._dataset, tag)


def find_element(dataset: Dataset, tag: int) -> DataElement | RawDataElement | None:
    """Return an element as it lies in a Dataset, which would convert and keep it otherwise."""
    element: object = dataset.get_item(tag, keep_deferred=True) if tag in dataset else None
    deferred = isinstance(element, RawDataElement) and element.value is None
    if isinstance(element, RawDataElement) and deferred and element.length:
        source = dataset.filename or dataset.buffer
        return read_deferred_data_element(dataset.fileobj_type, source, dataset.timestamp, element)
    return element if isinstance(element, (DataElement, RawDataElement)) else None


class BorrowedItems(Sequence[Elements]):
    """The items of a sequence in a Dataset."""

    def __init__(self, items: Sequence[Dataset], *, little: bool) -> None:
        self._items = items
        self._little = little

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> Elements: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Elements]: ...
    def __getitem__(self, index: int | slice) -> Elements | Sequence[Elements]:
        if isinstance(index, slice):
            return BorrowedItems(self._items[index], little=self._little)
        return BorrowedElements(self._items[index], little=self._little)


def _parsed(element: RawDataElement) -> Sequence[Elements]:
    """Read a sequence that the Dataset still holds as bytes."""
    raw = element.value or b""
    encoding = Encoding(element.is_implicit_VR, element.is_little_endian)
    field = Field(int(element.tag), "SQ", 0, len(raw), encoding)
    return FileItems(Walker(Store(io.BytesIO(raw))), field)


def _parts(value: object) -> tuple[object, ...]:
    if value is None:
        return ()
    if isinstance(value, Iterable) and not isinstance(value, str):
        return tuple(value)
    return (value,)


def _numbers(value: object) -> tuple[float, ...]:
    return tuple(_number(each) for each in _parts(value) if each != "")


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return math.nan
