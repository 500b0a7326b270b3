"""The check that detectors make of the display they are given."""

import numpy as np

from saliency.errors import InputError
from saliency.values.arrays import Array


def checked_display(display: Array, detector: str) -> Array:
    """Return a display as an array; ``detector`` names the asker in the message.

    Raises
    ------
    InputError
        Not uint8 (rows, columns) or RGB (rows, columns, 3).
    """
    pixels = np.asarray(display)
    if (
        pixels.dtype != np.uint8
        or pixels.ndim not in (2, 3)
        or pixels.shape[2:] not in ((), (3,))
    ):
        msg = (
            f"{detector}: expected the display, uint8 (rows, columns) or (rows, columns, 3), "
            f"got {pixels.dtype} {pixels.shape}."
        )
        raise InputError(msg)
    return pixels
