"""A map lands on the pixels, and the millimetres, that it speaks of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saliency.errors import InputError
from saliency.pipeline.place_back import place_back
from saliency.values.placement import crop, letterbox, stretch

SIZES = st.tuples(st.integers(20, 90), st.integers(20, 90))
FITS = st.sampled_from([stretch, letterbox, crop])


def centre_of_heat(values):
    """(row, column) of the centre of mass, in continuous coordinates."""
    rows, columns = np.indices(values.shape) + 0.5
    return np.array([(values * rows).sum(), (values * columns).sum()]) / values.sum()


@given(image=SIZES, model=SIZES, fit=FITS, data=st.data())
def test_a_hot_pixel_lands_on_its_millimetre(image, model, fit, data):
    """The heat's centre is where Placement.back says, in millimetres of any spacing."""
    placement = fit(image, model)
    box = placement.model_box
    row = data.draw(st.integers(box.top + 2, box.top + box.rows - 3))
    column = data.draw(st.integers(box.left + 2, box.left + box.columns - 3))
    hot = np.zeros(model, np.float32)
    hot[row, column] = 1
    spacing = np.array([0.1, 0.2])

    found = centre_of_heat(place_back(hot, placement).values) * spacing

    pixel = np.maximum(1, 1 / np.array(placement.scale)) * spacing
    expected = np.array(placement.back((row + 0.5, column + 0.5))) * spacing
    assert (np.abs(found - expected) <= 0.51 * pixel).all()


@given(image=SIZES, model=SIZES)
def test_bars_never_reach_the_picture(image, model):
    """Heat on the bars alone leaves the picture cold."""
    placement = letterbox(image, model)
    hot = np.ones(model, np.float32)
    hot[placement.model_box.slices] = 0

    assert (place_back(hot, placement).values == 0).all()


@given(image=SIZES, model=SIZES, fit=FITS)
def test_a_constant_map_stays_constant(image, model, fit):
    """Inside the part that the model saw a constant map is the same constant."""
    placement = fit(image, model)
    values = place_back(np.full(model, 0.25, np.float32), placement).values

    assert np.allclose(values[placement.image_box.slices], 0.25, atol=1e-6)


def test_what_a_crop_cut_off_gets_no_heat():
    """The model never saw the margin."""
    values = place_back(np.ones((30, 30), np.float32), crop((30, 60), (30, 30))).values

    assert values[:, 15:45].min() == 1
    assert values[:, :15].max() == 0
    assert values[:, 45:].max() == 0


def test_the_same_grid_is_the_same_map():
    """No interpolation where none is needed: sign and value survive."""
    values = np.random.default_rng(0).normal(size=(37, 53)).astype(np.float32)

    assert (place_back(values, stretch((37, 53), (37, 53))).values == values).all()


def test_rows_and_columns_are_not_swapped():
    """A hot row of a wide picture stays a row."""
    hot = np.zeros((8, 16), np.float32)
    hot[2] = 1
    values = place_back(hot, stretch((37, 53), (8, 16))).values

    assert values.shape == (37, 53)
    assert np.ptp(values, axis=1).max() < 1e-6


def test_a_map_of_another_grid_is_refused():
    """A transposed map does not pass."""
    with pytest.raises(InputError, match=r"\(8, 16\).*\(16, 8\)"):
        place_back(np.zeros((16, 8), np.float32), stretch((37, 53), (8, 16)))
