"""Which frame of which file a result is of: checked by its pixels, never assumed."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from typing import Any, Final, final

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from saliency.dicom import read_dicom
from saliency.dicom.file.guard import contained
from saliency.errors import InputError
from saliency.pipeline.explanation import Explanation
from saliency.pipeline.files import content_of
from saliency.values.arrays import Array

#: Without these nothing finds the file that an object refers to (PS3.3 C.12.1, C.7.2.1, C.7.3.1).
UIDS: Final = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
_UID: Final = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")


@final
@dataclass(frozen=True, eq=False)
class SourceFrame:
    """A frame of a file, by its header.

    Parameters
    ----------
    header
        All elements but the pixel data. It holds the patient's name: nothing of it goes into a
        message, a log or a file name.
    frame, frames
        Index from 0, and how many the file has.
    """

    header: Dataset
    frame: int
    frames: int

    def element(self, keyword: str, group: str = "") -> Any:
        """Return a value of this frame; None where there is none.

        Parameters
        ----------
        keyword
            Of the attribute.
        group
            Sequence of the functional group that holds it in an enhanced file (PS3.3 C.7.6.16).
        """
        own = self.header.get("PerFrameFunctionalGroupsSequence") or []
        shared = self.header.get("SharedFunctionalGroupsSequence") or []
        for item in (*own[self.frame : self.frame + 1], *shared[:1]):
            for inner in item.get(group) or []:
                if inner.get(keyword) is not None:
                    return inner.get(keyword)
        return self.header.get(keyword)

    def reference(self, **more: Any) -> Dataset:
        """Return an item that refers to this frame (PS3.3 10.3)."""
        item = Dataset()
        item.ReferencedSOPClassUID = self.header.SOPClassUID
        item.ReferencedSOPInstanceUID = self.header.SOPInstanceUID
        if self.frames > 1:
            item.ReferencedFrameNumber = self.frame + 1
        for keyword, value in more.items():
            setattr(item, keyword, value)
        return item

    @property
    def geometry(self) -> "Geometry | None":
        """Where the frame lies in the patient; None where the file does not say it all."""
        found = [
            _numbers(self.element(keyword, group), count)
            for keyword, group, count in (
                ("ImagePositionPatient", "PlanePositionSequence", 3),
                ("ImageOrientationPatient", "PlaneOrientationSequence", 6),
                ("PixelSpacing", "PixelMeasuresSequence", 2),
            )
        ]
        reference = self.header.get("FrameOfReferenceUID")
        if reference is None or any(each is None for each in found):
            return None
        deep = (
            self.element(keyword, "PixelMeasuresSequence")
            for keyword in ("SliceThickness", "SpacingBetweenSlices")
        )
        thickness = _numbers([next((each for each in deep if each), None)], 1)
        position, orientation, spacing = (tuple(each) for each in found if each is not None)
        return Geometry(
            str(reference),
            position,
            orientation,
            spacing,
            0.0 if thickness is None else abs(float(thickness[0])),
        )


@final
@dataclass(frozen=True)
class Geometry:
    """A frame's place (PS3.3 C.7.6.2).

    Parameters
    ----------
    reference
        Frame of Reference UID.
    position, orientation
        Image Position and Orientation (Patient): mm, and direction cosines of row and column.
    spacing
        (row, column) mm.
    thickness
        mm; 0 where unknown.
    """

    reference: str
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    spacing: tuple[float, ...]
    thickness: float


def matched(result: Explanation, source: object) -> SourceFrame:
    """Return the frame of the source that a result is of.

    Parameters
    ----------
    result
        An Explanation.
    source
        The file that was explained: a path, bytes, a file object or a Dataset.

    Raises
    ------
    InputError
        The pixels of the source are others, its size is, or it has no UIDs.
    DicomError
        The source cannot be read.
    """
    image = result.image
    given = content_of(source)
    shown = read_dicom(given, frame=image.frame)
    if shown.size != image.size:
        msg = f"export: expected a source of {image.size} pixels, as explained, got {shown.size}."
        raise InputError(msg)
    if shown.digest != image.digest:
        msg = (
            "export: the pixels of the source are not those explained (sha256 "
            f"{shown.digest[:12]}, explained {image.digest[:12]}). Give the file that was "
            "explained."
        )
        raise InputError(msg)
    header = header_of(given)
    _check_uids(header)
    return SourceFrame(header, image.frame, shown.frames)


def header_of(source: Any) -> Dataset:
    """Return all elements of a source but its pixels."""
    with contained(), quiet():
        if isinstance(source, Dataset):
            return source
        if isinstance(source, str | PathLike):
            return pydicom.dcmread(source, stop_before_pixels=True, force=True)
        if isinstance(source, bytes | bytearray | memoryview):
            source = io.BytesIO(source)
        before = source.tell()
        source.seek(0)
        try:
            return pydicom.dcmread(source, stop_before_pixels=True, force=True)
        finally:
            source.seek(before)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep pydicom's warnings back: they quote values of the file, and with them the patient."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _check_uids(header: Dataset) -> None:
    missing = [each for each in UIDS if not _UID.fullmatch(str(header.get(each, "")))]
    if missing:
        msg = (
            f"export: expected a source with {', '.join(missing)}, got none that is valid. An "
            "object without them could not be found beside its image."
        )
        raise InputError(msg)


def _numbers(value: Any, count: int) -> Array | None:
    try:
        found = np.array([float(each) for each in value])
    except (TypeError, ValueError):
        return None
    return found if found.shape == (count,) and np.isfinite(found).all() else None
