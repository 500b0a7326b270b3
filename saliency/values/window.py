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


def ends_of(window: Window) -> tuple[float, float]:
    """Return the values that a window shows as black and as white.

    LINEAR: c - 0.5 -+ (w - 1) / 2 (PS3.3 C.11.2.1.2.1). The standard forbids it a width below 1,
    which values of a small unit have: LINEAR_EXACT, c -+ w / 2 (C.11.2.1.3.2).
    """
    if window.width < 1:
        return window.center - window.width / 2, window.center + window.width / 2
    half = (window.width - 1) / 2
    return window.center - 0.5 - half, window.center - 0.5 + half
