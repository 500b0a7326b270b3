"""The overlay as everybody sees it: a Secondary Capture (PS3.3 A.8)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import numpy as np
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.coding import Code
from pydicom.uid import (
    ExplicitVRLittleEndian,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)

from saliency import __version__
from saliency.dicom.kind import PRODUCT
from saliency.errors import InputError
from saliency.export.matching import SourceFrame, matched
from saliency.export.objects import (
    MANUFACTURER,
    Explained,
    coded,
    decimals,
    derivation_of,
    finished,
    leading_of,
    new_uid,
    sides_of,
    spacing_or_shape,
    views_of,
)
from saliency.export.slide_tiles import slide_frames
from saliency.pipeline.band import captioned
from saliency.pipeline.explanation import Explanation
from saliency.pipeline.writers import Look, overlay_in
from saliency.render.palettes import Palette
from saliency.render.scale import full
from saliency.slides.explain_setup import THUMBNAIL
from saliency.slides.result import SlideExplanation
from saliency.values.arrays import Array
from saliency.values.image import DicomImage
from saliency.volumes.explanation import VolumeExplanation

SERIES: Final = 9001
_SOURCE: Final = Code("121322", "DCM", "Source image for image processing operation")


def secondary_capture(
    result: Explanation | VolumeExplanation | SlideExplanation | Sequence[Explanation],
    source: object,
    *,
    caption: bool = False,
    palette: str | Palette = "green",
    redact: bool = False,
    vmax: float | None = None,
) -> Dataset:
    """Return the overlay as a Secondary Capture in a new series of the source's study.

    Parameters
    ----------
    result
        An Explanation; a VolumeExplanation: a frame for each slice, on one scale; a
        SlideExplanation: heat on the thumbnail of the slide; or a sequence of
        Explanations of frames of one file, as of an ultrasound loop: a frame for each, on one
        scale, at the pace of the source.
    source
        What was explained: a path, bytes, a file object or a Dataset; of a volume or a slide also
        a folder, a zip, or a sequence of them. Patient and study
        are copied from it; private groups, overlays, curves and icons are not.
    caption
        Whether the band with caption and scale stands below the image.
    palette, redact
        As for :meth:`saliency.Explanation.overlay`; slides are not redacted.
    vmax
        Heat of full colour, in the method's unit, that several results share; None: the result's
        own.

    Returns
    -------
    pydicom.Dataset
        RGB uint8, ready for ``save_as(path, enforce_file_format=True)``. Burned In Annotation
        (0028,0301) is NO where the pixels were searched for text and none was found, or it was
        painted over; else YES.

    Raises
    ------
    InputError
        The source is not what was explained, or has no UIDs.
    DicomError
        It cannot be read.
    """
    if isinstance(result, SlideExplanation):
        if redact:
            msg = "secondary_capture: expected redact=False of a slide, got True."
            raise InputError(msg)
        look = {"palette": palette, "vmax": vmax}
        return _slide_capture(result, source, look, caption=caption)
    look = {"palette": palette, "redact": redact, "caption": caption, "vmax": vmax}
    return painted_capture(result, source, look)


def painted_capture(
    result: Explanation | VolumeExplanation | Sequence[Explanation],
    source: object,
    look: Look,
) -> Dataset:
    """Return what :func:`secondary_capture` returns, painted with this look.

    Parameters
    ----------
    look
        As of ``saliency.pipeline.writers``; without ``vmax`` the scale is that of the result.
    """
    if not isinstance(result, VolumeExplanation | Explanation):
        check_explanations(result)
    frames, views = matched(result, source), views_of(result)
    vmax = look.get("vmax")
    scale = scale_of(result, views) if vmax is None else vmax
    pictures = []
    for view in views:
        overlay = overlay_in(view, {**look, "vmax": scale})
        pictures.append(
            captioned(view, overlay) if look.get("caption") else overlay.rgb
        )
    lead = leading_of(views)
    made = _described(lead, frames)
    pairs = zip(views, frames, strict=True)
    redacted = bool(look.get("redact"))
    found = {_burned_in(view.image, frame, redacted=redacted) for view, frame in pairs}
    made.BurnedInAnnotation = "YES" if "YES" in found else "NO"
    _put_pixels(made, np.stack(pictures), frames[0].header)
    return finished(made, frames, lead, "overlay")


def _slide_capture(
    result: SlideExplanation, source: object, look: Look, *, caption: bool
) -> Dataset:
    from saliency.slides.result_writers import (  # noqa: PLC0415 - matplotlib is slow to load
        captioned_heat,
    )

    frames = slide_frames(result, source)
    shown = result.slide.thumbnail(THUMBNAIL)
    overlay = result.overlay(pixels=THUMBNAIL, **look)
    made = _described(result, frames)
    if shown.spacing is not None:
        made.PixelSpacing = decimals(shown.spacing)
    made.BurnedInAnnotation = _burned_in(shown, frames[0], redacted=False)
    rgb = captioned_heat(result, overlay) if caption else overlay.rgb
    _put_pixels(made, rgb[np.newaxis], frames[0].header)
    return finished(made, frames, result, "overlay")


def _described(  # noqa: PLR0915 - one attribute a line
    result: Explained, frames: tuple[SourceFrame, ...]
) -> Dataset:
    """Return an object with all but its pixels and the patient."""
    now = datetime.now()  # noqa: DTZ005 - DICOM's dates are local
    made = Dataset()
    made.preamble = b"\0" * 128
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID = (
        SecondaryCaptureImageStorage
        if len(frames) == 1 or isinstance(result, SlideExplanation)
        else MultiFrameTrueColorSecondaryCaptureImageStorage
    )
    made.SOPInstanceUID = new_uid()
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.Modality, made.ConversionType = "OT", "WSD"
    made.SeriesInstanceUID, made.SeriesNumber, made.InstanceNumber = (
        new_uid(),
        SERIES,
        1,
    )
    made.Manufacturer, made.ManufacturerModelName = MANUFACTURER, PRODUCT
    made.SoftwareVersions = __version__
    made.SecondaryCaptureDeviceManufacturer = MANUFACTURER
    made.SecondaryCaptureDeviceManufacturerModelName = PRODUCT
    made.ImageType = ["DERIVED", "SECONDARY"]
    made.ContentDate = made.SeriesDate = made.DateOfSecondaryCapture = now.strftime(
        "%Y%m%d"
    )
    made.ContentTime = made.SeriesTime = made.TimeOfSecondaryCapture = now.strftime(
        "%H%M%S"
    )
    made.DerivationDescription = derivation_of(result)
    made.SourceImageSequence = [
        frame.reference(PurposeOfReferenceCodeSequence=[coded(_SOURCE)])
        for frame in frames
    ]
    made.ReferencedImageSequence = [frame.reference() for frame in frames]
    made.PatientOrientation = sides_of(frames[0], result)
    if not isinstance(result, SlideExplanation):
        made.update(spacing_or_shape(frames[0], result.image))
    geometry = frames[0].geometry
    if geometry is not None and len(frames) == 1:
        made.FrameOfReferenceUID = geometry.reference
        made.PositionReferenceIndicator = ""
        made.ImagePositionPatient = decimals(geometry.position)
        made.ImageOrientationPatient = decimals(geometry.orientation)
    return made


def _burned_in(image: DicomImage, frame: SourceFrame, *, redacted: bool) -> str:
    has_text = any(zone.name == "text" for zone in image.zones)
    declared = "YES" in (
        frame.header.get("BurnedInAnnotation"),
        frame.header.get("SpecimenLabelInImage"),
    )
    clean = redacted or (image.searched and not has_text and not declared)
    return "NO" if clean else "YES"


def check_explanations(results: Sequence[Explanation]) -> None:
    """Refuse what is no sequence of explanations.

    Raises
    ------
    InputError
        It is empty, or holds something else.
    """
    kinds = {type(each).__name__ for each in results} or {"none"}
    if kinds != {Explanation.__name__}:
        msg = f"secondary_capture: expected Explanations of frames, got {', '.join(sorted(kinds))}."
        raise InputError(msg)


def scale_of(result: object, views: Sequence[Explanation]) -> float | None:
    """Return the heat of full colour that all frames share; None where there is one frame."""
    if isinstance(result, VolumeExplanation):
        return result.vmax or None
    if len(views) == 1:
        return None
    return full(np.abs(np.stack([view.heatmap.values for view in views]))) or None


def _put_pixels(made: Dataset, rgb: Array, header: Dataset) -> None:
    """Write pixels (frames, rows, columns, 3); several follow each other (PS3.3 C.7.6.6).

    Frames of a loop keep its time; others are pages.
    """
    frames, made.Rows, made.Columns = rgb.shape[:3]
    made.SamplesPerPixel, made.PhotometricInterpretation = 3, "RGB"
    made.PlanarConfiguration, made.PixelRepresentation = 0, 0
    made.BitsAllocated, made.BitsStored, made.HighBit = 8, 8, 7
    if frames > 1:
        made.NumberOfFrames = frames
        pace = header.get("FrameTime")
        keyword = "FrameTime" if pace else "PageNumberVector"
        made.FrameIncrementPointer = tag_for_keyword(keyword)
        setattr(made, keyword, pace or list(range(1, frames + 1)))
    raw = np.ascontiguousarray(rgb).tobytes()
    made.PixelData = raw + b"\0" * (len(raw) % 2)
