"""What is written in a zone: strokes without the anatomy between them."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from saliency.values.arrays import Array
from saliency.zones.components import label, runs_of

WRITTEN: Final = frozenset({"text", "marker"})
"""Zones that are boxes around something drawn with strokes."""
FAINT: Final = 24
"""Grey levels by which strokes stand out at least, as for the detector of text."""
STRONG: Final = 0.4
"""Share of the contrast of a box's strokes from which a pixel belongs to them."""
FEWEST, MOST = 0.02, 0.6
"""Share of a box that strokes cover; else it is taken for something else, and as a whole."""


class Content(NamedTuple):
    """What is taken out and exchanged of a zone: bool (rows, columns), and whether it is strokes.

    Around strokes the background is known, so they are exchanged without it.
    """

    mask: Array
    strokes: bool = False


def content(name: str, display: Array, mask: Array) -> Content:
    """Return the strokes inside a zone of writing; the zone itself where it shows none.

    Boxes around text that lies on the patient hold the patient, too. What is exchanged between
    pictures is to be the writing alone, or a model of the anatomy would seem to read it.

    Parameters
    ----------
    name
        Of the zone; others than ``"text"`` and ``"marker"`` are returned as they are.
    display
        uint8 (rows, columns[, 3]).
    mask
        bool (rows, columns).
    """
    if name not in WRITTEN or not mask.any():
        return Content(mask)
    grey = display if display.ndim == 2 else display.max(axis=2)
    result = np.zeros_like(mask)
    for box in _part_boxes(mask):
        result[box] |= _inked(grey[box], mask[box])
    return Content(result, bool((result != mask).any()))


def _part_boxes(mask: Array) -> Iterator[tuple[slice, slice]]:
    """Yield the box of each connected part."""
    runs = runs_of(mask)
    part = label(runs, mask.shape[1])
    for number in range(int(part.max()) + 1):
        of_part = part == number
        rows = slice(int(runs.row[of_part].min()), int(runs.row[of_part].max()) + 1)
        yield rows, slice(int(runs.left[of_part].min()), int(runs.right[of_part].max()))


def _inked(grey: Array, mask: Array) -> Array:
    """Return the strokes in one box, the mask where it shows none."""
    # ~ inverts uint8 grey values: strokes may be lighter or darker than what is around them.
    candidates = [_top_hat(grey), _top_hat(~grey)]
    heights = max(candidates, key=lambda top_hat: _contrast(top_hat, mask))
    contrast = _contrast(heights, mask)
    core = (heights >= STRONG * contrast) & mask
    if contrast < FAINT or not FEWEST <= core.sum() / mask.sum() <= MOST:
        return mask
    return np.asarray(_filtered(core.astype(np.uint8), ImageFilter.MaxFilter(3))) > 0


def _contrast(heights: Array, mask: Array) -> float:
    return float(np.quantile(heights[mask], 0.97))


def _top_hat(grey: Array) -> Array:
    """Return how far pixels stand out of what is wider than a stroke: the white top-hat."""
    width = 2 * max(1, min(grey.shape) // 8) + 1
    lowest = _filtered(grey, ImageFilter.MinFilter(width))
    opened = _filtered(lowest, ImageFilter.MaxFilter(width))
    return grey - np.minimum(grey, opened)


def _filtered(grey: Array, kernel: ImageFilter.Filter) -> Array:
    return np.asarray(Image.fromarray(np.ascontiguousarray(grey)).filter(kernel))
