"""What frames an image: letterbox bars, collimation, the frame of a screen copy."""

import numpy as np

from saliency.values.arrays import Array
from saliency.values.zone import Zone
from saliency.zones.collimator import outside_of_collimator
from saliency.zones.display import checked_display
from saliency.zones.markers import RADIOGRAPHS

#: Grey levels by which the pixels of a band may differ: lossy compression moves them that far.
FLAT = 2
#: Share of a row that has the band's level; a line of text may stand on the rest.
SHARE = 0.9
#: A band is at least this many pixels deep.
DEPTH = 3


#: (0008,0060) of images that a collimator may frame.
COLLIMATED = RADIOGRAPHS | {"IO", "RF"}


def border_zone(display: Array, modality: str = "") -> Zone | None:
    """Find flat bands of whole rows and columns along the edges; of radiographs, tilted edges too.

    A pixel belongs to a band when it, and all between it and the edge, have the level of the edge;
    what the band frames is never claimed, whatever its level. Outside of a tilted or many-sided
    collimator is what :func:`saliency.zones.collimator.outside_of_collimator` says.

    Parameters
    ----------
    display
        uint8 (rows, columns) or RGB (rows, columns, 3).
    modality
        (0008,0060); tilted edges are looked for on grey images of ``COLLIMATED`` alone.

    Returns
    -------
    Zone or None
        ``"border"``; None where there is no band, or the whole picture is one.

    Raises
    ------
    InputError
        Another shape or dtype.
    """
    pixels = checked_display(display, "border")
    planes = pixels.reshape(*pixels.shape[:2], -1)
    mask = np.zeros(planes.shape[:2], np.bool_)
    # np.rot90 of the mask is a view: what is set there is set here.
    depths = [
        _set_top_band(np.rot90(planes, turn), np.rot90(mask, turn)) for turn in range(4)
    ]
    if mask.all():
        return None
    grey = pixels.ndim == 2 and modality in COLLIMATED
    tilted = outside_of_collimator(pixels) if grey else None
    if tilted is None and not any(depths):
        return None
    # np.rot90 turns anticlockwise: the right edge comes to the top after one turn.
    top, right, bottom, left = depths
    evidence = f"flat bands: top {top}, bottom {bottom}, left {left}, right {right} px"
    if tilted is None:
        return Zone("border", mask, evidence)
    beyond = (
        f"{100 * tilted.mean():.0f} % of the image outside of tilted straight edges"
    )
    return Zone("border", mask | tilted, f"{evidence}; {beyond}")


def _set_top_band(planes: Array, mask: Array) -> int:
    """Set the top band in ``mask`` and return its depth in pixels, 0 where there is none."""
    level = np.median(planes[0], axis=0).astype(np.int16)
    depth = 0
    while depth < len(planes) and _has_level(planes[depth], level).mean() >= SHARE:
        depth += 1
    if depth < DEPTH:
        return 0
    # A pixel counts when all above it do.
    mask[:depth] |= np.logical_and.accumulate(_has_level(planes[:depth], level), axis=0)
    return depth


def _has_level(pixels: Array, level: Array) -> Array:
    """Return where all channels are within ``FLAT`` of a level (channels,)."""
    differences = np.abs(pixels.astype(np.int16) - level)
    return np.asarray((differences <= FLAT).all(axis=-1))
