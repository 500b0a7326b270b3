"""Outlines of hot regions: where bilinear heat passes a level, and no further than the image."""

from itertools import chain

import numpy as np
import pytest
from matplotlib.path import Path

from saliency.render.contours import hot_outlines

LEVEL = 0.55
#: Whole cells; and images that end after, or before, the centre of their last cells.
ENDS = [None, (6.8, 8.7), (6.3, 8.4)]


def scene():
    """Return smooth heat (7, 9), hot at edges and corners, with a cold hole."""
    heat = np.random.default_rng(2).random((7, 9)).astype(np.float32)
    heat[0, :3] = heat[-1, -2:] = 1
    heat[2:5, 2:5], heat[3, 3] = 1, 0
    return heat


def bilinear(heat, rows, columns):
    """Return heat at places, of the nearest centres at the edges."""
    down = np.clip(np.asarray(rows) - 0.5, 0, heat.shape[0] - 1)
    across = np.clip(np.asarray(columns) - 0.5, 0, heat.shape[1] - 1)
    top = np.minimum(down.astype(int), heat.shape[0] - 2)
    left = np.minimum(across.astype(int), heat.shape[1] - 2)
    a, b = (down - top)[:, None], (across - left)[None]
    corners = [heat[np.ix_(top + i, left + j)] for i in (0, 1) for j in (0, 1)]
    weights = ((1 - a) * (1 - b), (1 - a) * b, a * (1 - b), a * b)
    return sum(w * c for w, c in zip(weights, corners, strict=True))


@pytest.mark.parametrize("ends", ENDS)
def test_outlines_hold_what_is_hot(ends):
    """Of finely sampled bilinear heat all but what lies close to the level."""
    heat = scene()
    length = ends or heat.shape
    rows, columns = (np.arange(0.05, end, 0.1) for end in length)
    found = np.zeros((len(rows), len(columns)), np.bool_)
    grid = np.stack(np.meshgrid(rows, columns, indexing="ij"), -1).reshape(-1, 2)
    regions = list(hot_outlines(heat, LEVEL, ends))
    for region in regions:
        for ring in region:
            found ^= Path(ring).contains_points(grid).reshape(found.shape)
    values = bilinear(heat, rows, columns)
    # A square of four centres is cut along straight lines, bilinear heat along curves; the last
    # centres of an image that ends before them are moved in.
    inner = np.s_[: int(10 * (heat.shape[0] - 1.5)), : int(10 * (heat.shape[1] - 1.5))]
    clear = np.abs(values - LEVEL)[inner] > 0.12
    assert clear.mean() > 0.5
    np.testing.assert_array_equal(found[inner][clear], (values > LEVEL)[inner][clear])
    assert any(len(region) > 1 for region in regions)


@pytest.mark.parametrize("ends", ENDS)
def test_rings_are_those_of_geojson(ends):
    """Closed, within the image up to its edges, the outer one to the right, holes to the left."""
    heat = scene()
    length = np.array(ends or heat.shape)
    regions = list(hot_outlines(heat, LEVEL, ends))
    for region in regions:
        for number, ring in enumerate(region):
            rows, columns = ring.T
            assert (ring[0] == ring[-1]).all()
            area = (columns[:-1] * rows[1:] - columns[1:] * rows[:-1]).sum()
            assert (area > 0) == (number == 0)
    every = np.concatenate([ring for region in regions for ring in region])
    assert (every >= 0).all()
    np.testing.assert_allclose(every.min(axis=0), 0)
    np.testing.assert_allclose(every.max(axis=0), length)


def test_one_cell_and_no_heat():
    (region,) = hot_outlines(np.ones((1, 1), np.float32), 0.5)
    (ring,) = region
    assert set(map(tuple, ring)) >= {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert not list(hot_outlines(np.zeros((3, 3), np.float32), 0.5))
    assert not list(hot_outlines(np.ones((3, 3), np.float32), 0.0))


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_outlines_touch_nowhere(seed):
    """Also where centres have exactly the level: no corner stands twice, and no ring is flat."""
    rng = np.random.default_rng(seed)
    size = rng.integers(1, 14), rng.integers(1, 14)
    heat = np.round(rng.random(size), 1).astype(np.float32)
    for region in hot_outlines(heat, 0.5):
        corners = np.concatenate([ring[:-1] for ring in region]).round(8)
        assert len(np.unique(corners, axis=0)) == len(corners)
        for ring in region:
            rows, columns = ring.T
            area = (columns[:-1] * rows[1:] - columns[1:] * rows[:-1]).sum()
            assert abs(area) > 1e-9


def test_no_ring_leaves_the_image():
    """Not by a rounding either: highdicom refuses a presentation state for it."""
    shape = (28, 64)
    for seed in range(10):
        heat = np.random.default_rng(seed).gamma(0.5, 3, shape).astype(np.float32)
        for ring in chain.from_iterable(hot_outlines(heat, 2.0)):
            assert ((ring >= 0) & (ring <= shape)).all()
