"""Forms in which an explanation is kept: one row for each ending of a file name."""

import io
import json
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from saliency.values.files import place_of, write_whole

Look: TypeAlias = Mapping[str, Any]
"""Arguments of ``Explanation.overlay``: how a writer of pictures paints."""
Writer: TypeAlias = Callable[[Any, Look], bytes]
"""(Explanation, look) -> the bytes of a file. Explanation imports this table, not the reverse."""


def save_explanation(result: Any, path: str | PathLike[str], look: Look | None = None) -> Path:
    """Write an explanation in the form that the ending of the file name asks for.

    Parameters
    ----------
    result
        An Explanation.
    path
        Its ending is one of :data:`WRITERS`; its folder exists. A file of that name is replaced.
    look
        How pictures are painted; None: as ``overlay()`` does.

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
    """Return the overlay as a PNG file."""
    data: bytes = result.overlay(**look).png()
    return data


def npz_of(result: Any, look: Look) -> bytes:  # noqa: ARG001 - numbers have no look
    """Return the numbers as an NPZ file; ``Explanation.save`` says what it holds."""
    page = io.BytesIO()
    np.savez_compressed(
        page,
        values=result.heatmap.values,
        diagnostic=result.image.diagnostic,
        score=np.float32(result.score),
        target=result.target,
        gap=np.nan if result.gap is None else result.gap,
        recipe=result.recipe,
        digest=result.image.digest,
        versions=json.dumps(dict(result.versions)),
    )
    return page.getvalue()


WRITERS: Final[dict[str, Writer]] = {".npz": npz_of, ".png": png_of}
"""Ending in lower case -> writer. A new form is a function and a row."""
