"""PNG through Pillow: pixels only, no text chunk, no time, no profile."""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saliency.errors import InputError


def encode(picture: NDArray[np.uint8], *, longest: int | None = None) -> bytes:
    """Encode uint8 (rows, columns) or (rows, columns, 3) RGB.

    Parameters
    ----------
    picture
        The pixels; they come back bit for bit unless ``longest`` shrinks them.
    longest
        Shrink, by a whole-picture box filter, until neither side is longer than this.

    Returns
    -------
    bytes
        A PNG file.

    Raises
    ------
    InputError
        The array is not uint8, or of another shape.
    """
    if (
        picture.dtype != np.uint8
        or picture.ndim not in (2, 3)
        or picture.shape[2:] not in ((), (3,))
    ):
        msg = f"png: expected uint8 (rows, columns[, 3]), got {picture.dtype} {picture.shape}."
        raise InputError(msg)
    image = Image.fromarray(picture)
    if longest is not None:
        image.thumbnail((longest, longest), Image.Resampling.BOX)
    sink = BytesIO()
    image.save(sink, "PNG", compress_level=1)
    return sink.getvalue()
