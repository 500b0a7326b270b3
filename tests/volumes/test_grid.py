"""Voxels travel to the model's grid and back without losing their place."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from saliency.errors import InputError
from saliency.volumes.grid import (
    VolumePlacement,
    cropped,
    letterboxed,
    stretched,
    surrounded,
)

SIZES = st.tuples(*[st.integers(2, 23)] * 3)
SPACINGS = st.tuples(*[st.floats(0.2, 6.0)] * 3)


def test_one_axis_is_resampled_as_pillow_does():
    """Bilinear with half-pixel centres, an average where the grid gets coarser."""
    voxels = np.random.default_rng(0).random((5, 7, 9), np.float32)
    found = stretched((5, 7, 9), (5, 4, 13)).to_model(voxels, fill=0)

    resize = Image.Resampling.BILINEAR
    planes = [Image.fromarray(plane).resize((13, 4), resize) for plane in voxels]
    wanted = np.stack([np.asarray(plane) for plane in planes])
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def trilinear(voxels, point):
    """The slow twin: eight neighbours of a point, edges clamped."""
    total = 0.0
    lower = [int(np.floor(each - 0.5)) for each in point]
    for corner in np.ndindex(2, 2, 2):
        index = [low + step for low, step in zip(lower, corner, strict=True)]
        weight = np.prod(
            [1 - abs(i + 0.5 - p) for i, p in zip(index, point, strict=True)]
        )
        clamped = tuple(
            min(max(i, 0), n - 1) for i, n in zip(index, voxels.shape, strict=True)
        )
        total += weight * voxels[clamped]
    return total


@settings(deadline=None, max_examples=25)
@given(size=SIZES, more=st.tuples(*[st.floats(1.0, 3.0)] * 3))
def test_a_finer_grid_is_trilinear(size, more):
    """Every model voxel is interpolated between the eight voxels around its centre."""
    voxels = np.random.default_rng(1).random(size, np.float32)
    model = tuple(int(np.ceil(n * f)) for n, f in zip(size, more, strict=True))
    placement = stretched(size, model)
    found = placement.to_model(voxels, fill=0)
    for index in [(0, 0, 0), tuple(m - 1 for m in model), tuple(m // 2 for m in model)]:
        point = placement.back(tuple(i + 0.5 for i in index))
        assert found[index] == pytest.approx(trilinear(voxels, point), abs=1e-5)


@settings(deadline=None, max_examples=60)
@given(
    size=SIZES,
    model=SIZES,
    spacing=SPACINGS,
    make=st.sampled_from([letterboxed, cropped]),
)
def test_back_and_forth_is_the_same_place(size, model, spacing, make):
    """A point returns to itself, and model voxels are cubes in mm."""
    placement = make(size, model, spacing)
    point = tuple(n * 0.3 for n in size)
    assert placement.back(placement.forward(point)) == pytest.approx(point)
    lengths = [mm / s for mm, s in zip(spacing, placement.scale, strict=True)]
    assert lengths == pytest.approx([lengths[0]] * 3)


@settings(deadline=None, max_examples=60)
@given(
    size=SIZES,
    model=SIZES,
    spacing=SPACINGS,
    where=st.tuples(*[st.floats(0.2, 0.8)] * 3),
)
def test_a_hot_voxel_lands_on_its_millimetre(size, model, spacing, where):
    """One hot voxel of the model heats the volume around its own place."""
    placement = letterboxed(size, model, spacing)
    point = tuple(n * w for n, w in zip(size, where, strict=True))
    index = tuple(int(each) for each in placement.forward(point))
    heat = np.zeros(model, np.float32)
    heat[index] = 1
    found = placement.to_image(heat)
    if not found.any():  # thinner than the grid it lies on
        return
    centres = np.indices(size).reshape(3, -1).T + 0.5
    hot = (centres * found.reshape(-1, 1)).sum(axis=0) / found.sum()
    wanted = np.array(placement.back(tuple(i + 0.5 for i in index)))
    allowed = 1.01 + 1.01 / np.array(placement.scale)
    assert (np.abs(hot - wanted) <= allowed).all()


def test_bars_never_bleed_into_the_volume():
    """Heat beside the volume stays there, and the bars are filled."""
    placement = letterboxed((4, 8, 8), (8, 8, 8), (1.0, 1.0, 1.0))
    heat = np.zeros((8, 8, 8), np.float32)
    heat[:2] = heat[6:] = 1
    assert not placement.to_image(heat).any()
    prepared = placement.to_model(np.ones((4, 8, 8), np.float32), fill=-7)
    assert (prepared[:2] == -7).all()
    assert (prepared[2:6] == 1).all()


def test_what_a_crop_cut_off_gets_no_heat():
    """The model saw the middle alone."""
    placement = cropped((8, 4, 4), (4, 4, 4), (1.0, 1.0, 1.0))
    found = placement.to_image(np.ones((4, 4, 4), np.float32))
    assert (found[2:6] == 1).all()
    assert not found[:2].any()
    assert not found[6:].any()


@pytest.mark.parametrize("scale", [(0, 1, 1), (-1, 1, 1)])
def test_a_grid_without_extent_is_refused(scale):
    """A scale is above 0."""
    with pytest.raises(InputError, match="scale above 0"):
        VolumePlacement((2, 2, 2), (2, 2, 2), scale)


def test_grids_apart_are_refused():
    """Nothing of the volume would be seen."""
    with pytest.raises(InputError, match="overlap"):
        VolumePlacement((2, 2, 2), (2, 2, 2), (1, 1, 1), (5, 0, 0))


def test_a_map_of_another_grid_is_refused():
    """The map must be the model's."""
    with pytest.raises(InputError, match=r"expected a map of \(2, 2, 2\)"):
        stretched((4, 4, 4), (2, 2, 2)).to_image(np.zeros((3, 2, 2), np.float32))


def test_an_odd_margin_moves_voxels_by_whole_ones():
    """Three voxels amid six: one stands before them, two behind, and none is interpolated."""
    placement = surrounded((3, 4, 5), (6, 6, 6), (1.0, 1.0, 1.0))
    voxels = np.random.default_rng(0).random((3, 4, 5)).astype(np.float32)

    assert placement.origin == (1, 1, 0)
    assert np.array_equal(placement.to_model(voxels, fill=0)[1:4, 1:5, :5], voxels)
