"""Heat and classes on a thumbnail of the slide."""

from typing import Any, Final

import numpy as np

from saliency.render.paint import paint, veil
from saliency.render.palettes import Palette
from saliency.slides.result_grid import cells_at, on_pixels
from saliency.values.arrays import Array
from saliency.values.heatmap import Heatmap
from saliency.values.mask import Mask
from saliency.values.overlay import Overlay

#: Okabe and Ito's colours for all kinds of colour vision, without those that stains have (pinks,
#: purples, browns); more classes begin again.
CLASS_COLOURS: Final = (
    (0, 114, 178),
    (240, 228, 66),
    (0, 158, 115),
    (86, 180, 233),
    (230, 159, 0),
    (0, 0, 0),
    (213, 94, 0),
)
#: Of red, green and blue (ITU-R BT.601).
_LUMINANCE: Final = np.array([0.299, 0.587, 0.114], np.float32)


def class_colour(index: int) -> tuple[int, int, int]:
    """Return the RGB of a class."""
    return CLASS_COLOURS[index % len(CLASS_COLOURS)]


def painted_heat(
    result: Any, shown: Array, palette: Palette, vmax: float, strength: float
) -> Overlay:
    """Paint heat on uint8 (rows, columns, 3); what is no tissue stays as it is."""
    size = shown.shape[0], shown.shape[1]
    length = slide_length(result)
    said = cells_at(result.explained, length, size)
    heat = Heatmap(
        np.where(
            said, on_pixels(result.heatmap.values, result.explained, length, size), 0
        )
    )
    tissue = result.tissue_on(size)
    where = said & tissue
    painted = paint(
        shown,
        heat,
        mask=Mask(where & ~np.bool_(result.veiled)),
        palette=palette,
        strength=strength,
        outside="hide",
        diagnostic=tissue,
        vmax=vmax,
    )
    if not result.veiled:
        return painted
    veiled = veil(shown, heat, where, strength=strength, vmax=vmax)
    return Overlay(veiled, painted.outside, palette.source, painted.full)


def painted_classes(result: Any, shown: Array, strength: float) -> Overlay:
    """Paint tissue in the colour of the tile that has the most to say there; sharp borders."""
    size = shown.shape[0], shown.shape[1]
    classes = cells_at(classes_of_cells(result), slide_length(result), size)
    where = (classes >= 0) & result.tissue_on(size)
    if result.indifferent:
        flat = Heatmap(where.astype(np.float32))
        return Overlay(veil(shown, flat, where, strength=strength, vmax=1.0))
    table = np.array(
        [class_colour(index) for index in range(result.scores.shape[-1])], np.float32
    )
    # On the brightness of the tissue: the stain's own colour would turn yellow into orange.
    bright = shown[where].astype(np.float32) @ _LUMINANCE
    mixed = (1 - strength) * bright[:, None] + strength * table[classes[where]]
    rgb = shown.copy()
    rgb[where] = np.rint(mixed).astype(np.uint8)
    return Overlay(rgb)


def classes_of_cells(result: Any) -> Array:
    """Return int16 (rows, columns): the class of the tile of greatest weight there, -1 of none."""
    grid = result.grid
    most = np.zeros(grid.cells, np.float32)
    classes = np.full(grid.cells, -1, np.int16)
    for row, column in np.argwhere(result.asked):
        down, across = grid.at((row, column))
        part = down.cells, across.cells
        weight = np.multiply.outer(down.weight, across.weight)
        heavier = weight > most[part]
        most[part][heavier] = weight[heavier]
        classes[part][heavier] = result.classes[row, column]
    return classes


def slide_length(result: Any) -> tuple[float, float]:
    """Return how long the slide is in cells."""
    rows, columns = (length / result.grid.cell for length in result.grid.size)
    return rows, columns
