"""The only room that knows pydicom: from a DICOM file to the picture that a viewer shows."""

from saliency.dicom.describe import describe
from saliency.dicom.read import read_dicom, read_frames

__all__ = ["describe", "read_dicom", "read_frames"]
