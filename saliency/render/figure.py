"""Figures for papers and reports: matplotlib objects, handed back and never shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from textwrap import fill
from typing import Any, NamedTuple, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure as Figure  # noqa: PLC0414 - handed on to other rooms
from matplotlib.image import AxesImage
from matplotlib.ticker import ScalarFormatter
from numpy.typing import ArrayLike

from saliency.errors import InputError
from saliency.render.band import faded
from saliency.render.figure_marks import draw_letters, draw_millimetres
from saliency.render.layers import lovi, lovi_hsv, rgb_of
from saliency.render.letters import drawable
from saliency.render.palettes import Palette
from saliency.render.scale import full, shows_negative
from saliency.values.arrays import Array, finite, frozen
from saliency.values.heatmap import Heatmap
from saliency.values.overlay import Overlay

#: Width of a panel in inches: of three side by side, and of many small ones.
LARGE, SMALL = 4.2, 2.8


@final
@dataclass(frozen=True, eq=False)
class Control:
    """The map of a network that learnt nothing.

    Parameters
    ----------
    heatmap
        On the grid of the other.
    correlation
        Spearman's, -1..1, of the two maps; None where one of them is of one value.
    """

    heatmap: Heatmap
    correlation: float | None = None


def figure(  # noqa: PLR0913 - all of the drawing, and nothing else
    display: Array,
    heatmap: Heatmap,
    overlay: Overlay,
    *,
    title: str | None = None,
    spacing: tuple[float, float] | None = None,
    unit: str = "heat, in the method's own unit",
    orientation: tuple[str, str] | None = None,
    control: Control | None = None,
    names: tuple[str, str, str] = ("image", "heatmap", "overlay"),
) -> Figure:
    """Draw picture, heatmap and overlay side by side, in one colour language.

    The heatmap has the palette and the scale of the overlay: dark at 0, and of full colour where
    the overlay is. Its colour bar is symmetric where there is heat below 0; where the map goes on
    beyond the bar, the bar is pointed. The whole range is written above the map.

    Parameters
    ----------
    display
        uint8 (rows, columns) or (rows, columns, 3) RGB.
    heatmap, overlay
        On the same grid.
    title
        Printed as it is: do not put in what identifies a patient.
    spacing
        (row mm, column mm): millimetres become square; None: pixels are.
    unit
        Beside the colour bar.
    orientation
        Towards which side of the patient rows run, and columns: letters at the edges of the image.
    control
        Drawn beside the overlay, on its own scale.
    names
        Above the panels.

    Returns
    -------
    Figure
        Write it with :func:`save`. No window, no global state.

    Raises
    ------
    InputError
        Grids differ, or a spacing is not positive.
    """
    _check_grids(display, heatmap, overlay)
    aspect = _aspect(spacing)
    count = 3 if control is None else 4
    whole, panels = _panels(aspect * display.shape[0] / display.shape[1], count, LARGE)
    titles = (
        names[0],
        f"{names[1]}: {_range_in_words(heatmap)}",
        _where_outside(names[2], overlay),
    )
    for panel, name in zip(panels, titles, strict=False):
        _entitle(panel, name)
    palette = _palette(overlay, heatmap)
    _draw_picture(panels[0], display, aspect)
    _draw_heat(panels[1], heatmap, aspect, unit, Scale(palette, overlay.full))
    _draw_picture(panels[2], overlay.rgb, aspect)
    if control is not None:
        _entitle(panels[3], _against(control))
        _draw_heat(panels[3], control.heatmap, aspect, unit, Scale(palette, None))
    if spacing is not None:
        draw_millimetres(panels[0], display.shape[:2], spacing)
    if orientation is not None:
        draw_letters(panels[0], orientation)
    _title(whole, title)
    return whole


def layers_figure(
    stack: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    title: str | None = None,
    spacing: tuple[float, float] | None = None,
) -> Figure:
    """Draw every layer's map on one scale, each framed in its hue, and LOVI of all of them.

    Parameters
    ----------
    stack
        Real (rows, columns, layers), earliest layer first.
    names
        One per layer; None: "layer 1" and so on.
    title, spacing
        As for :func:`figure`.

    Returns
    -------
    Figure
        As for :func:`figure`.

    Raises
    ------
    InputError
        The stack has another rank or is not finite, or the names do not fit.
    """
    maps = finite(
        frozen(stack, np.float64, "layers_figure: stack", ranks=(3,)), "stack"
    )
    labels = _labels(names, maps.shape[-1])
    aspect = _aspect(spacing)
    whole, panels = _panels(
        aspect * maps.shape[0] / maps.shape[1], maps.shape[-1] + 1, SMALL
    )
    scale = Normalize(float(maps.min()), float(maps.max()))
    for layer, (panel, label) in enumerate(zip(panels, labels, strict=False)):
        drawn = panel.imshow(maps[..., layer], cmap="gray", norm=scale, aspect=aspect)
        _entitle(panel, label)
        _draw_frame(panel, _hue(layer, maps.shape[-1]))
    whole.colorbar(
        drawn, ax=list(panels[:-1]), label="statistic of the layer", shrink=0.8
    )
    _draw_picture(panels[-1], lovi(maps), aspect)
    _entitle(panels[-1], "LOVI: hue = layer")
    _title(whole, title)
    return whole


def save(whole: Figure, path: str | PathLike[str]) -> Path:
    """Write a figure as a PNG file without any text in it; see :meth:`Overlay.save`.

    ``Figure.savefig`` writes other formats, and says in the file which program wrote it.
    """
    canvas: Any = FigureCanvasAgg(whole)
    canvas.draw()
    return Overlay(np.asarray(canvas.buffer_rgba())[..., :3]).save(path)


def _title(whole: Figure, title: str | None) -> None:
    if title is not None:
        lines = fill(drawable(title), width=int(9 * whole.get_figwidth()))
        whole.suptitle(lines, fontsize="medium", parse_math=False)


def _entitle(panel: Axes, words: str) -> None:
    """Write above a panel; a dollar sign begins no formula."""
    panel.set_title(drawable(words), fontsize="medium", parse_math=False)


def _panels(shape: float, count: int, width: float) -> tuple[Figure, list[Axes]]:
    """Return a figure with a row of empty panels, each ``shape`` times as high as wide."""
    height = width * min(max(shape, 0.4), 2.5) + 0.8
    whole = Figure(figsize=(width * count + 1, height), layout="constrained", dpi=100)
    axes = whole.subplots(1, count, squeeze=False)[0]
    for panel in axes:
        panel.set(xticks=[], yticks=[])
    return whole, list(axes)


def _draw_picture(panel: Axes, picture: Array, aspect: float) -> None:
    panel.imshow(
        picture, cmap="gray", vmin=0, vmax=255, aspect=aspect, interpolation="nearest"
    )


class Scale(NamedTuple):
    """A palette, and the heat of full colour; None: the map's own."""

    palette: Palette
    top: float | None


def _palette(overlay: Overlay, heatmap: Heatmap) -> Palette:
    """Return the palette of the overlay; heat below 0 has colours of its own."""
    given = Palette(overlay.palette or "green")
    unsigned = shows_negative(heatmap.values) and not given.signed
    return Palette("diverging") if unsigned else given


def _draw_heat(
    panel: Axes, heatmap: Heatmap, aspect: float, unit: str, scale: Scale
) -> None:
    values = heatmap.values
    signed = shows_negative(values)
    top = scale.top or full(np.abs(values)) or 1.0
    norm = Normalize(-top if signed else 0.0, top)
    drawn = panel.imshow(
        values,
        cmap=_colour_map(scale.palette, signed=signed),
        norm=norm,
        aspect=aspect,
        interpolation="nearest",
    )
    _bar(panel, drawn, unit, over=values.max() > top, under=values.min() < -top)


def _bar(panel: Axes, drawn: AxesImage, unit: str, *, over: bool, under: bool) -> None:
    """Draw the colour bar, pointed where the map goes on beyond it."""
    numbers = ScalarFormatter()
    numbers.set_powerlimits((-2, 3))
    extend = {(False, False): "neither", (True, False): "max", (False, True): "min"}
    ends = extend.get((bool(over), bool(under)), "both")
    panel.figure.colorbar(
        drawn, ax=panel, label=unit, shrink=0.8, format=numbers, extend=ends
    )


def _colour_map(palette: Palette, *, signed: bool) -> LinearSegmentedColormap:
    """Return the palette faded in from black, as it looks painted on a black picture."""
    colours = faded(palette, signed=signed) / 255
    return LinearSegmentedColormap.from_list("heat", colours, N=len(colours))


def _range_in_words(heatmap: Heatmap) -> str:
    low, high = float(heatmap.values.min()), float(heatmap.values.max())
    return f"{low:.3g} everywhere" if low == high else f"{low:.3g} .. {high:.3g}"


def _where_outside(name: str, overlay: Overlay) -> str:
    return (
        f"{name}: {overlay.outside:.1%} of the heat outside"
        if overlay.outside
        else name
    )


def _against(control: Control) -> str:
    if control.correlation is None:
        return "same network, weights shuffled:\nno rank correlation, one map is even"
    return (
        f"same network, weights shuffled:\nrank correlation {control.correlation:.2f}"
    )


def _hue(layer: int, layers: int) -> Array:
    """Return the colour that LOVI gives a pixel which fires in this layer alone."""
    alone = np.zeros((1, 2, layers))
    alone[0, 0, layer] = 1
    colour: Array = rgb_of(lovi_hsv(alone))[0, 0]
    return colour


def _draw_frame(panel: Axes, colour: Array) -> None:
    for side in panel.spines.values():
        side.set(color=tuple(colour), linewidth=4)


def _labels(names: Sequence[str] | None, layers: int) -> list[str]:
    if names is None:
        return [f"layer {index + 1}" for index in range(layers)]
    if len(names) != layers:
        msg = f"layers_figure: expected {layers} names, one a layer, got {len(names)}."
        raise InputError(msg)
    return list(names)


def _aspect(spacing: tuple[float, float] | None) -> float:
    """Return how much higher than wide a pixel is."""
    if spacing is None:
        return 1.0
    row, column = spacing
    if not (0 < row < np.inf and 0 < column < np.inf):
        msg = (
            f"figure: expected a spacing of two positive numbers of mm, got {spacing}."
        )
        raise InputError(msg)
    return row / column


def _check_grids(display: Array, heatmap: Heatmap, overlay: Overlay) -> None:
    grids = display.shape[:2], heatmap.values.shape, overlay.rgb.shape[:2]
    if len(set(grids)) > 1:
        msg = "figure: expected display, heatmap and overlay on one grid, got {}, {} and {}."
        raise InputError(msg.format(*grids))
