"""Modality LUT: stored values to values with a unit (PS3.3 C.11.1)."""

import math
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from saliency.dicom.display.lut import Lut, read_lut
from saliency.dicom.file.elements import number
from saliency.dicom.file.groups import Groups
from saliency.dicom.file.guard import warn
from saliency.dicom.file.tags import TAGS
from saliency.dicom.pixels.image_pixel import Layout
from saliency.values.arrays import Array

#: Storage of X-Ray Angiographic, Radiofluoroscopic and (retired) Bi-Plane images: the LUT there
#: leads to values proportional to the beam intensity, not to values for display (PS3.3
#: C.8.7.1.1.2). It is the object that decides: the same machine also writes CT and other objects,
#: with XA in their Modality (0008,0060).
_NO_MODALITY_LUT: Final = frozenset(
    f"1.2.840.10008.5.1.4.1.1.12.{kind}" for kind in (1, 2, 3)
)
#: Of a slope: its product with a stored value of 32 bits fits float32.
_LARGEST: Final = float(np.finfo(np.float32).max) / 2**32
_DOSE: Final = "1.2.840.10008.5.1.4.1.1.481.2"


class Modality(Protocol):
    """Stored values -> float64 values in modality units."""

    def __call__(self, stored: Array) -> Array:
        """Transform an array of any shape."""


@dataclass(frozen=True)
class Rescale:
    """output = slope * stored + intercept (PS3.3 C.11.1, Rescale Intercept)."""

    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, stored: Array) -> Array:
        """Rescale."""
        values: Array = np.asarray(stored, np.float64) * self.slope + self.intercept
        return values


@dataclass(frozen=True)
class ModalityLut:
    """Entries of a Modality LUT Sequence item (PS3.3 C.11.1.1.1)."""

    lut: Lut

    def __call__(self, stored: Array) -> Array:
        """Look up."""
        return self.lut.entries_of(stored).astype(np.float64)


def is_signed(modality: Modality, layout: Layout) -> bool:
    """Whether modality values can be below 0, and a VOI LUT start there (C.11.2.1.1)."""
    low = -(2 ** (layout.bits - 1)) if layout.signed else 0
    ends = np.array([low, low + 2**layout.bits - 1], np.float64)
    return bool(modality(ends).min() < 0)


def read_modality(groups: Groups, *, signed: bool) -> Modality:
    """Return the Modality LUT of a frame: the sequence, else the rescale, else identity.

    Rescale is looked for in the functional groups of the frame, in the shared ones, then at the
    top (PS3.3 C.7.6.16.2.9). A dose has its grid scaling instead (C.8.8.3).
    """
    if groups.top.text(TAGS["SOPClassUID"]) in _NO_MODALITY_LUT:
        return Rescale()
    if is_dose(groups):
        scaling = dose_scaling(groups)
        if scaling is None:
            warn(
                "Dose Grid Scaling (3004,000E) is no number above 0: stored values are used."
            )
        return Rescale() if scaling is None else Rescale(scaling)
    items = groups.top.items(TAGS["ModalityLUTSequence"])
    if len(items):
        lut = read_lut(items[0], signed=signed)
        if lut is not None:
            return ModalityLut(lut)
        warn("Modality LUT Sequence (0028,3000) is broken and was left out.")
    return _rescale_of(groups)


def is_dose(groups: Groups) -> bool:
    """Whether the data set is an RT Dose."""
    return groups.top.text(TAGS["SOPClassUID"]) == _DOSE


def dose_scaling(groups: Groups) -> float | None:
    """Return Dose Grid Scaling (3004,000E): the dose of a stored value of 1.

    The unit is Gy, unless Dose Units (3004,0002) says RELATIVE. None where it is no number above 0.
    """
    scaling = number(groups.top, TAGS["DoseGridScaling"], math.nan)
    return scaling if 0 < scaling < _LARGEST else None


def _rescale_of(groups: Groups) -> Rescale:
    slope = groups.number("PixelValueTransformationSequence", "RescaleSlope", 1.0)
    intercept = groups.number(
        "PixelValueTransformationSequence", "RescaleIntercept", 0.0
    )
    if not 0 < abs(slope) < _LARGEST:
        warn(
            "Rescale Slope (0028,1053) is 0, out of range or no number: stored values are used."
        )
        return Rescale()
    if not abs(intercept) < _LARGEST:
        warn(
            "Rescale Intercept (0028,1052) is out of range or no number: stored values are used."
        )
        return Rescale()
    return Rescale(slope, intercept)
