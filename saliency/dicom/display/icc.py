"""Colour through the profile of the device that made it (PS3.3 C.11.15)."""

from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

from saliency.dicom.file.guard import warn
from saliency.values.arrays import Array


def through_profile(rgb: Array, profile: bytes) -> Array:
    """Return uint8 (rows, columns, 3) RGB as sRGB, by the profile's own rendering intent.

    A profile that cannot be used is passed over with a note: colours are then shown as stored.
    """
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        intent = ImageCms.Intent(ImageCms.getDefaultIntent(source))
        change = ImageCms.buildTransform(source, target, "RGB", "RGB", intent)
        shown = ImageCms.applyTransform(Image.fromarray(rgb), change)
    except (ImageCms.PyCMSError, OSError, ValueError):
        warn("The ICC Profile (0028,2000) cannot be used: colours are shown as they are stored.")
        return rgb
    return rgb if shown is None else np.asarray(shown)
