"""One element of thousands of items, found by its bytes: a slide has a group for each tile."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from saliency.dicom.file.byte_source import Store
from saliency.dicom.file.syntax import EXPLICIT, Encoding
from saliency.dicom.file.tags import vr_of

#: Bytes of all items that are searched at once.
_MOST: Final = 2**28


def scan_items(
    store: Store, extents: Sequence[tuple[int, int]], encoding: Encoding, tag: int
) -> list[bytes] | None:
    """Return the value of an element, at any depth, in each item of a sequence.

    Reading items one by one costs a fifth of a millisecond each, and slides have 100,000. Tag, VR
    and length (PS3.5 7.1.2) are eight bytes that hardly occur by chance; where they do, an item has
    more than one, and None is returned.

    Parameters
    ----------
    store
        The file.
    extents
        Where each item starts and ends, in the order of the file.
    encoding
        Of the items.
    tag
        Of an element whose length has 16 bits.

    Returns
    -------
    list of bytes, or None
        One value an item. None where that cannot be told so: another encoding, an item with none or
        with several.
    """
    values = _values_by_offset(store, extents, encoding, tag)
    if values is None:
        return None
    starts = np.array([start - extents[0][0] for start, _ in extents])
    places = np.array(list(values), np.int64)
    items = np.searchsorted(starts, places, side="right") - 1
    return (
        list(values.values())
        if np.array_equal(items, np.arange(len(extents)))
        else None
    )


def scan_values(
    store: Store, extents: Sequence[tuple[int, int]], encoding: Encoding, tag: int
) -> frozenset[bytes] | None:
    """Return every value that an element has in some item of a sequence, at any depth.

    Among them may be bytes that look like the element by chance. None where items are of another
    encoding, or too many to be searched at once.

    Parameters
    ----------
    store, extents, encoding, tag
        As for :func:`scan_items`.
    """
    values = _values_by_offset(store, extents, encoding, tag)
    return None if values is None else frozenset(values.values())


def _values_by_offset(
    store: Store, extents: Sequence[tuple[int, int]], encoding: Encoding, tag: int
) -> dict[int, bytes] | None:
    """Return each value by its place behind the first item's start, in the order of the file."""
    if encoding != EXPLICIT or not extents or extents[-1][1] - extents[0][0] > _MOST:
        return None
    first = extents[0][0]
    block = store.read(first, extents[-1][1] - first)
    head = (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little")
    pattern = re.compile(re.escape(head + vr_of(tag).encode()) + b"(..)", re.DOTALL)
    lengths = {
        match.end(): int.from_bytes(match.group(1), "little")
        for match in pattern.finditer(block)
    }
    return {place: block[place : place + length] for place, length in lengths.items()}
