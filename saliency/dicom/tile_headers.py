"""Where the tiles of a whole slide image lie, without their pixels (PS3.3 C.8.12.4)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, final

import numpy as np

from saliency.dicom.declared.slides import is_slide, label_in_image
from saliency.dicom.display.geometry import pair
from saliency.dicom.file.elements import (
    Elements,
    FileItems,
    code,
    codes,
    hashed,
    number,
)
from saliency.dicom.file.groups import GroupIndex, Groups, read_groups
from saliency.dicom.file.open import Opened
from saliency.dicom.file.tags import TAGS, written
from saliency.dicom.pixels.image_pixel import Layout, read_layout
from saliency.dicom.read import pixels_of
from saliency.errors import DicomError
from saliency.values.arrays import Array

Vector = tuple[float, ...]
#: Value 3 of Image Type (0008,0008) of the pixels that a model may see (C.8.12.4.1.1).
VOLUME: Final = "VOLUME"
_SIDE: Final = 2**31 - 1
_POSITIONS: Final = (
    "RowPositionInTotalImagePixelMatrix",
    "ColumnPositionInTotalImagePixelMatrix",
)


@final
@dataclass(frozen=True)
class TileHeader:
    """What the header says of one file of a slide.

    Parameters
    ----------
    kind
        Image Type (0008,0008), value 3: VOLUME, LABEL, OVERVIEW, THUMBNAIL; ``""`` where none is.
    rows, columns
        Of the Total Pixel Matrix (0048,0007), (0048,0006).
    layout
        Of one tile.
    spacing
        (row, column) mm.
    origin
        (x, y) mm of the centre of the matrix's first pixel; () where it is not said.
    orientation
        Image Orientation (Slide) (0048,0102): direction of a row, then of a column; or ().
    organization
        TILED_FULL, TILED_SPARSE or ``""``.
    paths
        Optical Path Identifiers (0048,0106), in the order of the file.
    planes
        Total Pixel Matrix Focal Planes (0048,0303).
    concatenation
        A hash of Concatenation UID (0020,9161), ``""`` for a file of its own.
    part, parts
        In-concatenation Number (0020,9162), and how many there are; 0 where it is not said.
    first_frame
        Concatenation Frame Offset Number (0020,9228).
    absent
        Recommended Absent Pixel CIELab Value (0048,0015), or ().
    series
        A hash of Series Instance UID (0020,000E).
    number
        Series Number (0020,0011), None where there is none.
    shows_label
        Whether a label is or may be in the picture.
    image
        A hash of SOP Instance UID (0008,0018).
    """

    kind: str
    rows: int
    columns: int
    layout: Layout
    spacing: tuple[float, float]
    origin: Vector
    orientation: Vector
    organization: str
    paths: tuple[str, ...]
    planes: int
    concatenation: str
    part: int
    parts: int
    first_frame: int
    absent: Vector
    series: str
    number: int | None
    shows_label: bool
    image: str = field(default="", repr=False)

    @property
    def grey(self) -> bool:
        """Whether pixels are grey values: fluorescence."""
        return self.layout.samples == 1

    @property
    def tiles_down(self) -> int:
        """Rows of tiles; the last may be cut by the edge of the matrix."""
        return -(-self.rows // self.layout.rows)

    @property
    def tiles_across(self) -> int:
        """Columns of tiles."""
        return -(-self.columns // self.layout.columns)


@final
@dataclass(frozen=True, eq=False)
class TilePlaces:
    """Where each frame of a file lies.

    Parameters
    ----------
    rows, columns
        int64 (frames,): first pixel in the matrix, from 0.
    paths
        int64 (frames,): index of the optical path in the file.
    depths
        float64 (frames,): Z offset in um where positions are written, else the index of the plane.
    """

    rows: Array
    columns: Array
    paths: Array
    depths: Array


def slide_kind(opened: Opened) -> str:
    """Return Image Type (0008,0008), value 3, of a whole slide image; ``""`` where there is none.

    Raises
    ------
    DicomError
        It is none; reason ``"no-slide"``.
    """
    if not is_slide(opened.elements):
        msg = "Expected VL Whole Slide Microscopy in SOP Class UID (0008,0016)."
        raise DicomError(msg, reason="no-slide")
    return next(iter(codes(opened.elements, TAGS["ImageType"])[2:3]), "")


def read_tile_header(opened: Opened) -> TileHeader:
    """Read what a file says of its place in a slide.

    Raises
    ------
    DicomError
        A size, the spacing or the Image Pixel module is missing or impossible; or tiles differ in
        their spacing.
    """
    top = opened.elements
    pixels = pixels_of(opened)
    layout = read_layout(top, pixels.tag)
    if layout.samples == 1 and layout.photometric != "MONOCHROME2":
        msg = (
            "Expected MONOCHROME2, RGB or YBR in Photometric Interpretation (0028,0004) of a slide "
            "(PS3.3 C.8.12.4.1), found another."
        )
        raise DicomError(msg, reason="photometric")
    return TileHeader(
        kind=slide_kind(opened),
        rows=_side(top, "TotalPixelMatrixRows"),
        columns=_side(top, "TotalPixelMatrixColumns"),
        layout=layout,
        spacing=_spacing(read_groups(top)),
        origin=_matrix_origin(top),
        orientation=_numbers_of_vector(top, "ImageOrientationSlide", 6),
        organization=code(top, TAGS["DimensionOrganizationType"]),
        paths=_paths(top),
        planes=max(1, int(_count_of(top, "TotalPixelMatrixFocalPlanes", 1))),
        concatenation=hashed(top, TAGS["ConcatenationUID"]),
        part=_count_of(top, "InConcatenationNumber", 0),
        parts=_count_of(top, "InConcatenationTotalNumber", 0),
        first_frame=_count_of(top, "ConcatenationFrameOffsetNumber", 0),
        absent=_numbers_of_vector(top, "RecommendedAbsentPixelCIELabValue", 3),
        series=hashed(top, TAGS["SeriesInstanceUID"]),
        number=_series_number(top),
        shows_label=label_in_image(top) == "YES",
        image=hashed(top, TAGS["SOPInstanceUID"]),
    )


def read_places(opened: Opened, header: TileHeader) -> TilePlaces:
    """Return where each frame of a file lies.

    Raises
    ------
    DicomError
        The file does not say it, or a place lies outside the matrix.
    """
    if header.organization == "TILED_FULL":
        return _implied(header)
    frames = read_groups(opened.elements).frames
    if len(frames) == 0 and header.tiles_down == header.tiles_across == 1:
        return _implied(header)
    if len(frames) < header.layout.frames:
        msg = (
            f"Expected the place of {header.layout.frames:,} tiles in Per-Frame Functional Groups "
            f"(5200,9230), found {len(frames):,}: Dimension Organization Type (0020,9311) is not "
            "TILED_FULL, so that no place is implied (PS3.3 C.7.6.17.3)."
        )
        raise DicomError(msg, reason="tile-places")
    return _stated(opened.elements, frames, header)


def _implied(header: TileHeader) -> TilePlaces:
    """Count tiles along rows, then down, then through focal planes, then optical paths.

    That is the order of TILED_FULL (PS3.3 C.7.6.17.3). A file of a concatenation starts within it.
    """
    frames = header.first_frame + np.arange(header.layout.frames, dtype=np.int64)
    matrices, tile = np.divmod(frames, header.tiles_down * header.tiles_across)
    down, across = np.divmod(tile, header.tiles_across)
    paths, planes = np.divmod(matrices, header.planes)
    rows, columns = down * header.layout.rows, across * header.layout.columns
    return TilePlaces(rows, columns, paths, planes.astype(np.float64))


def _stated(
    top: Elements, frames: Sequence[Elements], header: TileHeader
) -> TilePlaces:
    """Read the place of each tile from its functional groups (PS3.3 C.8.12.6.1)."""
    found = _scanned(frames, header)
    if found is None:
        groups = read_groups(top)
        found = np.array(
            [_stated_place(groups.of(k), header) for k in range(len(frames))]
        )
    found = found[: header.layout.frames]
    _check_within_matrix(found, header)
    rows, columns, paths = found[:, :3].astype(np.int64).T
    return TilePlaces(rows - 1, columns - 1, paths, found[:, 3])


def _scanned(frames: Sequence[Elements], header: TileHeader) -> Array | None:
    """Return (row, column, path, depth) of all frames at once; None where that does not work.

    Of one optical path and one focal plane alone, so that two numbers say it all.
    """
    single = len(header.paths) == header.planes == 1
    if not (single and isinstance(frames, FileItems)):
        return None
    found = np.zeros((len(frames), 4))
    for column, keyword in enumerate(_POSITIONS):
        values = frames.scanned(TAGS[keyword])
        if values is None or any(len(value) != 4 for value in values):
            return None
        found[:, column] = np.frombuffer(b"".join(values), "<i4")
    return found


def _stated_place(groups: Groups, header: TileHeader) -> tuple[float, ...]:
    """Return row and column from 1, index of the optical path, and depth in um of one frame."""
    place = groups.macro("PlanePositionSlideSequence", _POSITIONS[0])
    path = groups.macro("OpticalPathIdentificationSequence", "OpticalPathIdentifier")
    name = path.text(TAGS["OpticalPathIdentifier"]) if path is not groups.top else ""
    known = name in header.paths
    return (
        *(number(place, TAGS[keyword], np.nan) for keyword in _POSITIONS),
        header.paths.index(name) if known else 0,
        number(place, TAGS["ZOffsetInSlideCoordinateSystem"], 0.0),
    )


def _check_within_matrix(found: Array, header: TileHeader) -> None:
    """Refuse places outside the matrix; they are counted from 1 (PS3.3 C.8.12.6.1)."""
    for column, (name, side) in enumerate(
        (("Row", header.rows), ("Column", header.columns))
    ):
        inside = (found[:, column] >= 1) & (found[:, column] <= side)
        if not inside.all():
            frame = int(np.argmin(inside))
            value = found[frame, column]
            came = "none" if np.isnan(value) else f"{value:g}"
            msg = (
                f"Expected {name} Position In Total Image Pixel Matrix in 1..{side:,} "
                f"(0048,021{'F' if name == 'Row' else 'E'}), found {came} at frame {frame} and "
                f"{int((~inside).sum()) - 1:,} more like it: tiles lie nowhere in the matrix."
            )
            raise DicomError(msg, reason="tile-places")


def _side(top: Elements, keyword: str) -> int:
    found = number(top, TAGS[keyword], np.nan)
    if not 1 <= found <= _SIDE:
        came = "none" if np.isnan(found) else f"{found:g}"
        msg = f"Expected {keyword} {written(TAGS[keyword])} of 1 or more, found {came}."
        raise DicomError(msg, reason="matrix-size")
    return int(found)


def _spacing(groups: GroupIndex) -> tuple[float, float]:
    """Return the spacing of the tiles; all of one level have the same (PS3.3 C.8.12.4)."""
    spacing = _spacing_of_frame(groups.of(0))
    if spacing is None:
        msg = (
            "Expected Pixel Spacing (0028,0030) in Pixel Measures Sequence (0028,9110), found none "
            "that is above 0: the scale of the slide is unknown. Add it, in mm."
        )
        raise DicomError(msg, reason="no-spacing")
    if _may_differ(groups.frames, spacing):
        _check_same_spacing(groups, spacing)
    return spacing


def _spacing_of_frame(groups: Groups) -> tuple[float, float] | None:
    measures = groups.macro("PixelMeasuresSequence", "PixelSpacing")
    return pair(measures, "PixelSpacing")


def _may_differ(frames: Sequence[Elements], spacing: tuple[float, float]) -> bool:
    """Say whether frames have to be looked at one by one: slides have 100,000."""
    if not isinstance(frames, FileItems):
        return True
    values = frames.values_anywhere(TAGS["PixelSpacing"])
    if values is None:
        return True
    return any(_decimals(value) != spacing for value in values)


def _decimals(value: bytes) -> tuple[float, ...]:
    """Return the numbers of a decimal string; none where it holds another text."""
    try:
        return tuple(float(number) for number in value.split(b"\\"))
    except ValueError:
        return ()


def _check_same_spacing(groups: GroupIndex, spacing: tuple[float, float]) -> None:
    for frame in range(1, len(groups.frames)):
        own = _spacing_of_frame(groups.of(frame))
        if own != spacing:
            came = "none" if own is None else f"{own[0]:g} x {own[1]:g} mm"
            msg = (
                "Expected one Pixel Spacing (0028,0030) for all tiles of a file, found "
                f"{spacing[0]:g} x {spacing[1]:g} mm at frame 0 and {came} at frame {frame}: the "
                "scale of the level is unknown. Give each resolution a file of its own."
            )
            raise DicomError(msg, reason="several-spacings")


def _matrix_origin(top: Elements) -> Vector:
    """Return (x, y) mm of Total Pixel Matrix Origin Sequence (0048,0008)."""
    items = top.items(TAGS["TotalPixelMatrixOriginSequence"])
    if not len(items):
        return ()
    keywords = ("XOffsetInSlideCoordinateSystem", "YOffsetInSlideCoordinateSystem")
    place = tuple(number(items[0], TAGS[keyword], np.nan) for keyword in keywords)
    return place if np.isfinite(place).all() else ()


def _numbers_of_vector(top: Elements, keyword: str, length: int) -> Vector:
    numbers = top.numbers(TAGS[keyword])
    return numbers if len(numbers) == length and np.isfinite(numbers).all() else ()


def _paths(top: Elements) -> tuple[str, ...]:
    """Return the identifier of each optical path; ("",) where none is described."""
    items = top.items(TAGS["OpticalPathSequence"])
    tag = TAGS["OpticalPathIdentifier"]
    return tuple(items[k].text(tag) for k in range(len(items))) or ("",)


def _count_of(top: Elements, keyword: str, default: int) -> int:
    found = number(top, TAGS[keyword], default)
    return int(found) if 0 <= found <= _SIDE else default


def _series_number(top: Elements) -> int | None:
    found = number(top, TAGS["SeriesNumber"], np.nan)
    return int(found) if np.isfinite(found) else None
