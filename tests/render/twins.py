"""The slow twin of paint, pixel by pixel, from its docstring."""

import math

import numpy as np


def full(heat):
    """Return the 99.5th percentile of |heat| above 0, by sorting."""
    hot = sorted(abs(float(value)) for value in heat.ravel() if value != 0)
    return hot[math.ceil(0.995 * len(hot)) - 1] if hot else 0.0


def paint(display, heat, palette, strength, *, inside, shown):
    """Paint one pixel after another."""
    top = full(heat)
    rgb = np.empty((*heat.shape, 3), np.uint8)
    for row in range(heat.shape[0]):
        for column in range(heat.shape[1]):
            value = float(heat[row, column])
            share = min(abs(value) / top, 1.0) if top and shown[row, column] else 0.0
            level = math.floor(255 * share + 0.5)
            colour = (palette.negative if value < 0 else palette.positive)[level]
            if not inside[row, column]:
                colour = palette.warning
            opacity = strength * level / 255
            blend = (1 - opacity) * display[row, column].astype(
                float
            ) + opacity * colour
            rgb[row, column] = np.rint(blend)
    return rgb
