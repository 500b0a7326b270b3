"""CIELAB 1976 and colour blindness, written from the standards and not from the library."""

import numpy as np

# Machado, Oliveira and Fernandes 2009, table 1, severity 1.0; applied to linear RGB.
BLIND = {
    "normal": np.eye(3),
    "protan": np.array(
        [
            (0.152286, 1.052583, -0.204868),
            (0.114503, 0.786281, 0.099216),
            (-0.003882, -0.048116, 1.051998),
        ]
    ),
    "deutan": np.array(
        [
            (0.367322, 0.860646, -0.227968),
            (0.280085, 0.672501, 0.047413),
            (-0.011820, 0.042940, 0.968881),
        ]
    ),
    "tritan": np.array(
        [
            (1.255528, -0.076749, -0.178779),
            (-0.078411, 0.930809, 0.147602),
            (0.004733, 0.691367, 0.303900),
        ]
    ),
}
GREYS = np.repeat(np.arange(256)[:, None], 3, axis=1)


def lab(colours, eye="normal"):
    """CIE 15:2018 8.2.1, D65, of (n, 3) sRGB (IEC 61966-2-1)."""
    rows = []
    for colour in np.asarray(colours, float):
        line = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
            for c in colour / 255
        ]
        red, green, blue = np.clip(BLIND[eye] @ line, 0, 1)
        x = (0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047
        y = 0.2126729 * red + 0.7151522 * green + 0.0721750 * blue
        z = (0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / 1.08883
        fx, fy, fz = (
            t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116
            for t in (x, y, z)
        )
        rows.append((116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)))
    return np.array(rows)


def apart(first, second, eye):
    """Return the least colour difference between any two of two sets, CIE 1976 Delta E."""
    one, two = lab(first, eye), lab(second, eye)
    return np.sqrt(((one[:, None] - two[None]) ** 2).sum(-1)).min()


def over_greys(colour, opacity):
    """Return a colour laid over every grey, rounded as on a screen."""
    return np.rint((1 - opacity) * GREYS + opacity * np.asarray(colour, float))
