"""Which pixels to paint."""

from dataclasses import dataclass
from typing import final

import numpy as np

from saliency.errors import InputError
from saliency.values.arrays import Array, frozen
from saliency.values.heatmap import Heatmap


@final
@dataclass(frozen=True, eq=False)
class Mask:
    """A selection of pixels.

    Parameters
    ----------
    values
        bool (rows, columns), True where selected.

    Raises
    ------
    InputError
        The array is not bool of rank 2.
    """

    values: Array

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "values", frozen(self.values, np.bool_, "Mask.values", ranks=(2,))
        )

    def __reduce__(self) -> tuple[object, ...]:
        return Mask, (self.values,)

    def __repr__(self) -> str:
        rows, columns = self.values.shape
        return f"Mask({rows} x {columns}, {float(self.values.mean()):.1%} selected)"


def top_fraction(heatmap: Heatmap, fraction: float = 0.1) -> Mask:
    """Select the pixels with the greatest absolute heat.

    Parameters
    ----------
    heatmap
        Any heatmap; its sign is ignored.
    fraction
        Share of the pixels, in (0, 1]. The count is rounded to the nearest whole, at least 1.

    Returns
    -------
    Mask
        Exactly that many pixels, fewer where fewer have any heat: a pixel without heat is never
        selected. Of equal ones the first in row order wins.

    Raises
    ------
    InputError
        The fraction is outside (0, 1].
    """
    if not 0 < fraction <= 1:
        msg = f"top_fraction: expected a fraction in (0, 1], got {fraction}."
        raise InputError(msg)
    heat = np.abs(heatmap.values).ravel()
    count = max(1, round(fraction * heat.size))
    chosen = np.argsort(-heat, kind="stable")[:count]
    selected = np.zeros(heat.size, np.bool_)
    selected[chosen] = heat[chosen] > 0
    return Mask(selected.reshape(heatmap.values.shape))


def above(heatmap: Heatmap, level: float) -> Mask:
    """Select the pixels with more absolute heat than ``level`` (the map's own unit, >= 0)."""
    if not level >= 0:
        msg = f"above: expected a level >= 0, got {level}."
        raise InputError(msg)
    return Mask(np.abs(heatmap.values) > level)
