"""Which side of the patient is where in the picture (PS3.3 C.7.6.1.1.1, C.7.6.2.1.1)."""

import re
from typing import Final

import numpy as np

from saliency.dicom.file.groups import Groups
from saliency.dicom.file.tags import TAGS

#: Bipeds: anterior, posterior, right, left, head, foot, up to three by their part.
_LETTERS: Final = re.compile("[APRLHF]{1,3}")
#: Along x, y, z of the patient: towards more, towards less.
_SIDES: Final = (("L", "R"), ("P", "A"), ("H", "F"))
#: A direction cosine below this is of an axis that is as good as perpendicular.
_SEEN: Final = 0.25


def read_orientation(groups: Groups) -> tuple[str, str] | None:
    """Return towards which side rows run, and columns; None where the data set does not say.

    Patient Orientation (0020,0020) where it has two usable values, else Image Orientation
    (Patient) (0020,0037) of the frame, shared, or at the top. Letters alone: what is no letter of
    the standard is not repeated.
    """
    values = groups.top.text(TAGS["PatientOrientation"]).upper().split("\\")
    sides = [value.strip() for value in values]
    if len(sides) == 2 and all(_LETTERS.fullmatch(side) for side in sides):
        return sides[0], sides[1]
    plane = groups.macro("PlaneOrientationSequence", "ImageOrientationPatient")
    cosines = np.array(plane.numbers(TAGS["ImageOrientationPatient"])[:6], float)
    if cosines.shape != (6,) or not np.isfinite(cosines).all():
        return None
    row, column = _side_letters(cosines[:3]), _side_letters(cosines[3:])
    return (row, column) if row and column else None


def _side_letters(cosines: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> str:
    """Return letters in the order of their part in the direction."""
    order = np.argsort(-np.abs(cosines), kind="stable")
    seen = (axis for axis in order if abs(cosines[axis]) >= _SEEN)
    return "".join(_SIDES[axis][int(cosines[axis] < 0)] for axis in seen)
