"""What a reader of a file chooses, checked before the file is opened."""

import operator
from dataclasses import dataclass

import numpy as np

from saliency.dicom.display.voi import Asked, Voi
from saliency.dicom.file.limits import MAX_SAMPLES
from saliency.errors import InputError
from saliency.values.window import Window


@dataclass(frozen=True)
class Choices:
    """The optional arguments of ``read_dicom``, each of its type."""

    frame: int
    window: Asked
    icc: bool
    max_pixels: int


def checked(
    *,
    frame: object = 0,
    window: object = None,
    icc: object = False,
    max_pixels: object = MAX_SAMPLES,
) -> Choices:
    """Return the arguments of ``read_dicom``; a mistake in them is not the file's.

    Raises
    ------
    InputError
        An argument is of another type, or ``max_pixels`` is less than 1.
    """
    if not isinstance(icc, bool | np.bool_):
        msg = f"icc: expected True or False, got {type(icc).__name__}."
        raise InputError(msg)
    most = _checked_whole(max_pixels, "max_pixels")
    if most < 1:
        msg = f"max_pixels: expected 1 or more, got {most}."
        raise InputError(msg)
    return Choices(
        _checked_whole(frame, "frame"), _checked_window(window), bool(icc), most
    )


def _checked_window(window: object) -> Asked:
    if window is None or isinstance(window, Window | str | Voi):
        return window
    index = None if isinstance(window, bool | np.bool_) else _index(window)
    if index is None:
        msg = (
            "window: expected Window(center, width), the index or the explanation of a window of "
            f"the file, or None, got {type(window).__name__}. For center 40 and width 400: "
            "window=Window(40, 400)."
        )
        raise InputError(msg)
    return index


def _checked_whole(value: object, name: str) -> int:
    number = None if isinstance(value, bool | np.bool_) else _index(value)
    if number is None:
        msg = f"{name}: expected a whole number, got {type(value).__name__}."
        raise InputError(msg)
    return number


def _index(value: object) -> int | None:
    """Return a whole number, of Python or numpy, as Python's; None for what is none."""
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return None
