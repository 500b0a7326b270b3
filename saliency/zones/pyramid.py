"""A picture as levels of ink: in both polarities, at several sizes and contrasts."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from saliency.values.arrays import Array
from saliency.values.placement import Box
from saliency.zones.components import Components, components_of
from saliency.zones.display import checked_display
from saliency.zones.ridges import (
    FAINT,
    PyramidLevel,
    Ridges,
    halve,
    pyramid_level,
    ridges_of,
)

#: Grey levels of contrast, each looked for on its own: letters may touch fainter ridges.
CONTRASTS = (FAINT, 64, 128)
#: Where more of the picture is ink, in share or in pixels, it is texture, and only stronger ink is
#: followed.
MOST_INK = (0.2, 200_000)
#: Times that the picture is halved to meet larger letters, and the shortest side of what is left.
HALVINGS, SHORTEST = 3, 40


class InkLevel(NamedTuple):
    """The ink of one contrast, its components, and how many pixels of the picture one of its is."""

    ridges: Ridges
    components: Components
    scale: int

    def turned(self) -> "InkLevel":
        """Return the level with rows for columns."""
        turned = self.ridges.turned()
        return InkLevel(turned, components_in(turned), self.scale)


def ink_levels(display: Array) -> Iterator[InkLevel]:
    """Yield all levels of a display: bright writing is looked for, then dark writing.

    Raises
    ------
    InputError
        Not uint8 (rows, columns) or RGB (rows, columns, 3).
    """
    for levels in polarities(display):
        for halvings, level in enumerate(levels):
            ridges = ridges_of(level)
            most = min(MOST_INK[0] * level.grey.size, MOST_INK[1])
            for contrast in CONTRASTS:
                ridges = ridges.above(contrast)
                if 0 < len(ridges.ink) <= most:
                    yield InkLevel(ridges, components_in(ridges), 2**halvings)


def _halved_levels(grey: Array) -> Iterator[PyramidLevel]:
    """Yield a picture as it is, and halved until it is too small for a word."""
    for _ in range(1 + HALVINGS):
        yield pyramid_level(grey)
        if min(grey.shape) < 2 * SHORTEST:
            return
        grey = halve(grey)


def components_in(ridges: Ridges) -> Components:
    """Join the ink of ridges to components."""
    columns = ridges.grey.shape[1]
    return components_of(
        ridges.ink, ridges.grey[np.divmod(ridges.ink, columns)], columns
    )


def polarities(display: Array) -> tuple[Iterable[PyramidLevel], Iterable[PyramidLevel]]:
    """Return the sizes of the picture so that bright, then dark writing of any hue is bright."""
    pixels = checked_display(display, "text")
    if pixels.ndim == 2:
        levels = tuple(_halved_levels(pixels))
        return levels, (level.inverted() for level in levels)
    red, green, blue = (pixels[..., channel] for channel in range(3))
    brightest = np.maximum(np.maximum(red, green), blue)
    darkest = np.minimum(np.minimum(red, green), blue)
    # ~ is the negative of uint8.
    return _halved_levels(brightest), _halved_levels(~darkest)


def picture_box(corners: tuple[int, int, int, int], scale: int) -> Box:
    """Return top, left, bottom, right of a level as a box of the picture."""
    top, left, bottom, right = corners
    return Box(
        top * scale, left * scale, (bottom - top) * scale, (right - left) * scale
    )
