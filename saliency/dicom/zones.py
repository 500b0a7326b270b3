"""All zones that the data set itself declares."""

from collections.abc import Iterator
from typing import Final

from saliency.dicom.elements import Elements
from saliency.dicom.layout import Layout
from saliency.dicom.overlays import overlay_zones, planes
from saliency.dicom.padding import padding_zone
from saliency.dicom.regions import screen_zone
from saliency.dicom.samples import Samples
from saliency.dicom.shutters import collimator_zone, shutter_zone
from saliency.dicom.tags import TAGS
from saliency.values.arrays import Array
from saliency.values.zone import Zone

_FINDERS: Final = (shutter_zone, collimator_zone, screen_zone)


def declared_zones(
    elements: Elements, samples: Samples, layout: Layout, frame: int, absent: Array | None
) -> tuple[Zone, ...]:
    """Return the zones of a frame, those that hold no picture first.

    Parameters
    ----------
    elements, samples, layout
        The data set, and its decoded frame.
    frame
        Index from 0: an overlay may lie on some frames only.
    absent
        Bool (rows, columns), True where there is no picture.
    """
    return tuple(_zones(elements, samples, layout, frame, absent))


def declared_names(elements: Elements, layout: Layout) -> tuple[str, ...]:
    """Return the names of the zones that a header declares, without looking at pixels."""
    found = [find(elements, layout.size) for find in _FINDERS]
    names = [zone.name for zone in found if zone is not None]
    padding = ["padding"] if elements.has(TAGS["PixelPaddingValue"]) else []
    overlay = ["overlay"] if any(plane.drawn for plane in planes(elements)) else []
    return (*padding, *names, *overlay)


def _zones(
    elements: Elements, samples: Samples, layout: Layout, frame: int, absent: Array | None
) -> Iterator[Zone]:
    if absent is not None and absent.any():
        yield padding_zone(absent)
    for find in _FINDERS:
        zone = find(elements, layout.size)
        if zone is not None:
            yield zone
    yield from overlay_zones(elements, samples, layout, frame)
