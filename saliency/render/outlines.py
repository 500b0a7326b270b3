"""Lines around hot regions: the second form in which heat is drawn."""

from collections.abc import Iterator

import numpy as np

from saliency.render.palettes import Palette
from saliency.values.arrays import Array

#: Pixels of the shorter side for each pixel that a line is wide.
_PER_WIDTH = 400


def outlines(
    heat: Array, level: float, palette: Palette, inside: Array
) -> Iterator[tuple[Array, Array]]:
    """Yield a line and its colour for heat above 0, heat below 0, and heat that warns.

    Parameters
    ----------
    heat
        float32 (rows, columns).
    level
        |heat| of this and more is inside a line.
    palette
        Its full colours, and the one that warns. Unsigned: one line for both signs.
    inside
        bool (rows, columns): the diagnostic pixels.

    Yields
    ------
    tuple
        bool (rows, columns), the region's own outermost pixels; and uint8 (3,) RGB.
    """
    if not level > 0:
        return
    hot = np.abs(heat) >= level
    above = heat > 0 if palette.signed else np.ones_like(hot)
    yield _rim(hot & above & inside), palette.positive[-1]
    yield _rim(hot & ~above & inside), palette.negative[-1]
    yield _rim(hot & ~inside), palette.warning


def _rim(region: Array) -> Array:
    """Return the pixels of a region that have another one, or the picture's edge, beside them."""
    core = region
    for _ in range(max(1, round(min(region.shape) / _PER_WIDTH))):
        padded = np.pad(core, 1)
        core = (
            core
            & padded[:-2, 1:-1]
            & padded[2:, 1:-1]
            & padded[1:-1, :-2]
            & padded[1:-1, 2:]
        )
    rim: Array = region & ~core
    return rim
