"""The levels of a slide, and where each lies (PS3.3 C.8.12.4)."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from saliency.dicom.tile_files import TileFile
from saliency.dicom.tile_headers import TileHeader
from saliency.errors import InputError
from saliency.slides.absent import blank_of
from saliency.slides.frames import PathChoice, check_whole, tiles_of
from saliency.slides.level import Level
from saliency.slides.matrix import Matrix, Tiles
from saliency.values.arrays import Array
from saliency.values.window import Window

#: Sizes of two levels in mm may differ by so many pixels of the coarser: makers round them.
_EDGE: Final = 2.0
#: A spacing that was rounded is wrong by no more than this part.
_ROUNDED: Final = 0.02
#: A ratio of spacings is a whole number if it differs by no more than this part.
_WHOLE: Final = 1e-4
#: A level begins at the corner of level 0, unless its origin says that it lies further away than so
#: many of its pixels: many makers write one origin into all levels, half a pixel off.
_ALIGNED: Final = 1.0
#: Direction cosines that differ by less are one orientation.
_TURNED: Final = 1e-3


@final
@dataclass(frozen=True, eq=False)
class Layer:
    """One level with its pixels.

    Parameters
    ----------
    level
        Its sizes.
    matrix
        Its pixels.
    profile
        The ICC profile through which colours are shown; empty: as they are stored.
    window
        The window of grey values.
    """

    level: Level
    matrix: Matrix
    profile: bytes
    window: Window | None


def layers_of(files: Sequence[TileFile], choice: PathChoice) -> tuple[Layer, ...]:
    """Return the levels of a slide, the finest first.

    Raises
    ------
    InputError
        The files are no whole pyramid.
    """
    groups: dict[tuple[int, int], list[TileFile]] = defaultdict(list)
    for file in files:
        groups[file.header.rows, file.header.columns].append(file)
    ordered = [groups[size] for size in sorted(groups, reverse=True)]
    levels = [_tiles_of_level(group, choice) for group in ordered]
    finest = levels[0].first_file.header
    return tuple(_layer_of_tiles(tiles, finest, choice) for tiles in levels)


def _tiles_of_level(files: Sequence[TileFile], choice: PathChoice) -> Tiles:
    check_whole(files)
    _check_same_tiles(files)
    return tiles_of(files, choice)


def _layer_of_tiles(tiles: Tiles, finest: TileHeader, choice: PathChoice) -> Layer:
    header = tiles.first_file.header
    down, across = (_downsample(header, finest, axis) for axis in (0, 1))
    spacing = finest.spacing[0] * down, finest.spacing[1] * across
    tile = header.layout.size
    level = Level(
        header.rows,
        header.columns,
        spacing,
        tile=tile,
        downsample=(down, across),
        corner=_corner(header, finest, spacing),
    )
    matrix = Matrix((header.rows, header.columns), tile, tiles, blank_of(header))
    return Layer(level, matrix, _profile(tiles, choice), _window_of_level(tiles))


def _profile(tiles: Tiles, choice: PathChoice) -> bytes:
    """Return the ICC profile of an optical path, where it is asked for."""
    if not choice.icc:
        return b""
    profile = tiles.first_file.profile(int(tiles.frame[0]))
    if not profile:
        _log(
            "open_slide: a level has no ICC Profile (0028,2000): its colours are shown as stored."
        )
    return profile


def _window_of_level(tiles: Tiles) -> Window | None:
    """Return the window of grey tiles: that of the optical path that is read."""
    file = tiles.first_file
    return file.window(int(tiles.frame[0])) if file.header.grey else None


def _check_same_tiles(files: Sequence[TileFile]) -> None:
    """Refuse files of one matrix that differ in the size of a tile or a pixel."""
    kinds = {(file.header.layout.size, file.header.spacing) for file in files}
    if len(kinds) > 1:
        told = "; ".join(
            f"tiles {rows} x {columns}, {down:g} x {across:g} mm"
            for (rows, columns), (down, across) in sorted(kinds)
        )
        msg = (
            "open_slide: expected one size of tile and one Pixel Spacing (0028,0030) in the files "
            f"of one level, got {len(kinds)}: {told}. Hand in the files of one slide."
        )
        raise InputError(msg)


def _downsample(header: TileHeader, finest: TileHeader, axis: int) -> float:
    """Return how many pixels of level 0 a pixel of a level is as long as, on one axis.

    Spacings say it, where the level then is as long as level 0. Where it is not, one of them was
    rounded, and the numbers of pixels say it; or the level was filled up to whole tiles.
    """
    own = (header.rows, header.columns)[axis]
    whole = (finest.rows, finest.columns)[axis]
    stated = header.spacing[axis] / finest.spacing[axis]
    beyond = own - whole / stated
    if abs(beyond) <= _EDGE:
        return stated
    counted = whole / own
    is_whole = abs(stated - round(stated)) <= _WHOLE * stated
    if is_whole and 0 < beyond <= header.layout.size[axis]:
        return stated
    if not is_whole and abs(stated / counted - 1) <= _ROUNDED:
        _log(
            f"open_slide: Pixel Spacing (0028,0030) of the level of {header.rows:,} x "
            f"{header.columns:,} pixels was rounded: its size says {counted:.6g} times level 0's."
        )
        return counted
    msg = (
        f"open_slide: expected levels of one area, got {whole * finest.spacing[axis]:g} mm (level "
        f"0) and {own * header.spacing[axis]:g} mm ({header.rows:,} x {header.columns:,} pixels) "
        f"along {('a column', 'a row')[axis]}: Pixel Spacing (0028,0030) of one is wrong, or two "
        "slides are mixed. Hand in the levels of one slide."
    )
    raise InputError(msg)


def _corner(
    header: TileHeader, finest: TileHeader, spacing: tuple[float, float]
) -> tuple[float, float]:
    """Return (row, column) mm from the corner of level 0 to that of a level.

    An origin is the centre of the first pixel (0048,0008): that of a level lies half a pixel of its
    own in.
    """
    _check_turned(header, finest)
    if not (header.origin and finest.origin and finest.orientation):
        return 0.0, 0.0
    apart = np.subtract(header.origin, finest.origin)
    along_row, along_column = np.reshape(finest.orientation, (2, 3))[:, :2]
    moved = []
    for axis, direction in enumerate((along_column, along_row)):
        centres = float(apart @ direction)
        corner = centres - (spacing[axis] - finest.spacing[axis]) / 2
        moved.append(corner if abs(corner) > _ALIGNED * spacing[axis] else 0.0)
    return moved[0], moved[1]


def _check_turned(header: TileHeader, finest: TileHeader) -> None:
    if header.orientation and finest.orientation:
        apart = np.abs(np.subtract(header.orientation, finest.orientation)).max()
        if apart > _TURNED:
            msg = (
                "open_slide: expected one Image Orientation (Slide) (0048,0102) in all levels, got "
                f"several that differ by {apart:g}. Hand in the levels of one slide."
            )
            raise InputError(msg)


def affine_of(header: TileHeader) -> Array | None:
    """Return float64 (3, 3): (row, column, 1) mm from the corner to (x, y, 1) of the slide."""
    if not (header.origin and header.orientation):
        return None
    along_row, along_column = np.reshape(header.orientation, (2, 3))[:, :2]
    half = np.multiply(header.spacing, 0.5)
    affine = np.eye(3)
    affine[:2, 0], affine[:2, 1] = along_column, along_row
    affine[:2, 2] = header.origin - along_column * half[0] - along_row * half[1]
    affine.flags.writeable = False
    return affine


def _log(message: str) -> None:
    logging.getLogger("saliency.slides").warning(message)
