"""Burned-in text painted black, in what is shown."""

import numpy as np

from saliency.values.arrays import Array
from saliency.values.image import DicomImage
from saliency.zones.detect import Hints, found_zones


def text_mask(image: DicomImage) -> Array:
    """Return bool (rows, columns), True on text.

    A picture that nobody searched (``searched`` is False) is searched here: to show it unredacted
    because nobody had looked would be the leak that redaction is there to stop.
    """
    inside = np.zeros(image.size, np.bool_)
    found = () if image.searched else found_zones(image.display, Hints(image.modality))
    for zone in (*image.zones, *found):
        if zone.name == "text":
            inside |= zone.mask
    return inside


def redacted_display(image: DicomImage) -> Array:
    """Return the display with black on text."""
    display = image.display.copy()
    display[text_mask(image)] = 0
    return display
