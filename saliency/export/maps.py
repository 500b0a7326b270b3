"""The numbers of a map: a Parametric Map of float32 (PS3.3 A.75)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from saliency.export.full_heat import check_vmax
from saliency.export.matching import SourceFrame, matched
from saliency.export.objects import (
    Explained,
    builder_arguments,
    built,
    decimals,
    finished,
    highdicom,
    leading_of,
    new_uid,
    quantity_of,
    sides_of,
    spacing_or_shape,
    stand_in,
    subject_of,
    views_of,
    with_one_orientation,
)
from saliency.export.slide_tiles import HeatLevel, heat_levels, pyramid_arguments
from saliency.pipeline.explanation import Explanation
from saliency.slides.result import SlideExplanation
from saliency.values.arrays import Array
from saliency.volumes.explanation import VolumeExplanation

SERIES: Final = 9002
#: Letters of Patient Orientation -> direction in LPS (PS3.3 C.7.6.1.1.1).
_AXES: Final = {
    "L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0),
    "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1),
}  # fmt: skip
_AXIAL: Final = (1, 0, 0, 0, 1, 0)


def parametric_map(
    result: Explanation | VolumeExplanation | SlideExplanation,
    source: object,
    *,
    vmax: float | None = None,
) -> Dataset:
    """Return the heat as a Parametric Map in a new series of the source's study.

    Parameters
    ----------
    result
        An Explanation; a VolumeExplanation: a frame for each slice, one factor for all; or a
        SlideExplanation: tiles of the heat's own grid in the slide's coordinates, TILED_SPARSE.
        Tiles that are glass alone are left out.
    source
        As for :func:`saliency.export.secondary_capture`.
    vmax
        Heat, in the method's unit, that is written as 1, so that equal heat is an equal value in
        several maps; hotter is above 1. None: the greatest |heat| of the result.

    Returns
    -------
    pydicom.Dataset
        float32 on the source's grid, in a window of -1..1 of a signed map, else 0..1; without
        ``vmax`` nothing lies beyond. The Real World Value Mapping (PS3.3 C.7.6.16.2.11) says the
        factor that makes heat of it again, in the method's own unit. A source that says no place
        (most radiographs) gives a map in a frame of reference of its own. Content Label is HEATMAP;
        the quantity is a code of CID 217.

    Raises
    ------
    InputError
        ``vmax`` is out of range.
    SaliencyError
        As for :func:`saliency.export.secondary_capture`; or highdicom is not installed (extra
        ``pacs``).
    """
    hd = highdicom()
    if isinstance(result, SlideExplanation):
        (made,) = _slide_maps(hd, result, heat_levels(result, source)[:1], vmax)
        return made
    frames, views = matched(result, source), views_of(result)
    lead = leading_of(views)
    heat = np.stack([view.heatmap.values for view in views])
    sources = with_one_orientation(
        [_somewhere(frame, view) for frame, view in zip(frames, views, strict=True)]
    )
    made = built(
        hd.pm.ParametricMap,
        frames,
        sources,
        source_images=sources,
        **_map_arguments(hd, lead, heat, _HeatRange.of(heat, vmax)),
    )
    return finished(made, frames, lead, "map")


def parametric_map_pyramid(
    result: SlideExplanation, source: object, *, vmax: float | None = None
) -> tuple[Dataset, ...]:
    """Return a slide's heat as Parametric Maps of one pyramid, finest first.

    Parameters
    ----------
    result
        The explanation of a slide.
    source
        As for :func:`saliency.export.secondary_capture`.
    vmax
        As for :func:`parametric_map`.

    Returns
    -------
    tuple of pydicom.Dataset
        As of :func:`parametric_map`, in one series: each level half as fine as the one before, of
        the mean heat, until it fits into one tile. All have one factor and one window.

    Raises
    ------
    SaliencyError
        As for :func:`parametric_map`.
    """
    hd = highdicom()
    return tuple(_slide_maps(hd, result, heat_levels(result, source), vmax))


@final
@dataclass(frozen=True)
class _HeatRange:
    """How heat becomes values.

    Parameters
    ----------
    factor
        Heat that is written as 1.
    most
        The greatest |value| that is written, 1 or more.
    signed
        Some heat is below 0.
    """

    factor: float
    most: float
    signed: bool

    @staticmethod
    def of(heat: Array, vmax: float | None) -> "_HeatRange":
        check_vmax(vmax)
        greatest = float(np.abs(heat).max())
        factor = (greatest or 1.0) if vmax is None else vmax
        most = float(np.float32(greatest / factor))
        return _HeatRange(factor, max(1.0, most), bool(heat.min() < 0))


def _slide_maps(
    hd: Any,
    result: SlideExplanation,
    levels: Sequence[HeatLevel],
    vmax: float | None,
) -> Iterator[Dataset]:
    heat = result.heatmap.values
    spread = _HeatRange.of(np.where(result.explained, heat, 0), vmax)
    for level, shared in zip(levels, pyramid_arguments(levels), strict=True):
        arguments = _map_arguments(hd, result, level.cut(heat), spread) | shared
        made = level.built(hd, hd.pm.ParametricMap, **arguments)
        yield finished(made, level.frames, result, "map")


def _map_arguments(
    hd: Any, lead: Explained, heat: Array, spread: _HeatRange
) -> dict[str, Any]:
    """Return what the builder is told of heat (frames, rows, columns): numbers and their unit."""
    center, width = (0.0, 2.0) if spread.signed else (0.5, 1.0)
    return {
        "pixel_array": (heat / np.float64(spread.factor)).astype(np.float32),
        "contains_recognizable_visual_features": False,
        "real_world_value_mappings": [_mapping(hd, lead, spread)],
        "voi_lut_transformations": [hd.VOILUTTransformation(center, width)],
        "content_label": "HEATMAP",
        "content_description": f"Saliency for {subject_of(lead)}"[:64],
        "image_flavor": hd.pm.ImageFlavorValues.VOLUME,
        **builder_arguments(lead, SERIES),
    }


def _somewhere(frame: SourceFrame, result: Explanation) -> Dataset:
    """Return a stand-in with a place, which a map must have (PS3.3 A.75.3).

    One without lies at the origin of a frame of reference of its own, which no other object is in.
    """
    source = stand_in(frame)
    if frame.geometry is None:
        source.FrameOfReferenceUID = new_uid()
        source.ImagePositionPatient = [0, 0, 0]
        source.ImageOrientationPatient = _orientation(sides_of(frame, result))
        known = spacing_or_shape(frame, result.image)
        shape = known.get("PixelAspectRatio", [1, 1])
        source.PixelSpacing = known.get("PixelSpacing", decimals(shape))
        source.SliceThickness = None
    return source


def _orientation(sides: Any) -> list[int]:
    """Return the cosines of two letters of Patient Orientation; those of an axial slice if none."""
    if len(sides) != 2 or not _AXES.keys() >= set(sides):
        return list(_AXIAL)
    row, column = (_AXES[side] for side in sides)
    perpendicular = np.vdot(row, column) == 0
    return [*row, *column] if perpendicular else list(_AXIAL)


def _mapping(hd: Any, result: Explained, spread: _HeatRange) -> Any:
    quantity = quantity_of(result)
    return hd.pm.RealWorldValueMapping(
        lut_label="HEATMAP",
        lut_explanation=f"heat = {spread.factor:.6g} x value"[:64],
        unit=codes.UCUM.NoUnits,
        value_range=(-spread.most if spread.signed else 0.0, spread.most),
        slope=spread.factor,
        intercept=0.0,
        quantity_definition=hd.sr.CodedConcept(
            quantity.value, quantity.scheme_designator, quantity.meaning
        ),
    )
