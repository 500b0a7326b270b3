"""Heat on the picture: opacity grows with heat, and no heat leaves the picture as it was."""

from collections.abc import Iterator
from typing import Literal, TypeAlias

import numpy as np

from saliency.errors import InputError
from saliency.render.contrast import palette_for
from saliency.render.outlines import outlines
from saliency.render.palettes import AUTO, Palette, PaletteName
from saliency.render.scale import full
from saliency.values.arrays import Array
from saliency.values.heatmap import Heatmap
from saliency.values.mask import Mask
from saliency.values.overlay import Overlay

Outside: TypeAlias = Literal["warn", "hide"]

#: Pixels painted at a time: their temporaries stay in the second-level cache.
BAND = 1 << 16

#: Stripes of a veil along the shorter side of a picture.
HATCHES = 120
#: Heat of a stripe: light above 0, dark below 0, and clear between them.
_STRIPES = np.array([1, 0, -1, 0], np.float32)
_VEIL = Palette("404040|e0e0e0")


def paint(  # noqa: PLR0913 - all of the drawing, and nothing else
    display: Array,
    heatmap: Heatmap,
    *,
    mask: Mask | None = None,
    palette: Palette | PaletteName | str = "green",
    strength: float = 0.65,
    outside: Outside = "warn",
    diagnostic: Array | None = None,
    padding: Array | None = None,
    vmax: float | None = None,
    contour: float | None = None,
) -> Overlay:
    """Paint a heatmap on the picture it belongs to.

    The opacity of a pixel is ``strength * min(|heat| / full, 1)``, where full is ``vmax``, else
    :func:`saliency.render.scale.full` of the whole map, in 255 steps; its colour is
    ``(1 - opacity) * display + opacity * palette``, rounded once. The scale is symmetric and
    depends on the heatmap alone: masks, zones and palettes never make the rest look hotter.

    Parameters
    ----------
    display
        uint8 (rows, columns) or (rows, columns, 3) RGB.
    heatmap
        On the same grid. Heat of 0 paints nothing; a map of one value paints an even wash.
    mask
        Paint these pixels alone.
    palette
        A palette, or what :class:`Palette` takes. Unless it is signed, |heat| is painted.
        ``"auto"``: the one that stands out from the picture, see :mod:`saliency.render.contrast`.
    strength
        Opacity of full heat, 0..1.
    outside
        What becomes of heat outside ``diagnostic``: ``"warn"`` paints it in the warning hue,
        ``"hide"`` does not paint it.
    diagnostic
        bool (rows, columns), True where the pixels are diagnostic; None: everywhere.
    padding
        bool (rows, columns), True where there is no picture: never painted.
    vmax
        Heat, in the method's unit, of full colour; above 0. Equal heat then has equal colour on any
        picture. None: the map's own full heat.
    contour
        Share of full heat, above 0, at which the regions of as much |heat| or more are outlined in
        the colour of full heat, besides the paint. ``strength=0`` leaves the outlines alone.

    Returns
    -------
    Overlay
        With the share of |heat| outside ``diagnostic``, padding included, 0 for a map of zeros;
        None where ``diagnostic`` is None.

    Raises
    ------
    InputError
        Grids differ, or an argument is out of range.
    """
    grid = _checked_grid(display)
    heat = _checked_heat(heatmap, grid)
    colours = _palette_of(palette, display, heat)
    _check_strength_and_outside(strength, outside)
    _check_above_0("vmax", vmax)
    _check_above_0("contour", contour)
    inside = _zone(diagnostic, grid, "diagnostic", absent=True)
    shown = _zone(mask.values if mask else None, grid, "mask", absent=True)
    if padding is not None:
        shown = shown & ~_zone(padding, grid, "padding", absent=False)
    if outside == "hide":
        shown = shown & inside

    magnitude = np.abs(heat)
    top = full(magnitude) if vmax is None else vmax
    blends = _blends(colours, strength)
    rgb = np.empty((*grid, 3), np.uint8)
    for band in _bands_of_rows(grid):
        levels = _levels(magnitude[band], top) * shown[band]
        codes = _codes(_kinds_of_heat(heat[band], inside[band]), levels)
        _look_up(blends, codes, display[band], out=rgb[band])
    if contour is not None:
        for line, colour in outlines(heat, contour * top, colours, inside):
            rgb[line & shown] = colour
    rgb.flags.writeable = False
    share = None if diagnostic is None else _share(magnitude, ~inside)
    return Overlay(rgb, share, palette=colours.source, full=top)


def veil(
    display: Array,
    heatmap: Heatmap,
    mask: Array,
    *,
    strength: float = 0.65,
    vmax: float | None = None,
) -> Array:
    """Hatch the pixels with heat in grey, the denser the hotter: heat that is not to be believed.

    Light and dark diagonals take turns, so that the veil is seen on any grey and is not taken for
    anatomy. Where there is no heat the picture stays as it is.

    Parameters
    ----------
    display, heatmap
        As for :func:`paint`.
    mask
        bool (rows, columns): what may be veiled.
    strength, vmax
        As for :func:`paint`.

    Returns
    -------
    Array
        uint8 (rows, columns, 3).
    """
    rows, columns = heatmap.values.shape
    width = max(2, round(min(rows, columns) / HATCHES))
    stripe = (np.arange(rows)[:, None] + np.arange(columns)) // width % len(_STRIPES)
    magnitude = np.abs(heatmap.values)
    top = full(magnitude) if vmax is None else vmax
    return paint(
        display,
        Heatmap(magnitude * _STRIPES[stripe]),
        mask=Mask(mask),
        palette=_VEIL,
        strength=strength,
        vmax=top or None,
    ).rgb


def _palette_of(
    palette: Palette | PaletteName | str, display: Array, heat: Array
) -> Palette:
    if isinstance(palette, Palette):
        return palette
    if palette == AUTO:
        return palette_for(display, signed=bool((heat < 0).any()))
    return Palette(palette)


def _bands_of_rows(grid: tuple[int, int]) -> Iterator[slice]:
    rows, columns = grid
    step = max(1, BAND // columns)
    return (slice(start, start + step) for start in range(0, rows, step))


def _levels(magnitude: Array, top: float) -> Array:
    """Return uint8 heat, 255 at ``top`` and above; 0 throughout where there is no top."""
    if top == 0:
        return np.zeros(magnitude.shape, np.uint8)
    heat = np.minimum(magnitude, top)
    heat /= top
    heat *= 255
    heat += 0.5
    levels: Array = heat.astype(np.uint8)
    return levels


def _blends(palette: Palette, strength: float) -> Array:
    """Return uint8 (3 channels, 3 kinds * 256 levels * 256 display values).

    The kinds are heat above 0, heat below 0, and heat that warns. A picture has many more pixels
    than there are entries, so each blend is computed once, in float64, and then looked up.
    """
    warning = np.broadcast_to(palette.warning, (256, 3))
    colours = np.stack([palette.positive, palette.negative, warning]).transpose(2, 0, 1)
    opacity = strength * np.linspace(0, 1, 256)
    blend = (
        np.multiply.outer(1 - opacity, np.arange(256.0))
        + (opacity * colours)[..., None]
    )
    table: Array = np.rint(blend).astype(np.uint8).reshape(3, -1)
    return table


def _kinds_of_heat(heat: Array, inside: Array) -> Array:
    """Return uint8: 0 heat above 0, 1 heat below 0, 2 heat that warns."""
    kinds: Array = np.maximum((heat < 0).view(np.uint8), np.uint8(2) * ~inside)
    return kinds


def _codes(kinds: Array, levels: Array) -> Array:
    """Return where the 256 blends of each pixel's colour start in :func:`_blends`."""
    codes: Array = kinds.astype(np.intp)
    codes <<= 8
    codes |= levels
    codes <<= 8
    return codes


def _look_up(blends: Array, codes: Array, display: Array, *, out: Array) -> None:
    grey = codes | display if display.ndim == 2 else None
    for channel, table in enumerate(blends):
        out[..., channel] = table[
            codes | display[..., channel] if grey is None else grey
        ]


def _share(magnitude: Array, where: Array) -> float:
    part = float((magnitude * where).sum(dtype=np.float64)) if where.any() else 0.0
    return part / float(magnitude.sum(dtype=np.float64)) if part else 0.0


def _checked_grid(display: Array) -> tuple[int, int]:
    shape = np.shape(display)
    kind = getattr(display, "dtype", type(display).__name__)
    if kind != np.uint8 or len(shape) not in (2, 3) or shape[2:] not in ((), (3,)):
        msg = (
            f"paint: expected a uint8 display (rows, columns[, 3]), got {kind} {shape}."
        )
        raise InputError(msg)
    return shape[0], shape[1]


def _checked_heat(heatmap: object, grid: tuple[int, int]) -> Array:
    if not isinstance(heatmap, Heatmap):
        msg = f"paint: expected a Heatmap, got {type(heatmap).__name__}. Wrap it: Heatmap(values)."
        raise InputError(msg)
    if heatmap.values.shape != grid:
        msg = f"paint: expected a heatmap of {grid} like the display, got {heatmap.values.shape}."
        raise InputError(msg)
    return heatmap.values


def _zone(
    given: Array | None, grid: tuple[int, int], name: str, *, absent: bool
) -> Array:
    if given is None:
        return np.full(grid, absent)
    if np.shape(given) != grid or given.dtype != np.bool_:
        kind = getattr(given, "dtype", type(given).__name__)
        msg = f"paint: expected {name} to be bool {grid}, got {kind} {np.shape(given)}."
        raise InputError(msg)
    return given


def _check_above_0(name: str, value: float | None) -> None:
    if value is not None and not 0 < value < np.inf:
        msg = f"paint: expected {name} to be a number above 0, or None, got {value!r}."
        raise InputError(msg)


def _check_strength_and_outside(strength: float, outside: str) -> None:
    if not 0 <= strength <= 1:
        msg = f"paint: expected a strength in 0..1, got {strength}."
        raise InputError(msg)
    if outside not in ("warn", "hide"):
        msg = f"paint: expected outside to be 'warn' or 'hide', got {outside!r}."
        raise InputError(msg)
