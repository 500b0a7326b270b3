"""Air around the body, where the picture holds the whole body; never the air in it."""

import numpy as np

from saliency.errors import InputError
from saliency.values.arrays import Array
from saliency.values.zone import Zone
from saliency.zones.components import label, runs_of

#: (0008,0060) where the background of a display is air. Elsewhere dark may be tissue or shadow.
MODALITIES = frozenset({"CT", "MR"})
#: The longer side is looked at in about this many blocks.
BLOCKS = 192
#: Air is no brighter than this, whatever its noise.
DARKEST = 32
#: Share of the picture's edge that must be air: else the body leaves the picture, and its inner
#: air may meet the edge.
SHARE = 0.9


def air_zone(display: Array, modality: str) -> Zone | None:
    """Find the air around the body.

    Blocks as dark as the picture's edge, and joined to one of its corners, count as air; a block
    beside a brighter one does not, so a gap of two blocks (a nostril) is closed and the skin keeps
    a margin.

    Parameters
    ----------
    display
        uint8 (rows, columns). RGB has no air.
    modality
        (0008,0060); only CT and MR are looked at.

    Returns
    -------
    Zone or None
        ``"air"``; None where the body leaves the picture, the edge is not dark, or nothing is left.

    Raises
    ------
    InputError
        Not uint8 of rank 2 or 3.
    """
    pixels = np.asarray(display)
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3):
        msg = f"air: expected the display, uint8 of rank 2 or 3, got {pixels.dtype} {pixels.shape}."
        raise InputError(msg)
    if pixels.ndim == 3 or modality not in MODALITIES:
        return None
    side = max(1, round(max(pixels.shape) / BLOCKS))
    if min(pixels.shape) < side:  # a spectrum, a line: no block is whole
        return None
    # Means of blocks of side x side pixels, (rows, side, columns, side) of what is whole.
    rows, columns = (size // side for size in pixels.shape)
    whole = pixels[: rows * side, : columns * side].reshape(rows, side, columns, side)
    means = whole.mean(axis=(1, 3), dtype=np.float32)
    # The outermost blocks; those of the corners count twice.
    edge = np.concatenate([means[0], means[-1], means[:, 0], means[:, -1]])
    middle = float(np.median(edge))
    # Four median deviations hold what noise does to a mean; 3 levels where there is no noise.
    level = middle + 3 + 4 * float(np.median(np.abs(edge - middle)))
    if level > DARKEST or (edge <= level).mean() < SHARE:
        return None
    outside = _joined_to_corner(_eroded(means <= level))
    if not outside.any() or outside.all():
        return None
    mask = np.repeat(np.repeat(outside, side, axis=0), side, axis=1)
    # The rest at the bottom and right, less than a block, goes with the block beside it.
    mask = np.pad(mask, [(0, side)] * 2, mode="edge")[
        : pixels.shape[0], : pixels.shape[1]
    ]
    evidence = f"dark up to grey level {level:.0f}, joined to a corner of the picture"
    return Zone("air", mask, evidence)


def _eroded(dark: Array) -> Array:
    """Keep the blocks of which all eight neighbours are dark; beyond the picture all are."""
    framed = np.pad(dark, 1, mode="edge")
    of_columns = framed[:-2] & framed[1:-1] & framed[2:]
    kept: Array = of_columns[:, :-2] & of_columns[:, 1:-1] & of_columns[:, 2:]
    return kept


def _joined_to_corner(dark: Array) -> Array:
    """Keep what is connected to a corner: a lung that is cut meets the edge between two walls."""
    runs = runs_of(dark)
    component = label(runs, dark.shape[1])
    # 0 is what is not dark.
    numbers = np.zeros(dark.shape, np.intp)
    numbers[dark] = np.repeat(component + 1, runs.right - runs.left)
    corners = numbers[[0, 0, -1, -1], [0, -1, 0, -1]]
    return np.isin(numbers, np.setdiff1d(corners, [0]))
