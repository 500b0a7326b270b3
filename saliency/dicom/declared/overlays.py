"""Overlay planes of groups 6000-601E (PS3.3 C.9.2, C.7.6.15; PS3.5 8.1.2).

They are never painted and never reach the pixels: a graphic may spell a name. Graphics (type G) and
regions of interest (type R) are zones alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from saliency.dicom.file.elements import Elements, code, number
from saliency.dicom.file.guard import warn
from saliency.dicom.file.tags import OVERLAY, OVERLAY_GROUPS, TAGS
from saliency.dicom.pixels.image_pixel import Layout
from saliency.dicom.pixels.native import unpack_bits
from saliency.dicom.pixels.samples import Samples
from saliency.dicom.pixels.stored import native_order
from saliency.values.arrays import Array
from saliency.values.zone import Zone

#: Overlay Subtype (60xx,0045) of the region that shows the patient, PS3.3 C.8.5.6.1.11.
_ACTIVE: Final = "ACTIVE 2D/BMODE IMAGE AREA"


@dataclass(frozen=True)
class Plane:
    """An overlay plane: its group and the elements that it can be read from."""

    group: int
    elements: Elements

    def tag(self, keyword: str) -> int:
        """Return the tag of an element of the plane."""
        return self.group << 16 | OVERLAY[keyword]

    @property
    def drawn(self) -> bool:
        """Whether the plane has data: of its own, or in a bit of the pixels."""
        own = self.elements.has(self.tag("OverlayData"))
        return own or self.number("OverlayBitPosition", 0) > 0

    @property
    def active(self) -> bool:
        """Whether the plane marks the part of an ultrasound screen that shows the patient."""
        return code(self.elements, self.tag("OverlaySubtype")) == _ACTIVE

    def number(self, keyword: str, default: float) -> float:
        """Return the first number of an element of the plane."""
        value = number(self.elements, self.tag(keyword), default)
        return value if np.isfinite(value) else default


def overlay_zones(
    elements: Elements, samples: Samples, layout: Layout, frame: int
) -> tuple[Zone, ...]:
    """Return the zones that overlay planes mark in a frame (from 0).

    They are ``"shutter"`` for the plane that is the bitmap shutter (0018,1623), ``"screen"`` around
    the plane that marks the active area of an ultrasound screen, ``"overlay"`` for graphics.
    """
    found = []
    for plane, name in _zoned(elements):
        mask = _embedded(plane, samples, layout)
        if mask is None:
            mask = _drawn(plane, layout.size, frame)
        if mask is not None and mask.any():
            found.append(_zone(plane, name, mask))
    return tuple(zone for zone in found if zone.mask.any())


def plane_names(elements: Elements) -> tuple[str, ...]:
    """Return the name of the zone of each plane that has data, which is not looked at."""
    return tuple(name for plane, name in _zoned(elements) if plane.drawn)


def _zoned(elements: Elements) -> Iterator[tuple[Plane, str]]:
    """Pair the planes that make a zone with its name."""
    shutter = int(number(elements, TAGS["ShutterOverlayGroup"], 0) or 0)
    for plane in planes(elements):
        if plane.group == shutter:
            yield plane, "shutter"
        elif plane.active:
            yield plane, "screen"
        else:
            yield plane, "overlay"


def _zone(plane: Plane, name: str, mask: Array) -> Zone:
    where = f"Overlay ({plane.group:04X},3000), PS3.3"
    if name == "screen":
        return Zone(name, ~mask, f"outside {where} C.8.5.6.1.11")
    if name == "shutter":
        return Zone(name, mask, f"{where} C.7.6.15")
    kind = code(plane.elements, plane.tag("OverlayType"))
    return Zone(name, mask, f"{where} C.9.2" + (", a region of interest" if kind == "R" else ""))


def planes(elements: Elements) -> Iterator[Plane]:
    """Find the overlay planes of a data set."""
    for group in OVERLAY_GROUPS:
        plane = Plane(group, elements)
        if elements.has(plane.tag("OverlayRows")) or elements.has(plane.tag("OverlayBitPosition")):
            yield plane


def _embedded(plane: Plane, samples: Samples, layout: Layout) -> Array | None:
    """Return a plane that lies in an unused bit of the pixels (retired, PS3.5 8.1.2)."""
    bit = int(plane.number("OverlayBitPosition", 0))
    words = native_order(samples.array)
    unused = layout.bits <= bit < words.dtype.itemsize * 8
    if plane.elements.has(plane.tag("OverlayData")) or not unused or words.dtype.kind != "u":
        return None
    mask: Array = (words >> words.dtype.type(bit) & words.dtype.type(1)).astype(np.bool_)
    return mask if mask.ndim == 2 else None


def _drawn(plane: Plane, size: tuple[int, int], frame: int) -> Array | None:
    """Return a plane with data of its own, cut off where it leaves the frame."""
    rows, columns = int(plane.number("OverlayRows", 0)), int(plane.number("OverlayColumns", 0))
    first = frame - int(plane.number("ImageFrameOrigin", 1)) + 1
    count = int(plane.number("NumberOfFramesInOverlay", 1))
    if min(rows, columns) < 1 or not (count == 1 or 0 <= first < count):
        return None
    start = rows * columns * (first if count > 1 else 0)
    raw = plane.elements.words(plane.tag("OverlayData"))
    if not raw or len(raw) * 8 < start + rows * columns:
        if raw:
            warn("Overlay Data (60xx,3000) is shorter than its rows and columns: left out.")
        return None
    bits = raw[start // 8 : (start + rows * columns + 7) // 8]
    drawn = unpack_bits(bits, rows * columns, start % 8).reshape(rows, columns).astype(np.bool_)
    return placed(drawn, plane.elements.numbers(plane.tag("OverlayOrigin")), size)


def placed(drawn: Array, origin: tuple[float, ...], size: tuple[int, int]) -> Array:
    """Lay a plane on the frame with its first pixel at (row, column) from 1; it may lie outside."""
    top, left = (int(each) - 1 for each in (origin if len(origin) > 1 else (1, 1))[:2])
    mask = np.zeros(size, np.bool_)
    rows = slice(max(top, 0), max(0, min(top + drawn.shape[0], size[0])))
    columns = slice(max(left, 0), max(0, min(left + drawn.shape[1], size[1])))
    if rows.start < rows.stop and columns.start < columns.stop:
        mask[rows, columns] = drawn[
            rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
        ]
    return mask
