"""The folder that an answer about a slide is kept in."""

import io
import json
from os import PathLike
from pathlib import Path
from typing import Any, Final

import numpy as np

from saliency import png
from saliency.pipeline.caption import percent, subject
from saliency.pipeline.plain import plain
from saliency.render.band import Legend, Swatch, banded
from saliency.render.contours import hot_outlines
from saliency.render.palettes import Palette
from saliency.slides import result_words as words
from saliency.slides.result_painting import class_colour, slide_length
from saliency.values.arrays import Array
from saliency.values.files import folder_of, make_folder, write_whole
from saliency.values.overlay import Overlay

#: Of the arrays and the record; another form is refused.
FORM: Final = 1
#: Share of full heat at which regions are outlined.
LEVEL: Final = 0.5


def save_slide(
    result: Any, folder: str | PathLike[str], *, palette: str | Palette, pixels: int
) -> Path:
    """Write all forms; see ``SlideExplanation.save``."""
    place = folder_of(folder, "SlideExplanation")
    make_folder(place, "SlideExplanation.save")
    heat = result.overlay(pixels=pixels, palette=palette)
    write_whole(place / "heat.png", png.encode(captioned_heat(result, heat)))
    classes = result.overlay("classes", pixels)
    write_whole(place / "classes.png", png.encode(captioned_classes(result, classes)))
    write_whole(place / "heat.npz", slide_npz_of(result))
    write_whole(place / "heat.geojson", _json(geojson_of(result)))
    write_whole(place / "record.json", _json(slide_record_of(result)))
    return place


def captioned_heat(result: Any, overlay: Overlay) -> Array:
    """Return the overlay with a caption, the colours' meaning and a bar of mm below it."""
    palette = Palette(overlay.palette or "green")
    legend = Legend(
        palette,
        0.0 if result.veiled else float(overlay.full or 0),
        words.unit_words(result),
        signed=palette.signed and result.signed,
    )
    lines = list(words.heat_lines(result))
    return banded(overlay.rgb, lines, legend, ruler=_mm_a_pixel(result, overlay))


def captioned_classes(result: Any, overlay: Overlay) -> Array:
    """Return the classes with a caption, their names, shares and a bar of mm below them."""
    swatches = [
        Swatch(
            class_colour(index),
            f"{words.class_name(result, index)}, {percent(share)} of the tiles with tissue",
        )
        for index in range(result.scores.shape[-1])
        if (share := result.share(index)) > 0
    ]
    lines = list(words.class_lines(result))
    ruler = _mm_a_pixel(result, overlay)
    return banded(overlay.rgb, lines, None, swatches=swatches, ruler=ruler)


def _mm_a_pixel(result: Any, overlay: Overlay) -> float:
    return float(result.slide.size[1] / overlay.rgb.shape[1])


def slide_npz_of(result: Any) -> bytes:
    """Return the arrays and the record as an NPZ file."""
    file = io.BytesIO()
    affine = {} if result.affine is None else {"affine": result.affine}
    tissue = {} if result.slide.tissue is None else {"tissue": result.slide.tissue}
    bag = (
        {}
        if result.bag is None
        else {"bag_features": result.bag.features, "bag_heat": result.bag.heat}
    )
    np.savez_compressed(
        file,
        values=result.heatmap.values,
        explained=result.explained,
        scores=result.scores,
        probabilities=result.probabilities,
        classes=result.classes,
        placement=result.placement,
        record=json.dumps(slide_record_of(result), ensure_ascii=False),
        **affine,
        **tissue,
        **bag,
    )
    return file.getvalue()


def geojson_of(result: Any, level: float = LEVEL) -> dict[str, Any]:
    """Return outlines of the heat for the target as a GeoJSON FeatureCollection (RFC 7946).

    Coordinates are (x, y) in pixels of level 0, within it: QuPath takes them as they are. It needs
    objectType, and reads name, classification (name, RGB) and isLocked.

    Parameters
    ----------
    level
        Share of full heat: as much and more is inside.
    """
    scale = _pixels_a_cell(result)
    name = subject(result)
    classification = {"name": name, "color": [255, 128, 0]}
    features = [
        {
            "type": "Feature",
            "geometry": {
                "type": "Polygon",
                "coordinates": [_ring(ring, scale) for ring in region],
            },
            "properties": {
                "objectType": "annotation",
                "name": f"heat of {level:.0%} and more",
                "classification": classification,
                "isLocked": True,
            },
        }
        for region in hot_outlines(
            result.heatmap.values, level * result.vmax, slide_length(result)
        )
    ]
    return {"type": "FeatureCollection", "features": [] if result.veiled else features}


def _pixels_a_cell(result: Any) -> tuple[float, float]:
    """Return how many pixels of level 0 a cell is long, down and across."""
    down, across = (
        result.grid.cell * step * pixels / mm
        for step, pixels, mm in zip(
            result.slide.spacing, result.slide.pixels, result.slide.size, strict=True
        )
    )
    return down, across


def _ring(ring: Array, scale: tuple[float, float]) -> list[list[float]]:
    """Return a closed ring of (row, column) in cells as (x, y) in pixels."""
    return [
        [round(float(column * scale[1]), 6), round(float(row * scale[0]), 6)]
        for row, column in ring
    ]


def slide_record_of(result: Any) -> dict[str, Any]:
    """Return all but the arrays as plain values; nothing of a patient, no path, no UID."""
    slide, grid, answer = result.slide, result.grid, result.answer
    return {
        "form": FORM,
        "recipe": result.recipe,
        "target": result.target,
        "label": result.label,
        "labels": None if result.labels is None else list(result.labels),
        "score": result.score,
        "probability": result.probability,
        "caption": result.caption,
        "veil": result.veil_reason,
        "unit": words.unit_words(result),
        "vmax": result.vmax,
        "explains": answer.explains,
        "gap": answer.gap,
        "seed": answer.seed,
        "layer_grid": None if answer.grid is None else list(answer.grid),
        "saturated": answer.saturated,
        "indifferent": result.indifferent,
        "bag": None if result.bag is None else result.bag.method,
        "cutoff": result.cutoff,
        "prepare": plain(result.prepare),
        "model": plain(result.model),
        "versions": dict(answer.versions),
        "slide": {
            "pixels": list(slide.pixels),
            "mm": list(slide.size),
            "digest": slide.digest,
        },
        "tiles": {
            "pixels": list(grid.size),
            "spacing": list(slide.spacing),
            "spacing_assumed": slide.assumed,
            "size": list(grid.tile),
            "overlap": grid.overlap,
            "halo": grid.halo,
            "stride": grid.stride,
            "grid": list(grid.tiles),
            "asked": int(result.asked.sum()),
            "glass": result.dropped,
        },
        "cell": {"pixels": grid.cell, "grid": list(grid.cells)},
        "placement": result.placement.tolist(),
        "affine": None if result.affine is None else result.affine.tolist(),
        "seconds": {name: round(value, 3) for name, value in result.seconds.items()},
    }


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()
