"""Colour through the profile of the device that made it (PS3.3 C.11.15, C.8.12.5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

from saliency.dicom.file.elements import Elements, code
from saliency.dicom.file.groups import Groups
from saliency.dicom.file.guard import beside, warn
from saliency.dicom.file.tags import TAGS
from saliency.values.arrays import Array


@dataclass(frozen=True)
class Profiles:
    """The ICC profiles of a data set: its own, and those of a slide's optical paths (C.8.12.5).

    Parameters
    ----------
    top
        The data set.
    paths
        Items of the Optical Path Sequence (0048,0105).
    """

    top: Elements
    paths: Sequence[Elements]

    def of(self, groups: Groups, frame: int, frames: int) -> bytes:
        """Return the profile of a frame (from 0): of its optical path, else of the data set.

        Empty where there is none, or, with a note, where it cannot be read or is not said which.
        """
        what = "The ICC Profile (0028,2000)"
        own = beside(what, lambda: self._of_path(groups, frame, frames), b"")
        return own or beside(what, lambda: self.top.octets(TAGS["ICCProfile"]), b"")

    def _of_path(self, groups: Groups, frame: int, frames: int) -> bytes:
        place = groups.macro(
            "OpticalPathIdentificationSequence", "OpticalPathIdentifier"
        )
        if place is not groups.top:
            identifier = TAGS["OpticalPathIdentifier"]
            name = place.text(identifier)
            named = (path for path in self.paths if path.text(identifier) == name)
            path_of_frame = next(named, None)
            return (
                b""
                if path_of_frame is None
                else path_of_frame.octets(TAGS["ICCProfile"])
            )
        count = len(self.paths)
        organization = code(groups.top, TAGS["DimensionOrganizationType"])
        if count and organization == "TILED_FULL" and frames % count == 0:
            # All tiles of one path, then all of the next (C.7.6.17.3).
            return self.paths[frame * count // frames].octets(TAGS["ICCProfile"])
        profiles = {path.octets(TAGS["ICCProfile"]) for path in self.paths}
        if len(profiles) > 1:
            warn(
                "Which Optical Path (0048,0105) a frame has is not said: no ICC Profile is used."
            )
        return profiles.pop() if len(profiles) == 1 else b""


def read_profiles(top: Elements) -> Profiles:
    """Find the ICC profiles of a data set."""
    what = "Optical Path Sequence (0048,0105)"
    return Profiles(
        top, beside(what, lambda: top.items(TAGS["OpticalPathSequence"]), ())
    )


def through_profile(rgb: Array, profile: bytes) -> Array:
    """Return uint8 (rows, columns, 3) RGB as sRGB, by the profile's own rendering intent.

    A profile that cannot be used is passed over with a note: colours are then shown as stored.
    """
    try:
        shown = ImageCms.applyTransform(Image.fromarray(rgb), _to_srgb(profile))
    except (ImageCms.PyCMSError, OSError, ValueError):
        warn(
            "The ICC Profile (0028,2000) cannot be used: colours are shown as they are stored."
        )
        return rgb
    return rgb if shown is None else np.asarray(shown)


@lru_cache(maxsize=4)
def _to_srgb(profile: bytes) -> ImageCms.ImageCmsTransform:
    """Return what turns colours into sRGB; a slide asks for the same one thousands of times."""
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    target = ImageCms.createProfile("sRGB")
    intent = ImageCms.Intent(ImageCms.getDefaultIntent(source))
    return ImageCms.buildTransform(source, target, "RGB", "RGB", intent)
