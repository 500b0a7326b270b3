"""Exchange a part of two pictures or take it out, and find a place elsewhere for the same."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from saliency.interventions.canvas import Canvas
from saliency.interventions.fills import FILLS, Fill, continued
from saliency.values.arrays import Array
from saliency.values.image import DicomImage

Slices: TypeAlias = tuple[slice, slice]

TRIES = 48
"""Places looked at for a control."""
COARSE = 128
"""Places are compared on a grid of this many cells a side, at most."""
ROOM = 0.5
"""A control must keep this much of the zone's area, or there is no room for one."""


def pasted(host: Array, donor: Array, mask: Array) -> Array:
    """Put the donor's pixels into the host, as they are.

    Parameters
    ----------
    host, donor
        float32 (rows, columns[, 3]), alike.
    mask
        bool (rows, columns).
    """
    result = np.array(host, np.float32)
    result[mask] = donor[mask]
    return result


def blended(host: Array, donor: Array, mask: Array) -> Array:
    """Put what stands out from the donor's background onto the host's background.

    The anatomy that shows between letters stays the host's. Background is the fill of that name;
    the sum is kept in the range of both pictures, as seamless cloning is (Perez et al. 2003).
    """
    if not mask.any():
        return np.array(host, np.float32)
    box = around(mask)
    mask_in_box = mask[box]
    of_host, of_donor = host[box].astype(np.float32), donor[box].astype(np.float32)
    # The fill is linear in the pixels: the host's background less the donor's is one fill.
    mixed = of_donor + smooth(of_host - of_donor, mask_in_box)
    low, high = min(of_host.min(), of_donor.min()), max(of_host.max(), of_donor.max())
    result = np.array(host, np.float32)
    result[box][mask_in_box] = np.clip(mixed, low, high)[mask_in_box]
    return result


Way: TypeAlias = Callable[[Array, Array, Array], Array]
"""(host, donor, mask) -> float32 like the host."""

EXCHANGES: tuple[Way, ...] = (pasted, blended)
"""Two ways, so that no answer hangs on one of them."""


def ways(*, strokes: bool) -> tuple[Way, ...]:
    """Return how to exchange: strokes without the anatomy between them, anything else both ways."""
    return (blended,) if strokes else EXCHANGES


def removed(values: Array, mask: Array) -> Array:
    """Return the values with the background in place of the masked ones; 0 where all is masked."""
    result = np.array(values, np.float32)
    if mask.all():
        return np.zeros_like(result)
    if mask.any():
        box = around(mask)
        result[box] = smooth(result[box], mask[box])
    return result


def without(canvas: Canvas, mask: Array, fill: str, seed: int) -> DicomImage:
    """Return the picture with a fill of :data:`FILLS` in place of the masked pixels.

    ``mask`` leaves at least one pixel.
    """
    if fill == "background":
        return canvas.with_values(removed(canvas.values, mask))
    chosen: Fill = FILLS[fill]
    return canvas.with_values(chosen(canvas.values, mask, np.random.default_rng(seed)))


def variants(canvas: Canvas, mask: Array, moved: Array, seed: int) -> list[DicomImage]:
    """Return for each fill the picture without the zone, then without the moved zone."""
    places = (mask, moved)
    return [without(canvas, place, fill, seed) for fill in FILLS for place in places]


def around(mask: Array) -> Slices:
    """Return the box of a mask, with a margin to know its surroundings by."""
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    longer = max(int(np.ptp(rows)), int(np.ptp(columns)))
    # An eighth of its longer side, and 8 pixels where it is small: enough to fill it from.
    margin = 8 + longer // 8
    return _widened(rows, margin), _widened(columns, margin)


def smooth(values: Array, mask: Array) -> Array:
    """Return the background fill; all of it where nothing is known."""
    if mask.all():
        return np.full_like(values, values.mean())
    return continued(values, mask)


def elsewhere(
    mask: Array, taken: Array, generator: np.random.Generator
) -> Array | None:
    """Return the mask moved to where nothing is taken, None where there is no room.

    Parameters
    ----------
    mask
        bool (rows, columns), not empty.
    taken
        bool, same shape: where the moved mask must not lie; cut out where it cannot be helped.
    generator
        Chooses among the places.
    """
    step = -(-max(mask.shape) // COARSE)
    small, full = _coarse(mask, step), _coarse(mask | taken, step)
    for wrap in (False, True):
        kept, offset = _best_offset(small, full, generator, wrap=wrap)
        # A place that keeps nine tenths of the zone will do; else edges may be wrapped around.
        if kept >= 0.9 * small.sum():
            break
    moved: Array = np.roll(mask, (offset[0] * step, offset[1] * step), (0, 1))
    moved[mask | taken] = False
    return moved if moved.sum() >= ROOM * mask.sum() else None


def _best_offset(
    small: Array, full: Array, generator: np.random.Generator, *, wrap: bool
) -> tuple[int, tuple[int, int]]:
    """Return how much is kept at the best of some places, and the way there.

    Places lie inside the picture unless they may wrap.
    """
    rows, columns = np.nonzero(small)
    (height, width), low, high = small.shape, (0, 0), small.shape
    if not wrap:
        low = -int(rows.min()), -int(columns.min())
        high = height - int(rows.max()), width - int(columns.max())
    offsets = [
        (
            int(generator.integers(low[0], high[0])),
            int(generator.integers(low[1], high[1])),
        )
        for _ in range(TRIES)
    ]
    kept = []
    for down, across in offsets:
        taken = full[(rows + down) % height, (columns + across) % width]
        kept.append(int((~taken).sum()))
    best = int(np.argmax(kept))
    return kept[best], offsets[best]


def _coarse(mask: Array, step: int) -> Array:
    rows, columns = -mask.shape[0] % step, -mask.shape[1] % step
    cells = np.pad(mask, ((0, rows), (0, columns)))
    # (rows, step, columns, step): a cell is True where any of its pixels is.
    blocks = cells.reshape(cells.shape[0] // step, step, -1, step)
    coarse: Array = blocks.max(axis=(1, 3))
    return coarse


def _widened(places: Array, margin: int) -> slice:
    return slice(max(0, int(places[0]) - margin), int(places[-1]) + 1 + margin)
