"""Regions that people drew, as Segmentation or RT Structure Set, on the image they refer to."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Final, TypeAlias, final

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from saliency.dicom.file.elements import hash_of
from saliency.dicom.file.guard import contained, without_warnings
from saliency.dicom.slices import FrameHeader, frame_headers, normal_of
from saliency.errors import DicomError, InputError
from saliency.values.arrays import Array
from saliency.values.image import DicomImage

Source: TypeAlias = "str | PathLike[str] | bytes | Dataset"

_SEGMENTATIONS: Final = (
    "1.2.840.10008.5.1.4.1.1.66.4",  # Segmentation Storage
    "1.2.840.10008.5.1.4.1.1.66.7",  # Label Map Segmentation Storage
)
_STRUCTURES: Final = "1.2.840.10008.5.1.4.1.1.481.3"
"""RT Structure Set Storage (PS3.4 B.5)."""
_AREAS: Final = frozenset({"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"})
"""Contours with an inside; points and open lines have none."""

NO_DRAWING: Final = frozenset({"not-a-drawing", "not-dicom"})
"""Reasons of the errors about files that are something else."""
_NEAR: Final = 0.1
"""Two planes less than so many mm apart are one: writers round places."""
_TOLERATED: Final = 1.0
"""A contour that refers to an image may lie so many mm off its plane."""
_ALIKE: Final = 1e-3
"""Directions and spacings that differ less are alike."""


def is_drawing(source: object) -> bool:
    """Say whether something is a path, bytes or a data set, so that it may hold drawn regions."""
    return isinstance(source, str | PathLike | bytes | Dataset)


@final
class DrawnTruth:
    """A Segmentation or RT Structure Set.

    Parameters
    ----------
    source
        A path, bytes, or a pydicom Dataset.

    Raises
    ------
    DicomError
        It cannot be read, or is another object.
    """

    def __init__(self, source: Source) -> None:
        with contained(), without_warnings():
            self._data = _read_drawing(source)
            kind = str(self._data.get("SOPClassUID", ""))
            if kind not in (*_SEGMENTATIONS, _STRUCTURES):
                msg = (
                    "truth: expected a Segmentation or an RT Structure Set (SOP Class UID, "
                    f"0008,0016), got an object of modality {self._modality}."
                )
                raise DicomError(msg, reason="not-a-drawing")
            self._is_structure = kind == _STRUCTURES
            self._frames = () if self._is_structure else _segment_frames(self._data)

    def on(self, image: DicomImage, source: object = None) -> Array | None:
        """Return what is drawn on an image: the union of all segments or structures.

        Parameters
        ----------
        image
            As ``read_dicom`` read it: it still knows its SOP Instance UID.
        source
            What it was read from. Contours are in mm, so a structure set needs it; so does a
            segmentation whose frames refer to no image, which is laid by its place instead.

        Returns
        -------
        bool (rows, columns) or None
            None where the object is of other images.

        Raises
        ------
        InputError
            It refers to the image, and its grid is another, or contours leave the image's plane.
        DicomError
            The object is broken.
        """
        place = _Place(image, source)
        with contained(), without_warnings():
            if self._is_structure:
                return _contours_on(self._data, place)
            return _frames_on(self._data, self._frames, place)

    @property
    def _modality(self) -> str:
        found = str(self._data.get("Modality", ""))
        return found if found.isalnum() and len(found) <= 16 else "unknown"


@final
@dataclass(frozen=True, eq=False)
class _Place:
    """An image, and where it lies: its file is read only where references do not tell."""

    image: DicomImage
    source: object

    @cached_property
    def header(self) -> FrameHeader | None:
        """The header of the frame; None for an image that came from no file."""
        if self.source is None or isinstance(self.source, DicomImage):
            return None
        return frame_headers(self.source)[self.image.frame]


def _read_drawing(source: Source) -> Dataset:
    if isinstance(source, Dataset):
        return source
    if isinstance(source, bytes):
        return pydicom.dcmread(io.BytesIO(source))
    if not Path(source).is_file():
        msg = "truth: expected a DICOM file, found none under that name."
        raise DicomError(msg, reason="missing")
    try:
        return pydicom.dcmread(source)
    except pydicom.errors.InvalidDicomError:
        msg = f"truth: expected a DICOM file, got {Path(source).suffix or 'another'} file."
        raise DicomError(msg, reason="not-dicom") from None


def _segment_frames(data: Dataset) -> Sequence[Array]:
    """Return what each frame of a segmentation holds, bool (rows, columns)."""
    stored = np.asarray(data.pixel_array)
    frames = stored[np.newaxis] if stored.ndim == 2 else stored
    if str(data.get("SegmentationType", "")) != "FRACTIONAL":
        return list(frames > 0)
    # Half of what 1 stands for (PS3.3 C.8.20.2.3) is inside.
    return list(frames >= 0.5 * float(data.MaximumFractionalValue))


def _frames_on(data: Dataset, frames: Sequence[Array], place: _Place) -> Array | None:
    image = place.image
    groups = list(data.get("PerFrameFunctionalGroupsSequence") or [])
    references = [list(_references(group)) for group in groups]
    if any(references):
        chosen = [
            frame
            for frame, its in zip(frames, references, strict=True)
            if any(_refers(item, image) for item in its)
        ]
    else:
        chosen = _in_place(data, frames, place.header)
    if not chosen:
        return None
    if chosen[0].shape != image.size:
        msg = (
            f"truth: the segmentation refers to the image, whose grid is {image.size}, and has one "
            f"of {chosen[0].shape}: it was drawn on resampled pixels. Resample it to the image."
        )
        raise InputError(msg)
    return np.asarray(np.any(chosen, axis=0))


def _references(group: Dataset) -> Iterator[Dataset]:
    """Yield the images that a frame was derived from (PS3.3 C.7.6.16.2.6)."""
    for derivation in group.get("DerivationImageSequence") or []:
        yield from derivation.get("SourceImageSequence") or []


def _refers(item: Dataset, image: DicomImage) -> bool:
    if not image.uid or str(item.get("ReferencedSOPInstanceUID", "")) != image.uid:
        return False
    frames = item.get("ReferencedFrameNumber")
    if frames is None:
        return True
    numbers = [frames] if isinstance(frames, int | str) else list(frames)
    return image.frame + 1 in [int(number) for number in numbers]


def _in_place(
    data: Dataset, frames: Sequence[Array], header: FrameHeader | None
) -> list[Array]:
    """Return the frames that lie where the image lies, pixel on pixel."""
    if header is None or not (header.position and header.reference):
        return []
    pairs = zip(frames, frame_headers(data), strict=True)
    return [frame for frame, other in pairs if _lies_on(other, header)]


def _lies_on(one: FrameHeader, other: FrameHeader) -> bool:
    if one.reference != other.reference or not (one.spacing and other.spacing):
        return False
    near = np.allclose(one.position, other.position, rtol=0, atol=_NEAR)
    turned = np.allclose(one.orientation, other.orientation, rtol=0, atol=_ALIKE)
    return bool(
        near and turned and np.allclose(one.spacing, other.spacing, rtol=_ALIKE)
    )


def _contours_on(data: Dataset, place: _Place) -> Array | None:
    found = []
    for roi in data.get("ROIContourSequence") or []:
        reference = _reference_of(data, roi)
        contours = [
            contour
            for contour in roi.get("ContourSequence") or []
            if str(contour.get("ContourGeometricType", "")) in _AREAS
            and _is_on(contour, reference, place)
        ]
        if contours:
            found.append(_area_of_contours(contours, place))
    return np.asarray(np.any(found, axis=0)) if found else None


def _area_of_contours(contours: Sequence[Dataset], place: _Place) -> Array:
    """Return what the contours of one structure hold, bool (rows, columns)."""
    image, header = place.image, place.header
    placed = header and header.position and header.orientation and header.spacing
    if header is None or not placed:
        msg = (
            "truth: a structure set is drawn in mm, so expected an image read from a file with "
            "Image Position, Image Orientation (Patient) and Pixel Spacing. Pass the file itself."
        )
        raise InputError(msg)
    inside = np.zeros(image.size, np.bool_)
    for contour in contours:
        polygon = _filled(_corners_on_grid(contour, header), image.size)
        # PS3.3 C.8.8.6.3: only this type has holes by exclusive or.
        is_xor = str(contour.ContourGeometricType) == "CLOSEDPLANAR_XOR"
        inside = inside ^ polygon if is_xor else inside | polygon
    return inside


def _reference_of(data: Dataset, roi: Dataset) -> str:
    """Return the hash of the frame of reference that a structure is drawn in."""
    number = roi.get("ReferencedROINumber")
    for each in data.get("StructureSetROISequence") or []:
        if each.get("ROINumber") == number:
            return hash_of(str(each.get("ReferencedFrameOfReferenceUID", "")).encode())
    return ""


def _is_on(contour: Dataset, reference: str, place: _Place) -> bool:
    """Say whether a contour refers to the image; one that refers to none, whether it lies on it."""
    references = contour.get("ContourImageSequence")
    if references:
        return any(_refers(item, place.image) for item in references)
    header = place.header
    placed = header is not None and bool(header.position and header.orientation)
    if header is None or not placed or not reference or reference != header.reference:
        return False
    return _off_plane(contour, header) < _NEAR


def _off_plane(contour: Dataset, header: FrameHeader) -> float:
    """Return the greatest distance of a contour from the image's plane, in mm."""
    distances = _from_first_pixel(contour, header) @ normal_of(header.orientation)
    return float(np.abs(distances).max())


def _from_first_pixel(contour: Dataset, header: FrameHeader) -> Array:
    """Return (points, 3) mm in the patient's directions, from the middle of the first pixel."""
    points = np.asarray(contour.ContourData, np.float64).reshape(-1, 3)
    return np.asarray(points - np.asarray(header.position))


def _corners_on_grid(contour: Dataset, header: FrameHeader) -> Array:
    """Return the corners of a contour as (row, column), pixel centres at whole numbers."""
    off = _off_plane(contour, header)
    if off > _TOLERATED:
        msg = (
            f"truth: a contour refers to the image and lies {off:.3g} mm off its plane. The "
            "structure set belongs to other images, or its frame of reference is another."
        )
        raise InputError(msg)
    away = _from_first_pixel(contour, header)
    along_row, along_column = np.reshape(header.orientation, (2, 3))
    down, across = header.spacing or (1.0, 1.0)
    return np.stack([away @ along_column / down, away @ along_row / across], axis=1)


def _filled(corners: Array, size: tuple[int, int]) -> Array:
    """Return bool (rows, columns): pixel centres inside a polygon, by even and odd crossings."""
    rows, columns = np.arange(size[0]), np.arange(size[1])
    inside = np.zeros(size, np.bool_)
    for (row, column), (to_row, to_column) in zip(
        corners, np.roll(corners, -1, axis=0), strict=True
    ):
        crossed = (row > rows) != (to_row > rows)
        if crossed.any():
            share = (rows[crossed] - row) / (to_row - row)
            crossing = column + share * (to_column - column)
            inside[crossed] ^= columns < crossing[:, np.newaxis]
    return inside
