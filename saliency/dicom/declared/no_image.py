"""Objects that have pixels and are no image of a patient."""

from typing import Final

from saliency.dicom.file.elements import Elements
from saliency.dicom.file.guard import warn
from saliency.dicom.file.tags import TAGS

_NO_PICTURE: Final = {
    "1.2.840.10008.5.1.4.1.1.30": "a Parametric Map: its values were computed",
    "1.2.840.10008.5.1.4.1.1.66.4": "a mask (SEG): its values say what was marked",
    "1.2.840.10008.5.1.4.1.1.66.7": "a label map (SEG): its values name what was marked",
    "1.2.840.10008.5.1.4.1.1.481.2": "an RT Dose: its values are doses",
}
"""SOP Classes with pixels that show no patient (PS3.4 B.5), and what they hold.

The words are not those of the standard: "Segmentation" is what many a Series Description says, and
no note repeats a description.
"""


def note_kind(elements: Elements) -> None:
    """Say of an object with pixels that no modality took that it is no image of a patient."""
    held = _NO_PICTURE.get(elements.text(TAGS["SOPClassUID"]) or "")
    if held is not None:
        warn(
            f"SOP Class UID (0008,0016) says {held}. It is no image that a model was trained on."
        )
