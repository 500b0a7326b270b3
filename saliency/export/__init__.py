"""Results as DICOM objects that a PACS takes: the only room that knows highdicom.

::

    saliency.export.secondary_capture(result, "chest.dcm").save_as("overlay.dcm")
"""

from saliency.export.capture import secondary_capture
from saliency.export.files import export_dicom
from saliency.export.maps import parametric_map, parametric_map_pyramid
from saliency.export.presentation import presentation_state
from saliency.export.segments import segmentation, segmentation_pyramid
from saliency.export.structured import report

__all__ = [
    "export_dicom",
    "parametric_map",
    "parametric_map_pyramid",
    "presentation_state",
    "report",
    "secondary_capture",
    "segmentation",
    "segmentation_pyramid",
]
