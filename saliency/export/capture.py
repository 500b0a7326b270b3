"""The overlay as everybody sees it: a Secondary Capture (PS3.3 A.8)."""

from datetime import datetime
from typing import Final

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.coding import Code
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from saliency import __version__
from saliency.export.matching import SourceFrame, matched
from saliency.export.objects import (
    MANUFACTURER,
    PRODUCT,
    coded,
    decimals,
    derivation_of,
    finished,
    new_uid,
    sides_of,
)
from saliency.pipeline.band import captioned
from saliency.pipeline.explanation import Explanation
from saliency.render.palettes import Palette
from saliency.values.arrays import Array

SERIES: Final = 9001
_SOURCE: Final = Code("121322", "DCM", "Source image for image processing operation")


def secondary_capture(
    result: Explanation,
    source: object,
    *,
    caption: bool = False,
    palette: str | Palette = "green",
    redact: bool = False,
) -> Dataset:
    """Return the overlay as a Secondary Capture in a new series of the source's study.

    Parameters
    ----------
    result
        An Explanation.
    source
        The file that was explained: a path, bytes, a file object or a Dataset. Patient and study
        are copied from it; private groups, overlays, curves and icons are not.
    caption
        Whether the band with caption and scale stands below the image.
    palette, redact
        As for :meth:`saliency.Explanation.overlay`.

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
    frame = matched(result, source)
    overlay = result.overlay(palette=palette, redact=redact)
    rgb = captioned(result, overlay) if caption else overlay.rgb
    made = _described(result, frame)
    made.BurnedInAnnotation = _burned_in(result, frame, redacted=redact)
    _put_pixels(made, rgb)
    return finished(made, frame, result, "overlay")


def _described(result: Explanation, frame: SourceFrame) -> Dataset:
    """Return an object with all but its pixels and the patient."""
    now = datetime.now()  # noqa: DTZ005 - DICOM's dates are local
    made = Dataset()
    made.preamble = b"\0" * 128
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID, made.SOPInstanceUID = SecondaryCaptureImageStorage, new_uid()
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.Modality, made.ConversionType = "OT", "WSD"
    made.SeriesInstanceUID, made.SeriesNumber, made.InstanceNumber = new_uid(), SERIES, 1
    made.Manufacturer, made.ManufacturerModelName = MANUFACTURER, PRODUCT
    made.SoftwareVersions = __version__
    made.SecondaryCaptureDeviceManufacturer = MANUFACTURER
    made.SecondaryCaptureDeviceManufacturerModelName = PRODUCT
    made.ImageType = ["DERIVED", "SECONDARY"]
    made.ContentDate = made.SeriesDate = made.DateOfSecondaryCapture = now.strftime("%Y%m%d")
    made.ContentTime = made.SeriesTime = made.TimeOfSecondaryCapture = now.strftime("%H%M%S")
    made.DerivationDescription = derivation_of(result)
    made.SourceImageSequence = [frame.reference(PurposeOfReferenceCodeSequence=[coded(_SOURCE)])]
    made.ReferencedImageSequence = [frame.reference()]
    made.PatientOrientation = sides_of(frame, result)
    geometry = frame.geometry
    if geometry is not None:
        made.FrameOfReferenceUID = geometry.reference
        made.PositionReferenceIndicator = ""
        made.ImagePositionPatient = decimals(geometry.position)
        made.ImageOrientationPatient = decimals(geometry.orientation)
        made.PixelSpacing = decimals(geometry.spacing)
    return made


def _burned_in(result: Explanation, frame: SourceFrame, *, redacted: bool) -> str:
    image = result.image
    has_text = any(zone.name == "text" for zone in image.zones)
    declared = frame.header.get("BurnedInAnnotation") == "YES"
    clean = redacted or (image.searched and not has_text and not declared)
    return "NO" if clean else "YES"


def _put_pixels(made: Dataset, rgb: Array) -> None:
    made.Rows, made.Columns = rgb.shape[:2]
    made.SamplesPerPixel, made.PhotometricInterpretation = 3, "RGB"
    made.PlanarConfiguration, made.PixelRepresentation = 0, 0
    made.BitsAllocated, made.BitsStored, made.HighBit = 8, 8, 7
    raw = np.ascontiguousarray(rgb).tobytes()
    made.PixelData = raw + b"\0" * (len(raw) % 2)
