"""What display shutters and collimators keep dark (PS3.3 C.7.6.11, C.8.7.3, C.7.6.16.2.16)."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from saliency.dicom.declared.shapes import circle, polygon, rectangle
from saliency.dicom.file.elements import Elements, codes, number
from saliency.dicom.file.groups import Groups
from saliency.dicom.file.guard import beside, warn
from saliency.dicom.file.tags import TAGS
from saliency.values.arrays import Array
from saliency.values.zone import Zone


def shutter_zone(elements: Elements, size: tuple[int, int]) -> Zone | None:
    """Return what the rectangular, circular and polygonal display shutters hide."""
    mask = _outside_of_shapes(elements, "Shutter", size)
    evidence = "Shutter Shape (0018,1600), PS3.3 C.7.6.11"
    return None if mask is None else Zone("shutter", mask, evidence)


def collimator_zone(elements: Elements, size: tuple[int, int]) -> Zone | None:
    """Return what the X-ray collimator keeps dark."""
    mask = _outside_of_shapes(elements, "Collimator", size)
    evidence = "Collimator Shape (0018,1700), PS3.3 C.8.7.3"
    return None if mask is None else Zone("collimator", mask, evidence)


def frame_shutters(groups: Groups, size: tuple[int, int]) -> Iterator[Zone]:
    """Yield the shutter (0018,9472) and collimator (0018,9407) of one frame of an enhanced image.

    What the data set says of all frames is not repeated.
    """
    for find in (_frame_shutter, _frame_collimator):
        zone = beside(
            "The shutter or collimator of a frame", partial(find, groups, size), None
        )
        if zone is not None:
            yield zone


def _frame_shutter(groups: Groups, size: tuple[int, int]) -> Zone | None:
    place = groups.macro("FrameDisplayShutterSequence", "ShutterShape")
    return None if place is groups.top else shutter_zone(place, size)


def _frame_collimator(groups: Groups, size: tuple[int, int]) -> Zone | None:
    place = groups.macro("CollimatorShapeSequence", "CollimatorShape")
    return None if place is groups.top else collimator_zone(place, size)


def _outside_of_shapes(
    elements: Elements, kind: str, size: tuple[int, int]
) -> Array | None:
    """Return the outside of all shapes together: a pixel is shown where every shape shows it."""
    areas = list(_shape_areas(elements, kind, size))
    if not areas:
        return None
    inside = np.logical_and.reduce(areas)
    if not inside.any():
        warn(
            f"{kind} Shape (0018,1600 or 1700) hides the whole frame and was left out."
        )
        return None
    return None if inside.all() else ~inside


def _shape_areas(
    elements: Elements, kind: str, size: tuple[int, int]
) -> Iterator[Array]:
    """Yield what each shape shows; a shape whose numbers are none is left out with a note."""
    shapes = codes(elements, TAGS[f"{kind}Shape"])
    areas = {}
    if "RECTANGULAR" in shapes:
        areas["rectangle"] = _named_rectangle(elements, kind, size)
    if "CIRCULAR" in shapes:
        center = elements.numbers(TAGS[f"CenterOfCircular{kind}"])
        radius = number(elements, TAGS[f"RadiusOfCircular{kind}"], 0)
        areas["circle"] = circle(size, center, radius)
    if "POLYGONAL" in shapes:
        vertices = elements.numbers(TAGS[f"VerticesOfThePolygonal{kind}"])
        areas["polygon"] = polygon(size, vertices)
    for shape, area in areas.items():
        if area is None:
            warn(
                f"The {shape} of {kind} Shape (0018,1600 or 1700) is none of this frame: left out."
            )
        else:
            yield area


def _named_rectangle(
    elements: Elements, kind: str, size: tuple[int, int]
) -> Array | None:
    """Return the rectangle; an edge that is not named is the edge of the frame."""
    rows = (
        number(elements, TAGS[f"{kind}UpperHorizontalEdge"], 1),
        number(elements, TAGS[f"{kind}LowerHorizontalEdge"], size[0]),
    )
    columns = (
        number(elements, TAGS[f"{kind}LeftVerticalEdge"], 1),
        number(elements, TAGS[f"{kind}RightVerticalEdge"], size[1]),
    )
    return rectangle(size, rows, columns)
