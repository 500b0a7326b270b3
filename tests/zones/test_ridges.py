"""Strokes against a slow twin."""

import numpy as np
import pytest

from saliency.zones.ridges import (
    FAINT,
    TILE,
    WIDTH,
    halve,
    pyramid_level,
    ridge_strength,
    ridges_of,
)


def slow_strokes(grey):
    """Pixel by pixel: its level minus the higher of its two sides' lowest levels."""
    framed = np.pad(grey.astype(int), WIDTH, mode="edge")
    found = np.zeros(grey.shape, int)
    for row, column in np.ndindex(grey.shape):
        r, c = row + WIDTH, column + WIDTH
        steps = range(1, WIDTH + 1)
        across = max(
            min(framed[r, c - s] for s in steps), min(framed[r, c + s] for s in steps)
        )
        down = max(
            min(framed[r - s, c] for s in steps), min(framed[r + s, c] for s in steps)
        )
        found[row, column] = max(framed[r, c] - across, framed[r, c] - down, 0)
    return found


@pytest.mark.parametrize("size", [(37, 53), (TILE[0] + 5, 23), (9, TILE[1] + 11)])
def test_strokes_are_those_of_the_slow_twin(size):
    """Every pixel agrees, also across the seams of the tiles."""
    grey = np.random.default_rng(0).integers(0, 256, size, np.uint8)
    assert np.array_equal(ridge_strength(pyramid_level(grey)), slow_strokes(grey))


@pytest.mark.parametrize("width", range(1, 8))
def test_a_line_is_a_stroke_up_to_the_width(width):
    """All columns of a line up to WIDTH pixels stand out by its contrast, then ever fewer."""
    grey = np.full((37, 53), 40, np.uint8)
    grey[:, 20 : 20 + width] = 140
    found = ridge_strength(pyramid_level(grey))
    assert (found == 100).sum() == 37 * max(0, min(width, 2 * WIDTH - width))
    assert not found[found != 100].any()


def test_a_step_is_no_stroke():
    """The edge of a bone or a collimator is not ink."""
    grey = np.zeros((37, 53), np.uint8)
    grey[:, 30:] = 255
    assert not ridge_strength(pyramid_level(grey)).any()


def test_tiles_with_writing_are_looked_at_in_both_polarities():
    """A dark line lies in a tile of its own; the negative looks at the same tile."""
    grey = np.full((TILE[0] * 3, 53), 200, np.uint8)
    grey[TILE[0] + 5 : TILE[0] + 25, 20:22] = 90
    found = pyramid_level(grey)
    assert [down.start for down, _ in found.tiles] == [TILE[0]]
    assert np.array_equal(ridge_strength(found.inverted()), slow_strokes(~grey))
    assert (ridge_strength(found.inverted()) == 110).sum() == 40


def test_halving_averages_and_rounds_half_up():
    """2 x 2 pixels become one; the odd row and column go."""
    grey = np.random.default_rng(0).integers(0, 256, (37, 53), np.uint8)
    blocks = grey[:36, :52].reshape(18, 2, 26, 2).mean(axis=(1, 3))
    assert np.array_equal(halve(grey), np.floor(blocks + 0.5))


def test_a_page_turned_twice_is_itself():
    """Ink is a set of pixels: turning keeps it, more contrast thins it."""
    grey = np.random.default_rng(0).integers(0, 256, (37, 53), np.uint8)
    ridges = ridges_of(pyramid_level(grey))
    assert np.array_equal(
        ridges.ink, np.flatnonzero(ridge_strength(pyramid_level(grey)) >= FAINT)
    )
    assert np.array_equal(
        ridges.turned().ink,
        np.flatnonzero(ridge_strength(pyramid_level(grey)).T >= FAINT),
    )
    assert np.array_equal(ridges.turned().turned().ink, ridges.ink)
    assert np.array_equal(
        ridges.above(99).ink, np.flatnonzero(ridge_strength(pyramid_level(grey)) >= 99)
    )
