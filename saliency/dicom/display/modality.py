"""Modality LUT: stored values to values with a unit (PS3.3 C.11.1)."""

import math
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from saliency.dicom.display.lut import Lut, read_lut
from saliency.dicom.file.elements import code
from saliency.dicom.file.groups import Groups
from saliency.dicom.file.guard import warn
from saliency.dicom.file.tags import TAGS
from saliency.dicom.pixels.image_pixel import Layout
from saliency.values.arrays import Array

#: X-Ray Angiographic and Radiofluoroscopic: the LUT there leads to values proportional to the
#: beam intensity, not to values for display (PS3.3 C.8.7.1.1.2).
_NO_MODALITY_LUT: Final = ("1.2.840.10008.5.1.4.1.1.12.1", "1.2.840.10008.5.1.4.1.1.12.2")
_NO_MODALITY_CODES: Final = ("XA", "RF")


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
class Mapped:
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
    top (PS3.3 C.7.6.16.2.9).
    """
    if _is_angiography(groups):
        return Rescale()
    items = groups.top.items(TAGS["ModalityLUTSequence"])
    if len(items):
        lut = read_lut(items[0], signed=signed)
        if lut is not None:
            return Mapped(lut)
        warn("Modality LUT Sequence (0028,3000) is broken and was left out.")
    return _rescale(groups)


def _is_angiography(groups: Groups) -> bool:
    return (
        groups.top.text(TAGS["SOPClassUID"]) in _NO_MODALITY_LUT
        or code(groups.top, TAGS["Modality"]) in _NO_MODALITY_CODES
    )


def _rescale(groups: Groups) -> Rescale:
    slope = groups.number("PixelValueTransformationSequence", "RescaleSlope", 1.0)
    intercept = groups.number("PixelValueTransformationSequence", "RescaleIntercept", 0.0)
    largest = np.finfo(np.float32).max / 2**32
    usable = math.isfinite(slope) and 0 != abs(slope) < largest and abs(intercept) < largest
    if not usable:
        warn("Rescale Slope (0028,1053) is 0 or out of range: stored values are used.")
        return Rescale()
    return Rescale(slope, intercept)
