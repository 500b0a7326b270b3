"""A data set as the reader sees it: the listed elements, their values read when asked for."""

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final, Protocol, overload

from saliency.dicom.file.byte_source import Store
from saliency.dicom.file.charset import decoded
from saliency.dicom.file.guard import warn
from saliency.dicom.file.item_scan import scan_items, scan_values
from saliency.dicom.file.limits import MAX_NUMBERS, MAX_VALUE, check
from saliency.dicom.file.parser import UNDEFINED, Field, Walker
from saliency.dicom.file.syntax import Encoding
from saliency.dicom.file.tags import CHARSET, PER_FRAME, READ, TAGS, vr_of, written
from saliency.dicom.file.value_codec import (
    ascii_text,
    is_decimal_comma,
    numbers_of,
    swap_words,
)

_CODE: Final = re.compile(r"[A-Z0-9_ ]{1,16}")
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

    def words(self, tag: int) -> bytes:
        """Return the value of an OB or OW with the lower byte of each word first (PS3.5 7.3)."""

    def numbers(self, tag: int) -> tuple[float, ...]:
        """Return the value as numbers, NaN for what is none or empty: each keeps its place."""

    def text(self, tag: int) -> str:
        """Return the value as text without padding, what is not ASCII replaced."""

    def labels(self, tag: int) -> tuple[str, ...]:
        """Return the values of a text under the Specific Character Set; each keeps its place."""

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
    charset
        Specific Character Set of what an item lies in, for one that has none of its own.
    """

    def __init__(
        self,
        store: Store,
        encoding: Encoding,
        fields: Mapping[int, Field],
        charset: tuple[str, ...] = (),
    ) -> None:
        self._store = store
        self._encoding = encoding
        self._fields = fields
        self._outer_charset = charset
        self._notes = CommaNotes()
        self._frames: FileItems | None = None

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
        check(field.length, MAX_VALUE, "bytes of one value")
        return self._store.read(field.offset, field.length)

    def words(self, tag: int) -> bytes:
        """Return the value with the lower byte of each word first."""
        field, raw = self._fields.get(tag), self.octets(tag)
        bytewise = field is None or field.vr == "OB"
        return raw if self.little or bytewise else swap_words(raw)

    def numbers(self, tag: int) -> tuple[float, ...]:
        """Return the value as numbers."""
        field = self._fields.get(tag)
        if field is None:
            return ()
        check(field.length, MAX_NUMBERS, "bytes of numbers")
        vr, raw = field.vr if field.vr in _NUMERIC else vr_of(tag), self.octets(tag)
        self._notes.look(tag, raw, vr)
        return numbers_of(raw, vr, little=self.little)

    def text(self, tag: int) -> str:
        """Return the value as text."""
        return ascii_text(self.octets(tag))

    def labels(self, tag: int) -> tuple[str, ...]:
        """Return the values of a text."""
        return split(decoded(self.octets(tag), self._charset()))

    def _charset(self) -> tuple[str, ...]:
        return codes(self, CHARSET) or self._outer_charset

    def items(self, tag: int) -> Sequence[Elements]:
        """Return the items of a sequence."""
        field = self._fields.get(tag)
        if field is None:
            return ()
        walker = Walker(self._store)
        if tag != PER_FRAME:
            return FileItems(walker, field, self._charset())
        if self._frames is None:  # a slide has 100,000 of them: they are walked once
            walker.allow_frames(number(self, TAGS["NumberOfFrames"], 1))
            self._frames = FileItems(walker, field, self._charset())
        return self._frames


class LazyItems(Sequence[Elements]):
    """The items of a sequence, each made when it is asked for; those of a slice at once."""

    @abstractmethod
    def item(self, index: int) -> Elements:
        """Return one item."""

    @overload
    def __getitem__(self, index: int) -> Elements: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Elements]: ...
    def __getitem__(self, index: int | slice) -> Elements | Sequence[Elements]:
        if isinstance(index, slice):
            return [self.item(place) for place in range(*index.indices(len(self)))]
        return self.item(index)


class FileItems(LazyItems):
    """The items of a sequence in a file; an item is read when it is asked for."""

    def __init__(
        self, walker: Walker, field: Field, charset: tuple[str, ...] = ()
    ) -> None:
        self._charset = charset
        self._store = walker.store
        self._encoding = field.encoding
        self._extents = tuple(walker.items(field))

    def __len__(self) -> int:
        return len(self._extents)

    def scanned(self, tag: int) -> list[bytes] | None:
        """Return an element's value in each item, as :func:`scan_items` does."""
        return scan_items(self._store, self._extents, self._encoding, tag)

    def values_anywhere(self, tag: int) -> frozenset[bytes] | None:
        """Return an element's values in all items, as :func:`scan_values` does."""
        return scan_values(self._store, self._extents, self._encoding, tag)

    def item(self, index: int) -> Elements:
        """Return an item; of an element that stands there twice, the first."""
        start, end = self._extents[index]
        fields: dict[int, Field] = {}
        for field in Walker(self._store).fields(start, end, self._encoding):
            if field.tag in READ:
                fields.setdefault(field.tag, field)
        return FileElements(self._store, self._encoding, fields, self._charset)


def number(elements: Elements, tag: int, default: float) -> float:
    """Return the first number of an element; ``default`` where there is none."""
    numbers = elements.numbers(tag)
    return numbers[0] if numbers else default


def hashed(elements: Elements, tag: int) -> str:
    """Return a hash of a UID, which tells one from another and no more; ``""`` where none is."""
    return hash_of(elements.octets(tag))


def hash_of(uid: bytes) -> str:
    """Return the hash of a UID that :func:`hashed` returns for an element."""
    value = uid.rstrip(b"\0 ")
    return sha256(value).hexdigest()[:16] if value else ""


def split(text: str) -> tuple[str, ...]:
    """Return the values of a text without padding; an empty one keeps its place (PS3.5 6.4)."""
    text = text.replace("\0", " ").strip()
    return tuple(part.strip() for part in text.split("\\")) if text else ()


def codes(elements: Elements, tag: int) -> tuple[str, ...]:
    """Return the values of a code string, in upper case, as PS3.5 6.2 has it and writers have not.

    Every code that decides anything is asked for here, or by :func:`code`.
    """
    return split(elements.text(tag).upper())


def code(elements: Elements, tag: int) -> str:
    """Return the first value of a code string, ``""`` where there is none."""
    return next(iter(codes(elements, tag)), "")


def let_through(elements: Elements, tag: int) -> str:
    """Return the first value of a text as far as its VR allows it, else ``""``.

    What may leave the file is told by its tag, and a writer may put a name under any tag. A code
    string (CS, PS3.5 6.2) holds no ``^``; that of a LO is taken for the mark of a name as well.
    """
    if vr_of(tag) == "CS":
        value = code(elements, tag)
        return value if is_code(value) else ""
    value = next(iter(elements.labels(tag)), "")
    return (
        value if len(value) <= 64 and value.isprintable() and "^" not in value else ""
    )


def is_code(value: str) -> bool:
    """Whether a text can be a code string (CS, PS3.5 6.2)."""
    return _CODE.fullmatch(value) is not None


class CommaNotes:
    """Notes, once an element, that decimal commas were read as points."""

    def __init__(self) -> None:
        self._noted: set[int] = set()

    def look(self, tag: int, raw: bytes, vr: str) -> None:
        """Leave a note where a value has a decimal comma."""
        if vr != "DS" or b"," not in raw or tag in self._noted:
            return
        if any(is_decimal_comma(part, vr) for part in split(ascii_text(raw))):
            self._noted.add(tag)
            warn(
                f"A decimal comma in {written(tag)} was read as a point (DS, PS3.5 6.2)."
            )
