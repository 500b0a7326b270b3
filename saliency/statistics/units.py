"""The unit of a test: several images of one patient are one observation."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from saliency.values.arrays import Array


def numbered(names: Iterable[Any]) -> Array:
    """Return a number for each unit, int (n,), in the order of their first images.

    An image without a name (None, NaN or an empty text) is a unit of its own.
    """
    keys = [
        ("alone", index) if is_missing(name) else name
        for index, name in enumerate(names)
    ]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([numbers[key] for key in keys], np.int64)


def shares_of_unit(units: Array) -> Array:
    """Return float (n,): one over the number of images of each image's unit."""
    _, place, counts = np.unique(units, return_inverse=True, return_counts=True)
    return np.asarray(1 / counts[place])


def unit_means(values: Array, units: Array) -> Array:
    """Return the mean of each unit, float (units, ...), of values (n, ...)."""
    _, place, counts = np.unique(units, return_inverse=True, return_counts=True)
    sums = np.zeros((len(counts), *values.shape[1:]))
    np.add.at(sums, place, values)
    # Transposed, units are the last axis, which counts are divided along.
    return np.asarray((sums.T / counts).T)


def majority(member: Array, units: Array) -> Array:
    """Return the group that most images of each unit belong to, int (units,); ties the lower."""
    _, place = np.unique(units, return_inverse=True)
    counts = np.zeros((place.max() + 1, int(member.max()) + 1), np.int64)
    np.add.at(counts, (place, member), 1)
    return np.asarray(counts.argmax(axis=1))


def shuffled(
    member: Array, units: Array, generator: np.random.Generator, draws: int
) -> Array:
    """Return groups as they could be under the null hypothesis, int (draws, n).

    Each unit gets the groups of another unit, in any order. Units of one group, and units of equal
    size, keep the number of units in each group (Winkler et al. 2015, whole blocks and within
    blocks). A unit of n images takes every (m / n)-th group of a unit of m.
    """
    _, place, sizes = np.unique(units, return_inverse=True, return_counts=True)
    by_unit = np.argsort(place, kind="stable")
    unit = place[by_unit]
    starts = np.cumsum(sizes) - sizes
    # (draws, units): whose groups a unit gets.
    source = generator.random((draws, len(sizes))).argsort(axis=1)[:, unit]
    # Random keys below 1 keep to their unit when its number is added.
    order = np.argsort(unit + generator.random((draws, len(unit))), axis=1)
    rank = order - starts[unit]
    # The same offset for all images of a unit: with equal sizes, each group is taken once.
    offset = generator.random((draws, len(sizes)))[:, unit]
    step = sizes[source] / sizes[unit]
    taken = starts[source] + np.minimum(
        ((rank + offset) * step).astype(np.int64), sizes[source] - 1
    )
    result = np.empty((draws, len(unit)), member.dtype)
    result[:, by_unit] = member[by_unit][taken]
    return result


def resampled(
    units: Array, strata: Array, generator: np.random.Generator, draws: int
) -> Array:
    """Return how often each image is drawn with its unit, float (draws, n).

    Of s units of a stratum s - 1 are drawn, with replacement: the variance of a mean of s - 1
    draws is that of the mean of s observations without bias (Efron 1982, section 6.1).

    Parameters
    ----------
    units
        int (n,).
    strata
        int (units,): drawn apart, in the order of the units' numbers.
    generator
        Of the draws.
    draws
        How many.
    """
    _, place = np.unique(units, return_inverse=True)
    counts = np.zeros((draws, len(strata)))
    for stratum in np.unique(strata):
        inside = np.flatnonzero(strata == stratum)
        even = np.full(len(inside), 1 / len(inside))
        counts[:, inside] = generator.multinomial(max(1, len(inside) - 1), even, draws)
    return counts[:, place]


def is_missing(name: Any) -> bool:
    """Say whether a name is None, NaN or an empty text."""
    # NaN alone differs from itself.
    return name is None or name != name or (isinstance(name, str) and not name.strip())  # noqa: PLR0124
