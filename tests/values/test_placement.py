"""The laws of where the picture lies on the model's grid."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from saliency.errors import InputError
from saliency.values.placement import Box, Placement, crop, letterbox, stretch, whole

SIDE = some.integers(1, 5000)
SIZE = some.tuples(SIDE, SIDE)
UNIT = some.floats(0, 1)
FITS = some.sampled_from([stretch, letterbox, crop])


def inside(box, size):
    return (
        box.top >= 0
        and box.left >= 0
        and box.rows >= 1
        and box.columns >= 1
        and box.top + box.rows <= size[0]
        and box.left + box.columns <= size[1]
    )


@given(FITS, SIZE, SIZE, UNIT, UNIT)
def test_back_undoes_forward(fit, image, model, down, across):
    """Any point of the picture returns to itself, to 1e-9 of the picture."""
    place = fit(image, model)
    point = down * image[0], across * image[1]

    assert place.back(place.forward(point)) == pytest.approx(
        point, abs=1e-9 * max(image)
    )


@given(FITS, SIZE, SIZE, UNIT, UNIT)
def test_forward_undoes_back(fit, image, model, down, across):
    """Any point of the model's grid returns to itself."""
    place = fit(image, model)
    point = down * model[0], across * model[1]

    assert place.forward(place.back(point)) == pytest.approx(
        point, abs=1e-9 * max(model)
    )


@given(FITS, SIZE, SIZE)
def test_boxes_correspond_corner_by_corner(fit, image, model):
    """The corners of one box are the corners of the other, and both lie inside their grid."""
    place = fit(image, model)
    here, there = place.image_box, place.model_box
    for down in (0, 1):
        for across in (0, 1):
            corner = here.top + down * here.rows, here.left + across * here.columns
            other = there.top + down * there.rows, there.left + across * there.columns

            assert place.forward(corner) == pytest.approx(other)
    assert inside(here, image)
    assert inside(there, model)


@given(SIZE, SIZE)
def test_stretch_uses_all_of_both(image, model):
    """Stretching leaves nothing out and nothing empty."""
    place = stretch(image, model)

    assert (place.image_box, place.model_box) == (whole(image), whole(model))


@given(SIZE, SIZE)
def test_a_letterbox_keeps_the_aspect_and_the_whole_picture(image, model):
    """Both scales are one, up to the rounding of a side to whole pixels."""
    place = letterbox(image, model)
    scale = min(model[0] / image[0], model[1] / image[1])

    assert place.image_box == whole(image)
    assert (
        abs(place.model_box.rows - scale * image[0])
        <= max(0.5, 1 - scale * image[0]) + 1e-9
    )
    assert (
        abs(place.model_box.columns - scale * image[1])
        <= max(0.5, 1 - scale * image[1]) + 1e-9
    )
    assert place.model_box.rows == model[0] or place.model_box.columns == model[1]


@given(SIZE, SIZE)
def test_a_crop_fills_the_model_with_the_largest_part(image, model):
    """The model's grid is full, and the part of the picture reaches two opposite edges."""
    place = crop(image, model)

    assert place.model_box == whole(model)
    assert place.image_box.rows == image[0] or place.image_box.columns == image[1]


@given(some.sampled_from([letterbox, crop]), SIZE, SIZE)
def test_bars_and_margins_are_even(fit, image, model):
    """What is left over lies on both sides, to the odd pixel."""
    place = fit(image, model)
    for box, size in ((place.image_box, image), (place.model_box, model)):
        assert abs(size[0] - box.rows - 2 * box.top) <= 1
        assert abs(size[1] - box.columns - 2 * box.left) <= 1


@given(FITS, SIZE)
def test_one_grid_on_itself_is_the_identity(fit, size):
    """Nothing moves where nothing has to."""
    place = fit(size, size)

    assert place.scale == (1, 1)
    assert place.forward((0.5, 0.5)) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("image", "model", "box"),
    [
        ((37, 53), (224, 224), Box(34, 0, 156, 224)),
        ((53, 37), (224, 224), Box(0, 34, 224, 156)),
        ((1, 1000), (224, 224), Box(111, 0, 1, 224)),
        ((1000, 1), (7, 9), Box(0, 4, 7, 1)),
    ],
)
def test_letterboxes_of_odd_sizes(image, model, box):
    """Worked by hand: 37 of 53 on 224 is 156.4 rows, 34 above them; a line keeps one pixel."""
    assert letterbox(image, model).model_box == box


def test_a_pixel_centre_is_half_a_pixel_in():
    """Two model pixels per image pixel: the centre of (3, 4) is the corner of (7, 9)."""
    assert stretch((10, 10), (20, 20)).forward((3.5, 4.5)) == (7, 9)


def test_boxes_are_indices():
    """Rows first, then columns; whole numbers, since arrays take no others."""
    assert Box(1, 2, 3, 4).slices == (slice(1, 4), slice(2, 6))
    assert {
        type(side)
        for fit in (letterbox, crop)
        for side in fit((8, 4), (6, 6)).model_box
    } == {int}
    assert {type(side) for side in crop((8, 4), (6, 6)).image_box} == {int}


@pytest.mark.parametrize(
    ("image_box", "model_box", "words"),
    [
        (Box(0, 0, 11, 10), Box(0, 0, 5, 5), "inside the image grid"),
        (Box(-1, 0, 5, 5), Box(0, 0, 5, 5), "inside the image grid"),
        (Box(0, 0, 10, 10), Box(0, 1, 5, 5), "inside the model grid"),
        (Box(0, 0, 10, 10), Box(0, 0, 0, 5), "inside the model grid"),
        (Box(0, 0, 10, 10), Box(0, 0, 5, 0), "inside the model grid"),
    ],
)
def test_boxes_stay_inside(image_box, model_box, words):
    """A box that leaves its grid or is empty is refused."""
    with pytest.raises(InputError, match=words):
        Placement((10, 10), (5, 5), image_box, model_box)
