"""How well a heatmap agrees with a truth: masks that people drew."""

from typing import Literal, TypeAlias

import numpy as np
from scipy import ndimage

from saliency.errors import InputError
from saliency.pipeline.checks import check_share
from saliency.pipeline.resize import resized
from saliency.values.arrays import Array
from saliency.values.heatmap import Heatmap
from saliency.values.mask import Mask

Map: TypeAlias = Heatmap | Array
Truth: TypeAlias = Mask | Array
Empty: TypeAlias = Literal["skip", "zero"]

_EIGHT = np.ones((3, 3), np.bool_)
"""Pixels that touch at a corner belong together, as OpenCV's contours have it."""


def pointing_game(heatmap: Map, truth: Truth) -> float:
    """Say whether the greatest value lies in the truth (Zhang et al., arXiv 1608.00507).

    No tolerance around the truth is added, and of equal values the first in row order counts, as
    in CheXlocalize (Saporta et al. 2022), whose hit rate is the mean of this.

    Parameters
    ----------
    heatmap
        Heatmap, or float (rows, columns); another grid than the truth's is resized to it, bilinear
        with half-pixel centres. Values above 0 speak for the class.
    truth
        Mask, or bool (rows, columns).

    Returns
    -------
    float
        1.0 or 0.0; NaN where the truth is empty.

    Raises
    ------
    InputError
        A map is not of rank 2, or holds NaN or infinity.
    """
    heat, inside = _on_one_grid(heatmap, truth)
    if not inside.any():
        return float("nan")
    return float(inside.ravel()[np.argmax(heat)])


def energy_inside(heatmap: Map, truth: Truth) -> float:
    """Return the share of absolute heat that lies in the truth (Wang, arXiv 1910.01279, eq. 8).

    Parameters
    ----------
    heatmap, truth
        As for :func:`pointing_game`.

    Returns
    -------
    float
        0..1; NaN where the truth is empty or the map is blank. A map without knowledge reaches
        the share of pixels that the truth has.
    """
    heat, inside = _on_one_grid(heatmap, truth)
    energy = np.abs(heat, dtype=np.float64)
    if not inside.any() or not energy.any():
        return float("nan")
    return float(energy[inside].sum() / energy.sum())


def miou_otsu(heatmap: Map, truth: Truth, *, empty: Empty = "skip") -> float:
    """Return the intersection over union of the truth and the map cut by Otsu's threshold.

    As CheXlocalize has it (Saporta et al., Nature Machine Intelligence 4 (2022) 867): the map is
    scaled to 0..255 by its least and greatest value and cut to whole numbers, values above Otsu's
    threshold are kept, holes are filled, single pixels are dropped. mIoU is the mean over images.

    Parameters
    ----------
    heatmap, truth
        As for :func:`pointing_game`.
    empty
        What counts where the truth or the cut map is empty. ``"skip"``: NaN. ``"zero"``: 0, and
        NaN where both are.

    Returns
    -------
    float
        0..1 or NaN.
    """
    heat, inside = _on_one_grid(heatmap, truth)
    return _iou(otsu_mask(heat).values, inside, empty)


def miou(
    heatmap: Map, truth: Truth, *, threshold: float, empty: Empty = "skip"
) -> float:
    """Return the intersection over union of the truth and the map above a threshold.

    The map is scaled to 0..1 by its least and greatest value; nothing is filled or dropped.

    Parameters
    ----------
    heatmap, truth, empty
        As for :func:`miou_otsu`.
    threshold
        0..1: values above it are kept.
    """
    check_share("miou", "threshold", threshold)
    heat, inside = _on_one_grid(heatmap, truth)
    return _iou(_unit(heat) > threshold, inside, empty)


def auprc(heatmap: Map, truth: Truth) -> float:
    """Return the area under the curve of precision against recall over all pixels.

    The sum over thresholds of (recall step) x precision, without interpolation; equal values
    enter together. A map without knowledge reaches the share of pixels that the truth has.

    Parameters
    ----------
    heatmap, truth
        As for :func:`pointing_game`.

    Returns
    -------
    float
        0..1; NaN where the truth is empty.
    """
    heat, inside = _on_one_grid(heatmap, truth)
    if not inside.any():
        return float("nan")
    order = np.argsort(-heat.ravel(), kind="stable")
    values, right = heat.ravel()[order], inside.ravel()[order]
    last_of_equals = np.flatnonzero(np.append(np.diff(values) != 0, True))
    found = np.cumsum(right)[last_of_equals]
    precision = found / (last_of_equals + 1)
    recall_steps = np.diff(found, prepend=0) / right.sum()
    return float((precision * recall_steps).sum())


def otsu_mask(heatmap: Map) -> Mask:
    """Cut a map by Otsu's threshold, fill holes and drop single pixels; see :func:`miou_otsu`."""
    grey = (_unit(_heat(heatmap)) * 255).astype(np.uint8)  # 255 x, cut, not rounded
    filled = ndimage.binary_fill_holes(grey > _otsu_threshold(grey))
    parts, count = ndimage.label(filled, _EIGHT)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    return Mask((sizes > 1)[parts] & filled)


def _otsu_threshold(grey: Array) -> int:
    """Return the grey level that parts the histogram with the greatest variance between classes.

    Otsu, IEEE Trans. SMC 9 (1979) 62, equation 14; the first of equal ones, as in OpenCV.
    """
    levels = np.arange(256)
    share = np.bincount(grey.ravel(), minlength=256) / grey.size
    below = np.cumsum(share)
    mean_below = np.cumsum(share * levels)
    mean = mean_below[-1]
    weight = below * (1 - below)
    # A class of rounding errors alone is none.
    parted = np.minimum(below, 1 - below) > np.finfo(np.float32).eps
    between = np.zeros(256)
    between[parted] = (mean * below - mean_below)[parted] ** 2 / weight[parted]
    return int(np.argmax(between))


def _iou(found: Array, inside: Array, empty: Empty) -> float:
    if empty not in ("skip", "zero"):
        msg = f"miou: expected empty to be 'skip' or 'zero', got {empty!r}."
        raise InputError(msg)
    if found.any() and inside.any():
        return float((found & inside).sum() / (found | inside).sum())
    neither = not (found.any() or inside.any())
    return float("nan") if empty == "skip" or neither else 0.0


def _unit(heat: Array) -> Array:
    """Scale to 0..1 by the least and greatest value; 0 where all are equal."""
    low, high = heat.min(), heat.max()
    if high == low:
        return np.zeros_like(heat)
    scaled: Array = (heat.astype(np.float64) - low) / (float(high) - low)
    return scaled


def _on_one_grid(heatmap: Map, truth: Truth) -> tuple[Array, Array]:
    inside = np.asarray(truth.values if isinstance(truth, Mask) else truth)
    if inside.ndim != 2 or not inside.size or inside.dtype != np.bool_:
        msg = (
            f"truth: expected a Mask, or bool (rows, columns), got {inside.dtype} {inside.shape}. "
            "A mask of numbers becomes bool by mask > 0."
        )
        raise InputError(msg)
    heat = _heat(heatmap)
    rows, columns = inside.shape
    return (
        heat if heat.shape == inside.shape else resized(heat, (rows, columns))
    ), inside


def _heat(heatmap: Map) -> Array:
    heat = np.asarray(heatmap.values if isinstance(heatmap, Heatmap) else heatmap)
    numbers = heat.ndim == 2 and heat.size and heat.dtype.kind in "fiub"
    if not numbers or not np.isfinite(heat).all():
        msg = (
            f"heatmap: expected a Heatmap, or finite numbers (rows, columns), got {heat.dtype} "
            f"{heat.shape}."
        )
        raise InputError(msg)
    return heat if heat.dtype.kind == "f" else heat.astype(np.float32)
