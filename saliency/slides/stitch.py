"""Maps of overlapping tiles on one coarse grid: memory depends on the cells, not on the slide.

A tile's map is multiplied by the weights of its window and summed over the pixels of each cell.
Weights and sums are separable, so both are one small matrix for the rows of a tile and one for its
columns: ``block = down @ map @ across.T``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, final

import numpy as np

from saliency.pipeline.sliding import Stand, stands
from saliency.values.arrays import Array

#: Pixels of the model that a cell is long, at most a quarter of the tile.
CELL: Final = 32
#: Cells of a grid: a slide that would need more gets longer cells.
MOST_CELLS: Final = 2**23


@final
@dataclass(frozen=True, eq=False)
class TilePlace:
    """Where a tile lies along one axis.

    Parameters
    ----------
    start
        Its first pixel.
    first
        The first cell that it meets.
    gather
        float32 (cells, tile): from the pixels of the tile to weighted sums over each cell.
    """

    start: int
    first: int
    gather: Array

    @cached_property
    def weight(self) -> Array:
        """float32 (cells,): how many pixels of each cell the tile answers for."""
        total: Array = self.gather.sum(axis=1)
        return total

    @property
    def cells(self) -> slice:
        """The cells that the tile meets."""
        return slice(self.first, self.first + len(self.gather))

    @property
    def core(self) -> tuple[int, int]:
        """First pixel, and the one behind the last, that the tile has a say about."""
        (counting,) = np.nonzero(self.gather.sum(axis=0))
        return self.start + int(counting[0]), self.start + int(counting[-1]) + 1


@final
@dataclass(frozen=True, eq=False)
class TileGrid:
    """The tiles of a slide and the cells of its map.

    Parameters
    ----------
    size
        (rows, columns) of the slide in pixels of the model.
    tile
        (rows, columns) of a tile.
    cell
        Pixels of the model that a cell is long, down and across.
    down, across
        Where tiles lie.
    overlap, halo, stride
        What they were laid by: see :func:`tile_grid`.
    """

    size: tuple[int, int]
    tile: tuple[int, int]
    cell: int
    down: tuple[TilePlace, ...]
    across: tuple[TilePlace, ...]
    overlap: float
    halo: int | None
    stride: int

    @property
    def tiles(self) -> tuple[int, int]:
        """(tile rows, tile columns)."""
        return len(self.down), len(self.across)

    @property
    def cells(self) -> tuple[int, int]:
        """(rows, columns) of the map; the last cells may reach beyond the slide."""
        rows, columns = (-(-length // self.cell) for length in self.size)
        return rows, columns

    def at(self, place: tuple[int, int]) -> tuple[TilePlace, TilePlace]:
        """Return where the tile at (tile row, tile column) lies, down and across."""
        row, column = place
        return self.down[row], self.across[column]

    def places(self) -> Iterator[tuple[int, int]]:
        """Yield (tile row, tile column), row by row."""
        return (
            (row, column)
            for row in range(len(self.down))
            for column in range(len(self.across))
        )


def tile_grid(
    size: tuple[int, int],
    tile: tuple[int, int],
    overlap: float,
    *,
    halo: int | None = None,
    stride: int = 1,
    most_cells: int = MOST_CELLS,
) -> TileGrid:
    """Lay tiles over a slide.

    Parameters
    ----------
    size
        (rows, columns) of the slide in pixels of the model.
    tile
        (rows, columns) of a tile; one that is longer than the slide reaches beyond it.
    overlap, halo, stride
        As for :func:`saliency.pipeline.sliding.stands`; the last tile reaches beyond the slide
        where the stride leaves it no other place.
    most_cells
        The cells become longer until there are no more.

    Raises
    ------
    InputError
        A halo that leaves nothing of a tile.
    """
    cell = max(1, min(CELL, min(tile) // 4))
    while (-(-size[0] // cell)) * (-(-size[1] // cell)) > most_cells:
        cell *= 2
    axes = []
    for length, window in zip(size, tile, strict=True):
        steps = -(-max(0, length - window) // stride)
        whole = window + steps * stride
        axes.append(
            tuple(
                _place(stand, cell, length)
                for stand in stands(whole, window, overlap, halo, stride=stride)
            )
        )
    down, across = axes
    return TileGrid(size, tile, cell, down, across, overlap, halo, stride)


def _place(stand: Stand, cell: int, length: int) -> TilePlace:
    """Return a tile's place; its pixels beyond the slide count for no cell."""
    pixels = stand.start + np.arange(len(stand.weights))
    first = stand.start // cell
    cells = min(int(pixels[-1]), length - 1) // cell - first + 1
    gather = np.zeros((cells, len(pixels)), np.float32)
    inside = pixels < length
    rows = pixels[inside] // cell - first
    gather[rows, np.flatnonzero(inside)] = stand.weights[inside]
    return TilePlace(stand.start, first, gather)


@final
class SlideCanvas:
    """The map while it is stitched: sums of heat and of weights for each cell.

    Parameters
    ----------
    grid
        Of the slide.
    """

    def __init__(self, grid: TileGrid) -> None:
        self._grid = grid
        # float64: the order in which tiles come changes no digit that float32 has.
        self._heat = np.zeros(grid.cells, np.float64)
        self._weight = np.zeros(grid.cells, np.float64)

    def block(self, place: tuple[int, int], values: Array) -> Array:
        """Return the weighted sums float32 (cells down, cells across) of a tile's map (H, W)."""
        down, across = self._grid.at(place)
        block: Array = down.gather @ values @ across.gather.T
        return block

    def add(self, place: tuple[int, int], block: Array) -> None:
        """Add a tile's block, in its shape or flat."""
        down, across = self._grid.at(place)
        part = down.cells, across.cells
        weight = np.multiply.outer(down.weight, across.weight)
        heat = block.reshape(weight.shape)
        self._heat[part] += heat
        self._weight[part] += weight

    def stitched(self) -> tuple[Array, Array]:
        """Return the map, float32, and where a tile has a say about it, bool; else it is 0.

        Where a neighbour was left out the rest is divided by the sum of its weights: those of a
        cell sum to one.
        """
        said = self._weight > 1e-6
        heat = np.zeros(self._heat.shape, np.float32)
        heat[said] = self._heat[said] / self._weight[said]
        return heat, said
