"""Maps of overlapping tiles on one coarse grid."""

import numpy as np
import pytest

from saliency.errors import InputError
from saliency.slides.stitch import SlideCanvas, tile_grid

SIZE = (301, 407)
WAYS = [
    {"overlap": 0.25},
    {"overlap": 0.0},
    {"overlap": 0.6},
    {"overlap": 0.25, "halo": 7},
    {"overlap": 0.25, "halo": 9, "stride": 4},
]


def block_means(whole, cell):
    """Return the mean over each cell; the last cells hold fewer pixels."""
    rows, columns = (-(-n // cell) for n in whole.shape)
    return np.array(
        [
            [
                whole[r * cell : (r + 1) * cell, c * cell : (c + 1) * cell].mean()
                for c in range(columns)
            ]
            for r in range(rows)
        ]
    )


def stitched(grid, whole, places=None):
    """Cut a map into tiles and stitch them again."""
    beyond = [(0, side) for side in grid.tile]
    larger = np.pad(
        whole, beyond, constant_values=1e6
    )  # beyond the slide nothing counts
    canvas = SlideCanvas(grid)
    for row, column in places or grid.places():
        top, left = grid.down[row].start, grid.across[column].start
        part = larger[top : top + grid.tile[0], left : left + grid.tile[1]]
        canvas.add((row, column), canvas.block((row, column), part))
    return canvas.stitched()


@pytest.mark.parametrize("way", WAYS)
def test_tiles_of_a_map_make_the_map(way):
    """Its mean over each cell, whatever overlap, halo and stride, at the edges too."""
    whole = np.random.default_rng(0).normal(0, 1, SIZE).astype(np.float32)
    grid = tile_grid(SIZE, (96, 64), **way)
    heat, said = stitched(grid, whole)
    assert said.all()
    np.testing.assert_allclose(heat, block_means(whole, grid.cell), atol=1e-5)


def test_weights_sum_to_one_where_tiles_are_left_out():
    """A map of ones stays one wherever some tile has a say, and is 0 elsewhere."""
    grid = tile_grid(SIZE, (64, 64), 0.25)
    places = [place for k, place in enumerate(grid.places()) if k % 3 == 0]
    heat, said = stitched(grid, np.ones(SIZE, np.float32), places)
    np.testing.assert_allclose(heat[said], 1, atol=1e-6)
    assert 0 < said.mean() < 1
    assert not heat[~said].any()


def test_the_order_of_tiles_changes_nothing():
    """Not one bit: a run that went on where it stopped gives the same map."""
    whole = np.random.default_rng(1).normal(0, 1, SIZE).astype(np.float32)
    grid = tile_grid(SIZE, (64, 64), 0.5)
    places = list(grid.places())
    one, _ = stitched(grid, whole, places)
    other, _ = stitched(grid, whole, places[::-1])
    np.testing.assert_array_equal(one, other)


def test_cells_become_longer_on_a_larger_slide():
    """A million pixels a side: no more than the greatest number of cells, all of them covered."""
    grid = tile_grid((1_000_000, 900_000), (512, 512), 0.25, most_cells=2**16)
    rows, columns = grid.cells
    assert rows * columns <= 2**16
    assert rows * grid.cell >= 1_000_000
    assert sum(place.gather.nbytes for place in grid.down) < 100e6


def test_a_slide_smaller_than_a_tile_is_one_tile():
    """What lies beyond the slide counts for no cell."""
    whole = np.random.default_rng(2).normal(0, 1, (40, 50)).astype(np.float32)
    grid = tile_grid((40, 50), (64, 64), 0.25)
    assert grid.tiles == (1, 1)
    heat, _ = stitched(grid, whole)
    np.testing.assert_allclose(heat, block_means(whole, grid.cell), atol=1e-5)


def test_a_halo_that_leaves_nothing_is_refused():
    """In one sentence."""
    with pytest.raises(InputError, match="halo of less than half"):
        tile_grid(SIZE, (64, 64), 0.25, halo=32)
