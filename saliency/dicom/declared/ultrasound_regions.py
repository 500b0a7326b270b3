"""The parts of an ultrasound screen that show the patient (PS3.3 C.8.5.5.1.14)."""

from typing import Final

import numpy as np

from saliency.dicom.declared.shapes import rectangle
from saliency.dicom.file.elements import Elements, number
from saliency.dicom.file.limits import MAX_ZONES
from saliency.dicom.file.tags import TAGS
from saliency.values.arrays import Array
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
    """Return the screen around the regions; None where there is no usable region."""
    regions = elements.items(TAGS["SequenceOfUltrasoundRegions"])[:MAX_ZONES]
    areas = [area for area in (_area(region, size) for region in regions) if area is not None]
    if not areas:
        return None
    outside = ~np.logical_or.reduce(areas)
    if not outside.any() or outside.all():
        return None
    evidence = "Sequence of Ultrasound Regions (0018,6011), PS3.3 C.8.5.5"
    return Zone("screen", outside, evidence)


def _area(region: Elements, size: tuple[int, int]) -> Array | None:
    if number(region, TAGS["RegionSpatialFormat"], 0) not in _PICTURES:
        return None
    left, top, right, bottom = (number(region, TAGS[corner], np.nan) for corner in _CORNERS)
    return rectangle(size, (top + 1, bottom + 1), (left + 1, right + 1))
