"""Overlay planes of groups 6000-601E (PS3.3 C.9.2, C.7.6.15; PS3.5 8.1.2).

They are never painted and never reach the pixels: a graphic may spell a name. Graphics (type G) and
regions of interest (type R) are zones alike.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial, reduce
from operator import or_
from typing import Final, TypeVar

import numpy as np

from saliency.dicom.file.elements import Elements, code, number
from saliency.dicom.file.guard import beside, warn
from saliency.dicom.file.tags import OVERLAY, OVERLAY_GROUPS, TAGS, written
from saliency.dicom.pixels.image_pixel import Layout, Samples
from saliency.dicom.pixels.native import unpack_bits
from saliency.dicom.pixels.stored import lowest_bit, native_order
from saliency.errors import DicomError
from saliency.values.arrays import Array
from saliency.values.zone import Zone

_Value = TypeVar("_Value")
#: Overlay Subtype (60xx,0045) of the region that shows the patient, PS3.3 C.8.5.6.1.11.
_ACTIVE: Final = "ACTIVE 2D/BMODE IMAGE AREA"


@dataclass(frozen=True)
class OverlayPlane:
    """An overlay plane: its group and the elements that it can be read from."""

    group: int
    elements: Elements

    def tag(self, keyword: str) -> int:
        """Return the tag of an element of the plane."""
        return self.group << 16 | OVERLAY[keyword]

    @property
    def has_data(self) -> bool:
        """Whether the plane has Overlay Data of its own."""
        return self.elements.has(self.tag("OverlayData"))

    @property
    def names_frames(self) -> bool:
        """Whether the plane says which frames it lies on (C.9.3); else it lies on all (C.9.2)."""
        keywords = ("NumberOfFramesInOverlay", "ImageFrameOrigin")
        return any(self.elements.has(self.tag(keyword)) for keyword in keywords)

    @property
    def embedded(self) -> bool:
        """Whether the plane lies in a bit of the pixels (retired, PS3.5-2004 8.1.2).

        Then Overlay Bits Allocated is Bits Allocated. A plane with data of its own says 1, and bit
        0, which is why the lowest bit counts only beside more than one.
        """
        if self.has_data:
            return False
        return (
            self.number("OverlayBitPosition", 0) > 0
            or self.number("OverlayBitsAllocated", 1) > 1
        )

    @property
    def active(self) -> bool:
        """Whether the plane marks the part of an ultrasound screen that shows the patient."""
        return code(self.elements, self.tag("OverlaySubtype")) == _ACTIVE

    def number(self, keyword: str, default: int) -> int:
        """Return the first number of an element of the plane; ``default`` where it has none."""
        return self.numbers(keyword, (default,))[0]

    def numbers(self, keyword: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """Return as many numbers of an element as ``default`` has, which stands for an absent one.

        Raises
        ------
        DicomError
            There are fewer, or one is no whole number: the plane cannot be placed.
        """
        tag = self.tag(keyword)
        if not self.elements.has(tag):
            return default
        numbers = self.elements.numbers(tag)[: len(default)]
        if len(numbers) < len(default) or not all(
            value.is_integer() for value in numbers
        ):
            count = len(default)
            msg = f"Expected {count} whole numbers in {keyword} {written(tag)}, found others."
            raise DicomError(msg, reason="overlay")
        return tuple(int(value) for value in numbers)


def overlay_zones(
    elements: Elements, samples: Samples, layout: Layout, frame: int
) -> tuple[Zone, ...]:
    """Return the zones that overlay planes mark in a frame (from 0).

    They are ``"shutter"`` for the plane that is the bitmap shutter (0018,1623), ``"screen"`` around
    the plane that marks the active area of an ultrasound screen, ``"overlay"`` for graphics. A
    plane that is broken is left out with a note.
    """

    def zone(plane: OverlayPlane) -> Zone | None:
        if plane.embedded:
            mask = _embedded_mask(plane, samples, layout)
        else:
            mask = _mask_of_data(plane, layout, frame)
        if mask is None or not mask.any():
            return None
        marked = _zone_of_plane(plane, mask)
        return marked if marked.mask.any() else None

    return _answers_of_planes(elements, zone)


def plane_names(elements: Elements) -> tuple[str, ...]:
    """Return the name of the zone of each plane that has data, which is not looked at."""
    return _answers_of_planes(
        elements,
        lambda plane: _zone_name(plane) if plane.has_data or plane.embedded else None,
    )


def _answers_of_planes(
    elements: Elements, read: Callable[[OverlayPlane], _Value | None]
) -> tuple[_Value, ...]:
    """Ask each plane; one that is broken is left out with a note, one without answer silently."""
    answers = (
        beside(f"Overlay plane {plane.group:04X}", partial(read, plane), None)
        for plane in planes(elements)
    )
    return tuple(answer for answer in answers if answer is not None)


def _zone_name(plane: OverlayPlane) -> str:
    """Return the name of the zone that a plane makes."""
    if number(plane.elements, TAGS["ShutterOverlayGroup"], 0) == plane.group:
        return "shutter"
    return "screen" if plane.active else "overlay"


def _zone_of_plane(plane: OverlayPlane, mask: Array) -> Zone:
    where = f"Overlay ({plane.group:04X},3000), PS3.3"
    name = _zone_name(plane)
    if name == "screen":
        return Zone(name, ~mask, f"outside {where} C.8.5.6.1.11")
    if name == "shutter":
        return Zone(name, mask, f"{where} C.7.6.15")
    kind = code(plane.elements, plane.tag("OverlayType"))
    return Zone(
        name, mask, f"{where} C.9.2" + (", a region of interest" if kind == "R" else "")
    )


def planes(elements: Elements) -> Iterator[OverlayPlane]:
    """Find the overlay planes of a data set."""
    for group in OVERLAY_GROUPS:
        plane = OverlayPlane(group, elements)
        if beside(
            f"Overlay plane {group:04X}", partial(_is_described, plane), otherwise=False
        ):
            yield plane


def _is_described(plane: OverlayPlane) -> bool:
    keywords = ("OverlayRows", "OverlayBitPosition")
    return any(plane.elements.has(plane.tag(keyword)) for keyword in keywords)


def embedded_bits(elements: Elements) -> int:
    """Return a word with the bits set in which overlay planes lie; 0 where there is none.

    They are no part of a stored value, whichever side of it they lie on.
    """
    bits = _answers_of_planes(
        elements,
        lambda plane: (
            1 << plane.number("OverlayBitPosition", 0) % 64 if plane.embedded else None
        ),
    )
    return reduce(or_, bits, 0)


def _embedded_mask(
    plane: OverlayPlane, samples: Samples, layout: Layout
) -> Array | None:
    """Return a plane that lies in a bit that no stored value has, above or below it."""
    bit = plane.number("OverlayBitPosition", 0)
    words = native_order(samples.array)
    usable = (
        words.ndim == 2
        and words.dtype.kind == "u"
        and 0 <= bit < words.dtype.itemsize * 8
    )
    lowest = lowest_bit(words, layout) if usable else 0
    if not usable or lowest <= bit < lowest + layout.bits:
        warn(
            "Overlay Bit Position (60xx,0102) is no unused bit of the pixels: left out."
        )
        return None
    mask: Array = (words >> words.dtype.type(bit) & words.dtype.type(1)).astype(
        np.bool_
    )
    return mask


def _mask_of_data(plane: OverlayPlane, layout: Layout, frame: int) -> Array | None:
    """Return a plane with data of its own, cut off where it leaves the frame."""
    rows, columns = plane.number("OverlayRows", 0), plane.number("OverlayColumns", 0)
    # Image Frame Origin counts frames from 1 (C.9.3).
    first = frame - plane.number("ImageFrameOrigin", 1) + 1
    count = plane.number("NumberOfFramesInOverlay", 1)
    raw = plane.elements.words(plane.tag("OverlayData"))
    on_every = count == 1 and (layout.frames == 1 or not plane.names_frames)
    if not raw or not (on_every or 0 <= first < count):
        return None
    start = rows * columns * (first if count > 1 else 0)
    if min(rows, columns) < 1 or len(raw) * 8 < start + rows * columns:
        warn("Overlay Data (60xx,3000) is shorter than its rows and columns: left out.")
        return None
    # Frames follow each other without padding: the first bit may lie within a byte.
    octets = raw[start // 8 : (start + rows * columns + 7) // 8]
    bits = unpack_bits(octets, rows * columns, start % 8)
    drawn = bits.reshape(rows, columns).astype(np.bool_)
    return on_frame(drawn, plane.numbers("OverlayOrigin", (1, 1)), layout.size)


def on_frame(drawn: Array, origin: tuple[int, ...], size: tuple[int, int]) -> Array:
    """Lay a plane on the frame with its first pixel at (row, column) from 1; it may lie outside."""
    top, left = origin[0] - 1, origin[1] - 1
    mask = np.zeros(size, np.bool_)
    rows = slice(max(top, 0), max(0, min(top + drawn.shape[0], size[0])))
    columns = slice(max(left, 0), max(0, min(left + drawn.shape[1], size[1])))
    if rows.start < rows.stop and columns.start < columns.stop:
        drawn_rows = slice(rows.start - top, rows.stop - top)
        drawn_columns = slice(columns.start - left, columns.stop - left)
        mask[rows, columns] = drawn[drawn_rows, drawn_columns]
    return mask
