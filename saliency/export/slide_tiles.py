"""A slide's heat as tiles of the slide's coordinates (PS3.3 C.8.12.4, C.8.12.14)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import VLWholeSlideMicroscopyImageStorage

from saliency.dicom.file.elements import hash_of
from saliency.errors import DicomError, InputError
from saliency.export.matching import Matched, SourceFrame, check_uids, header_of
from saliency.export.objects import built, decimals, new_uid, stand_in
from saliency.pipeline.files import candidates_in, content_of
from saliency.slides.explain_setup import THUMBNAIL, slide_digest
from saliency.slides.open import open_slide
from saliency.slides.result import SlideExplanation
from saliency.slides.slide import Slide
from saliency.values.arrays import Array
from saliency.values.placement import Box

#: Cells of a tile's side: small, so that glass between tissue is left out.
_TILE_CELLS: Final = 64
#: Pyramid Label (0020,0027).
PYRAMID: Final = "HEATMAP"
#: Places of one slide differ by less, in mm: a hundredth of a pixel of the finest scanners.
_SAME_PLACE: Final = 1e-6
#: What the standard needs of a slide besides UIDs (PS3.3 C.7.4.1, C.8.12.4).
_PLACE: Final = (
    "FrameOfReferenceUID",
    "ImageOrientationSlide",
    "TotalPixelMatrixOriginSequence",
)
#: Of the specimen no more than who it is: the module is required of a slide (PS3.3 C.7.6.22).
_SPECIMEN: Final = ("SpecimenIdentifier", "SpecimenUID")


@final
@dataclass(frozen=True, eq=False)
class HeatLevel:
    """A slide's heat in one resolution, as the tiles in which a tile of the model had a say.

    Parameters
    ----------
    result
        The explanation.
    frames
        The files of level 0 of the slide, whole.
    own_affine
        float64 (3, 3), as :attr:`SlideExplanation.affine`.
    factor
        Cells of the map that a cell of this level is long, down and across.
    """

    result: SlideExplanation
    frames: tuple[SourceFrame, ...]
    own_affine: Array
    factor: int = 1

    @cached_property
    def said(self) -> Array:
        """Int (rows, columns): in how many cells of the map a tile of the model had a say."""
        counts: Array = self._sums(self.result.explained.astype(np.int64))
        return counts

    @property
    def affine(self) -> Array:
        """float64 (3, 3): (row, column, 1) on this level's grid to (x, y, 1) mm on the slide."""
        affine: Array = self.own_affine @ np.diag([self.factor, self.factor, 1.0])
        return affine

    @property
    def spacing(self) -> tuple[float, float]:
        """(row, column) mm of a cell."""
        down, across, _ = np.diag(self.result.placement) * self.factor
        return float(down), float(across)

    @cached_property
    def places(self) -> Array:
        """Int (tiles, 2): first row and column of each tile on this level's grid, from 0."""
        side = _TILE_CELLS
        rows, columns = self.said.shape
        corners = [
            (row, column)
            for row in range(0, rows, side)
            for column in range(0, columns, side)
            if self.said[_tile_at(row, column)].any()
        ]
        return np.array(corners, int).reshape(-1, 2)

    def mean(self, cells: Array) -> Array:
        """Return an array of the map's grid on this level's, float32.

        Parameters
        ----------
        cells
            float32 (rows, columns). Those in which no tile had a say have no part in a mean; where
            none had, it is 0.
        """
        asked = np.where(self.result.explained, cells, 0)
        sums = self._sums(asked.astype(np.float64))
        means: Array = sums / np.maximum(self.said, 1)
        return means.astype(np.float32)

    def cut(self, cells: Array) -> Array:
        """Return the mean of an array of the map's grid as (tiles, side, side); 0 beyond it."""
        means = _filled_up(self.mean(cells), _TILE_CELLS)
        return np.stack([means[_tile_at(row, column)] for row, column in self.places])

    def _sums(self, cells: Array) -> Array:
        """Return the sum of an array of the map's grid over each cell of this level."""
        step = self.factor
        filled = _filled_up(cells, step)
        rows, columns = (length // step for length in filled.shape)
        sums: Array = filled.reshape(rows, step, columns, step).sum(axis=(1, 3))
        return sums

    def builder_places(self, hd: Any) -> dict[str, Any]:
        """Return what a builder of highdicom is told of where tiles lie."""
        header, affine = self.frames[0].header, self.affine
        origin = header.TotalPixelMatrixOriginSequence[0]
        depth = float(origin.get("ZOffsetInSlideCoordinateSystem") or 0)
        thickness = self.frames[0].element("SliceThickness", "PixelMeasuresSequence")
        # Positions are those of the centre of a tile's first cell (PS3.3 C.8.12.6.1).
        centres = [affine @ (row + 0.5, column + 0.5, 1) for row, column in self.places]
        return {
            "plane_positions": [
                hd.PlanePositionSequence(
                    coordinate_system="SLIDE",
                    image_position=(x, y, depth),
                    pixel_matrix_position=(int(column) + 1, int(row) + 1),
                )
                for (x, y, _), (row, column) in zip(centres, self.places, strict=True)
            ],
            "plane_orientation": hd.PlaneOrientationSequence(
                coordinate_system="SLIDE",
                image_orientation=[
                    float(each) for each in header.ImageOrientationSlide
                ],
            ),
            "pixel_measures": hd.PixelMeasuresSequence(
                pixel_spacing=list(self.spacing),
                slice_thickness=float(thickness) if thickness else None,
            ),
            "dimension_organization_type": "TILED_SPARSE",
        }

    def built(self, hd: Any, builder: Any, **arguments: Any) -> Dataset:
        """Call a builder of highdicom; the object refers to the files of level 0.

        The size of the whole grid is written afterwards: tiles of the last rows may be left out.
        """
        sources = [_tiled_stand_in(frame) for frame in self.frames]
        made = built(
            builder,
            self.frames,
            sources,
            source_images=sources[:1],
            further_source_images=sources[1:],
            **self.builder_places(hd),
            **arguments,
        )
        made.TotalPixelMatrixRows, made.TotalPixelMatrixColumns = self.said.shape
        x, y, _ = self.affine @ (0.5, 0.5, 1)
        origin = made.TotalPixelMatrixOriginSequence[0]
        origin.XOffsetInSlideCoordinateSystem, origin.YOffsetInSlideCoordinateSystem = (
            decimals((x, y))
        )
        made.PatientOrientation = ""  # required, and not known of a slide (type 2C)
        _keep_specimen(made, self.frames[0].header)
        return made


def _tile_at(row: int, column: int) -> tuple[slice, slice]:
    """Return the cells of the tile whose first one is told."""
    return Box(row, column, _TILE_CELLS, _TILE_CELLS).slices


def _filled_up(cells: Array, step: int) -> Array:
    """Return cells with zeros behind them, up to a multiple of a step on both axes."""
    return np.pad(cells, [(0, -length % step) for length in cells.shape])


def heat_levels(result: SlideExplanation, source: object) -> tuple[HeatLevel, ...]:
    """Return a slide's heat in all resolutions, each half as fine as the one before.

    The first is the map itself, the last fits into one tile.

    Raises
    ------
    InputError
        As of :func:`slide_frames`, or the source says no place.
    DicomError
        It cannot be read.
    """
    frames = slide_frames(result, source)
    missing = [keyword for keyword in _PLACE if not frames[0].header.get(keyword)]
    if missing or result.affine is None:
        msg = (
            f"export: expected a slide with {', '.join(missing or _PLACE[1:])}, got none that is "
            "valid. An object without them could not be laid over the slide."
        )
        raise InputError(msg)
    tiles = max(-(-length // _TILE_CELLS) for length in result.explained.shape)
    doublings = range((tiles - 1).bit_length() + 1)
    return tuple(
        HeatLevel(result, frames, result.affine, 2**doubling) for doubling in doublings
    )


def pyramid_arguments(levels: Sequence[HeatLevel]) -> Iterator[dict[str, Any]]:
    """Yield what a builder is told of each level, finest first: one series, one pyramid.

    The levels of a pyramid lie in one series and one frame of reference and share a Pyramid UID
    (PS3.3, Multi-Resolution Pyramid Module); a level alone is no pyramid.
    """
    series, pyramid = new_uid(), new_uid()
    shared: dict[str, Any] = {"series_instance_uid": series}
    if len(levels) > 1:
        shared |= {"pyramid_uid": pyramid, "pyramid_label": PYRAMID}
    for number in range(1, len(levels) + 1):
        yield shared | {"instance_number": number}


def slide_frames(result: SlideExplanation, source: object) -> tuple[SourceFrame, ...]:
    """Return the files of level 0 of the slide that was explained.

    Raises
    ------
    InputError
        The source is another slide, or lies elsewhere; or it has no UIDs.
    DicomError
        It cannot be read.
    """
    if isinstance(source, Matched):
        return source.frames
    if isinstance(source, Slide):
        msg = "export: expected the files of the slide, got an open Slide. Give its folder."
        raise InputError(msg)
    wanted = _level_0_of(result, source)
    headers = [header for header in _headers_in(source) if _hash(header) in wanted]
    if not headers:
        msg = "export: expected a slide with SOPInstanceUID, got none. Give the original files."
        raise InputError(msg)
    for header in headers:
        check_uids(header)
    unique = {str(header.SOPInstanceUID): header for header in headers}
    return tuple(SourceFrame(header, 0, 1) for header in unique.values())


def _level_0_of(result: SlideExplanation, source: object) -> frozenset[str]:
    """Return hashes of the instances of level 0, of the slide that was explained.

    Raises
    ------
    InputError
        Neither as stored nor through its ICC profile is the slide the one that was explained.
    """
    asked = result.slide
    for icc in (False, True):
        with open_slide(source, icc=icc) as slide:
            if slide_digest(slide, slide.thumbnail(THUMBNAIL)) != asked.digest:
                continue
            if not _same_place(slide.affine, asked.affine):
                msg = (
                    "export: the slide lies elsewhere than where it was explained (Total Pixel "
                    "Matrix Origin (0048,0008)). Give the files that were explained."
                )
                raise InputError(msg)
            return slide.instances
    msg = (
        "export: the source is not the slide that was explained, or its first optical path and "
        "focal plane are not. Give the files that were explained."
    )
    raise InputError(msg)


def _same_place(own: Array | None, asked: Array | None) -> bool:
    if own is None or asked is None:
        return own is asked
    return bool(np.abs(own - asked).max() < _SAME_PLACE)


def _headers_in(source: object) -> Iterator[Dataset]:
    for item in candidates_in(source):
        try:
            yield header_of(content_of(item))
        except (
            DicomError
        ):  # a file of another kind: those of the slide were read before
            continue


def _hash(header: Dataset) -> str:
    return hash_of(str(header.get("SOPInstanceUID") or "").encode())


def _tiled_stand_in(frame: SourceFrame) -> Dataset:
    """Return a stand-in that builders take for a tiled image; its place is that of level 0."""
    header, bare = frame.header, stand_in(frame)
    bare.SOPClassUID, bare.Modality = VLWholeSlideMicroscopyImageStorage, "SM"
    bare.NumberOfFrames = 2  # more than one: a tiled image
    bare.FrameOfReferenceUID = header.FrameOfReferenceUID
    bare.ImageOrientationSlide = header.ImageOrientationSlide
    bare.TotalPixelMatrixRows = header.TotalPixelMatrixRows
    bare.TotalPixelMatrixColumns = header.TotalPixelMatrixColumns
    measures = Dataset()
    measures.PixelSpacing = frame.element("PixelSpacing", "PixelMeasuresSequence")
    shared = Dataset()
    shared.PixelMeasuresSequence = [measures]
    bare.SharedFunctionalGroupsSequence = [shared]
    return bare


def _keep_specimen(made: Dataset, header: Dataset) -> None:
    """Name container and specimen as the source does; how they were prepared stays there."""
    if not header.get("ContainerIdentifier"):
        return
    made.ContainerIdentifier = header.ContainerIdentifier
    made.IssuerOfTheContainerIdentifierSequence = []
    made.ContainerTypeCodeSequence = []
    specimens = []
    for item in header.get("SpecimenDescriptionSequence") or []:
        kept = Dataset()
        kept.IssuerOfTheSpecimenIdentifierSequence = []
        kept.SpecimenPreparationSequence = []
        for keyword in _SPECIMEN:
            if item.get(keyword):
                setattr(kept, keyword, item.get(keyword))
        specimens.append(kept)
    made.SpecimenDescriptionSequence = specimens
