"""What a model is asked about, and where it came from."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from saliency.errors import InputError
from saliency.values.arrays import Array, finite, frozen
from saliency.values.placement import Placement


@final
@dataclass(frozen=True, eq=False)
class ModelInput:
    """One prepared picture.

    Parameters
    ----------
    array
        float32 (1, H, W, C), finite, in the range that the model was trained on.
    placement
        The map between the image grid and (H, W).
    made_by
        The ``Prepare`` that made it; None where that is not known.

    Raises
    ------
    InputError
        The array is not a batch of one, not finite, or not of the placement's model size.
    """

    array: Array
    placement: Placement
    made_by: Any = None

    def __post_init__(self) -> None:
        array = finite(
            frozen(self.array, np.float32, "ModelInput.array", ranks=(4,)), "ModelInput"
        )
        if array.shape[0] != 1 or array.shape[1:3] != self.placement.model_size:
            want = (1, *self.placement.model_size, "C")
            msg = f"ModelInput.array: expected shape {want}, got {array.shape}."
            raise InputError(msg)
        object.__setattr__(self, "array", array)

    def __reduce__(self) -> tuple[object, ...]:
        return ModelInput, (self.array, self.placement, self.made_by)

    def __repr__(self) -> str:
        _, rows, columns, channels = self.array.shape
        low, high = float(self.array.min()), float(self.array.max())
        return f"ModelInput({rows} x {columns} x {channels}, {low:.3g} .. {high:.3g})"
