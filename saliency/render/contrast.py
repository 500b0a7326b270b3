"""Which palette stands out from a picture: measured on the colours that the picture has."""

from typing import Final

import numpy as np
from PIL import Image

from saliency.render.colour import lab
from saliency.render.palettes import Palette
from saliency.values.arrays import Array

#: Palettes to choose from, the first where it is enough: of |heat|, and of heat with a sign.
UNSIGNED: Final = ("green", "yellow")
SIGNED: Final = ("diverging", "blue-yellow")

#: A colour difference that no eye misses, CIE 1976.
ENOUGH: Final = 25.0

#: Half heat at the usual strength of 0.65.
HALF: Final = 0.325

#: Colours that a picture is measured by, on at most so many rows and columns.
_COLOURS, _SIDE = 64, 256

#: Channels that differ by no more than this make a grey; a grey picture may have a few colours.
_GREY, _FEW = 24, 0.01

#: Share of the pixels that may stand out less.
_LEFT_OUT: Final = 0.05


def palette_for(display: Array, *, signed: bool) -> Palette:
    """Return the first palette that stands out from a picture, else the one that does most.

    Parameters
    ----------
    display
        uint8 (rows, columns) or (rows, columns, 3) RGB. From greys the first stands out.
    signed
        Whether heat below 0 needs colours of its own.
    """
    choices = [Palette(name) for name in (SIGNED if signed else UNSIGNED)]
    if not is_coloured(display):
        return choices[0]
    # Two hues cannot both be far from every colour of a slide: signed ones, from the pixel itself.
    measure = lift if signed else contrast_with_picture
    found = [measure(each, display) for each in choices]
    best = next(
        (k for k, value in enumerate(found) if value >= ENOUGH), int(np.argmax(found))
    )
    return choices[best]


def is_coloured(display: Array) -> bool:
    """Say whether a picture has colours: a scale or a logo at its edge makes none of grey."""
    if display.ndim == 2:
        return False
    spread = display.max(axis=2) - display.min(axis=2)
    return float((spread > _GREY).mean()) > _FEW


def contrast_with_picture(
    palette: Palette, display: Array, eye: str = "normal"
) -> float:
    """Return how far half heat lies from every colour of a picture.

    Parameters
    ----------
    palette
        Its colours of full heat are painted; of a signed one the nearer counts.
    display
        uint8 (rows, columns, 3) RGB.
    eye
        A key of :data:`saliency.render.colour.EYES`.

    Returns
    -------
    float
        CIE 1976 difference between a painted pixel and the picture's nearest colour: the least
        but for 5 % of the pixels.
    """
    colours, shares = colours_of(display)
    own = lab(colours, eye)

    def gaps(full: Array) -> Array:
        painted = lab((1 - HALF) * colours + HALF * full, eye)
        nearest: Array = np.sqrt(((painted[:, None] - own[None]) ** 2).sum(-1)).min(1)
        return nearest

    return min(_least(gaps(full), shares) for full in _full_heat_colours(palette))


def lift(palette: Palette, display: Array) -> float:
    """Return how far half heat lies from the pixel that it is painted on; else as contrast."""
    colours, shares = colours_of(display)

    def gaps(full: Array) -> Array:
        painted = lab((1 - HALF) * colours + HALF * full)
        own: Array = np.linalg.norm(painted - lab(colours), axis=1)
        return own

    return min(_least(gaps(full), shares) for full in _full_heat_colours(palette))


def _full_heat_colours(palette: Palette) -> tuple[Array, ...]:
    full = palette.positive[-1]
    return (full, palette.negative[-1]) if palette.signed else (full,)


def _least(gaps: Array, shares: Array) -> float:
    """Return the least gap but for a few of the pixels."""
    order = np.argsort(gaps)
    return float(gaps[order][np.searchsorted(np.cumsum(shares[order]), _LEFT_OUT)])


def colours_of(display: Array) -> tuple[Array, Array]:
    """Return float64 (n, 3) colours of a picture, and the share of its pixels that has each."""
    small = Image.fromarray(np.ascontiguousarray(display))
    small.thumbnail((_SIDE, _SIDE))
    few = small.quantize(_COLOURS, method=Image.Quantize.MEDIANCUT)
    table = np.array(few.getpalette(), np.float64).reshape(-1, 3)
    counts = np.bincount(np.asarray(few).ravel(), minlength=len(table))
    there = counts > 0
    return table[there], counts[there] / counts.sum()
