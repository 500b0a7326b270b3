"""Pixels that are missing, from those around them."""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spsolve

from saliency.values.arrays import Array

_NEIGHBOURS = (
    *((0, 1, 1 / 6), (0, -1, 1 / 6), (1, 0, 1 / 6), (-1, 0, 1 / 6)),
    *((1, 1, 1 / 12), (1, -1, 1 / 12), (-1, 1, 1 / 12), (-1, -1, 1 / 12)),
)
"""(row, column, weight): direct and diagonal neighbours (arXiv 2202.00449, section 4.2)."""


def imputed(
    image: Array, missing: Array, noise: float, generator: np.random.Generator
) -> Array:
    """Make each missing pixel the weighted mean of its neighbours, missing ones too, plus noise.

    Beyond the edge there is no neighbour: the weights of the others are scaled to sum to one.

    Parameters
    ----------
    image
        float32 (H, W, C).
    missing
        bool (H, W).
    noise
        Standard deviation of what is added.
    generator
        Of the noise.

    Returns
    -------
    float32 (H, W, C)
        What is not missing is as it was.
    """
    filled = np.array(image, np.float32)
    count = int(missing.sum())
    if count in (0, missing.size):
        return filled
    weights, known = _system(image, missing)
    solved = spsolve(weights.tocsc(), known).reshape(count, -1)
    filled[missing] = solved + noise * generator.standard_normal(solved.shape)
    return filled


def _system(image: Array, missing: Array) -> tuple[sparse.csr_matrix, Array]:
    """Return the equations x_i sum(w) - sum(w x_missing) = sum(w x_known), one a missing pixel."""
    count = int(missing.sum())
    number = np.full(missing.shape, -1)
    number[missing] = np.arange(count)
    rows, columns = np.nonzero(missing)
    total = np.zeros(count)
    known = np.zeros((count, image.shape[2]))
    entries = []
    for down, across, weight in _NEIGHBOURS:
        there = rows + down, columns + across
        inside = (there[0] >= 0) & (there[0] < missing.shape[0])
        inside &= (there[1] >= 0) & (there[1] < missing.shape[1])
        here = np.flatnonzero(inside)
        place = there[0][inside], there[1][inside]
        total[here] += weight
        is_missing = missing[place]
        known[here[~is_missing]] += weight * image[place][~is_missing]
        entries.append((here[is_missing], number[place][is_missing], -weight))
    matrix = sparse.diags_array(total).tocsr()
    for equation, unknown, weight in entries:
        given = np.full(len(equation), weight)
        matrix = matrix + sparse.csr_matrix(
            (given, (equation, unknown)), (count, count)
        )
    return matrix, known
