"""Where the heat is: a Segmentation whose opacity follows the value, or an outline (PS3.3 A.51)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from saliency import __version__
from saliency.dicom.kind import PRODUCT
from saliency.errors import InputError
from saliency.export.full_heat import check_vmax, full_heat, scale_words
from saliency.export.matching import SourceFrame, matched
from saliency.export.objects import (
    Explained,
    builder_arguments,
    built,
    decimals,
    finished,
    highdicom,
    leading_of,
    one_layer,
    quantity_of,
    stand_in,
    subject_of,
    views_of,
    with_one_orientation,
)
from saliency.export.slide_tiles import HeatLevel, heat_levels, pyramid_arguments
from saliency.pipeline.explanation import Explanation
from saliency.pipeline.method_words import class_of
from saliency.render.palettes import Palette
from saliency.slides.result import SlideExplanation
from saliency.values.arrays import Array
from saliency.volumes.explanation import VolumeExplanation

SERIES: Final = 9003
#: Steps of a fractional segmentation: all that 8 bits hold.
_STEPS: Final = 255
#: Of CID 7150: what is marked is where a model looked, and no finding.
_CATEGORY: Final = Code("309825002", "SCT", "Spatial and Relational Concept")


def segmentation(
    result: Explanation | VolumeExplanation | SlideExplanation,
    source: object,
    *,
    fractional: bool = True,
    threshold: float = 0.5,
    palette: str | Palette = "green",
    vmax: float | None = None,
) -> Dataset:
    """Return the hot region as a Segmentation in a new series of the source's study.

    Parameters
    ----------
    result
        An Explanation; a VolumeExplanation: a frame for each slice, one full heat for all; or a
        SlideExplanation: tiles as of :func:`parametric_map`, full heat is its ``vmax``.
    source
        As for :func:`saliency.export.secondary_capture`.
    fractional
        True: FRACTIONAL of 255 steps, |heat| / full heat (``vmax``, else the 99.5th percentile, as
        ``overlay`` paints it), clipped at 1; viewers paint it like our overlay. False: BINARY.
    threshold
        Of BINARY: the least share of full heat inside, above 0 and at most 1. It stands in the
        segment's description.
    palette
        Gives the colour: that of full heat.
    vmax
        Full heat, in the method's unit, that several results share; the segment's description
        holds it. None: the result's own.

    Returns
    -------
    pydicom.Dataset
        One segment; every frame is there, be it empty, but for a slide's tiles of glass.

    Raises
    ------
    InputError
        The threshold or ``vmax`` is out of range.
    SaliencyError
        As for :func:`saliency.export.parametric_map`.
    """
    hd = highdicom()
    kind = _SegmentKind(fractional, threshold, palette, vmax)
    if isinstance(result, SlideExplanation):
        (made,) = _slide_segments(hd, result, heat_levels(result, source)[:1], kind)
        return made
    frames, views = matched(result, source), views_of(result)
    lead = leading_of(views)
    magnitude = np.abs(np.stack([view.heatmap.values for view in views]))
    share = np.clip(magnitude / (full_heat(magnitude, vmax) or 1.0), 0, 1)
    sources = with_one_orientation([stand_in(frame) for frame in frames])
    made = built(
        hd.seg.Segmentation,
        frames,
        sources,
        source_images=sources,
        **_segment_arguments(hd, lead, share, kind),
    )
    _keep_spacing(made, frames[0], lead)
    return finished(made, frames, lead, kind.words)


def _keep_spacing(made: Dataset, frame: SourceFrame, lead: Explanation) -> None:
    """Write the spacing of a source that says no place: without it OHIF's page goes blank.

    Pixel Measures may stand beside a derivation (PS3.3 A.51.5.1).
    """
    (shared,) = made.SharedFunctionalGroupsSequence
    if "PixelMeasuresSequence" in shared or lead.image.spacing is None:
        return
    measures = Dataset()
    measures.PixelSpacing = decimals(lead.image.spacing)
    deep = frame.thickness or one_layer(lead.image.spacing)
    (measures.SliceThickness,) = decimals([deep])
    shared.PixelMeasuresSequence = [measures]


def segmentation_pyramid(
    result: SlideExplanation,
    source: object,
    *,
    fractional: bool = True,
    threshold: float = 0.5,
    palette: str | Palette = "green",
    vmax: float | None = None,
) -> tuple[Dataset, ...]:
    """Return a slide's hot region as Segmentations of one pyramid, finest first.

    Parameters
    ----------
    result, source
        As for :func:`parametric_map_pyramid`.
    fractional, threshold, palette, vmax
        As for :func:`segmentation`.

    Returns
    -------
    tuple of pydicom.Dataset
        As of :func:`segmentation`, in one series. A coarser level holds the mean share of full
        heat; of BINARY, where that mean is at least the threshold.

    Raises
    ------
    SaliencyError
        As for :func:`segmentation`.
    """
    hd = highdicom()
    kind = _SegmentKind(fractional, threshold, palette, vmax)
    return tuple(_slide_segments(hd, result, heat_levels(result, source), kind))


@final
@dataclass(frozen=True)
class _SegmentKind:
    """How heat becomes a segment; fields as of :func:`segmentation`."""

    fractional: bool
    threshold: float
    palette: str | Palette
    vmax: float | None

    def __post_init__(self) -> None:
        check_vmax(self.vmax)
        if not 0 < self.threshold <= 1:
            msg = (
                "segmentation: expected a threshold above 0 and at most 1, got "
                f"{self.threshold!r}."
            )
            raise InputError(msg)

    @property
    def words(self) -> str:
        """What the Series Description says, so that two of one result are told apart."""
        return "region" if self.fractional else f"region at {self.threshold:g}"

    @property
    def limit(self) -> str:
        """A sentence about what is inside; "" where opacity says it."""
        return "" if self.fractional else f"At least {self.threshold:g} of full heat. "


def _slide_segments(
    hd: Any, result: SlideExplanation, levels: Sequence[HeatLevel], kind: _SegmentKind
) -> Iterator[Dataset]:
    magnitude = np.abs(result.heatmap.values)
    scale = result.vmax if kind.vmax is None else kind.vmax
    share = np.clip(magnitude / (scale or 1.0), 0, 1)
    for level, shared in zip(levels, pyramid_arguments(levels), strict=True):
        arguments = _segment_arguments(hd, result, level.cut(share), kind) | shared
        made = level.built(hd, hd.seg.Segmentation, **arguments)
        yield finished(made, level.frames, result, kind.words)


def _segment_arguments(
    hd: Any, lead: Explained, share: Array, kind: _SegmentKind
) -> dict[str, Any]:
    """Return what the builder is told of shares of full heat (frames, rows, columns)."""
    inside = share >= kind.threshold
    return {
        "pixel_array": share if kind.fractional else inside.astype(np.uint8),
        "segmentation_type": "FRACTIONAL" if kind.fractional else "BINARY",
        "segment_descriptions": [_segment_description(hd, lead, kind)],
        "max_fractional_value": _STEPS,
        "omit_empty_frames": False,
        "content_label": "HEATMAP",
        "content_description": f"{kind.limit}Saliency for {subject_of(lead)}"[:64],
        **builder_arguments(lead, SERIES),
    }


def _segment_description(hd: Any, result: Explained, kind: _SegmentKind) -> Any:
    quantity = quantity_of(result)
    algorithm = hd.AlgorithmIdentificationSequence(
        name=f"{PRODUCT} {class_of(result.recipe)}"[:64],
        version=__version__,
        family=codes.DCM.ArtificialIntelligence,
    )
    described = hd.seg.SegmentDescription(
        segment_number=1,
        segment_label=f"Saliency: {subject_of(result)}"[:64],
        segmented_property_category=_CATEGORY,
        segmented_property_type=quantity,
        algorithm_type="AUTOMATIC",
        algorithm_identification=algorithm,
    )
    words = f"{kind.limit}{scale_words(kind.vmax)}{result.recipe}"
    described.SegmentDescription = words[:1024]
    colour = hd.color.CIELabColor.from_rgb(
        *map(int, result.palette_for(kind.palette).positive[-1])
    )
    described.RecommendedDisplayCIELabValue = list(colour.value)
    return described
