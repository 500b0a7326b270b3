"""All zones that the data set itself declares."""

from collections.abc import Iterator

from saliency.dicom.elements import Elements
from saliency.dicom.layout import Layout
from saliency.dicom.overlays import overlay_zones
from saliency.dicom.padding import padding_zone
from saliency.dicom.regions import screen_zone
from saliency.dicom.samples import Samples
from saliency.dicom.shutters import collimator_zone, shutter_zone
from saliency.values.arrays import Array
from saliency.values.zone import Zone


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


def _zones(
    elements: Elements, samples: Samples, layout: Layout, frame: int, absent: Array | None
) -> Iterator[Zone]:
    if absent is not None and absent.any():
        yield padding_zone(absent)
    for find in (shutter_zone, collimator_zone, screen_zone):
        zone = find(elements, layout.size)
        if zone is not None:
            yield zone
    yield from overlay_zones(elements, samples, layout, frame)
