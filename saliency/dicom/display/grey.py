"""Grey frames: stored values to modality values and to the display."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from saliency.dicom.display.codes import by_code, calmly, has_codes
from saliency.dicom.display.modality import Modality, Rescale
from saliency.dicom.display.presentation import Presentation, to_display
from saliency.dicom.display.voi import Spread, Voi
from saliency.values.arrays import Array


@dataclass(frozen=True)
class DisplayedFrame:
    """A frame ready to be put into a DicomImage.

    Parameters
    ----------
    pixels
        Returns float32, finite: modality units (rows, columns), or RGB 0..255 (rows, columns, 3).
        Asked when somebody looks at them: most look at the display alone.
    display
        uint8 of the same shape.
    absent
        Bool (rows, columns), True where there is no picture; None where it is everywhere.
    voi
        What grey values are shown through, their range at last; None of colour.
    """

    pixels: Callable[[], Array]
    display: Array
    absent: Array | None = None
    voi: Voi | None = None

    @property
    def grey(self) -> bool:
        """Whether the picture has no colours."""
        return self.display.ndim == 2


def show_grey(
    stored: Array, absent: Array | None, modality: Modality, look: "GreyDisplay"
) -> DisplayedFrame:
    """Transform a grey frame.

    Values that are not finite, or do not fit float32, become the least value that does, and join
    ``absent``. Those of few bits always fit.
    """
    if has_codes(stored):
        voi = look.voi or spread(stored, absent, modality)
        display = by_code(look.through(modality, voi), stored, np.uint8)
        return DisplayedFrame(
            lambda: by_code(modality, stored, np.float32), display, absent, voi
        )
    values = calmly(modality, stored, np.float32)
    finite = np.isfinite(values)
    if not finite.all():
        absent = ~finite if absent is None else absent | ~finite
        values = np.where(finite, values, values[finite].min() if finite.any() else 0)
        stored, modality = values, Rescale()
    voi = look.voi or spread(stored, absent, modality)
    display = calmly(look.through(modality, voi), stored, np.uint8)
    return DisplayedFrame(lambda: values, display, absent, voi)


@dataclass(frozen=True)
class GreyDisplay:
    """How modality values are shown; ``voi`` None spreads the range of the frame."""

    voi: Voi | None
    presentation: Presentation

    def through(self, modality: Modality, voi: Voi) -> Callable[[Array], Array]:
        """Return the way from stored values to the display."""
        return lambda stored: to_display(self.presentation(voi(modality(stored))))


def spread(stored: Array, absent: Array | None, modality: Modality) -> Spread:
    """Return the range of the modality values that are there, black where there are none."""
    there = stored if absent is None else stored[~absent]
    if not there.size:
        return Spread(0, 0)
    # A rescale is monotone, up or down; a table may be anything.
    ends = np.array([there.min(), there.max()])
    values = modality(ends) if isinstance(modality, Rescale) else modality(there)
    return Spread(float(values.min()), float(values.max()))
