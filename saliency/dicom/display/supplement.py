"""Colours beside grey: the Supplemental Palette Color Lookup Table (PS3.3 C.7.6.19)."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from saliency.dicom.display.palette import ColourTables, read_palette
from saliency.dicom.file.elements import code
from saliency.dicom.file.groups import Groups
from saliency.dicom.file.guard import beside
from saliency.dicom.file.tags import TAGS
from saliency.values.arrays import Array

#: Where a frame of an enhanced object says its own Pixel Presentation (0008,9205): C.8.16.2.
_FRAME_TYPES: Final = (
    "MRImageFrameTypeSequence",
    "CTImageFrameTypeSequence",
    "PETFrameTypeSequence",
    "USImageDescriptionSequence",
)


@dataclass(frozen=True)
class Supplement:
    """The coloured pixels of a grey frame: bool (rows, columns), and the tables that paint them."""

    coloured: Array
    palette: ColourTables

    def painted(self, display: Array, stored: Array) -> Array:
        """Return the display (rows, columns) as RGB (rows, columns, 3), with its colours."""
        rgb = np.repeat(display[..., np.newaxis], 3, axis=-1)
        rgb[self.coloured] = self.palette(stored[self.coloured])
        return rgb


def read_supplement(
    groups: Groups, stored: Array, *, signed: bool
) -> Supplement | None:
    """Find the pixels of a frame (rows, columns) that are colours: from the first mapped value on.

    None where Pixel Presentation says none, or no pixel of the frame is one; and, with a note,
    where it says COLOR or MIXED and the tables are missing or broken.
    """
    if _pixel_presentation(groups) not in ("COLOR", "MIXED"):
        return None
    what = "The Supplemental Palette Color Lookup Table (PS3.3 C.7.6.19)"
    palette = beside(
        what, lambda: read_palette(groups.top, stored, signed=signed), None
    )
    if palette is None:
        return None
    coloured = stored >= palette.first
    return Supplement(coloured, palette) if coloured.any() else None


def _pixel_presentation(groups: Groups) -> str:
    """Return Pixel Presentation: of the frame, shared, or of the data set."""
    for sequence in _FRAME_TYPES:
        place = groups.macro(sequence, "PixelPresentation")
        if place is not groups.top:
            return code(place, TAGS["PixelPresentation"])
    return code(groups.top, TAGS["PixelPresentation"])
