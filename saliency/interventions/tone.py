"""Brightness and contrast of the patient's pixels: they lie in no zone, yet can be exchanged."""

from typing import Final

import numpy as np

from saliency.interventions.canvas import Canvas
from saliency.values.arrays import Array
from saliency.values.image import DicomImage

TONE: Final = "diagnostic"
"""Its place among exchanges: the one name that no zone can have."""


def toned(host: Canvas, donor: Canvas) -> DicomImage:
    """Return the host with the donor's mean and standard deviation on its diagnostic pixels.

    Values stay in the range of both pictures. A picture of one value, or without diagnostic pixels,
    gives and takes no contrast.
    """
    return _tone_changed(host, donor, 1)


def opposed(host: Canvas, donor: Canvas) -> DicomImage:
    """Return the host with the opposite change: as much darker as it would become brighter.

    Its standard deviation is divided by what that of the donor multiplies it by. A model that
    follows brightness goes the other way; one that any change of that size moves goes the same.
    """
    return _tone_changed(host, donor, -1)


def _tone_changed(host: Canvas, donor: Canvas, way: int) -> DicomImage:
    """Return the host with the donor's tone, or (``way`` -1) with the opposite change."""
    of_host, of_donor = _diagnostic_values(host), _diagnostic_values(donor)
    if not of_host.size or not of_donor.size:
        return host.image
    spread, wanted_spread = of_host.std(), of_donor.std()
    gain = wanted_spread / spread if spread and wanted_spread else 1.0
    mean, wanted_mean = of_host.mean(), of_donor.mean()
    values = host.values.astype(np.float32)
    changed = (values - mean) * gain**way + mean + way * (wanted_mean - mean)
    low, high = min(of_host.min(), of_donor.min()), max(of_host.max(), of_donor.max())
    inside = host.image.diagnostic
    values[inside] = np.clip(changed, low, high)[inside]
    return host.with_values(values)


def _diagnostic_values(picture: Canvas) -> Array:
    values: Array = picture.values[picture.image.diagnostic].astype(np.float64)
    return values
