"""Brightness and contrast of the patient's pixels: they lie in no zone, yet can be exchanged."""

from typing import Final

import numpy as np

from saliency.interventions.canvas import Canvas
from saliency.values.arrays import Array
from saliency.values.image import DicomImage

TONE: Final = "diagnostic"
"""Its place among exchanges: the one name that no zone can have."""


CHECKS: Final = 4
"""Fields a side of the board on which the control turns the change round."""


def toned(host: Canvas, donor: Canvas) -> DicomImage:
    """Return the host with the donor's mean and standard deviation on its diagnostic pixels.

    Values stay in the range of both pictures. A picture of one value, or without diagnostic pixels,
    gives and takes no contrast.
    """
    return _tone_changed(host, donor, np.ones(host.image.size))


def rippled(host: Canvas, donor: Canvas) -> DicomImage:
    """Return the control: as large a change of each pixel, turned round on half of a board.

    A model that is moved by any change of that size, rather than by brightness, is moved by it,
    too.
    """
    down, across = (CHECKS * np.arange(side) // side for side in host.image.size)
    board = 1.0 - 2 * ((down[:, np.newaxis] + across) % 2)
    return _tone_changed(host, donor, board)


def _tone_changed(host: Canvas, donor: Canvas, sign: Array) -> DicomImage:
    """Return the host with the change of tone, times a sign (rows, columns)."""
    of_host, of_donor = _diagnostic_values(host), _diagnostic_values(donor)
    if not of_host.size or not of_donor.size:
        return host.image
    spread, wanted_spread = of_host.std(), of_donor.std()
    gain = wanted_spread / spread if spread and wanted_spread else 1.0
    values = host.values.astype(np.float32)
    change = (values - of_host.mean()) * gain + of_donor.mean() - values
    changed = values + change * sign.reshape(*sign.shape, *[1] * (values.ndim - 2))
    low, high = min(of_host.min(), of_donor.min()), max(of_host.max(), of_donor.max())
    inside = host.image.diagnostic
    values[inside] = np.clip(changed, low, high)[inside]
    return host.with_values(values)


def _diagnostic_values(picture: Canvas) -> Array:
    values: Array = picture.values[picture.image.diagnostic].astype(np.float64)
    return values
