"""Labels of slides: pictures of what somebody wrote, not of tissue (PS3.3 C.8.12.4)."""

import numpy as np

from saliency.dicom.file.elements import Elements, codes
from saliency.dicom.file.tags import TAGS
from saliency.values.zone import Zone

#: VL Whole Slide Microscopy Image Storage.
_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"


def label_zone(elements: Elements, size: tuple[int, int]) -> Zone | None:
    """Return the whole picture where it shows a slide's label (Image Type (0008,0008), value 3)."""
    kinds = codes(elements, TAGS["ImageType"])
    if elements.text(TAGS["SOPClassUID"]) != _SLIDE or kinds[2:3] != ("LABEL",):
        return None
    evidence = "Image Type (0008,0008) value 3 is LABEL, PS3.3 C.8.12.4.1.1"
    return Zone("label", np.ones(size, np.bool_), evidence)
