"""Flat bands along the edges: letterbox bars, collimation, the frame of a screen copy."""

import numpy as np

from saliency.errors import InputError
from saliency.values.arrays import Array
from saliency.values.zone import Zone

#: Grey levels by which the pixels of a band may differ: lossy compression moves them that far.
FLAT = 2
#: Share of a row that has the band's level; a line of text may stand on the rest.
SHARE = 0.9
#: A band is at least this many pixels deep.
DEPTH = 3


def border_zone(display: Array) -> Zone | None:
    """Find flat bands of whole rows and columns along the edges.

    A pixel belongs to a band when it, and all between it and the edge, have the level of the edge;
    what the band frames is never claimed, whatever its level.

    Parameters
    ----------
    display
        uint8 (rows, columns) or RGB (rows, columns, 3).

    Returns
    -------
    Zone or None
        ``"border"``; None where there is no band, or the whole picture is one.

    Raises
    ------
    InputError
        Another shape or dtype.
    """
    given = _checked(display)
    mask = np.zeros(given.shape[:2], np.bool_)
    depths = [_claim(np.rot90(given, turn), np.rot90(mask, turn)) for turn in range(4)]
    if not any(depths) or mask.all():
        return None
    # np.rot90 turns anticlockwise: the right edge comes to the top after one turn.
    top, right, bottom, left = depths
    evidence = f"flat bands: top {top}, bottom {bottom}, left {left}, right {right} px"
    return Zone("border", mask, evidence)


def _checked(display: Array) -> Array:
    """Return uint8 (rows, columns, channels)."""
    given = np.asarray(display)
    if given.dtype != np.uint8 or given.ndim not in (2, 3) or given.shape[2:] not in ((), (3,)):
        msg = (
            "border: expected the display, uint8 (rows, columns) or (rows, columns, 3), "
            f"got {given.dtype} {given.shape}."
        )
        raise InputError(msg)
    return given.reshape(*given.shape[:2], -1)


def _claim(display: Array, mask: Array) -> int:
    """Set the top band in ``mask`` and return its depth in pixels, 0 where there is none."""
    level = np.median(display[0], axis=0).astype(np.int16)
    depth = 0
    while depth < len(display) and _flat(display[depth], level).mean() >= SHARE:
        depth += 1
    if depth < DEPTH:
        return 0
    mask[:depth] |= np.logical_and.accumulate(_flat(display[:depth], level), axis=0)
    return depth


def _flat(pixels: Array, level: Array) -> Array:
    return np.asarray((np.abs(pixels.astype(np.int16) - level) <= FLAT).all(axis=-1))
