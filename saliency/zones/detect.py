"""Zones that no tag tells of: what the picture itself shows.

To add a detector, write a file with a function of the display and put a row into :data:`DETECTORS`.
"""

from collections.abc import Mapping
from typing import Final

from saliency.values.arrays import Array
from saliency.values.zone import Zone
from saliency.zones.air import air_zone
from saliency.zones.borders import border_zone
from saliency.zones.detector import Detector, Hints, View
from saliency.zones.plugins import plugin_detectors, zones_of
from saliency.zones.writing import marker_zone_of, text_zone_of

__all__ = ["DETECTORS", "FOUND", "Hints", "detectors", "found_zones"]

#: Name of the zone, function, and what the function needs.
DETECTORS: Final = (
    Detector("border", border_zone, ("display", "modality")),
    Detector("air", air_zone, ("display", "modality")),
    Detector("text", text_zone_of, ("writing", "burned")),
    Detector("marker", marker_zone_of, ("writing",)),
)
#: Names of the zones that this package finds.
FOUND: Final = frozenset(detector.name for detector in DETECTORS)


def detectors() -> Mapping[str, Detector]:
    """Return all detectors by the name of their zone, those of other packages last."""
    return {
        detector.name: detector for detector in (*DETECTORS, *plugin_detectors(FOUND))
    }


def found_zones(display: Array, hints: Hints | None = None) -> tuple[Zone, ...]:
    """Ask every detector.

    Parameters
    ----------
    display
        uint8 (rows, columns) or RGB (rows, columns, 3).
    hints
        From the header; None: an array has none.

    Returns
    -------
    tuple of Zone
        At most one of each name: ``"border"``, ``"air"``, ``"text"`` and ``"marker"``, and what
        other packages look for.

    Raises
    ------
    InputError
        Another shape or dtype.
    """
    view = View(display, hints or Hints())
    answers = (detector(view) for detector in DETECTORS)
    zones = (zone for zone in answers if zone is not None)
    return (*zones, *zones_of(plugin_detectors(FOUND), view))
