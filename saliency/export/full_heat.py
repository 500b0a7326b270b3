"""Which heat full colour stands for: one scale for all objects of a result, and of several."""

import math

import numpy as np

from saliency.errors import InputError
from saliency.render.scale import full
from saliency.values.arrays import Array


def full_heat(heat: Array, vmax: float | None) -> float:
    """Return the heat of full colour.

    Parameters
    ----------
    heat
        Of all frames of an object.
    vmax
        What the user says it is, in the method's unit; None: as ``overlay`` finds it.

    Raises
    ------
    InputError
        ``vmax`` is no number above 0.
    """
    check_vmax(vmax)
    return full(np.abs(heat)) if vmax is None else vmax


def check_vmax(vmax: float | None) -> None:
    """Refuse a scale that none can be.

    Raises
    ------
    InputError
        It is no number above 0.
    """
    if vmax is not None and not 0 < vmax < math.inf:
        msg = f"export: expected vmax to be a number above 0, or None, got {vmax!r}."
        raise InputError(msg)


def scale_words(vmax: float | None) -> str:
    """Return a sentence about a scale that the user set; "" where the result has its own."""
    return "" if vmax is None else f"Full heat is {vmax:g}. "
