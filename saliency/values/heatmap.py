"""The heat of every pixel of an image, or voxel of a volume."""

from dataclasses import dataclass
from typing import final

import numpy as np

from saliency.values.arrays import Array, finite, frozen


@final
@dataclass(frozen=True, eq=False)
class Heatmap:
    """Attribution on the image's own grid.

    Parameters
    ----------
    values
        float32 (rows, columns), or (slices, rows, columns) of a volume; finite. Signed where the
        method is: above 0 is evidence for the target, below 0 against it. The unit is the method's
        own, never rescaled.

    Raises
    ------
    InputError
        The rank is neither 2 nor 3, or a value is not finite.
    """

    values: Array

    def __post_init__(self) -> None:
        values = finite(
            frozen(self.values, np.float32, "Heatmap.values", ranks=(2, 3)), "Heatmap"
        )
        object.__setattr__(self, "values", values)

    def __reduce__(self) -> tuple[object, ...]:
        return Heatmap, (self.values,)

    def __repr__(self) -> str:
        grid = " x ".join(map(str, self.values.shape))
        low, high = float(self.values.min()), float(self.values.max())
        return f"Heatmap({grid}, {low:.3g} .. {high:.3g})"
