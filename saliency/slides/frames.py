"""The files of one level: whole or not, and which of their frames one optical path has."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from saliency.dicom.tile_files import TileFile
from saliency.errors import InputError
from saliency.slides.matrix import Tiles
from saliency.values.arrays import Array

#: Depths of focal planes that differ by less are one plane, in um.
_SAME_DEPTH: Final = 0.01


@final
@dataclass(frozen=True)
class PathChoice:
    """Which pixels of a slide are read, where there are several at one place.

    Parameters
    ----------
    path
        Identifier of the optical path.
    plane
        Index of the focal plane, from the nearest to the slide.
    icc
        Whether colours are shown through the ICC profile of the optical path.
    """

    path: str
    plane: int
    icc: bool = False


def check_whole(files: Sequence[TileFile]) -> None:
    """Refuse concatenations of which a part is missing (PS3.3 C.7.6.16.2.2.4).

    Raises
    ------
    InputError
        A part is missing or there twice.
    """
    parts: dict[str, list[TileFile]] = defaultdict(list)
    for file in files:
        if file.header.concatenation:
            parts[file.header.concatenation].append(file)
    for group in parts.values():
        numbers = sorted(file.header.part for file in group)
        total = max(*numbers, *(file.header.parts for file in group), len(group))
        if numbers != list(range(1, total + 1)):
            words = ", ".join(map(str, numbers))
            msg = (
                f"open_slide: expected all {total} parts of a concatenation (In-concatenation "
                f"Number (0020,9162)), got {len(group)}: {words}. Hand in every file of the slide."
            )
            raise InputError(msg)


def tiles_of(files: Sequence[TileFile], choice: PathChoice) -> Tiles:
    """Return the tiles of one level that belong to an optical path and a focal plane.

    Raises
    ------
    InputError
        No tile does, two lie at one place, or fewer are there than the header promises.
    DicomError
        A file does not say where its tiles lie.
    """
    ordered = sorted(
        files, key=lambda file: (file.header.first_frame, file.header.part)
    )
    found = [_frames_of_file(file, index, choice) for index, file in enumerate(ordered)]
    columns = [np.concatenate(column) for column in zip(*found, strict=True)]
    file, frame, rows, across, depths = columns
    kept = _of_plane(depths, rows, across, ordered, choice.plane)
    tiles = Tiles(tuple(ordered), file[kept], frame[kept], rows[kept], across[kept])
    _check_tile_places(tiles)
    _check_number(tiles)
    return tiles


def _frames_of_file(
    file: TileFile, index: int, choice: PathChoice
) -> tuple[Array, ...]:
    """Return file, frame, row, column and depth of the frames of one optical path."""
    places = file.places()
    names = file.header.paths
    _check_paths(places.paths, names)
    own = np.array([name == choice.path for name in names])
    frames = np.flatnonzero(own[places.paths])
    return (
        np.full(len(frames), index),
        frames,
        places.rows[frames],
        places.columns[frames],
        places.depths[frames],
    )


def _check_paths(paths: Array, names: Sequence[str]) -> None:
    if len(paths) and paths.max() >= len(names):
        msg = (
            f"open_slide: expected tiles of {len(names)} optical paths (0048,0105), got frames for "
            f"{int(paths.max()) + 1}: Number of Frames (0028,0008) is larger than the matrix."
        )
        raise InputError(msg)


def _of_plane(
    depths: Array, rows: Array, columns: Array, files: Iterable[TileFile], plane: int
) -> Array:
    """Return which frames lie in a focal plane.

    A slide of one plane may state a depth for each tile: the microscope focused on each.
    """
    planes = max(file.header.planes for file in files)
    if planes == 1:
        return np.ones(len(depths), np.bool_)
    levels = np.unique(np.round(depths / _SAME_DEPTH)) * _SAME_DEPTH
    if len(levels) == planes:
        near: Array = np.abs(depths - levels[plane]) < _SAME_DEPTH
        return near
    # Each place has its own depths: its tiles are counted from the nearest to the slide.
    order = np.lexsort((depths, columns, rows))
    places = np.stack([rows[order], columns[order]])
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (places[:, 1:] != places[:, :-1]).any(axis=0)
    first = np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))
    kept = np.zeros(len(order), np.bool_)
    kept[order] = np.arange(len(order)) - first == plane
    return kept


def _check_tile_places(tiles: Tiles) -> None:
    order = np.lexsort((tiles.columns, tiles.rows))
    rows, columns = tiles.rows[order], tiles.columns[order]
    same = (rows[1:] == rows[:-1]) & (columns[1:] == columns[:-1])
    if same.any():
        first = int(np.argmax(same))
        msg = (
            "open_slide: expected one tile at each place of a level, got several at row "
            f"{rows[first]}, column {columns[first]}, and {int(same.sum()) - 1:,} more like it: "
            "two slides are mixed, or tiles differ in what no attribute tells. Hand in one slide."
        )
        raise InputError(msg)


def _check_number(tiles: Tiles) -> None:
    """Refuse a TILED_FULL level of which tiles are missing (PS3.3 C.7.6.17.3)."""
    header = tiles.first_file.header
    if header.organization == "TILED_SPARSE" and len(tiles.rows):
        return
    promised = header.tiles_down * header.tiles_across
    if len(tiles.rows) != promised:
        msg = (
            f"open_slide: expected {promised:,} tiles ({header.tiles_down} x "
            f"{header.tiles_across}) of a level of {header.rows:,} x {header.columns:,} pixels, "
            f"got {len(tiles.rows):,} of this optical path and focal plane (0028,0008): a file is "
            "cut or missing."
        )
        raise InputError(msg)
