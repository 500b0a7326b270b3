"""From the cells of a map, or from tiles, to the pixels of a thumbnail: through millimetres."""

import numpy as np

from saliency.values.arrays import Array


def on_pixels(
    cells: Array, said: Array, length: tuple[float, float], size: tuple[int, int]
) -> Array:
    """Return a map on the grid of a thumbnail, float32.

    Averaged where a pixel is longer than a cell, else bilinear between the centres of cells.

    Parameters
    ----------
    cells
        float32 (rows, columns).
    said
        bool, same shape: cells that a tile had a say about. Others have no part in an average.
    length
        (rows, columns) of the slide in cells; less than the grid where the last cells reach beyond
        the slide.
    size
        (rows, columns) of the thumbnail.
    """
    weight = _along_both(said.astype(np.float32), length, size)
    heat = _along_both(cells * said, length, size)
    return np.divide(heat, weight, out=np.zeros_like(heat), where=weight > 1e-6)


def cells_at(cells: Array, length: tuple[float, float], size: tuple[int, int]) -> Array:
    """Return for each pixel of a thumbnail the value of the cell that its centre lies in.

    Parameters
    ----------
    cells, length, size
        As for :func:`on_pixels`, but cells of any kind.
    """
    rows, columns = (
        np.minimum(((np.arange(n) + 0.5) * whole / n).astype(int), count - 1)
        for count, whole, n in zip(cells.shape, length, size, strict=True)
    )
    found: Array = cells[np.ix_(rows, columns)]
    return found


def _along_both(
    values: Array, length: tuple[float, float], size: tuple[int, int]
) -> Array:
    rows = _along_first(values, length[0], size[0])
    return np.ascontiguousarray(_along_first(rows.T, length[1], size[1]).T)


def _along_first(values: Array, length: float, size: int) -> Array:
    """Resample the first axis, of which ``length`` cells make up ``size`` pixels."""
    step = length / size
    if step > 1:
        return _averaged(values, np.arange(size + 1) * step) / np.float32(step)
    centres = (np.arange(size) + 0.5) * step - 0.5
    below = np.floor(centres).astype(int)
    share = (centres - below).astype(np.float32)[:, None]
    last = len(values) - 1
    lower, upper = np.clip(below, 0, last), np.clip(below + 1, 0, last)
    mixed: Array = values[lower] * (1 - share) + values[upper] * share
    return mixed


def _averaged(values: Array, edges: Array) -> Array:
    """Return the integral between neighbouring edges of what is constant in each cell."""
    sums = np.zeros((len(values) + 1, values.shape[1]), np.float64)
    np.cumsum(values, axis=0, out=sums[1:])
    whole = np.minimum(edges.astype(int), len(values) - 1)
    share = np.minimum(edges - whole, 1.0)[:, None]
    at = sums[whole] * (1 - share) + sums[whole + 1] * share
    between: Array = np.diff(at, axis=0).astype(np.float32)
    return between
