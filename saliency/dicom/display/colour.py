"""Colour: to RGB of 8 bits (PS3.3 C.7.6.3.1.2)."""

from typing import Final

import numpy as np

from saliency.errors import DicomError
from saliency.values.arrays import Array

_FULL: Final = ("YBR_FULL", "YBR_FULL_422")
_PARTIAL: Final = ("YBR_PARTIAL", "YBR_PARTIAL_422", "YBR_PARTIAL_420")
_RGB: Final = ("RGB", "YBR_RCT", "YBR_ICT", "XYB")
#: Columns: Y, Cb, Cr; ITU-R BT.601 full range.
_MATRIX: Final = np.array(
    [[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]], np.float32
)


def to_rgb(values: Array, space: str, bits: int) -> Array:
    """Return RGB 0..255: uint8, or float32 where samples have more than 8 bits.

    Parameters
    ----------
    values
        (rows, columns, 3) of unsigned integers.
    space
        Photometric Interpretation of the values.
    bits
        Bits of a sample; more than 8 are scaled to 0..255.

    Raises
    ------
    DicomError
        The photometric interpretation is none of a picture in colour.
    """
    bytewise = bits == 8 and values.dtype == np.uint8
    if space in _RGB and bytewise:
        return values
    scaled = values.astype(np.float32)
    if bits != 8:
        scaled *= np.float32(255 / ((1 << bits) - 1))
    if space in _RGB:
        return scaled
    if space in _FULL:
        return rounded(from_ybr(scaled))
    if space in _PARTIAL:
        return rounded(from_ybr(full_range(scaled)))
    msg = (
        "Expected RGB or YBR in Photometric Interpretation (0028,0004), found another with "
        "3 samples. Convert the file to RGB."
    )
    raise DicomError(msg, reason="photometric")


def rounded(rgb: Array) -> Array:
    """Return uint8, cut off at 0 and 255."""
    whole: Array = np.clip(np.rint(rgb), 0, 255).astype(np.uint8)
    return whole


def from_ybr(ybr: Array) -> Array:
    """Return RGB of YBR_FULL, all 0..255: R = Y + 1.402 (Cr - 128)."""
    centred = ybr - np.array([0, 128, 128], np.float32)
    rgb: Array = centred @ _MATRIX.T
    return rgb


def full_range(ybr: Array) -> Array:
    """Return YBR_PARTIAL (Y 16..235, Cb and Cr 16..240) as YBR_FULL."""
    # 219 = 235 - 16 levels of Y, 224 = 240 - 16 of Cb and Cr.
    scale = np.array([255 / 219, 255 / 224, 255 / 224], np.float32)
    offset = np.array([16, 128, 128], np.float32)
    full: Array = (ybr - offset) * scale + np.array([0, 128, 128], np.float32)
    return full
