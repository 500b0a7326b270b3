"""Presentation: grey levels to a display of 8 bits (PS3.3 C.11.6, C.7.6.3.1.2)."""

import numpy as np

from saliency.dicom.elements import Elements
from saliency.dicom.tags import TAGS
from saliency.values.arrays import Array


def inverted(elements: Elements, photometric: str) -> bool:
    """Whether the smallest value is white: MONOCHROME1 and INVERSE are one inversion, not two."""
    shape = elements.text(TAGS["PresentationLUTShape"])
    return photometric == "MONOCHROME1" or shape == "INVERSE"


def to_display(unit: Array, *, inverse: bool) -> Array:
    """Return 0..1 as uint8, inverted within that range where ``inverse``."""
    levels = 1 - unit if inverse else unit
    display: Array = np.rint(levels * 255).astype(np.uint8)
    return display
