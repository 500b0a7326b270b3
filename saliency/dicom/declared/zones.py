"""All zones that the data set itself declares."""

from functools import partial
from types import MappingProxyType
from typing import Final

from saliency.dicom.declared.overlays import overlay_zones, plane_names
from saliency.dicom.declared.padding import padding_zone
from saliency.dicom.declared.shutters import (
    collimator_zone,
    frame_shutters,
    shutter_zone,
)
from saliency.dicom.declared.slides import filling_zone, label_zone
from saliency.dicom.declared.ultrasound_regions import screen_zone
from saliency.dicom.file.elements import Elements
from saliency.dicom.file.groups import Groups, read_groups
from saliency.dicom.file.guard import beside
from saliency.dicom.file.tags import TAGS
from saliency.dicom.pixels.image_pixel import Layout, Samples
from saliency.values.arrays import Array
from saliency.values.zone import Zone

#: What may be broken -> what makes a zone of it, the same on every frame.
_FINDERS: Final = MappingProxyType(
    {
        "Shutter Shape (0018,1600)": shutter_zone,
        "Collimator Shape (0018,1700)": collimator_zone,
        "Sequence of Ultrasound Regions (0018,6011)": screen_zone,
        "Image Type (0008,0008)": label_zone,
    }
)


def header_zones(elements: Elements, size: tuple[int, int]) -> tuple[Zone, ...]:
    """Return the zones that are the same on every frame (rows, columns): drawn by numbers."""
    zones = (
        beside(what, partial(find, elements, size), None)
        for what, find in _FINDERS.items()
    )
    return tuple(zone for zone in zones if zone is not None)


def frame_zones(
    groups: Groups, samples: Samples, layout: Layout, frame: int, absent: Array | None
) -> tuple[Zone, ...]:
    """Return the zones of one frame (from 0): padding where ``absent``, shutters, overlays."""
    padding = () if absent is None or not absent.any() else (padding_zone(absent),)
    what = "The place of a tile in the Total Pixel Matrix (0048,021A)"
    filling = beside(what, lambda: filling_zone(groups, layout, frame), None)
    return (
        *padding,
        *(() if filling is None else (filling,)),
        *frame_shutters(groups, layout.size),
        *overlay_zones(groups.top, samples, layout, frame),
    )


def declared_names(elements: Elements, layout: Layout) -> tuple[str, ...]:
    """Return the names of the zones that a header declares, without looking at pixels."""
    padding = ["padding"] if elements.has(TAGS["PixelPaddingValue"]) else []
    declared = [zone.name for zone in header_zones(elements, layout.size)]
    framed = [
        zone.name for zone in frame_shutters(read_groups(elements).of(0), layout.size)
    ]
    return tuple(dict.fromkeys((*padding, *declared, *framed, *plane_names(elements))))
