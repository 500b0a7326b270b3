"""Which frame of which file a result is of: checked by its pixels, never assumed."""

import io
import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from os import PathLike
from typing import Any, Final, final

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import RTDoseStorage

from saliency.dicom import read_dicom, read_frames
from saliency.dicom.file.dicomweb import fetched, web_place_of
from saliency.dicom.file.guard import contained, without_warnings
from saliency.dicom.file.remote import is_url, open_url
from saliency.dicom.slices import normal_of
from saliency.errors import InputError
from saliency.pipeline.files import content_of, sources_in
from saliency.slides.result import SlideExplanation
from saliency.values.arrays import Array
from saliency.values.image import DicomImage
from saliency.volumes.explanation import VolumeExplanation

#: Without these nothing finds the file that an object refers to (PS3.3 C.12.1, C.7.2.1, C.7.3.1).
UIDS: Final = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
#: A slice may lie so many mm off the regular grid of its volume: writers round places.
_OFF_GRID: Final = 1.0
#: PS3.5 9.1: at most 64 signs, no component with a leading 0.
_UID: Final = re.compile(r"(?=.{1,64}\Z)(0|[1-9]\d*)(\.(0|[1-9]\d*))+")


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
            numbers_of(self.element(keyword, group), count)
            for keyword, group, count in (
                ("ImagePositionPatient", "PlanePositionSequence", 3),
                ("ImageOrientationPatient", "PlaneOrientationSequence", 6),
                ("PixelSpacing", "PixelMeasuresSequence", 2),
            )
        ]
        reference, grid = self.header.get("FrameOfReferenceUID"), self._dose_grid
        if not reference or any(each is None for each in (*found, grid)):
            return None
        first, orientation, spacing, offsets = (
            each for each in (*found, grid) if each is not None
        )
        normal = np.array(normal_of(tuple(orientation)))
        step = float(np.abs(np.diff(offsets[:2])).sum())
        return Geometry(
            str(reference),
            tuple(first + offsets[self.frame] * normal),
            tuple(orientation),
            tuple(spacing),
            self.thickness or step,
        )

    @property
    def thickness(self) -> float:
        """Mm of the slice, else to the next one; 0 where the file says neither."""
        for keyword in ("SliceThickness", "SpacingBetweenSlices"):
            found = numbers_of([self.element(keyword, "PixelMeasuresSequence")], 1)
            if found is not None and found[0] != 0:
                return abs(float(found[0]))
        return 0.0

    @property
    def _dose_grid(self) -> Array | None:
        """Mm along the normal from the first frame to each, where a file places that alone.

        A dose says so by Grid Frame Offset Vector (3004,000C); its other form, places along z,
        starts at that of the first (PS3.3 C.8.8.3.2). None: there is a dose without a usable one.
        """
        said = self.header.get("GridFrameOffsetVector")
        is_dose = said is not None or self.header.SOPClassUID == RTDoseStorage
        if self.frames == 1 or not is_dose:
            return np.zeros(self.frames)
        offsets = numbers_of(said, self.frames)
        place = numbers_of(self.header.get("ImagePositionPatient"), 3)
        if offsets is None or place is None or offsets[0] not in (0, place[2]):
            return None
        shifts: Array = offsets - offsets[0]
        return shifts


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


@final
@dataclass(frozen=True, eq=False)
class Matched:
    """The frames of a source that a result is of: one a view, or a slide's files."""

    frames: tuple[SourceFrame, ...]


def frame_read(image: DicomImage, source: object, *, lasting: bool) -> Matched:
    """Return the frame of a source that an image was read from a moment ago.

    Parameters
    ----------
    lasting
        Nobody has changed the source since: its pixels need not be read again and compared.

    Raises
    ------
    InputError
        The source has no UIDs, or its pixels are others by now.
    DicomError
        It cannot be read.
    """
    frames = image.frames if lasting else _checked(image, source)
    header = _without_pixels(header_of(source))
    return Matched((_frame(header, image.frame, frames),))


def matched(result: Any, source: object) -> tuple[SourceFrame, ...]:
    """Return the frame of the source that each view of a result is of.

    What was matched before is returned as it is: several objects of one result read it once.

    Parameters
    ----------
    result
        An Explanation, a sequence of those of frames of one file, or a VolumeExplanation.
    source
        What was explained. Of an image a path, bytes, a file object or a Dataset; of a volume also
        a folder, a zip, or a sequence of them.

    Raises
    ------
    InputError
        The pixels of the source are others, its size or place is, or it has no UIDs; or the
        result is of a slide, whose files are matched as a whole.
    DicomError
        The source cannot be read.
    """
    if isinstance(result, SlideExplanation):
        msg = "export: expected the explanation of an image or a volume, got that of a slide."
        raise InputError(msg)
    if isinstance(source, Matched):
        return source.frames
    if isinstance(result, VolumeExplanation):
        return _slices(result, source)
    given = content_of(source)
    views = result if isinstance(result, Sequence) else (result,)
    counts = [_checked(view.image, given) for view in views]
    header = header_of(given)
    pairs = zip(views, counts, strict=True)
    return tuple(_frame(header, view.image.frame, frames) for view, frames in pairs)


def _checked(image: DicomImage, given: Any) -> int:
    """Return how many frames a source has, in which one has the pixels of an image.

    Raises
    ------
    SaliencyError
        Its pixels or its size are others, or it cannot be read.
    """
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
    return shown.frames


def _frame(header: Dataset, frame: int, frames: int) -> SourceFrame:
    check_uids(header)
    return SourceFrame(header, frame, frames)


def _slices(result: VolumeExplanation, source: object) -> tuple[SourceFrame, ...]:
    """Return the frame of each slice: that of its pixels, and of several the one in its place."""
    by_digest: dict[str, list[SourceFrame]] = {}
    for file in sources_in(source):
        header = header_of(content_of(file))
        for image in read_frames(content_of(file)):
            found = _frame(header, image.frame, image.frames)
            by_digest.setdefault(image.digest, []).append(found)
    affine = result.volume.affine
    places = [affine[:3, 3] + k * affine[:3, 0] for k in range(len(result))]
    return tuple(
        _nearest(by_digest.get(image.digest, ()), place, k)
        for k, (image, place) in enumerate(zip(result.volume, places, strict=True))
    )


def _nearest(found: Sequence[SourceFrame], place: Array, number: int) -> SourceFrame:
    placed = [
        (float(np.abs(np.array(each.geometry.position) - place).max()), index)
        for index, each in enumerate(found)
        if each.geometry is not None
    ]
    if not found:
        msg = (
            f"export: no frame of the source has the pixels of slice {number}. Give the files that "
            "were explained."
        )
        raise InputError(msg)
    if not placed:
        msg = (
            "export: expected slices with position, orientation, spacing and Frame of Reference "
            f"UID (0020,0052), got slice {number} without one of them. Explain and export its "
            "slices one by one."
        )
        raise InputError(msg)
    distance, index = min(placed)
    if distance > _OFF_GRID:
        msg = (
            f"export: the pixels of slice {number} lie {distance:.3g} mm from where they were "
            "explained. Give the files that were explained."
        )
        raise InputError(msg)
    return found[index]


def header_of(source: Any) -> Dataset:
    """Return all elements of a source but its pixels."""
    place = web_place_of(source)
    if place is not None:
        return fetched(place)
    with contained(), without_warnings(), ExitStack() as stack:
        if isinstance(source, Dataset):
            return source
        if is_url(source):
            source = stack.enter_context(open_url(source))
        if isinstance(source, str | PathLike):
            return pydicom.dcmread(source, stop_before_pixels=True, force=True)
        if isinstance(source, bytes | bytearray | memoryview):
            source = io.BytesIO(source)
        before = source.tell()
        source.seek(0)
        stack.callback(source.seek, before)
        return pydicom.dcmread(source, stop_before_pixels=True, force=True)


def _without_pixels(whole: Dataset) -> Dataset:
    """Return a Dataset up to its pixels (7FE0,xxxx), so that they need not stay in memory."""
    with contained(), without_warnings():
        header: Dataset = whole[:0x7FE00000]
        header.file_meta = getattr(whole, "file_meta", FileMetaDataset())
    return header


def check_uids(header: Dataset) -> None:
    """Refuse a file that no object could refer to.

    Raises
    ------
    InputError
        It lacks a UID, or one is illegal.
    """
    missing = [each for each in UIDS if not _UID.fullmatch(str(header.get(each, "")))]
    if missing:
        msg = (
            f"export: expected a source with {', '.join(missing)}, got none that is valid. An "
            "object without them could not be found beside its image."
        )
        raise InputError(msg)


def numbers_of(value: Any, count: int) -> Array | None:
    """Return so many finite numbers of an element; None where it holds anything else."""
    try:
        found = np.array([float(each) for each in value])
    except (TypeError, ValueError):
        return None
    return found if found.shape == (count,) and np.isfinite(found).all() else None
