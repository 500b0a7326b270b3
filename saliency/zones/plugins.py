"""Detectors of other packages: entry points of the group ``saliency.zones``.

An entry point has the name of its zone, and is a function of the display, or a
:class:`~saliency.zones.detector.Detector` where it needs more. One that is broken costs its own
zone and a line in the logger ``saliency.zones``, never the picture.
"""

import logging
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Final

import numpy as np

from saliency.errors import InputError
from saliency.values.zone import Zone
from saliency.zones.detector import Detector, View

GROUP: Final = "saliency.zones"
#: Zones that the header tells of; the pixels of ``"padding"`` are never painted.
DECLARED: Final = frozenset(
    {"padding", "shutter", "collimator", "screen", "label", "overlay", "diagnostic"}
)


def plugin_detectors(taken: frozenset[str]) -> tuple[Detector, ...]:
    """Return the detectors of other packages, by name; none has a name that is ``taken``.

    They are loaded once, and again when ``sys.path`` changes.
    """
    return _load_detectors(taken | DECLARED, tuple(sys.path))


@lru_cache(maxsize=4)
def _load_detectors(
    taken: frozenset[str], path: tuple[str, ...]
) -> tuple[Detector, ...]:
    del path  # what entry_points looks at
    detectors: dict[str, Detector] = {}
    for point in sorted(
        entry_points(group=GROUP), key=lambda point: (point.name, point.value)
    ):
        if point.name in taken or point.name in detectors:
            _warn_left_out(point, "the name is taken, choose another")
            continue
        detector = _load_detector(point)
        if detector is not None:
            detectors[point.name] = detector
    return tuple(detectors.values())


def _load_detector(point: EntryPoint) -> Detector | None:
    """Import a plug-in; None, with a line in the log, where that fails."""
    try:
        find = point.load()
        if isinstance(find, Detector) and find.name == point.name:
            return find
        if isinstance(find, Detector):
            msg = (
                f"expected a Detector of the name of its entry point, got {find.name!r}"
            )
            raise InputError(msg)  # noqa: TRY301
        return Detector(point.name, find)
    except Exception as error:  # noqa: BLE001  whatever the code of others does
        _warn_left_out(point, _one_line(error))
        return None


def zones_of(detectors: tuple[Detector, ...], view: View) -> Iterator[Zone]:
    """Yield what detectors of other packages find; one that fails is left out with a line."""
    for detector in detectors:
        try:
            zone = _zone_found(detector, view)
        except Exception as error:  # noqa: BLE001  whatever the code of others does
            msg = "The zone detector %r failed (%s): left out."
            logging.getLogger(GROUP).warning(msg, detector.name, _one_line(error))
        else:
            if zone is not None and zone.mask.any():
                yield zone


def _zone_found(detector: Detector, view: View) -> Zone | None:
    """Ask a detector; raise InputError where its answer is no zone of this picture."""
    answer = detector(view)
    if answer is None:
        return None
    evidence = f"found by the plug-in {detector.name!r}"
    zone = (
        answer
        if isinstance(answer, Zone)
        else Zone(detector.name, np.asarray(answer), evidence)
    )
    size = view.display.shape[:2]
    if zone.name != detector.name or zone.mask.shape != size:
        msg = (
            f"expected a mask of {size} for the zone {detector.name!r}, "
            f"got {zone.mask.shape} for {zone.name!r}"
        )
        raise InputError(msg)
    return zone


def _warn_left_out(point: EntryPoint, why: str) -> None:
    package = point.dist.name if point.dist is not None else point.value
    msg = "The zone detector %r of %s is left out: %s."
    logging.getLogger(GROUP).warning(msg, point.name, package, why)


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
