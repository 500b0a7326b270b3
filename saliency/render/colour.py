"""How far apart two colours look, to every kind of eye."""

import numpy as np

from saliency.values.arrays import Array

#: What eyes without one kind of cone see of linear RGB: Machado, Oliveira and Fernandes 2009,
#: table 1, severity 1.0.
EYES = {
    "normal": np.eye(3),
    "protan": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deutan": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritan": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}

#: Linear sRGB to CIE XYZ (IEC 61966-2-1); the white is the sum of the columns.
_XYZ = np.array(
    [
        [0.4124, 0.3576, 0.1805],
        [0.2126, 0.7152, 0.0722],
        [0.0193, 0.1192, 0.9505],
    ]
)


def lab(rgb: Array, eye: str = "normal") -> Array:
    """Return CIELAB 1976 of sRGB colours 0..255 (..., 3), as an eye of :data:`EYES` sees them."""
    unit = np.asarray(rgb, np.float64) / 255
    linear = np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ EYES[eye].T, 0, 1) @ _XYZ.T / _XYZ.sum(1)
    cube = np.where(
        seen > (6 / 29) ** 3, np.cbrt(seen), seen / (3 * (6 / 29) ** 2) + 4 / 29
    )
    x, y, z = np.moveaxis(cube, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def distance(first: Array, second: Array) -> float:
    """Return the least CIE 1976 difference between two sets of colours (n, 3), of all eyes."""
    return min(_least_difference(lab(first, eye), lab(second, eye)) for eye in EYES)


def _least_difference(first: Array, second: Array) -> float:
    gaps = first[:, None] - second[None]
    return float(np.sqrt((gaps**2).sum(-1)).min())
