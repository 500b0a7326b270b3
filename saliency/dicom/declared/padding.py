"""Pixel padding: where a frame holds no picture (PS3.3 C.7.5.1.1.2)."""

from typing import Final

import numpy as np

from saliency.dicom.file.elements import Elements, code, number
from saliency.dicom.file.tags import TAGS
from saliency.dicom.pixels.image_pixel import Layout, Samples
from saliency.dicom.pixels.stored import native_order
from saliency.values.arrays import Array
from saliency.values.zone import Zone

#: Near-lossless and lossy codecs move the padding value by a little.
_TOLERANCE: Final = 3


def padding_mask(
    elements: Elements, stored: Array, samples: Samples, layout: Layout
) -> Array | None:
    """Return bool (rows, columns), True at padding; None where the data set names no value."""
    ends = (
        _real_ends(elements, layout) if layout.real else _integer_ends(elements, layout)
    )
    if ends is None or stored.ndim != 2:
        return None
    low, high = min(ends), max(ends)
    if samples.lossy or code(elements, TAGS["LossyImageCompression"]) == "01":
        low, high = low - _TOLERANCE, high + _TOLERANCE
    values = stored
    least = -(2 ** (layout.bits - 1)) if layout.signed else 0
    greatest = least + 2**layout.bits - 1
    if not layout.real and not all(least <= end <= greatest for end in ends):
        # Padding out of the range of Bits Stored lies in the bits above: the words as they are.
        words = native_order(samples.array)
        values = words.view(f"i{words.itemsize}") if layout.signed else words
    mask: Array = (values >= low) & (values <= high)
    return mask


def padding_zone(mask: Array) -> Zone:
    """Return the zone of a mask."""
    return Zone("padding", mask, "Pixel Padding Value (0028,0120), PS3.3 C.7.5.1.1.2")


def _integer_ends(elements: Elements, layout: Layout) -> tuple[float, float] | None:
    tag = TAGS["PixelPaddingValue"]
    if not elements.has(tag):
        return None
    value = _with_sign(number(elements, tag, 0), layout)
    limit = number(elements, TAGS["PixelPaddingRangeLimit"], value)
    return value, _with_sign(limit, layout)


def _with_sign(value: float, layout: Layout) -> float:
    """Give a value the sign that Pixel Representation says; some writers use the other VR."""
    if layout.signed and value >= 2**15:
        return value - 2**16
    return value + 2**16 if not layout.signed and value < 0 else value


def _real_ends(elements: Elements, layout: Layout) -> tuple[float, float] | None:
    prefix = (
        "FloatPixelPadding" if layout.allocated == 32 else "DoubleFloatPixelPadding"
    )
    value = elements.numbers(TAGS[f"{prefix}Value"])
    if not value or np.isnan(value[0]):
        return None
    return value[0], number(elements, TAGS[f"{prefix}RangeLimit"], value[0])
