"""Forms in which an explanation is kept: one row for each ending of a file name."""

import io
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from saliency import png
from saliency.pipeline.band import captioned
from saliency.pipeline.page import page_of
from saliency.pipeline.record import arrays_of, record_of, text_of
from saliency.values.files import place_of, write_whole
from saliency.values.overlay import Overlay

Look: TypeAlias = Mapping[str, Any]
"""Arguments of ``Explanation.save``, and those of ``overlay`` that it leaves out.

``painted`` is the overlay that they ask for, where somebody has painted it already.
"""
Writer: TypeAlias = Callable[[Any, Look], bytes]
"""(Explanation, look) -> the bytes of a file. Explanation imports this table, not the reverse."""


def save_explanation(
    result: Any, path: str | PathLike[str], look: Look | None = None
) -> Path:
    """Write an explanation in the form that the ending of the file name asks for.

    Parameters
    ----------
    result
        An Explanation.
    path
        Its ending is one of :data:`WRITERS`; its folder exists. A file of that name is replaced.
    look
        How pictures are painted; None: as ``overlay()`` does. ``caption`` False: a PNG without the
        band below the picture.

    Returns
    -------
    Path
        Where the file lies, whole; where writing fails there is none.

    Raises
    ------
    InputError
        No writer has this ending, or the folder is missing.
    """
    place = place_of(path, tuple(WRITERS), "Explanation")
    writer = WRITERS[place.suffix.lower()]
    return write_whole(place, writer(result, look or {}))


def png_of(result: Any, look: Look) -> bytes:
    """Return the overlay as a PNG file, with its caption or without."""
    overlay = overlay_in(result, look)
    return png.encode(
        captioned(result, overlay) if look.get("caption", True) else overlay.rgb
    )


def npz_of(result: Any, look: Look) -> bytes:
    """Return record and arrays as an NPZ file; ``Explanation.save`` says what it holds."""
    record = record_of(result, identify=look.get("identify"))
    page = io.BytesIO()
    np.savez_compressed(
        page,
        **arrays_of(result),
        score=np.float64(result.score),
        target=result.target,
        gap=np.nan if result.gap is None else result.gap,
        recipe=result.recipe,
        digest=result.image.digest,
        versions=text_of(record["versions"]),
        record=text_of(record),
    )
    return page.getvalue()


def json_of(result: Any, look: Look) -> bytes:
    """Return the record without arrays as a JSON file."""
    return (
        text_of(record_of(result, identify=look.get("identify")), indent=2) + "\n"
    ).encode()


def html_of(result: Any, look: Look) -> bytes:
    """Return a page of image, overlay and caption, which loads nothing from elsewhere."""
    overlay = overlay_in(result, look)
    return page_of(result, overlay, redact=bool(look.get("redact"))).encode()


def overlay_in(result: Any, look: Look) -> Overlay:
    """Return the overlay that a look asks for; it is painted where it was not before."""
    painted: Overlay | None = look.get("painted")
    others = ("caption", "identify", "painted")
    arguments = {name: value for name, value in look.items() if name not in others}
    return result.overlay(**arguments) if painted is None else painted


WRITERS: Final[dict[str, Writer]] = {
    ".html": html_of,
    ".json": json_of,
    ".npz": npz_of,
    ".png": png_of,
}
"""Ending in lower case -> writer. A new form is a function and a row."""
