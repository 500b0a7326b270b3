"""Take a zone out of a picture in three ways, and the same elsewhere."""

import numpy as np

from saliency.interventions.canvas import Canvas
from saliency.interventions.fills import FILLS, Fill
from saliency.interventions.patches import removed
from saliency.values.arrays import Array
from saliency.values.image import DicomImage


def without(canvas: Canvas, mask: Array, fill: str, seed: int) -> DicomImage:
    """Return the picture with a fill of :data:`FILLS` in place of the masked pixels.

    ``mask`` leaves at least one pixel.
    """
    if fill == "background":
        return canvas.with_values(removed(canvas.values, mask))
    chosen: Fill = FILLS[fill]
    return canvas.with_values(chosen(canvas.values, mask, np.random.default_rng(seed)))


def variants(canvas: Canvas, mask: Array, moved: Array, seed: int) -> list[DicomImage]:
    """Return for each fill the picture without the zone, then without the moved zone."""
    return [without(canvas, each, fill, seed) for fill in FILLS for each in (mask, moved)]
