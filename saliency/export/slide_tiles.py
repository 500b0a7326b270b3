"""A slide's heat as tiles of the slide's coordinates (PS3.3 C.8.12.4, C.8.12.14)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import VLWholeSlideMicroscopyImageStorage

from saliency.dicom.file.elements import hash_of
from saliency.errors import DicomError, InputError
from saliency.export.matching import SourceFrame, check_uids, header_of
from saliency.export.objects import built, decimals, stand_in
from saliency.pipeline.files import candidates_in, content_of
from saliency.slides.explain_setup import THUMBNAIL, slide_digest
from saliency.slides.open import open_slide
from saliency.slides.result import SlideExplanation
from saliency.slides.slide import Slide
from saliency.values.arrays import Array

#: Cells of a tile's side: small, so that glass between tissue is left out.
_TILE_CELLS: Final = 64
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
class HeatTiles:
    """The tiles of a slide's heat in which a tile of the model had a say.

    Parameters
    ----------
    result
        The explanation.
    frames
        The files of level 0, whole.
    affine
        float64 (3, 3), as :attr:`SlideExplanation.affine`.
    places
        int (tiles, 2): first row and column of each tile on the heat's grid, from 0.
    """

    result: SlideExplanation
    frames: tuple[SourceFrame, ...]
    affine: Array
    places: Array

    def cut(self, cells: Array) -> Array:
        """Return an array of the heat's grid as (tiles, side, side); 0 beyond the grid."""
        beyond = [(0, -length % _TILE_CELLS) for length in cells.shape]
        larger = np.pad(cells, beyond)
        side = _TILE_CELLS
        return np.stack([larger[r : r + side, c : c + side] for r, c in self.places])

    def builder_places(self, hd: Any) -> dict[str, Any]:
        """Return what a builder of highdicom is told of where tiles lie."""
        header, affine = self.frames[0].header, self.affine
        spacing = np.diag(self.result.placement)[:2]
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
                pixel_spacing=[float(each) for each in spacing],
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
        made.TotalPixelMatrixRows, made.TotalPixelMatrixColumns = self.result.grid.cells
        x, y, _ = self.affine @ (0.5, 0.5, 1)
        origin = made.TotalPixelMatrixOriginSequence[0]
        origin.XOffsetInSlideCoordinateSystem, origin.YOffsetInSlideCoordinateSystem = (
            decimals((x, y))
        )
        made.PatientOrientation = ""  # required, and not known of a slide (type 2C)
        _keep_specimen(made, self.frames[0].header)
        return made


def heat_tiles(result: SlideExplanation, source: object) -> HeatTiles:
    """Return the tiles of a slide's heat that are not glass alone.

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
    said = result.explained
    side = _TILE_CELLS
    corners = [
        (row, column)
        for row in range(0, said.shape[0], side)
        for column in range(0, said.shape[1], side)
        if said[row : row + side, column : column + side].any()
    ]
    places = np.array(corners, int).reshape(-1, 2)
    return HeatTiles(result, frames, result.affine, places)


def slide_frames(result: SlideExplanation, source: object) -> tuple[SourceFrame, ...]:
    """Return the files of level 0 of the slide that was explained.

    Raises
    ------
    InputError
        The source is another slide, or lies elsewhere; or it has no UIDs.
    DicomError
        It cannot be read.
    """
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
