"""Zones that no tag tells of: what the picture itself shows."""

import logging
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final, NamedTuple

from saliency.values.arrays import Array
from saliency.values.placement import Box
from saliency.values.zone import Zone
from saliency.zones.air import air_zone
from saliency.zones.borders import border_zone
from saliency.zones.markers import WHAT, markers_on
from saliency.zones.pyramid import ink_levels
from saliency.zones.text import WRITING, text_on
from saliency.zones.text_boxes import joined_up, mask_of, settled, zone_of

#: Names of the zones that are found here.
FOUND: Final = frozenset({"border", "air", "text", "marker"})
#: What the evidence repeats of Burned In Annotation; any other value is no term of the standard.
_SAID: Final = MappingProxyType(
    {said: f"; Burned In Annotation (0028,0301) is {said}" for said in ("YES", "NO")}
)


class Hints(NamedTuple):
    """What the header says that helps to judge: Modality (0008,0060), Burned In Annotation."""

    modality: str = ""
    burned: str = ""


def found_zones(display: Array, hints: Hints | None = None) -> tuple[Zone, ...]:
    """Look for borders, air, writing and markers.

    Parameters
    ----------
    display
        uint8 (rows, columns) or RGB (rows, columns, 3).
    hints
        From the header; None: an array has none.

    Returns
    -------
    tuple of Zone
        At most one each of ``"border"``, ``"air"``, ``"text"`` and ``"marker"``.

    Raises
    ------
    InputError
        Another shape or dtype.
    """
    return tuple(zone for zone in _looked(display, hints or Hints()) if zone is not None)


def _looked(display: Array, hints: Hints) -> Iterator[Zone | None]:
    yield border_zone(display)
    yield air_zone(display, hints.modality)
    text, markers = _written(display, hints.modality)
    if hints.burned == "YES" and not text:
        logging.getLogger("saliency.zones").warning(
            "Burned In Annotation (0028,0301) is YES, but no writing was found in the pixels."
        )
    yield zone_of("text", text, display.shape, WRITING, _SAID.get(hints.burned, ""))
    yield zone_of("marker", markers, display.shape, WHAT)


def _written(display: Array, modality: str) -> tuple[tuple[Box, ...], tuple[Box, ...]]:
    """Return the boxes of writing, and of markers; a sign that touches writing is part of it."""
    lines: list[Box] = []
    signs: list[Box] = []
    for page in ink_levels(display):
        lines += text_on(page)
        signs += markers_on(page, modality)
    text, markers = settled(lines, display.shape), settled(signs, display.shape)
    covered = mask_of(text, display.shape[:2])
    beside = [bool(covered[box.slices].any()) for box in markers]
    more = (box for box, joined in zip(markers, beside, strict=True) if joined)
    alone = (box for box, joined in zip(markers, beside, strict=True) if not joined)
    return joined_up((*text, *more)), tuple(alone)
