"""One resolution of a slide."""

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class Level:
    """One resolution of a slide: a matrix of pixels that is stored as tiles.

    Parameters
    ----------
    rows, columns
        Of the matrix.
    spacing
        (row, column) mm of a pixel.
    tile
        (rows, columns) of a tile. Those at the right and lower edge may reach beyond the matrix.
    downsample
        (row, column): pixels of level 0 that one pixel is as long as; 1.0 for level 0.
    corner
        (row, column) mm from the upper left corner of level 0 to that of this level.
    """

    rows: int
    columns: int
    spacing: tuple[float, float]
    tile: tuple[int, int] = (1, 1)
    downsample: tuple[float, float] = (1.0, 1.0)
    corner: tuple[float, float] = (0.0, 0.0)

    @property
    def size(self) -> tuple[float, float]:
        """(row, column) mm."""
        return self.rows * self.spacing[0], self.columns * self.spacing[1]
