"""What is drawn at one place of the frame in one group of images and not in the other.

A mark of any font, shape or contrast that keeps its place stays sharp in the mean of many images;
anatomy, which differs from patient to patient by more than a stroke's width, does not.
"""

from typing import Final

import numpy as np

from saliency.values.arrays import Array
from saliency.zones.components import label, runs_of

GRID: Final = 160
"""Pixels of the long side of the frame that lengths below are for; they scale with it."""
BLUR: Final = 2.0
"""Pixels: what is wider is background."""
BLOCK: Final = 8
"""Pixels a side of the blocks in which the energy of strokes is compared."""
DRAWS: Final = 199
SURE: Final = 0.025
"""Of each of the two statistics, so that one set in twenty without marks gives a candidate."""
FAINTEST: Final = 0.5
"""Difference of means in spreads of tissue, below which nothing is called drawn."""
LOUDER: Final = 1.0
"""Difference of log energy of a block, in excess of the image's own: e times as much."""
ALIGNED: Final = 0.5
"""Correlation with the mean of the others from which images show one anatomy in one place."""
GROWN: Final = 2
"""Pixels that a candidate is grown by: edges are found, strokes are wanted."""
NEAR: Final = 6
"""Pixels that letters of a word are apart, at most."""
HOLE: Final = 0.03
"""Share of the frame up to which a hole is filled: of a plaster only the edges are sharp. What a
border encloses is no hole."""
MOST: Final = 0.4
"""Share of the frame above which a difference is no mark."""


def fixed_patterns(
    frames: Array,
    member: Array,
    generator: np.random.Generator,
    hot: Array | None = None,
) -> Array:
    """Return where something is drawn in one group alone, bool (rows, columns).

    Two statistics are compared between a group and the rest: the mean of what is finer than
    :data:`BLUR` (one mark in one place), and the log energy of that in blocks (other marks in the
    same place). Each threshold is a quantile of the maximum over the frame when groups are permuted
    (Westfall and Young 1993).

    Parameters
    ----------
    frames
        float (n, rows, columns), one grid for all.
    member
        int (n,): the group of each image, -1 for none.
    generator
        Of the permutations.
    hot
        bool (rows, columns): where heatmaps lie. In these pixels the threshold is that of the
        maximum over them alone.
    """
    rows = np.flatnonzero(member >= 0)
    size = frames.shape[1:]
    nothing = np.zeros(size, np.bool_)
    groups = np.unique(member[rows])
    if len(groups) < 2:
        return nothing
    fine = _of_one_grain(np.stack([_fine(frames[row]) for row in rows]))
    weights = _weights(member[rows], groups)
    drawn = [
        _weights(generator.permutation(member[rows]), groups) for _ in range(DRAWS)
    ]
    mean_mask = _differing(
        fine.reshape(len(rows), -1), weights, drawn, _tissue(fine) * FAINTEST, hot
    )
    energy = _energies(fine)
    energy_mask = _differing(
        energy.reshape(len(rows), -1), weights, drawn, LOUDER, None
    )
    side = _block_side(size)
    in_blocks = np.kron(
        energy_mask.reshape(energy.shape[1:]), np.ones((side, side), np.bool_)
    )
    mask = mean_mask.reshape(size) | _padded_to(in_blocks, size)
    mask = _holes_filled(grown_by(mask, _scaled(GROWN, size)))
    return nothing if mask.mean() > MOST else mask


def parts_of(mask: Array, most: int) -> list[Array]:
    """Return the parts of a mask that lie apart, the largest first, so many at most."""
    if not mask.any():
        return []
    near = grown_by(mask, _scaled(NEAR / 2, mask.shape))
    parts = [part & mask for part in _components(near)]
    return sorted(parts, key=lambda part: -int(part.sum()))[:most]


def _components(mask: Array) -> list[Array]:
    """Return the connected parts of a mask that is not empty, corners included."""
    runs = runs_of(mask)
    part = label(runs, mask.shape[1])
    components = []
    for number in range(int(part.max()) + 1):
        component = np.zeros(mask.shape, np.bool_)
        of_part = (side[part == number] for side in runs)
        for row, left, right in zip(*of_part, strict=True):
            component[row, left:right] = True
        components.append(component)
    return components


def _holes_filled(mask: Array) -> Array:
    """Return the mask with its small holes."""
    result = np.array(mask)
    if mask.any() and not mask.all():
        for hole in _components(~mask):
            if hole.mean() <= HOLE:
                result |= hole
    return result


def alignment(frames: Array) -> float:
    """Return how alike images are place by place, -1..1.

    The median correlation of a smoothed image with the mean of all others: high for radiographs
    of one view, near 0 for images that share the frame alone.

    Parameters
    ----------
    frames
        float (n, rows, columns).
    """
    if len(frames) < 2:
        return 0.0
    coarse = np.stack([_blurred(frame, max(frame.shape) / 32) for frame in frames])
    flat = coarse.reshape(len(frames), -1).astype(np.float64)
    # One scale for all: a bright image must not be the mean.
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.maximum(flat.std(axis=1, keepdims=True), 1e-12)
    others = (flat.sum(axis=0) - flat) / (len(flat) - 1)
    spread = np.maximum(others.std(axis=1), 1e-12)
    return float(np.median((flat * others).mean(axis=1) / spread))


def _weights(member: Array, groups: Array) -> Array:
    """Return float (G, n): the mean of each group less that of the others."""
    inside = member == groups[:, np.newaxis]
    outside = ~inside
    return np.asarray(
        inside / inside.sum(axis=1, keepdims=True)
        - outside / outside.sum(axis=1, keepdims=True),
        np.float32,
    )


def _differing(
    numbers: Array,
    weights: Array,
    drawn: list[Array],
    least: float,
    hot: Array | None,
) -> Array:
    """Return where groups differ for sure and by enough, bool (d,)."""
    centred = numbers - numbers.mean(axis=0)
    spread = centred.std(axis=0)
    # A black screen has no spread: a quarter of the frame's own keeps it from ruling.
    floor = max(0.25 * float(np.sqrt((spread**2).mean())), 1e-6)
    scaled = centred / np.maximum(spread, floor)
    observed = np.abs(weights @ scaled).max(axis=0)
    heights = np.stack([np.abs(draw @ scaled).max(axis=0) for draw in drawn])
    reached = heights.max(axis=1)
    sure = observed > np.quantile(reached, 1 - SURE)
    if hot is not None and hot.any():
        warm = hot.ravel()
        sure |= warm & (observed > np.quantile(heights[:, warm].max(axis=1), 1 - SURE))
    far_apart = np.abs(weights @ centred).max(axis=0) >= least
    return np.asarray(sure & far_apart)


def _tissue(fine: Array) -> float:
    """Return how much fine structure varies where there is any."""
    spread = fine.std(axis=0)
    there = spread[spread > 0.1 * spread.mean()]
    return max(float(np.median(there)) if there.size else 0.0, 1e-6)


def _energies(fine: Array) -> Array:
    """Return log mean squares of blocks, less the image's median; float (n, blocks, blocks)."""
    count, rows, columns = fine.shape
    side = _block_side(fine.shape[1:])
    kept = fine[:, : rows - rows % side, : columns - columns % side]
    blocks = kept.reshape(count, rows // side, side, columns // side, side)
    energy = (blocks**2).mean(axis=(2, 4))
    floor = 0.05 * max(float(energy.mean()), 1e-12)
    logs = np.log(energy + floor)
    return np.asarray(logs - np.median(logs, axis=(1, 2), keepdims=True))


def _fine(frame: Array) -> Array:
    sigma = max(1.0, BLUR * max(frame.shape) / GRID)
    return np.asarray(frame - _blurred(frame, sigma), np.float32)


def _of_one_grain(fine: Array) -> Array:
    """Return fine structure in units of each image's own: groups may differ in grain.

    A permutation takes images of either group for alike; noise in one group alone would make its
    means look surer than they are.
    """
    grain = np.median(np.abs(fine), axis=(1, 2), keepdims=True)
    # An image without grain has a quarter of the median one's: none is blown up.
    least = max(0.25 * float(np.median(grain)), 1e-9)
    return np.asarray(fine / np.maximum(grain, least))


def _block_side(size: tuple[int, ...]) -> int:
    """Return pixels a side of a block, 4 at least: of fewer an energy says little."""
    return max(4, _scaled(BLOCK, size))


def _scaled(length: float, size: tuple[int, ...]) -> int:
    return max(1, round(length * max(size) / GRID))


def _blurred(frame: Array, sigma: float) -> Array:
    """Return the frame under a Gaussian, edges repeated."""
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    result = np.asarray(frame, np.float32)
    for axis in (0, 1):
        width = [(0, 0), (0, 0)]
        width[axis] = (reach, reach)
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(result, width, mode="edge"), len(kernel), axis
        )
        result = np.asarray(windows @ kernel.astype(np.float32))
    return result


def grown_by(mask: Array, by: int) -> Array:
    """Return the mask and what lies so many pixels beside it, down, across or both."""
    padded = np.pad(mask, by)
    for axis in (0, 1):
        shifted = [np.roll(padded, step, axis) for step in range(-by, by + 1)]
        padded = np.asarray(np.logical_or.reduce(shifted))
    return np.asarray(padded[by:-by, by:-by])


def _padded_to(mask: Array, size: tuple[int, ...]) -> Array:
    return np.pad(mask, [(0, size[k] - mask.shape[k]) for k in (0, 1)])
