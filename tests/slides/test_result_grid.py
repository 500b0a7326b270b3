"""From cells to the pixels of a thumbnail: every pixel looks where it lies."""

import numpy as np
import pytest

from saliency.slides.result_grid import cells_at, on_pixels

CELLS = np.random.default_rng(0).random((5, 7)).astype(np.float32)
ALL = np.ones(CELLS.shape, np.bool_)
#: The slide ends within its last cells.
LENGTH = (4.6, 6.3)


@pytest.mark.parametrize("size", [(3, 4), (5, 7), (11, 20)])
def test_a_pixel_has_the_cell_of_its_centre(size):
    found = cells_at(CELLS, LENGTH, size)
    for row in range(size[0]):
        for column in range(size[1]):
            down = int((row + 0.5) * LENGTH[0] / size[0])
            across = int((column + 0.5) * LENGTH[1] / size[1])
            assert found[row, column] == CELLS[down, across]


def test_between_centres_heat_is_bilinear():
    size = (12, 31)
    down, across = (
        (np.arange(n) + 0.5) * long / n for n, long in zip(size, LENGTH, strict=True)
    )
    rows = np.array([np.interp(down, np.arange(5) + 0.5, line) for line in CELLS.T]).T
    wanted = [np.interp(across, np.arange(7) + 0.5, line) for line in rows]
    np.testing.assert_allclose(on_pixels(CELLS, ALL, LENGTH, size), wanted, atol=1e-6)


def test_a_longer_pixel_is_the_mean_of_what_was_asked_about():
    """Of its area, finely sampled; cells that no tile had a say about count for nothing."""
    said = np.random.default_rng(1).random(CELLS.shape) < 0.6
    size, fine = (2, 3), 400
    rows, columns = (
        ((np.arange(n * fine) + 0.5) * long / (n * fine)).astype(int)
        for n, long in zip(size, LENGTH, strict=True)
    )
    parts = (2, fine, 3, fine)
    heat = (CELLS * said)[np.ix_(rows, columns)].reshape(parts).mean((1, 3))
    share = said[np.ix_(rows, columns)].reshape(parts).mean((1, 3))
    found = on_pixels(CELLS, said, LENGTH, size)
    np.testing.assert_allclose(found, heat / share, atol=2e-3)
