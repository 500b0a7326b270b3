"""From a DICOM file to the image that a viewer shows; the only room that imports pydicom."""

from saliency.dicom.describe import describe
from saliency.dicom.read import read_dicom, read_frames

__all__ = ["describe", "read_dicom", "read_frames"]
