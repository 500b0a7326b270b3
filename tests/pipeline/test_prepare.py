"""Prepare gives the model what it was trained on, and knows where every pixel went."""

import numpy as np
import pytest

from saliency.errors import InputError
from saliency.pipeline.prepare import Prepare
from saliency.values.image import DicomImage

GREY = np.random.default_rng(0).integers(0, 256, (37, 53)).astype(np.uint8)


@pytest.fixture
def grey():
    """A picture whose display, modality and stored values differ."""
    return DicomImage(GREY.astype(np.float32) * 2 - 1000, GREY, stored=GREY.astype(np.int16) * 2)


@pytest.fixture
def colour():
    """A colour picture."""
    pixels = np.random.default_rng(1).integers(0, 256, (37, 53, 3)).astype(np.uint8)
    return DicomImage(pixels.astype(np.float32), pixels)


def test_the_same_size_keeps_every_value(grey):
    """No resize, no rounding: a model at the picture's size sees its display bit for bit."""
    array = Prepare(scale="pixel")(grey).array

    assert array.shape == (1, 37, 53, 1)
    assert (array[0, ..., 0] == GREY).all()


@pytest.mark.parametrize(
    ("intensity", "expected"), [("display", GREY), ("modality", GREY * 2.0 - 1000)]
)
def test_intensity_chooses_the_stage(grey, intensity, expected):
    """Each intensity is the stage of the pipeline that its name says."""
    array = Prepare(intensity=intensity, scale="none")(grey).array

    assert (array[0, ..., 0] == expected.astype(np.float32)).all()


def test_stored_values_are_the_file_s(grey):
    """Stored values come before the modality LUT."""
    array = Prepare(intensity="stored", scale=lambda values: values / 4095)(grey).array

    assert np.allclose(array[0, ..., 0], GREY.astype(np.float32) * 2 / 4095)


@pytest.mark.parametrize(
    ("scale", "low", "high"), [("unit", 0, 1), ("pixel", 0, 255), ("symmetric", -1, 1)]
)
def test_scales_map_black_and_white(scale, low, high):
    """Black and white land on the ends of the named range."""
    image = DicomImage.from_array(np.array([[0.0, 1.0]]))
    array = Prepare(scale=scale)(image).array

    assert (array.min(), array.max()) == (low, high)


def test_a_range_is_never_guessed(grey):
    """Modality units have no 0..255: the unit scale refuses them and says what to do."""
    with pytest.raises(InputError, match="scale='none'"):
        Prepare(intensity="modality")(grey)


def test_grey_becomes_three_equal_channels(grey):
    """A colour model sees the same grey in every channel."""
    array = Prepare(channels=3)(grey).array

    assert array.shape == (1, 37, 53, 3)
    assert (array == array[..., :1]).all()


def test_colour_never_becomes_grey(colour):
    """Which grey a colour is, is the user's decision."""
    with pytest.raises(InputError, match=r"takes 1 channel.*colour with 3"):
        Prepare(channels=1)(colour)


def test_colour_keeps_its_order(colour):
    """Red stays first."""
    array = Prepare(scale="pixel")(colour).array

    assert (array[0] == colour.display).all()


def test_letterbox_bars_are_black_and_the_picture_keeps_its_shape(grey):
    """A 37 x 53 picture on a 64 x 64 model is 45 x 64 between black bars."""
    given = Prepare((64, 64), fit="letterbox", scale="pixel")(grey)
    box = given.placement.model_box

    outside = given.array[0, ..., 0].copy()
    outside[box.slices] = 0
    assert (box.rows, box.columns) == (45, 64)
    assert (outside == 0).all()


def test_crop_takes_the_centre(grey):
    """A square model sees the central square."""
    given = Prepare((37, 37), fit="crop", scale="pixel")(grey)

    assert (given.array[0, ..., 0] == GREY[:, 8:45]).all()


def test_a_scale_may_write_into_its_argument(grey):
    """keras.applications write in place; the picture stays as it was."""

    def writes(values):
        values -= 100
        return values

    before = grey.display.copy()
    Prepare(scale=writes)(grey)

    assert (grey.display == before).all()


def test_a_scale_may_not_change_the_shape(grey):
    """A callable that drops an axis is named."""
    with pytest.raises(InputError, match="keep the shape"):
        Prepare(scale=lambda values: values[0])(grey)


@pytest.mark.parametrize(
    "wrong",
    [{"intensity": "hu"}, {"fit": "pad"}, {"scale": "01"}, {"channels": 2}, {"size": (0, 5)}],
    ids=str,
)
def test_unknown_words_are_refused(wrong):
    """Each wrong argument is refused at once, with the right ones."""
    with pytest.raises(InputError, match="expected"):
        Prepare(**wrong)


def test_what_is_open_comes_from_the_model():
    """Size and channels fill from the model's input; what was given stays."""
    assert Prepare().filled((224, 192, 3)) == Prepare((224, 192), channels=3)
    assert Prepare((8, 9), channels=1).filled((224, 192, 3)) == Prepare((8, 9), channels=1)
    assert Prepare().filled((None, None, 1)) == Prepare(channels=1)


def test_coarser_grids_average():
    """Shrinking is not sampling: a checkerboard becomes grey."""
    board = np.indices((64, 64)).sum(0) % 2 * 255
    array = Prepare((16, 16), scale="pixel")(DicomImage.from_array(board)).array

    assert np.abs(array - 127.5).max() < 10
