"""A result as DICOM objects: files beside the others, and back into the PACS it came from."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, final

from saliency.archive.sources import Frame
from saliency.dicom.file.dicomweb import failure_words
from saliency.errors import DicomError, InputError
from saliency.export.dicomweb import Refusal, archive_at, service_of
from saliency.export.files import Objects, objects_of, write_object
from saliency.export.matching import Matched, frame_read
from saliency.export.objects import highdicom, lasting_uids, told_of
from saliency.pipeline.explanation import Explanation
from saliency.pipeline.writers import Look
from saliency.values.image import DicomImage

DICOM: Final = "dicom"
"""A form of results: DICOM objects of :data:`KEPT_KINDS`."""
KEPT_KINDS: Final = ("sc", "pm", "seg", "outline")
"""Capture, map, and both segmentations: what each viewer draws of a result."""
WHENCE: Final = "source"
"""A service to store to: the one that the image was read from."""
#: Duplicate SOP Instance (PS3.7 C): a server that has an object already need not get it again.
_THERE: Final = failure_words(0x0111)


@final
@dataclass(frozen=True, eq=False)
class Origin:
    """What DICOM objects of a frame are made of besides its image.

    Parameters
    ----------
    source
        The frame of its file. It holds the patient's name: nothing of it goes into a row.
    identity
        Tells the file from others of the same pixels: a hash of what its objects say of it.
    service
        Where objects are stored; ``""``: nowhere.
    """

    source: Matched
    identity: str
    service: str


def check_objects() -> None:
    """Refuse DICOM objects where highdicom is not installed, before the model runs.

    Raises
    ------
    MissingExtraError
        The message says what to install.
    """
    highdicom()


def origin_of(
    frame: Frame, content: Any, image: DicomImage, mark: bytes, store: str
) -> Origin:
    """Return what the objects of a frame are made of, when it was just read.

    Parameters
    ----------
    content, image
        Of the frame.
    mark
        Of the file before it was read.
    store
        As in Job.

    Raises
    ------
    SaliencyError
        The file has no UIDs, was changed while it was read, or came from no service to store to.
    """
    service = service_of(str(frame)) if store == WHENCE else store
    if service is None:
        msg = "store: expected an image read by DICOMweb, or the URL of a service."
        raise InputError(msg)
    lasting = bool(mark) or not isinstance(content, str)  # a plain URL tells no change
    source = frame_read(image, content, lasting=lasting)
    if frame.stamp() != mark:
        msg = "export: expected a file that stays as it is while it is read, got one that changed."
        raise InputError(msg)
    said = repr(told_of(source.frames[0]))
    identity = sha256(said.encode("utf-8", "surrogatepass")).hexdigest()
    return Origin(source, identity, service)


def made_of(result: Explanation, origin: Origin, look: Look, name: str) -> Objects:
    """Return the objects of a result by kind.

    Parameters
    ----------
    look
        As of ``saliency.pipeline.writers``.
    name
        Of the result: with it go UIDs, the same whenever the result is made; "": new ones.
    """
    made = objects_of(result, origin.source, KEPT_KINDS, look)
    if name:
        for kind, each in made.items():
            lasting_uids(each, f"{name} {kind}")
    return made


def write_objects(made: Objects, out: Path, stem: str) -> list[Path]:
    """Write objects as ``STEM-KIND.dcm``."""
    return [
        write_object(each, out / f"{stem}-{kind}.dcm") for kind, each in made.items()
    ]


def store_objects(made: Objects, service: str) -> None:
    """Store objects at a DICOMweb service.

    Raises
    ------
    SaliencyError
        It cannot be reached, or does not take them all; the message says which and why.
    """
    refused = archive_at(service).store(made.values())
    kinds = list(made)
    words = [
        f"{kinds[each.index]}: {each.reason}" for each in refused if not _is_there(each)
    ]
    if words:
        said = "; ".join(words)
        msg = f"Expected the server to store all objects, it refused {said}."
        raise DicomError(msg, reason="refused")


def _is_there(refusal: Refusal) -> bool:
    return refusal.reason.endswith(_THERE)
