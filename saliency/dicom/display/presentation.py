"""Presentation: grey levels to a display of 8 bits (PS3.3 C.11.4, C.11.6, C.7.6.3.1.2)."""

from dataclasses import dataclass

import numpy as np

from saliency.dicom.display.lut import Lut, read_lut
from saliency.dicom.file.elements import Elements, code
from saliency.dicom.file.guard import warn
from saliency.dicom.file.tags import TAGS
from saliency.values.arrays import Array


@dataclass(frozen=True)
class Presentation:
    """VOI output 0..1 -> P-values 0..1, black to white.

    Parameters
    ----------
    inverse
        The smallest value is white.
    table
        A Presentation LUT, whose output are P-values: nothing is inverted besides.
    """

    inverse: bool = False
    table: Lut | None = None

    def __call__(self, unit: Array) -> Array:
        """Transform an array of any shape."""
        if self.table is not None:
            return self.table.unit(
                unit * (self.table.entries.size - 1) + self.table.first
            )
        return 1 - unit if self.inverse else unit


def read_presentation(elements: Elements, photometric: str) -> Presentation:
    """Return the Presentation LUT Sequence (C.11.4), else the shape, else the photometry.

    What is nearer to the display has the last word: MONOCHROME1 with a Presentation LUT Shape of
    INVERSE is inverted once (C.11.6.1.2), with IDENTITY, which C.7.6.1 forbids, not at all.
    """
    for item in elements.items(TAGS["PresentationLUTSequence"])[:1]:
        table = read_lut(item, signed=False)
        if table is not None:
            return Presentation(table=table)
        warn("Presentation LUT Sequence (2050,0010) is broken and was left out.")
    shape = code(elements, TAGS["PresentationLUTShape"])
    if shape in ("IDENTITY", "INVERSE"):
        return Presentation(shape == "INVERSE")
    return Presentation(photometric == "MONOCHROME1")


def to_display(levels: Array) -> Array:
    """Return 0..1 as uint8."""
    display: Array = np.rint(levels * 255).astype(np.uint8)
    return display
