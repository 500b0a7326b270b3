"""An answer about a slide out of its folder, beside the slide that it is of."""

import json
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Final

from saliency.errors import InputError
from saliency.pipeline.answer import Answer
from saliency.pipeline.load import saved_arrays
from saliency.pipeline.plain import revived
from saliency.slides.explain_setup import (
    THUMBNAIL,
    opened,
    remembering_thumbnail,
    slide_digest,
    thumbnail_of,
)
from saliency.slides.result import AskedSlide, BagTiles, SlideExplanation
from saliency.slides.result_writers import FORM
from saliency.slides.slide import Slide
from saliency.slides.stitch import TileGrid, tile_grid
from saliency.values.arrays import Array
from saliency.values.heatmap import Heatmap

#: Name of the file of arrays, in the folder of results.
ARRAYS: Final = "heat.npz"
#: Fields of an Answer that the record holds as they are.
_ANSWER: Final = (
    *("score", "target", "gap", "recipe", "versions", "probability", "label", "seed"),
    *("explains", "saturated"),
)


def load_slide(folder: str | PathLike[str], slide: object) -> SlideExplanation:
    """Read an explanation that ``SlideExplanation.save`` wrote, beside the slide that it is of.

    Every field equals what was saved, except functions of yours in its ``prepare``, of which only
    the name is kept, and seconds, which are rounded. Nothing in the file is executed.

    Parameters
    ----------
    folder
        That was saved to, or its ``heat.npz``.
    slide
        The slide that was explained: a Slide, opened as it was then, or anything that
        :func:`saliency.open_slide` takes. Thumbnails are read from it.

    Returns
    -------
    SlideExplanation
        Its thumbnail of usual size is kept; others need a slide that is open, or given as files.

    Raises
    ------
    InputError
        There is no such file, it is broken, or was written in another form; or the slide is
        another, or was opened another way.
    DicomError
        The slide cannot be read.
    """
    place = Path(folder)
    path = place / ARRAYS if place.is_dir() else place
    with saved_arrays(path, "load_slide", "SlideExplanation.save") as arrays:
        record = json.loads(str(arrays["record"])) if "record" in arrays else {}
        if "tiles" not in record or record.get("form") != FORM:
            msg = (
                f"load_slide: expected {ARRAYS} of form {FORM} that SlideExplanation.save wrote, "
                "got another. Save the explanation again."
            )
            raise InputError(msg)
        grid = _saved_grid(record)
        with opened(slide) as held:
            asked = _asked_slide(record, arrays, held, slide)
        return _slide_explanation(record, arrays, grid, asked)


def _saved_grid(record: dict[str, Any]) -> TileGrid:
    told, cell = record["tiles"], record["cell"]
    grid = tile_grid(
        tuple(told["pixels"]),
        tuple(told["size"]),
        told["overlap"],
        halo=told["halo"],
        stride=told["stride"],
    )
    if [grid.cell, list(grid.cells), list(grid.tiles)] != [
        cell["pixels"],
        cell["grid"],
        told["grid"],
    ]:
        msg = "load_slide: this version lays tiles in another way: use the one that is recorded."
        raise InputError(msg)
    return grid


def _asked_slide(
    record: dict[str, Any], arrays: dict[str, Array], held: Slide, slide: object
) -> AskedSlide:
    """Return what was asked about; its pixels come from the slide, which must be the same."""
    shown = held.thumbnail(THUMBNAIL)
    digest = slide_digest(held, shown)
    if digest != record["slide"]["digest"]:
        msg = (
            "load_slide: the slide is not the one that was explained, or was opened with another "
            "optical path, focal plane or ICC profile. Give it as it was explained."
        )
        raise InputError(msg)
    told = record["tiles"]
    return AskedSlide(
        size=held.size,
        spacing=tuple(told["spacing"]),
        assumed=told["spacing_assumed"],
        pixels=(held.levels[0].rows, held.levels[0].columns),
        affine=held.affine,
        tissue=arrays.get("tissue"),
        digest=digest,
        thumbnail=remembering_thumbnail(shown, partial(thumbnail_of, slide)),
    )


def _slide_explanation(
    record: dict[str, Any], arrays: dict[str, Array], grid: TileGrid, asked: AskedSlide
) -> SlideExplanation:
    answer = Answer(
        **{name: record[name] for name in _ANSWER},
        model=revived(record["model"]),
        grid=revived(record["layer_grid"]),
    )
    method = record["bag"]
    bag = None
    if method is not None:
        bag = BagTiles(method, arrays["bag_features"], arrays["bag_heat"])
    return SlideExplanation(
        Heatmap(arrays["values"]),
        arrays["explained"],
        arrays["scores"],
        arrays["probabilities"],
        grid,
        asked,
        answer,
        vmax=record["vmax"],
        labels=revived(record["labels"]),
        indifferent=record["indifferent"],
        prepare=revived(record["prepare"]),
        cutoff=record["cutoff"],
        seconds=record["seconds"],
        bag=bag,
    )
