"""Connected components against scipy, which the library does without."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from saliency.zones.components import components_of, label, near, runs_of, unite

MASKS = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=17))


@settings(deadline=None)
@given(mask=MASKS)
def test_pieces_are_those_of_scipy(mask):
    """Boxes, areas and peaks are those that scipy.ndimage finds with 8 neighbours."""
    grey = np.random.default_rng(0).integers(0, 256, mask.shape, np.uint8)
    ours = components_of(np.flatnonzero(mask), grey[mask], mask.shape[1])
    theirs, count = ndimage.label(mask, np.ones((3, 3)))
    boxes = {
        (down.start, down.stop, across.start, across.stop)
        for down, across in ndimage.find_objects(theirs)
    }
    numbers = np.arange(1, count + 1)
    assert len(ours) == count
    assert set(zip(ours.top, ours.bottom, ours.left, ours.right, strict=True)) == boxes
    assert sorted(ours.area) == sorted(ndimage.sum_labels(mask, theirs, numbers))
    assert sorted(ours.peak) == sorted(
        ndimage.maximum(grey, theirs, numbers) if count else []
    )


@settings(deadline=None)
@given(mask=MASKS)
def test_runs_redraw_the_mask(mask):
    """Painting the runs gives the mask back, and no two runs of a row touch."""
    runs = runs_of(mask)
    redrawn = np.zeros_like(mask)
    for row, left, right in zip(*runs, strict=True):
        redrawn[row, left:right] = True
        assert right == mask.shape[1] or not mask[row, right]
    assert np.array_equal(redrawn, mask)


def test_a_spiral_is_one_piece():
    """A component that winds is joined however often the runs part and meet again."""
    spiral = np.zeros((41, 43), bool)
    for turn in range(0, 18, 4):
        spiral[turn, turn : 43 - turn] = spiral[turn : 41 - turn, 42 - turn] = True
        spiral[40 - turn, turn : 43 - turn] = spiral[turn + 2 : 41 - turn, turn] = True
        spiral[turn + 2, turn : turn + 5] = spiral[turn + 2 : turn + 5, turn + 4] = True
    runs = runs_of(spiral)
    assert label(runs, 43).max() + 1 == ndimage.label(spiral, np.ones((3, 3)))[1]


@given(
    keys=st.lists(st.integers(-20, 20), max_size=30),
    reach=st.integers(0, 9),
)
def test_near_lists_each_close_pair_once(keys, reach):
    """Pairs are those of the double loop."""
    here, there = near(np.array(keys, dtype=np.intp), reach)
    pairs = [
        frozenset(pair) for pair in zip(here.tolist(), there.tolist(), strict=True)
    ]
    slow = {
        frozenset((i, j))
        for i in range(len(keys))
        for j in range(i)
        if abs(keys[i] - keys[j]) <= reach
    }
    assert len(pairs) == len(slow)
    assert set(pairs) == slow


@pytest.mark.parametrize("count", [1, 2, 37])
def test_a_chain_is_one_group_and_loners_are_their_own(count):
    """A chain of links unites all; without links each is alone."""
    none = np.zeros(0, np.intp)
    assert unite(count, np.arange(count - 1), np.arange(1, count)).max() == 0
    assert unite(count, none, none).tolist() == list(range(count))
