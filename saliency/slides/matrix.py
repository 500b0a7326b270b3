"""The pixels of one level: which tiles a region needs, and how they are put together."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from saliency.dicom.tile_files import TileFile
from saliency.errors import DicomError
from saliency.values.arrays import Array
from saliency.values.placement import Box

#: No tile of a level.
_NONE: Final = -1
#: Places in the table of tiles, 128 MB; a matrix that claims more is searched tile by tile.
_MOST_PLACES: Final = 2**24


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
        self.tile = tile
        self.tiles = tiles
        self.blank = blank
        self._grid = _grid(size, tile, tiles)

    def meeting(self, box: Box) -> Array:
        """Return the tiles that a box meets, in the order of their frames."""
        rows, columns = self.tile
        if self._grid is None:
            down = self.tiles.rows
            across = self.tiles.columns
            meets = (down < box.bottom) & (down + rows > box.top)
            meets &= (across < box.right) & (across + columns > box.left)
            indices: Array = np.flatnonzero(meets)
            return indices
        part = self._grid[
            box.top // rows : -(-box.bottom // rows),
            box.left // columns : -(-box.right // columns),
        ]
        there: Array = part[part != _NONE]
        return there

    def paint(self, box: Box, decoded: Callable[[Array], Iterator[Array]]) -> Painted:
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
            place = Box(
                int(self.tiles.rows[index]), int(self.tiles.columns[index]), *self.tile
            )
            shared = place.cut(box)
            here = shared.within(box).slices
            canvas[here] = pixels[shared.within(place).slices]
            absent[here] = False
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
