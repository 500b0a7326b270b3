"""A result as DICOM objects: files beside the others, and back into the PACS it came from."""

from pathlib import Path
from typing import Final

from saliency.archive.sources import Frame
from saliency.errors import DicomError, InputError
from saliency.export.dicomweb import Archive, service_of
from saliency.export.files import Objects, objects_of, write_object
from saliency.export.objects import highdicom
from saliency.pipeline.explanation import Explanation
from saliency.pipeline.files import content_of

DICOM: Final = "dicom"
"""A form of results: a Secondary Capture, a Parametric Map and a Segmentation."""
WHENCE: Final = "source"
"""A service to store to: the one that the image was read from."""


def check_objects() -> None:
    """Refuse DICOM objects where highdicom is not installed, before the model runs.

    Raises
    ------
    MissingExtraError
        The message says what to install.
    """
    highdicom()


def made_of(result: Explanation, frame: Frame) -> Objects:
    """Return the objects of a result by kind.

    Raises
    ------
    SaliencyError
        The source has no UIDs, or cannot be read again.
    """
    return objects_of(result, content_of(frame.file))


def write_objects(made: Objects, out: Path, stem: str) -> list[Path]:
    """Write objects as ``STEM-KIND.dcm``."""
    return [
        write_object(each, out / f"{stem}-{kind}.dcm") for kind, each in made.items()
    ]


def store_objects(made: Objects, frame: Frame, service: str) -> None:
    """Store objects at a DICOMweb service, or at the one that the frame was read from.

    Raises
    ------
    SaliencyError
        There is no such service, or it does not take them all; the message says which and why.
    """
    place = service_of(str(frame)) if service == WHENCE else service
    if place is None:
        msg = "store: expected an image read by DICOMweb, or the URL of a service."
        raise InputError(msg)
    refused = Archive(place).store(made.values())
    if refused:
        kinds = list(made)
        words = "; ".join(f"{kinds[each.index]}: {each.reason}" for each in refused)
        msg = f"Expected the server to store all objects, it refused {words}."
        raise DicomError(msg, reason="refused")
