"""The window of grey values that a display shows (VOI)."""

import math
from dataclasses import dataclass
from typing import final

from saliency.errors import InputError


@final
@dataclass(frozen=True)
class Window:
    """Window Center and Window Width in modality units (PS3.3 C.11.2.1.2).

    Parameters
    ----------
    center
        (0028,1050), finite.
    width
        (0028,1051), finite and greater than 0.

    Raises
    ------
    InputError
        A number is not finite, or the width is not positive.
    """

    center: float
    width: float

    def __post_init__(self) -> None:
        if not (
            math.isfinite(self.center) and math.isfinite(self.width) and self.width > 0
        ):
            msg = (
                "Window: expected a finite center and a finite width > 0, "
                f"got center={self.center}, width={self.width}."
            )
            raise InputError(msg)
