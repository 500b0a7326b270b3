"""The parts of an ultrasound screen that show the patient (PS3.3 C.8.5.5.1.14)."""

import math
from typing import Final

import numpy as np

from saliency.dicom.declared.shapes import rectangle
from saliency.dicom.file.elements import Elements, number
from saliency.dicom.file.guard import warn
from saliency.dicom.file.limits import MAX_ZONES
from saliency.dicom.file.tags import TAGS
from saliency.values.zone import Zone

#: Region Spatial Format (0018,6012): 2D, M-mode, spectral. Waveforms (4), graphics (5) and none
#: (0) are decoration.
_PICTURES: Final = (1, 2, 3)
_CORNERS: Final = (
    "RegionLocationMinX0",
    "RegionLocationMinY0",
    "RegionLocationMaxX1",
    "RegionLocationMaxY1",
)


def screen_zone(elements: Elements, size: tuple[int, int]) -> Zone | None:
    """Return the screen around the regions; None where there is no usable region.

    None, with a note, where one region is broken: what it shows would be called screen.
    """
    regions = elements.items(TAGS["SequenceOfUltrasoundRegions"])[:MAX_ZONES]
    areas = []
    for region in regions:
        if _shows_patient(region):
            # Corners count from 0 here, other coordinates of the standard from 1.
            left, top, right, bottom = (
                number(region, TAGS[key], np.nan) for key in _CORNERS
            )
            areas.append(rectangle(size, (top + 1, bottom + 1), (left + 1, right + 1)))
    usable = [area for area in areas if area is not None]
    if len(usable) < len(areas):
        warn(
            "A region of (0018,6011) has no corners in this frame: no zone is made of regions."
        )
        return None
    if not usable:
        return None
    outside = ~np.logical_or.reduce(usable)
    if not outside.any() or outside.all():
        return None
    evidence = "Sequence of Ultrasound Regions (0018,6011), PS3.3 C.8.5.5"
    return Zone("screen", outside, evidence)


def _shows_patient(region: Elements) -> bool:
    """Whether a region is a picture, or may be one: its format is no number."""
    spatial = number(region, TAGS["RegionSpatialFormat"], 0)
    return spatial in _PICTURES or math.isnan(spatial)
