"""A picture as levels of ink: in both polarities, at several sizes and contrasts."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from saliency.errors import InputError
from saliency.values.arrays import Array
from saliency.values.placement import Box
from saliency.zones.components import Components, components_of
from saliency.zones.ridges import FAINT, PyramidLevel, Ridges, halve, pyramid_level, ridges_of

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
        for halvings, each in enumerate(levels):
            yield from _on_level(each, 2**halvings)


def _sizes(grey: Array) -> Iterator[PyramidLevel]:
    """Yield a picture as it is, and halved until it is too small for a word."""
    for _ in range(1 + HALVINGS):
        yield pyramid_level(grey)
        if min(grey.shape) < 2 * SHORTEST:
            return
        grey = halve(grey)


def _on_level(level: PyramidLevel, scale: int) -> Iterator[InkLevel]:
    ridges, most = ridges_of(level), min(MOST_INK[0] * level.grey.size, MOST_INK[1])
    for contrast in CONTRASTS:
        ridges = ridges.above(contrast)
        if 0 < len(ridges.ink) <= most:
            yield InkLevel(ridges, components_in(ridges), scale)


def components_in(ridges: Ridges) -> Components:
    """Join the ink of ridges to components."""
    columns = ridges.grey.shape[1]
    return components_of(ridges.ink, ridges.grey[np.divmod(ridges.ink, columns)], columns)


def polarities(display: Array) -> tuple[Iterable[PyramidLevel], Iterable[PyramidLevel]]:
    """Return the sizes of the picture so that bright, then dark writing of any hue is bright."""
    given = np.asarray(display)
    if given.dtype != np.uint8 or given.ndim not in (2, 3) or given.shape[2:] not in ((), (3,)):
        msg = (
            "text: expected the display, uint8 (rows, columns) or (rows, columns, 3), "
            f"got {given.dtype} {given.shape}."
        )
        raise InputError(msg)
    if given.ndim == 2:
        sizes = tuple(_sizes(given))
        return sizes, (each.inverted() for each in sizes)
    red, green, blue = (given[..., channel] for channel in range(3))
    brightest = np.maximum(np.maximum(red, green), blue)
    return _sizes(brightest), _sizes(~np.minimum(np.minimum(red, green), blue))


def scaled(corners: tuple[int, int, int, int], scale: int) -> Box:
    """Return top, left, bottom, right of a level as a box of the picture."""
    top, left, bottom, right = corners
    return Box(top * scale, left * scale, (bottom - top) * scale, (right - left) * scale)
