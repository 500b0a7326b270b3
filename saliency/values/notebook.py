"""How a value shows itself in a notebook: a line of text and a picture."""

from typing import Any

from saliency import png
from saliency.values.arrays import Array

#: Long side of a preview in pixels: a notebook of many pictures stays small enough to open.
LONGEST = 1024


def preview(picture: Array) -> bytes:
    """Return a PNG of a uint8 picture, at most 1,024 pixels on the long side."""
    return png.encode(picture, longest=LONGEST)


def shrunk_for_notebook(picture: Array) -> Array:
    """Return a uint8 picture, at most 1,024 pixels on the long side."""
    return png.shrunk(picture, LONGEST)


def bundle(
    text: str, picture: Array, *, of: tuple[int, int] | None = None
) -> dict[str, Any]:
    """Return the MIME bundle that ``_repr_mimebundle_`` hands to a notebook.

    PNG rather than HTML: it also shows in untrusted notebooks, on code hosts and in PDF exports.

    Parameters
    ----------
    text
        The text form. It must hold nothing identifying, for notebooks get shared.
    picture
        uint8 (rows, columns) or (rows, columns, 3) RGB.
    of
        (rows, columns) of the picture before it was shrunk and a caption added; None: its own.

    Returns
    -------
    dict
        ``text/plain`` (str), which says so where the picture was shrunk, and ``image/png`` (bytes).
    """
    rows, columns = of or picture.shape[:2]
    if max(rows, columns) > LONGEST:
        text += f"\npreview of {rows} x {columns} pixels, shrunk to {LONGEST} on the long side"
    file = preview(picture) if of is None else png.encode(picture)
    return {"text/plain": text, "image/png": file}
