"""The pixels of one level: which tiles a region needs, and how they are put together."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from saliency.dicom.tile_files import TileFile
from saliency.errors import DicomError
from saliency.values.arrays import Array

#: No tile of a level.
_NONE: Final = -1
#: Places in the table of tiles, 128 MB; a matrix that claims more is searched tile by tile.
_MOST_PLACES: Final = 2**24


@final
@dataclass(frozen=True)
class PixelBox:
    """A part of a matrix, in its pixels: rows from ``row`` on, columns from ``column`` on."""

    row: int
    column: int
    rows: int
    columns: int

    @property
    def end_row(self) -> int:
        """The row behind the last."""
        return self.row + self.rows

    @property
    def end_column(self) -> int:
        """The column behind the last."""
        return self.column + self.columns

    def cut(self, other: "PixelBox") -> "PixelBox":
        """Return the part that both have; its rows or columns are 0 where there is none."""
        row = max(self.row, other.row)
        column = max(self.column, other.column)
        rows = min(self.end_row, other.end_row) - row
        columns = min(self.end_column, other.end_column) - column
        return PixelBox(row, column, max(0, rows), max(0, columns))

    def within(self, other: "PixelBox") -> tuple[slice, slice]:
        """Return this box as an index into the array of another box."""
        row, column = self.row - other.row, self.column - other.column
        return slice(row, row + self.rows), slice(column, column + self.columns)


@final
@dataclass(frozen=True, eq=False)
class Tiles:
    """The tiles of one level, of one optical path and focal plane, in the order of their frames.

    Parameters
    ----------
    files
        That hold them.
    file, frame
        int64 (tiles,): index into ``files``, and frame there.
    rows, columns
        int64 (tiles,): first pixel in the matrix, from 0.
    """

    files: tuple[TileFile, ...]
    file: Array
    frame: Array
    rows: Array
    columns: Array

    @property
    def first_file(self) -> TileFile:
        """That of the first tile, for other optical paths may have files; without tiles any."""
        return self.files[int(self.file[0]) if len(self.file) else 0]

    def read(self, index: int) -> Array:
        """Read and decode one tile; see :meth:`TileFile.tile`."""
        try:
            file: TileFile = self.files[int(self.file[index])]
            return file.tile(int(self.frame[index]))
        except DicomError as error:
            place = f"row {self.rows[index]}, column {self.columns[index]}"
            msg = f"open_slide: the tile at {place}: {error}"
            raise DicomError(msg, reason=error.reason) from None


@final
@dataclass(frozen=True, eq=False)
class Painted:
    """A region as read.

    Parameters
    ----------
    pixels
        uint8 (rows, columns, 3) RGB, or float32 (rows, columns).
    absent
        bool (rows, columns), True where no tile was stored; None where all were.
    """

    pixels: Array
    absent: Array | None


@final
class Matrix:
    """The Total Pixel Matrix of one level (PS3.3 C.8.12.4.1).

    Parameters
    ----------
    size
        (rows, columns) of the matrix.
    tile
        (rows, columns) of a tile.
    tiles
        Where the tiles are.
    blank
        uint8 (3,) or float32 (): the colour of places without a tile.
    """

    def __init__(
        self, size: tuple[int, int], tile: tuple[int, int], tiles: Tiles, blank: Array
    ) -> None:
        self.box = PixelBox(0, 0, *size)
        self.tile = tile
        self.tiles = tiles
        self.blank = blank
        self._grid = _grid(size, tile, tiles)

    def meeting(self, box: PixelBox) -> Array:
        """Return the tiles that a box meets, in the order of their frames."""
        rows, columns = self.tile
        if self._grid is None:
            down = self.tiles.rows
            across = self.tiles.columns
            meets = (down < box.end_row) & (down + rows > box.row)
            meets &= (across < box.end_column) & (across + columns > box.column)
            indices: Array = np.flatnonzero(meets)
            return indices
        part = self._grid[
            box.row // rows : -(-box.end_row // rows),
            box.column // columns : -(-box.end_column // columns),
        ]
        there: Array = part[part != _NONE]
        return there

    def paint(
        self, box: PixelBox, decoded: Callable[[Array], Iterator[Array]]
    ) -> Painted:
        """Put the tiles of a box together; where tiles overlap, the later frame is shown.

        Parameters
        ----------
        box
            Inside the matrix.
        decoded
            From indices of tiles to their pixels, in that order.
        """
        canvas = np.empty((box.rows, box.columns, *self.blank.shape), self.blank.dtype)
        absent = np.ones((box.rows, box.columns), np.bool_)
        indices = self.meeting(box)
        for index, pixels in zip(indices, decoded(indices), strict=True):
            place = PixelBox(
                int(self.tiles.rows[index]), int(self.tiles.columns[index]), *self.tile
            )
            shared = place.cut(box)
            canvas[shared.within(box)] = pixels[shared.within(place)]
            absent[shared.within(box)] = False
        if not absent.any():
            return Painted(canvas, None)
        canvas[absent] = self.blank
        return Painted(canvas, absent)


def _grid(size: tuple[int, int], tile: tuple[int, int], tiles: Tiles) -> Array | None:
    """Return int64 (tiles down, tiles across): the tile at each place, or none.

    None where tiles do not lie side by side, or places would be too many.
    """
    places = -(-size[0] // tile[0]), -(-size[1] // tile[1])
    down, row_left = np.divmod(tiles.rows, tile[0])
    across, column_left = np.divmod(tiles.columns, tile[1])
    if row_left.any() or column_left.any() or places[0] * places[1] > _MOST_PLACES:
        return None
    grid = np.full(places, _NONE)
    grid[down, across] = np.arange(len(down))
    return grid
