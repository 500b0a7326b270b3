"""An outline of the hot region over the source itself: a presentation state (PS3.3 A.33)."""

from copy import deepcopy
from typing import Any, Final

import numpy as np
from PIL import ImageCms
from pydicom.dataset import Dataset

from saliency.errors import InputError
from saliency.export.full_heat import full_heat
from saliency.export.matching import SourceFrame, matched
from saliency.export.objects import (
    builder_arguments,
    built,
    decimals,
    finished,
    highdicom,
    leading_of,
    stand_in,
    subject_of,
    views_of,
)
from saliency.export.outlines import outlines_by_area
from saliency.pipeline.explanation import Explanation
from saliency.render.palettes import Palette
from saliency.values.arrays import Array
from saliency.volumes.explanation import VolumeExplanation

SERIES: Final = 9005
LAYER: Final = "HEATMAP"
#: Outlines of one frame: viewers draw so many at once; of more the largest are kept.
MOST: Final = 500
_RESCALE: Final = ("RescaleIntercept", "RescaleSlope", "RescaleType")


def presentation_state(
    result: Explanation | VolumeExplanation,
    source: object,
    *,
    threshold: float = 0.5,
    palette: str | Palette = "green",
    vmax: float | None = None,
) -> Dataset:
    """Return an outline of the hot region as a presentation state, in a new series of the study.

    Viewers show the source itself through it, in the window of the explanation: grey by a
    Grayscale, colour by a Color Softcopy Presentation State.

    Parameters
    ----------
    result
        An Explanation, or a VolumeExplanation: outlines of each slice, one full heat for all.
    source
        As for :func:`saliency.export.secondary_capture`.
    threshold
        The least share of full heat inside, above 0 and at most 1; full heat is that of
        ``overlay``.
    palette
        Gives the colour: that of full heat.
    vmax
        Full heat, in the method's unit, that several results share; None: the result's own.

    Returns
    -------
    pydicom.Dataset
        Closed polylines around regions and around their holes, in units of pixels from the upper
        left corner (PS3.3 C.10.5.1.2). Of a frame with more than 500 the 500
        largest; the layer's description says so.

    Raises
    ------
    InputError
        The threshold or ``vmax`` is out of range; or slices of a volume are rescaled differently,
        which one state cannot say.
    SaliencyError
        As for :func:`saliency.export.parametric_map`.
    """
    if not 0 < threshold <= 1:
        msg = f"presentation_state: expected a threshold above 0 and at most 1, got {threshold!r}."
        raise InputError(msg)
    hd = highdicom()
    frames, views = matched(result, source), views_of(result)
    lead = leading_of(views)
    magnitude = np.abs(np.stack([view.heatmap.values for view in views]))
    top = full_heat(magnitude, vmax)
    sources = [_displayed(frame) for frame in frames]
    found = [outlines_by_area(heat, threshold * top) for heat in magnitude]
    layer = hd.pr.GraphicLayer(
        LAYER,
        order=1,
        description=_words_of_state(found, threshold),
        display_color=hd.color.CIELabColor.from_rgb(
            *map(int, lead.palette_for(palette).positive[-1])
        ),
    )
    drawn = [
        _annotation(hd, each, outlines, layer)
        for each, outlines in zip(sources, found, strict=True)
        if outlines
    ]
    grey = sources[0].SamplesPerPixel == 1
    builder, more = hd.pr.GrayscaleSoftcopyPresentationState, {}
    if not grey:
        builder = hd.pr.ColorSoftcopyPresentationState
        more = {"icc_profile": frames[0].header.get("ICCProfile") or _srgb()}
    made = built(
        builder,
        frames,
        sources,
        referenced_images=sources,
        graphic_annotations=drawn or None,
        graphic_layers=[layer] if drawn else None,
        content_label=LAYER,
        content_description=f"Saliency for {subject_of(lead)}"[:64],
        **more,
        **builder_arguments(lead, SERIES),
    )
    if grey:
        _rescale(made, frames)
        _write_look(made, frames, views)
    _keep_shape(made, frames[0], lead)
    return finished(made, frames, lead, "outline")


def _displayed(frame: SourceFrame) -> Dataset:
    """Return a stand-in that says whether it is grey."""
    source = stand_in(frame)
    source.PhotometricInterpretation = frame.header.PhotometricInterpretation
    grey = str(source.PhotometricInterpretation).startswith("MONOCHROME")
    source.SamplesPerPixel = 1 if grey else 3  # a palette stands for colour, too
    return source


def _srgb() -> bytes:
    """Return the profile of what has none: one must stand, of an input device (PS3.3 C.11.15)."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:12] + b"scnr" + profile[16:]  # ICC.1 7.2.5: the device class


def _annotation(hd: Any, source: Dataset, outlines: list[Array], layer: Any) -> Any:
    """Return the largest outlines of one frame, which come first."""
    lines = [
        hd.pr.GraphicObject("POLYLINE", corners, "PIXEL") for corners in outlines[:MOST]
    ]
    return hd.pr.GraphicAnnotation([source], layer, graphic_objects=lines)


def _words_of_state(found: list[list[Array]], threshold: float) -> str:
    most = max(map(len, found))
    beyond = f"; the {MOST} largest of {most}" if most > MOST else ""
    return f"At least {threshold:g} of full heat{beyond}"[:64]


def _rescale(made: Dataset, frames: tuple[SourceFrame, ...]) -> None:
    """Write how stored values become those of the modality.

    Raises
    ------
    InputError
        Frames are rescaled differently.
    """
    group = "PixelValueTransformationSequence"
    rescales = {
        tuple(str(frame.element(each, group)) for each in _RESCALE) for frame in frames
    }
    if len(rescales) > 1:
        msg = (
            "presentation_state: expected slices that are rescaled alike, got "
            f"{len(rescales)} ways (0028,1052), (0028,1053). Export the slices one by one."
        )
        raise InputError(msg)
    for keyword in _RESCALE:
        value = frames[0].element(keyword, group)
        if value is not None:
            setattr(made, keyword, value)
    if "RescaleSlope" in made and "RescaleType" not in made:
        made.RescaleType = "US"
    table = frames[0].header.get("ModalityLUTSequence")
    if table:
        made.ModalityLUTSequence = deepcopy(table)


def _write_look(
    made: Dataset, frames: tuple[SourceFrame, ...], views: tuple[Explanation, ...]
) -> None:
    """Write windows and polarity: what a state leaves out the source does not fill in."""
    shown = [
        _window_shown(frame, view) for frame, view in zip(frames, views, strict=True)
    ]
    if all(each == shown[0] for each in shown):
        shown = shown[:1]
    else:
        for item, frame in zip(shown, frames, strict=True):
            item.ReferencedImageSequence = [frame.reference()]
    if shown[0]:
        made.SoftcopyVOILUTSequence = shown
    inverse = frames[0].header.PhotometricInterpretation == "MONOCHROME1"
    made.PresentationLUTShape = "INVERSE" if inverse else "IDENTITY"


def _window_shown(frame: SourceFrame, view: Explanation) -> Dataset:
    """Return the window that the explanation was shown through, or the source's VOI LUT."""
    item = Dataset()
    group = "FrameVOILUTSequence"
    window = view.image.window
    if window is not None:
        item.WindowCenter, item.WindowWidth = decimals([window.center, window.width])
        function = frame.element("VOILUTFunction", group)
        if function:
            item.VOILUTFunction = function
        return item
    table = frame.element("VOILUTSequence", group)
    if table:
        item.VOILUTSequence = deepcopy(list(table))[:1]
    return item


def _keep_shape(made: Dataset, frame: SourceFrame, lead: Explanation) -> None:
    """Write the shape of pixels into the displayed area (PS3.3 C.10.4)."""
    area = made.DisplayedAreaSelectionSequence[0]
    if lead.image.spacing is not None:
        area.PresentationPixelSpacing = decimals(lead.image.spacing)
        del area.PresentationPixelAspectRatio
    elif frame.header.get("PixelAspectRatio"):
        area.PresentationPixelAspectRatio = frame.header.PixelAspectRatio
