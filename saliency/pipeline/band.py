"""The caption of an explanation, as a band below its picture."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from saliency.pipeline import caption as words
from saliency.pipeline.method_words import method_words, unit_of
from saliency.render.band import Legend, Line, banded
from saliency.render.palettes import Palette
from saliency.values.arrays import Array
from saliency.values.overlay import Overlay


def captioned(result: Any, overlay: Overlay, rgb: Array | None = None) -> Array:
    """Return an overlay, or ``rgb`` in its place, with the caption in a band below it."""
    palette = Palette(overlay.palette or "green")
    legend = Legend(
        palette,
        0.0 if result.veiled else float(overlay.full or 0),
        unit_of(result.recipe, result.explains),
        signed=palette.signed and bool(np.min(result.heatmap.values) < 0),
        warns=bool(overlay.outside),
    )
    return banded(
        overlay.rgb if rgb is None else rgb, list(caption_lines(result)), legend
    )


def caption_lines(result: Any) -> Iterator[Line]:
    """Yield the sentences of a caption, the most important first."""
    yield Line(words.headline(result), "head")
    doubt = words.doubt(result)
    if doubt:
        yield Line(f"{doubt}; heat is veiled in grey", "alarm")
    yield Line(method_words(result.recipe))
    if result.grid is not None:
        rows, columns = result.grid
        yield Line(f"the map has {rows} x {columns} cells, drawn smooth")
    outside = words.outside_words(result)
    if outside:
        yield Line(outside)
    trust = words.trust_words(result)
    if trust:
        yield Line(trust)
    yield Line(words.DISCLAIMER, "faint")
