"""The size of a pixel (PS3.3 10.7, C.7.6.3.1.7, C.8.5.5), and the time of a frame (C.7.6.5)."""

import math
from typing import Final

from saliency.dicom.file.elements import Elements, number
from saliency.dicom.file.groups import Groups
from saliency.dicom.file.guard import beside, warn
from saliency.dicom.file.limits import MAX_ZONES
from saliency.dicom.file.tags import TAGS, written

_CENTIMETRE: Final = 3  # (0018,6024), (0018,6026)
_TWO_DIMENSIONAL: Final = 1  # (0018,6012)


def spacing_of(groups: Groups) -> tuple[float, float] | None:
    """Return what :func:`read_spacing` does; None, with a note, where reading it fails."""
    return beside("Pixel Spacing (0028,0030)", lambda: read_spacing(groups), None)


def read_spacing(groups: Groups) -> tuple[float, float] | None:
    """Return (row mm, column mm) of a frame; None where the data set does not say.

    Pixel Spacing of the frame, shared, or at the top; else Imager Pixel Spacing, divided by the
    magnification where that is known, so that it holds in the patient and not on the detector
    (10.7.1.3); else Nominal Scanned Pixel Spacing; else the regions of an ultrasound picture.
    """
    measures = groups.macro("PixelMeasuresSequence", "PixelSpacing")
    return (
        pair(measures, "PixelSpacing")
        or _imager_spacing(groups.top)
        or pair(groups.top, "NominalScannedPixelSpacing")
        or _ultrasound_spacing(groups.top)
    )


def read_aspect(groups: Groups) -> float:
    """Return height / width of a pixel: from its spacing, else Pixel Aspect Ratio, else 1.

    Pixel Aspect Ratio (0028,0034) is vertical size, then horizontal size (C.7.6.3.1.7).
    """
    sizes = read_spacing(groups) or pair(groups.top, "PixelAspectRatio") or (1.0, 1.0)
    aspect = sizes[0] / sizes[1]
    return aspect if _is_positive(aspect) else 1.0


def pair(item: Elements, keyword: str) -> tuple[float, float] | None:
    """Return two positive numbers of an element; None, with a note, where it holds others."""
    numbers = item.numbers(TAGS[keyword])
    if len(numbers) >= 2 and all(_is_positive(number) for number in numbers[:2]):
        return numbers[0], numbers[1]
    if item.has(TAGS[keyword]):
        warn(
            f"{keyword} {written(TAGS[keyword])} is not two numbers above 0: left out."
        )
    return None


def _imager_spacing(top: Elements) -> tuple[float, float] | None:
    """Return the spacing on the detector, in the patient where the magnification is known."""
    spacing = pair(top, "ImagerPixelSpacing")
    factor = number(top, TAGS["EstimatedRadiographicMagnificationFactor"], 1.0)
    if spacing is None or not _is_positive(factor):
        return spacing
    down, across = spacing[0] / factor, spacing[1] / factor
    return (down, across) if _is_positive(down) and _is_positive(across) else spacing


def _ultrasound_spacing(top: Elements) -> tuple[float, float] | None:
    """Return the spacing that all two-dimensional regions in centimetres share (C.8.5.5.1.15)."""
    regions = top.items(TAGS["SequenceOfUltrasoundRegions"])[:MAX_ZONES]
    units = (TAGS["PhysicalUnitsXDirection"], TAGS["PhysicalUnitsYDirection"])
    spacings: set[tuple[float, float]] = set()
    for region in regions:
        flat = number(region, TAGS["RegionSpatialFormat"], 0) == _TWO_DIMENSIONAL
        if not flat or any(number(region, unit, 0) != _CENTIMETRE for unit in units):
            continue
        # Deltas are in cm, and below 0 where an axis runs the other way.
        down = abs(number(region, TAGS["PhysicalDeltaY"], 0)) * 10
        across = abs(number(region, TAGS["PhysicalDeltaX"], 0)) * 10
        if _is_positive(down) and _is_positive(across):
            spacings.add((down, across))
    return spacings.pop() if len(spacings) == 1 else None


def _is_positive(value: float) -> bool:
    return math.isfinite(value) and value > 0


def read_frame_seconds(top: Elements) -> float | None:
    """Return the seconds from one frame to the next; None where the data set does not say.

    Frame Time (0018,1063), else the mean of Frame Time Vector (0018,1065), whose first value is 0:
    both in ms; else Recommended Display Frame Rate (0008,2144), else Cine Rate (0018,0040): both
    in frames a second (PS3.3 C.7.6.5).
    """
    single = number(top, TAGS["FrameTime"], 0.0)
    if _is_positive(single):
        return single / 1000
    increments = top.numbers(TAGS["FrameTimeVector"])[1:]
    if increments and all(map(_is_positive, increments)):
        return sum(increments) / len(increments) / 1000
    rates = (
        number(top, TAGS[name], 0.0)
        for name in ("RecommendedDisplayFrameRate", "CineRate")
    )
    return next((1 / rate for rate in rates if _is_positive(rate)), None)
