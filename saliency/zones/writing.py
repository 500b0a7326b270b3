"""Writing and markers of a picture, found together: a sign that touches writing is part of it."""

import logging
from types import MappingProxyType
from typing import Final, NamedTuple

from saliency.values.arrays import Array
from saliency.values.placement import Box
from saliency.values.zone import Zone
from saliency.zones.markers import WHAT, markers_on
from saliency.zones.pyramid import ink_levels
from saliency.zones.text import WRITING, text_on
from saliency.zones.text_boxes import joined_up, mask_of, pad_and_join, zone_of

#: What the evidence repeats of Burned In Annotation; any other value is no term of the standard.
_DECLARED: Final = MappingProxyType(
    {term: f"; Burned In Annotation (0028,0301) is {term}" for term in ("YES", "NO")}
)


class Writing(NamedTuple):
    """What is written on a picture: its size, boxes of text, and boxes of lone markers."""

    size: tuple[int, int]
    text: tuple[Box, ...]
    markers: tuple[Box, ...]


def find_writing(display: Array, modality: str = "") -> Writing:
    """Return all writing of a display.

    Parameters
    ----------
    display
        uint8 (rows, columns) or RGB (rows, columns, 3).
    modality
        (0008,0060): markers of radiographs are believed sooner.

    Raises
    ------
    InputError
        Another shape or dtype.
    """
    lines: list[Box] = []
    signs: list[Box] = []
    for level in ink_levels(display):
        lines += text_on(level)
        signs += markers_on(level, modality)
    size = (display.shape[0], display.shape[1])
    text, markers = pad_and_join(lines, size), pad_and_join(signs, size)
    covered = mask_of(text, size)
    touching = [box for box in markers if covered[box.slices].any()]
    alone = tuple(box for box in markers if not covered[box.slices].any())
    return Writing(size, joined_up((*text, *touching)), alone)


def text_zone_of(writing: Writing, burned: str = "") -> Zone | None:
    """Return the zone ``"text"``; its evidence repeats what Burned In Annotation says."""
    if burned == "YES" and not writing.text:
        logging.getLogger("saliency.zones").warning(
            "Burned In Annotation (0028,0301) is YES, but no writing was found in the pixels."
        )
    return zone_of(
        "text", writing.text, writing.size, WRITING, _DECLARED.get(burned, "")
    )


def marker_zone_of(writing: Writing) -> Zone | None:
    """Return the zone ``"marker"``."""
    return zone_of("marker", writing.markers, writing.size, WHAT)
