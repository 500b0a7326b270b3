"""Lines around hot regions, pixel by pixel."""

import numpy as np
import pytest

from saliency.render.outlines import outlines
from saliency.render.palettes import Palette


def line(heat, level):
    inside = np.ones(heat.shape, bool)
    found, _ = next(iter(outlines(heat, level, Palette("green"), inside)))
    return found


def test_heat_of_the_level_itself_is_inside():
    """A region of at least this share: also where one cell has exactly as much."""
    heat = np.zeros((5, 6), np.float32)
    heat[2, 3] = 0.25

    assert np.argwhere(line(heat, 0.25)).tolist() == [[2, 3]]
    assert not line(heat, np.nextafter(0.25, 1)).any()


@pytest.mark.parametrize(
    ("size", "width"), [((40, 900), 1), ((900, 40), 1), ((801, 1300), 2)]
)
def test_lines_are_as_wide_as_the_shorter_side_asks(size, width):
    """A pixel for each 400 of the shorter side: a long strip is not covered by its line."""
    found = line(np.ones(size, np.float32), 0.5)

    assert found[:width].all()
    assert not found[width:-width, width:-width].any()
