"""Prepare gives the model what it was trained on, and knows where every pixel went."""

import numpy as np
import pytest

import saliency as sal
from saliency.errors import InputError
from saliency.pipeline.prepare import Prepare
from saliency.values.image import DicomImage

GREY = np.random.default_rng(0).integers(0, 256, (37, 53)).astype(np.uint8)


@pytest.fixture
def grey():
    """A picture whose display, modality and stored values differ."""
    return DicomImage(
        GREY.astype(np.float32) * 2 - 1000, GREY, stored=GREY.astype(np.int16) * 2
    )


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
    [
        {"intensity": "hu"},
        {"fit": "pad"},
        {"scale": "01"},
        {"channels": 2},
        {"size": (0, 5)},
    ],
    ids=str,
)
def test_unknown_words_are_refused(wrong):
    """Each wrong argument is refused at once, with the right ones."""
    with pytest.raises(InputError, match="expected"):
        Prepare(**wrong)


def test_what_is_open_comes_from_the_model():
    """Size and channels fill from the model's input; what was given stays."""
    assert Prepare().filled((224, 192, 3)) == Prepare((224, 192), channels=3)
    assert Prepare((8, 9), channels=1).filled((224, 192, 3)) == Prepare(
        (8, 9), channels=1
    )
    assert Prepare().filled((None, None, 1)) == Prepare(channels=1)


def test_coarser_grids_average():
    """Shrinking is not sampling: a checkerboard becomes grey."""
    board = np.indices((64, 64)).sum(0) % 2 * 255
    array = Prepare((16, 16), scale="pixel")(DicomImage.from_array(board)).array

    assert np.abs(array - 127.5).max() < 10


# Named normalisations, each beside a few lines of numpy that say the same.

RGB = np.random.default_rng(1).integers(0, 256, (37, 53, 3)).astype(np.float32)


def torch_mode(x):
    """Mode "torch" of keras.applications, written out."""
    x = x / 255
    x = x - np.array([0.485, 0.456, 0.406])
    return x / np.array([0.229, 0.224, 0.225])


def caffe_mode(x):
    """Mode "caffe": BGR, less its mean."""
    return np.stack(
        [x[..., 2] - 103.939, x[..., 1] - 116.779, x[..., 0] - 123.68], axis=-1
    )


def percentile(x):
    """From the 1st to the 99th percentile to 0..1."""
    low, high = np.percentile(x, 1), np.percentile(x, 99)
    return np.minimum(np.maximum((x - low) / (high - low), 0), 1)


@pytest.mark.parametrize(
    ("scale", "twin"),
    [
        ("zscore", lambda x: (x - x.mean()) / x.std()),
        ("percentile", percentile),
        ("imagenet", torch_mode),
        ("caffe", caffe_mode),
        (4095, lambda x: x / 4095),
        (np.float32(0.5), lambda x: x * 2),
    ],
    ids=["zscore", "percentile", "imagenet", "caffe", "4095", "0.5"],
)
def test_named_scales_are_their_twins(colour, scale, twin):
    """Each name is the formula of the page, on the whole picture."""
    array = Prepare(scale=scale)(colour).array

    assert np.allclose(array[0], twin(colour.display.astype(np.float64)), atol=1e-4)


@pytest.mark.parametrize("name", ["imagenet", "caffe"])
def test_they_are_those_of_keras(colour, name):
    """An independent implementation: keras.applications.imagenet_utils."""
    from keras.applications.imagenet_utils import preprocess_input

    mode = {"imagenet": "torch", "caffe": "caffe"}[name]
    expected = preprocess_input(colour.display.astype(np.float32), mode=mode)

    assert np.allclose(Prepare(scale=name)(colour).array[0], expected, atol=1e-5)


def test_statistics_leave_out_the_bars(grey):
    """Bars of a letterbox are no part of the picture: they move neither mean nor percentile."""
    given = Prepare((53, 53), fit="letterbox", intensity="modality", scale="zscore")(
        grey
    )
    inside = given.array[0, ..., 0][given.placement.model_box.slices]

    assert abs(inside.mean()) < 1e-5
    assert abs(inside.std() - 1) < 1e-5


def test_an_even_picture_is_zero():
    """No division by nothing."""
    even = DicomImage.from_array(np.full((4, 5), 7.0))
    for scale in ("zscore", "percentile"):
        assert (Prepare(scale=scale, intensity="modality")(even).array == 0).all()


def test_mean_and_deviation_come_after_the_scale(colour):
    """(x / 255 - mean) / std, one for each channel or one for all."""
    unit = colour.display / 255
    three = Prepare(mean=(0.1, 0.2, 0.3), std=(1, 2, 4))(colour).array[0]
    one = Prepare(mean=0.5, std=0.25)(colour).array[0]

    assert np.allclose(three, (unit - [0.1, 0.2, 0.3]) / [1, 2, 4], atol=1e-6)
    assert np.allclose(one, (unit - 0.5) / 0.25, atol=1e-6)
    with pytest.raises(InputError, match="3"):
        Prepare(mean=(1, 2))(colour)


@pytest.mark.parametrize(
    ("how", "weights"),
    [
        ("luminance", (0.299, 0.587, 0.114)),
        ("mean", (1 / 3, 1 / 3, 1 / 3)),
        ("red", (1, 0, 0)),
        ("green", (0, 1, 0)),
        ("blue", (0, 0, 1)),
    ],
)
def test_colour_becomes_grey_as_told(colour, how, weights):
    """A grey model sees the weighted sum."""
    array = Prepare(channels=1, grey=how, scale="pixel")(colour).array

    assert np.allclose(array[0, ..., 0], colour.display @ np.array(weights), atol=1e-3)


def test_a_window_narrower_than_one_is_a_ramp():
    """As in from_array and in files: no threshold half a unit off."""
    ramp = np.linspace(0, 1, 11, dtype=np.float32)[np.newaxis]
    image = DicomImage.from_array(ramp, window=sal.Window(0.5, 0.4))
    array = Prepare((1, 11), windows=((0.5, 0.4),), scale="pixel")(image).array

    assert np.abs(array[0, 0, :, 0] - image.display[0]).max() <= 0.5


def test_three_windows_are_three_channels():
    """LINEAR of PS3.3 C.11.2.1.2.1 for each, in order."""
    pixels = np.random.default_rng(2).uniform(-1024, 3000, (20, 30)).astype(np.float32)
    image = DicomImage.from_array(pixels)
    windows = ((40, 400), (600, 1500), (-600, 1500))
    array = Prepare(windows=windows)(image).array

    assert array.shape == (1, 20, 30, 3)
    for channel, (center, width) in enumerate(windows):
        for (row, column), value in np.ndenumerate(pixels[::7, ::7]):
            x = (value - (center - 0.5)) / (width - 1) + 0.5
            assert (
                abs(array[0, 7 * row, 7 * column, channel] - min(max(x, 0), 1)) < 1e-5
            )


def test_a_region_alone_is_shown(grey):
    """The model sees rows 5..25 and columns 10..40; the map goes back there and nowhere else."""
    from saliency.pipeline.place_back import place_back

    given = Prepare(region=(5, 10, 20, 30), scale="pixel")(grey)
    heat = place_back(np.ones((20, 30), np.float32), given.placement).values

    assert (given.array[0, ..., 0] == GREY[5:25, 10:40]).all()
    assert heat[5:25, 10:40].min() == 1
    assert heat.sum() == 600
    with pytest.raises(InputError, match="inside the image"):
        Prepare(region=(30, 0, 20, 30))(grey)


def test_resampling_to_a_spacing():
    """0.5 x 1 mm to 1 x 1 mm: every second row averaged, as the plain resize has it."""
    from saliency.pipeline.resize import resized

    pixels = np.random.default_rng(3).uniform(0, 255, (40, 30))
    image = DicomImage.from_array(pixels, spacing=(0.5, 1.0))
    given = Prepare(spacing=(1.0, 1.0), scale="pixel")(image)
    assert np.allclose(given.array[0, ..., 0], resized(image.display, (20, 30)))

    # On a model of 24 x 16: padded down, cropped across, both around the centre.
    placed = Prepare((24, 16), spacing=1.0, scale="pixel")(image)
    twin = np.zeros((24, 16), np.float32)
    twin[2:22] = resized(image.display, (20, 30))[:, 7:23]
    assert np.allclose(placed.array[0, ..., 0], twin)
    assert placed.placement.scale == (0.5, 1.0)
    with pytest.raises(InputError, match="does not say"):
        Prepare(spacing=1.0)(DicomImage.from_array(pixels))


@pytest.mark.parametrize(
    "wrong",
    [
        {"scale": 0},
        {"scale": True},
        {"mean": "a"},
        {"std": 0},
        {"grey": "yes"},
        {"windows": (40, 400)},
        {"windows": ((40, 400),), "intensity": "modality"},
        {"region": (1, 2)},
        {"spacing": -1},
        {"spacing": 1, "fit": "crop"},
        {"size": (1, 2, 3, 4)},
        {"neighbours": -1},
        {"neighbours": 0.5},
        {"size": 1.5},
    ],
    ids=str,
)
def test_options_that_cannot_be_are_refused(wrong):
    """Before any picture is read, with what was expected."""
    with pytest.raises(InputError, match="Prepare: "):
        Prepare(**wrong)


def test_bars_of_modality_values_are_the_least_of_them():
    """0 is water in a CT: what lies around the image is air, as the image has it."""
    image = DicomImage.from_array(np.array([[-1000.0, 50.0, 80.0]]))
    given = Prepare((3, 3), intensity="modality", scale="none", fit="letterbox")(image)

    assert (given.array[0, [0, 2], :, 0] == -1000).all()
