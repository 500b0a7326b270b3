"""The mean map of other patients: what an explainer shows without a look at the image."""

from collections.abc import Sequence
from typing import Any, Final, final

import numpy as np

from saliency.pipeline.resize import resized
from saliency.values.arrays import Array

GRID: Final = 32
"""Cells along each side: a mean of many images holds nothing finer."""


@final
class MeanMaps:
    """Sums of one explainer's maps over the two halves of the patients.

    The mean map beside an image is that of the half to which its patient does not belong: its own
    map would make it better than it is. Every map counts with the same sum of absolute heat.
    """

    def __init__(self) -> None:
        self._sums: dict[tuple[int, tuple[int, ...]], Array] = {}

    def add(
        self,
        cells: Sequence[Sequence[float]],
        size: tuple[int, ...],
        patients: Sequence[int],
    ) -> None:
        """Add maps of a size (H, W), each as its means in ``GRID`` x ``GRID`` cells."""
        for row, patient in zip(np.asarray(cells), patients, strict=True):
            energy = np.abs(row).sum()
            key = (patient % 2, size)
            share = row / energy if energy > 0 else 0 * row
            self._sums[key] = self._sums.get(key, 0.0) + share

    def beside(self, patient: int, size: tuple[int, ...]) -> Array | None:
        """Return the mean map of the other half, float32 (H, W), up to a factor.

        None where that half has no map of this size, or for volumes.
        """
        cells: Any = self._sums.get((1 - patient % 2, size))
        if cells is None or len(size) != 2:
            return None
        rows, columns = (min(GRID, side) for side in size)
        return resized(cells.reshape(rows, columns).astype(np.float32), size)
