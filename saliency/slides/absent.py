"""The colour of places that no tile covers (PS3.3 C.8.12.4.1, C.10.7.1.1)."""

from typing import Final

import numpy as np

from saliency.dicom.tile_headers import TileHeader
from saliency.values.arrays import Array

_WHITE: Final = (255, 255, 255)
#: D50, the white of CIELab in DICOM; and XYZ of D50 to linear sRGB (Bradford adapted, IEC 61966).
_D50: Final = np.array([0.9642, 1.0, 0.8249])
_TO_SRGB: Final = np.array(
    [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ]
)


def blank_of(header: TileHeader) -> Array:
    """Return what a place without a tile holds.

    uint8 (3,): Recommended Absent Pixel CIELab Value (0048,0015) as RGB, else white. Of grey
    pixels float32 (): 0, as fluorescence has it where nothing is.
    """
    if header.grey:
        return np.zeros((), np.float32)
    if not header.absent:
        return np.array(_WHITE, np.uint8)
    # L is 0..100 in 16 bits, a and b are -128..127 (C.10.7.1.1).
    scale = np.array([100, 255, 255]) / 65535
    lightness, a, b = np.array(header.absent) * scale - (0, 128, 128)
    return _srgb_of_lab(float(lightness), float(a), float(b))


def _srgb_of_lab(lightness: float, a: float, b: float) -> Array:
    """Return uint8 sRGB of CIELab under D50."""
    y = (lightness + 16) / 116
    steps = np.array([y + a / 500, y, y - b / 200])
    # CIE 15: cubes above 6/29, a straight line below.
    cubes = np.where(steps > 6 / 29, steps**3, 3 * (6 / 29) ** 2 * (steps - 4 / 29))
    linear = np.clip(_TO_SRGB @ (cubes * _D50), 0, 1)
    curved = np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055
    )
    rgb: Array = np.rint(curved * 255).astype(np.uint8)
    return rgb
