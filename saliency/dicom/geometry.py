"""The size of a pixel (PS3.3 10.7, C.7.6.2.1.1, C.8.5.5)."""

import math

from saliency.dicom.elements import Elements
from saliency.dicom.groups import Groups
from saliency.dicom.tags import TAGS


def read_spacing(groups: Groups) -> tuple[float, float] | None:
    """Return (row mm, column mm) of a frame; None where the data set does not say."""
    item = groups.macro("PixelMeasuresSequence", "PixelSpacing")
    return _pair(item, "PixelSpacing")


def _pair(item: Elements, keyword: str) -> tuple[float, float] | None:
    numbers = item.numbers(TAGS[keyword])
    usable = len(numbers) >= 2 and all(math.isfinite(each) and each > 0 for each in numbers[:2])
    return (numbers[0], numbers[1]) if usable else None
