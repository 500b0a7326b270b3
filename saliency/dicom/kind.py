"""What a file is, by its content: a picture, a DICOM object without one, or no DICOM at all."""

import re
from pathlib import Path
from typing import Final, Literal, TypeAlias

from pydicom.uid import (
    MediaStorageDirectoryStorage,
    ParametricMapStorage,
    RTDoseStorage,
    SegmentationStorage,
)

from saliency.dicom.file.dicomweb import FoundInstance
from saliency.dicom.file.guard import contained
from saliency.dicom.file.open import Opened, open_source
from saliency.dicom.file.syntax import uid_name
from saliency.dicom.file.tags import TAGS
from saliency.errors import DicomError

Kind: TypeAlias = Literal[
    "image", "broken", "no pixels", "directory", "no DICOM", "result"
]

#: Manufacturer's Model Name (0008,1090) of what ``saliency.export`` makes: no source of a run.
PRODUCT: Final = "dicom-saliency"
#: Classes of pixels that are not called Image Storage (PS3.6 A): dose, maps, segments.
_PIXELS: Final = (
    RTDoseStorage,
    ParametricMapStorage,
    SegmentationStorage,
    "1.2.840.10008.5.1.4.1.1.66.7",  # Label Map Segmentation
)
_BETWEEN_PARTS: Final = re.compile(r"[\\/]")
_MAGIC: Final = b"DICM"
"""Behind a preamble of 128 bytes, PS3.10 7.1."""


def kind_of(source: object) -> Kind:
    """Say what a file is; its header is read, its pixels are not.

    Parameters
    ----------
    source
        What ``read_dicom`` takes.

    Returns
    -------
    Kind
        ``"image"``; ``"broken"``: a picture whose header is cut, malformed or cannot be opened;
        ``"no pixels"``: a report, a plan, a presentation state; ``"directory"``: a DICOMDIR;
        ``"result"``: what this library made; ``"no DICOM"``.
    """
    try:
        with contained(), open_source(source) as opened:
            return _kind(opened)
    except DicomError as error:
        return "no DICOM" if error.reason == "not-dicom" else "broken"


def kind_of_instance(found: FoundInstance) -> Kind:
    """Say what an instance behind DICOMweb is, as far as a search tells."""
    if found.model_name == PRODUCT:
        return "result"
    uid = found.sop_class
    named = not uid or uid in _PIXELS or "Image Storage" in uid_name(uid)
    return "image" if found.has_rows or named else "no pixels"


def starts_as_dicom(head: bytes) -> bool:
    """Say whether the first 132 bytes may be those of a DICOM file, with or without a preamble.

    Without one a file begins with an element of a low group, in one byte order or the other.
    """
    groups = (int.from_bytes(head[:2], order) for order in ("little", "big"))
    return head[128:132] == _MAGIC or any(0x0002 <= group <= 0x0028 for group in groups)


def has_preamble(head: bytes) -> bool:
    """Say whether the first 132 bytes are a preamble and the magic."""
    return head[128:132] == _MAGIC


def referenced_files(directory: Path) -> tuple[Path, ...]:
    """Return the files that a DICOMDIR names (PS3.3 F.3), in its order, below its folder.

    Names are compared in any case of letters, as on discs that were copied. Parts stand between
    backslashes (PS3.10 8.2), or slashes, as some writers have it. A name that leads out of the
    folder is left out; a file that is missing is returned, so that somebody notices.

    Raises
    ------
    DicomError
        The DICOMDIR cannot be read.
    """
    with contained(), open_source(directory) as opened:
        records = opened.elements.items(TAGS["DirectoryRecordSequence"])
        names = [record.text(TAGS["ReferencedFileID"]) for record in records]
    parts = (_parts_of(name) for name in names if name)
    return tuple(
        _below(directory.parent, each) for each in parts if each and ".." not in each
    )


def _parts_of(name: str) -> tuple[str, ...]:
    """Return the folders and the file of a File ID; what stands for the folder itself is none."""
    parts = (part.strip() for part in _BETWEEN_PARTS.split(name))
    return tuple(part for part in parts if part not in ("", "."))


def _kind(opened: Opened) -> Kind:
    uid = opened.elements.text(TAGS["SOPClassUID"])
    if uid == MediaStorageDirectoryStorage or opened.elements.has(
        TAGS["DirectoryRecordSequence"]
    ):
        return "directory"
    if opened.elements.text(TAGS["ManufacturerModelName"]) == PRODUCT:
        return "result"
    if opened.pixels is not None:
        return "image"
    # An image that lost its pixels is broken; a report never had any.
    lost = opened.elements.has(TAGS["Rows"]) or "Image Storage" in uid_name(uid)
    return "broken" if lost else "no pixels"


def _below(folder: Path, parts: tuple[str, ...]) -> Path:
    place = folder
    for part in parts:
        place = place / part
        if not place.exists() and place.parent.is_dir():
            same = (
                each
                for each in place.parent.iterdir()
                if each.name.lower() == part.lower()
            )
            place = next(same, place)
    return place
