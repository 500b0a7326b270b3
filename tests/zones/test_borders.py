"""Borders and air: what surrounds is found, what is inside never."""

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file

from saliency.errors import InputError
from saliency.zones.air import air_zone
from saliency.zones.borders import DEPTH, border_zone


def noise(rows, columns, low=30, high=220):
    return np.random.default_rng(0).integers(low, high, (rows, columns), np.uint8)


def body(size=(237, 253), *, noisy=6):
    """An ellipse of tissue with two black lungs, in noisy darkness."""
    rows, columns = np.ogrid[: size[0], : size[1]]
    down, across = (rows / size[0] - 0.5) * 2, (columns / size[1] - 0.5) * 2
    tissue = (down / 0.7) ** 2 + (across / 0.8) ** 2 < 1
    lungs = (down / 0.35) ** 2 + ((np.abs(across) - 0.35) / 0.2) ** 2 < 1
    picture = np.random.default_rng(0).integers(0, noisy, size, np.uint8)
    picture[tissue] += 120
    picture[lungs] = 0
    return picture, tissue, lungs


@settings(deadline=None)
@given(
    depths=st.tuples(*[st.one_of(st.just(0), st.integers(DEPTH, 9))] * 4),
    level=st.sampled_from([0, 7, 255]),
)
def test_a_frame_is_found_exactly(depths, level):
    """Of a frame of any depths and level every pixel is claimed, and nothing else."""
    top, bottom, left, right = depths
    picture = np.full((37 + top + bottom, 53 + left + right), level, np.uint8)
    inner = (slice(top, top + 37), slice(left, left + 53))
    picture[inner] = noise(37, 53)
    expected = np.ones(picture.shape, bool)
    expected[inner] = False
    zone = border_zone(picture)
    assert (zone is None) == (not any(depths))
    if zone is not None:
        assert np.array_equal(zone.mask, expected)
        assert (
            zone.evidence
            == f"flat bands: top {top}, bottom {bottom}, left {left}, right {right} px"
        )


def test_text_in_a_bar_does_not_end_it():
    """A line of writing inside a letterbox bar leaves the bar its depth."""
    picture = np.zeros((137, 253), np.uint8)
    picture[40:] = noise(97, 253)
    picture[10:20, 30:50:2] = 255
    zone = border_zone(picture)
    assert zone.mask[:40].mean() > 0.95
    assert not zone.mask[40:].any()


def test_inner_black_is_no_border():
    """Black that the picture encloses is not claimed, in the same rows as a bar or not."""
    picture = np.zeros((137, 153), np.uint8)
    picture[20:, 20:] = noise(117, 133)
    picture[60:80, 60:80] = 0
    assert not border_zone(picture).mask[20:, 20:].any()


def test_black_behind_something_is_no_border():
    """What hangs into a bar ends it there, and a black hole in it is not claimed."""
    picture = np.zeros((137, 153), np.uint8)
    picture[30:] = noise(107, 153)
    picture[5:30, 70:80] = 150
    picture[12:20, 73:77] = 0
    mask = border_zone(picture).mask
    assert mask[:30, :70].all()
    assert not mask[5:30, 70:80].any()


def test_lossy_bars_and_coloured_bars_are_bars():
    """Levels may differ by 2; RGB bars count where all colours are flat."""
    picture = noise(137, 153)
    picture[:30] = np.random.default_rng(1).integers(5, 8, (30, 153))
    assert border_zone(picture).mask[:30].all()
    assert (
        border_zone(np.stack([picture, picture // 2, picture // 3], axis=-1))
        .mask[:30]
        .all()
    )


def test_pictures_without_bars_have_no_border():
    """Noise has none, nor has a picture that is one level throughout."""
    assert border_zone(noise(37, 53)) is None
    assert border_zone(np.zeros((37, 53), np.uint8)) is None


@pytest.mark.parametrize("size", [(4, 2000), (2000, 4), (1, 1)])
def test_a_picture_thinner_than_a_block_has_no_air(size):
    """A spectrum or a line of a CT or MR: nothing to look at, and no error."""
    assert air_zone(np.zeros(size, np.uint8), "MR") is None


def test_air_lies_on_all_sides_alike():
    """A disc in the middle, in blocks of two pixels: half a turn changes nothing."""
    down, across = np.ogrid[-191.5:192, -191.5:192]
    disc = np.where(np.hypot(down, across) < 120, 140, 0).astype(np.uint8)

    mask = air_zone(disc, "CT").mask

    assert not mask[disc > 0].any()
    assert np.array_equal(mask, mask[::-1, ::-1])


def test_outer_air_is_found_and_lungs_are_not():
    """Most of the outside is claimed, no pixel of the body, none of the black lungs."""
    picture, tissue, lungs = body()
    zone = air_zone(picture, "CT")
    assert zone.name == "air"
    assert zone.mask[~tissue].mean() > 0.85
    assert not zone.mask[tissue | lungs].any()


def test_a_nostril_does_not_let_the_outside_in():
    """A channel of two pixels from a lung to the outside is closed."""
    picture, _, lungs = body()
    middle = picture.shape[0] // 2
    picture[middle : middle + 2, :60] = 0
    assert not air_zone(picture, "CT").mask[lungs].any()


def test_a_body_that_leaves_the_picture_has_no_air():
    """Where lungs may meet the edge nothing is claimed."""
    picture, _, _ = body()
    assert air_zone(picture[60:-60, 70:-70], "CT") is None
    assert air_zone(picture[:, 75:-75], "CT") is None


def test_a_lung_that_meets_the_edge_is_not_air():
    """Where one side cuts a lung it is not claimed, though nine tenths of the edge are dark."""
    picture, _, lungs = body()
    cut = picture[:, 75:]
    edge = np.concatenate([cut[0], cut[-1], cut[:, 0], cut[:, -1]])
    assert lungs[:, 75].any()
    assert (edge < 10).mean() > 0.9
    zone = air_zone(cut, "CT")
    assert zone is not None
    assert not zone.mask[lungs[:, 75:]].any()


@pytest.mark.parametrize("modality", ["MG", "US", "CR", "DX", "NM", "PT", ""])
def test_only_slices_have_air(modality):
    """Dark is air around a slice; in projections, echoes and counts it is not."""
    assert air_zone(body()[0], modality) is None


def test_inverted_and_coloured_slices_have_no_air():
    """Bright surroundings are not air, and colour says nothing about it."""
    picture, _, _ = body()
    assert air_zone(~picture, "CT") is None
    assert air_zone(np.stack([picture] * 3, axis=-1), "CT") is None


def test_a_real_head_keeps_its_brain():
    """The air of a bundled head CT lies outside the rows and columns of the skull."""
    path = get_testdata_file("J2K_pixelrep_mismatch.dcm", download=False)
    pixels = pydicom.dcmread(path).pixel_array.astype(np.int32)
    picture = np.clip(pixels // 8, 0, 255).astype(np.uint8)
    zone = air_zone(picture, "CT")
    assert zone is None or not zone.mask[180:380, 180:330].any()


@pytest.mark.parametrize("wrong", [np.zeros((37, 53)), np.zeros(37, np.uint8)])
def test_another_dtype_or_shape_is_refused(wrong):
    """Only the display is read."""
    with pytest.raises(InputError, match="uint8"):
        border_zone(wrong)
    with pytest.raises(InputError, match="uint8"):
        air_zone(wrong, "CT")
