"""A data set as the reader sees it: the listed elements, their values read when asked for."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol, overload

from pydicom.valuerep import VR

from saliency.dicom.file.byte_source import Store
from saliency.dicom.file.limits import MAX_NUMBERS, MAX_VALUE, check
from saliency.dicom.file.parser import UNDEFINED, Field, Walker
from saliency.dicom.file.syntax import Encoding
from saliency.dicom.file.tags import PER_FRAME, READ, TAGS, vr_of, written
from saliency.dicom.file.value_codec import numbers_of, text_of
from saliency.errors import DicomError

_KNOWN: Final = frozenset(str(vr) for vr in VR)
_NUMERIC: Final = frozenset(
    {"US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "OW", "OV", "DS", "IS"}
)


class Elements(Protocol):
    """A data set or an item of a sequence; elements are asked for by a tag of ``tags.READ``."""

    @property
    def little(self) -> bool:
        """Whether binary values are little endian."""

    def has(self, tag: int) -> bool:
        """Whether the element is there with a value."""

    def octets(self, tag: int) -> bytes:
        """Return the value as it is written; empty where there is none."""

    def numbers(self, tag: int) -> tuple[float, ...]:
        """Return the value as numbers, NaN for what is none."""

    def text(self, tag: int) -> str:
        """Return the value as text without padding."""

    def items(self, tag: int) -> "Sequence[Elements]":
        """Return the items of a sequence, each read when it is asked for."""


class FileElements:
    """Elements of a file.

    Parameters
    ----------
    store
        The file.
    encoding
        How the elements are written.
    fields
        Tag -> where the element lies.
    """

    def __init__(self, store: Store, encoding: Encoding, fields: Mapping[int, Field]) -> None:
        self._store = store
        self._encoding = encoding
        self._fields = fields

    @property
    def little(self) -> bool:
        """Byte order of values that still are bytes."""
        return self._encoding.little

    def has(self, tag: int) -> bool:
        """Whether the element is there with a value."""
        field = self._fields.get(tag)
        return field is not None and field.length > 0

    def octets(self, tag: int) -> bytes:
        """Return the value as bytes."""
        field = self._fields.get(tag)
        if field is None or field.length in (0, UNDEFINED):
            return b""
        if field.vr and field.vr not in _KNOWN:
            msg = f"Expected a VR of PS3.5 6.2 at {written(tag)}, found another: it is broken."
            raise DicomError(msg, reason="unknown-vr")
        check(field.length, MAX_VALUE, "bytes of one value")
        return self._store.read(field.offset, field.length)

    def numbers(self, tag: int) -> tuple[float, ...]:
        """Return the value as numbers."""
        field = self._fields.get(tag)
        if field is None:
            return ()
        check(field.length, MAX_NUMBERS, "bytes of numbers")
        vr = field.vr if field.vr in _NUMERIC else vr_of(tag)
        return numbers_of(self.octets(tag), vr, little=self.little)

    def text(self, tag: int) -> str:
        """Return the value as text."""
        return text_of(self.octets(tag))

    def items(self, tag: int) -> Sequence[Elements]:
        """Return the items of a sequence."""
        field = self._fields.get(tag)
        if field is None:
            return ()
        walker = Walker(self._store)
        if tag == PER_FRAME:
            walker.allow_frames(number(self, TAGS["NumberOfFrames"], 1))
        return FileItems(walker, field)


class FileItems(Sequence[Elements]):
    """The items of a sequence in a file; an item is read when it is asked for."""

    def __init__(self, walker: Walker, field: Field) -> None:
        self._store = walker.store
        self._encoding = field.encoding
        self._ends = tuple(walker.items(field))

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> Elements: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Elements]: ...
    def __getitem__(self, index: int | slice) -> Elements | Sequence[Elements]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        fields = Walker(self._store).fields(*self._ends[index], self._encoding)
        return FileElements(self._store, self._encoding, listed(fields))


def listed(fields: Iterable[Field]) -> dict[int, Field]:
    """Keep the first of every listed element."""
    kept: dict[int, Field] = {}
    for field in fields:
        if field.tag in READ:
            kept.setdefault(field.tag, field)
    return kept


def number(elements: Elements, tag: int, default: float) -> float:
    """Return the first number of an element; ``default`` where there is none."""
    numbers = elements.numbers(tag)
    return numbers[0] if numbers else default
