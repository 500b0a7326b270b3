"""What other overlays get wrong, one sin a test."""

import subprocess
import sys
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from saliency.errors import InputError
from saliency.render import Palette, paint
from saliency.values.heatmap import Heatmap

ROWS, COLUMNS = 37, 53


@pytest.fixture
def radiograph():
    """Return every grey there is, on a grid that is not square."""
    return np.random.default_rng(0).integers(0, 256, (ROWS, COLUMNS)).astype(np.uint8)


@pytest.fixture
def heat():
    """Return heat of both signs, with zeros among it."""
    values = np.random.default_rng(1).normal(size=(ROWS, COLUMNS)).astype(np.float32)
    values[::3] = 0
    return values


def as_rgb(display):
    return np.repeat(display[..., None], 3, axis=-1)


def green_above_grey(rgb):
    return rgb[..., 1].astype(int) - rgb[..., 0]


def test_divides_by_the_maps_own_maximum(radiograph):
    """A map of zeros paints nothing, and warns of nothing (warnings are errors here)."""
    painted = paint(radiograph, Heatmap(np.zeros_like(radiograph)))

    assert np.array_equal(painted.rgb, as_rgb(radiograph))


def test_renormalises_the_blended_picture(radiograph, heat):
    """A pixel without heat is what it was, however hot its neighbours are."""
    painted = paint(radiograph, Heatmap(heat), strength=1.0)

    assert np.array_equal(painted.rgb[::3], as_rgb(radiograph)[::3])


@pytest.mark.parametrize(
    "palette", ["green", "hot", "safe", "diverging", "00f,fff,f00"]
)
def test_paints_the_coldest_colour_where_there_is_no_heat(radiograph, palette):
    """Next to a single hot pixel nothing else is painted, whatever the palette begins with."""
    values = np.zeros((ROWS, COLUMNS), np.float32)
    values[30, 50] = 1
    changed = paint(radiograph, Heatmap(values), palette=palette).rgb != as_rgb(
        radiograph
    )

    assert np.argwhere(changed.any(-1)).tolist() == [[30, 50]]


def test_overflows_integers():
    """Heat given as uint8 gets stronger in order: 15, 16, 17 and 200 do not wrap around."""
    heat = Heatmap(np.array([[0, 15, 16, 17, 200]], np.uint8))
    shown = green_above_grey(paint(np.full((1, 5), 128, np.uint8), heat).rgb)[0]

    assert shown[0] == 0
    assert (np.diff(shown) > 0).all()


@pytest.mark.parametrize("factor", [2.0**-40, 1.0, 3.0, 255.0, 1e30])
def test_guesses_the_value_range(radiograph, heat, factor):
    """Heat in another unit gives the same picture; a dark display stays dark."""
    twice = paint(radiograph // 128, Heatmap(heat * np.float32(factor)))

    assert (
        np.abs(
            twice.rgb.astype(int) - paint(radiograph // 128, Heatmap(heat)).rgb
        ).max()
        <= 1
    )
    assert np.array_equal(twice.rgb[::3], as_rgb(radiograph // 128)[::3])


def test_guesses_the_range_of_a_float_display(radiograph, heat):
    """A display that is not uint8 is refused: 0..1 and 0..255 cannot be told apart."""
    with pytest.raises(InputError, match="expected a uint8 display"):
        paint(radiograph / 255, Heatmap(heat))


def test_guesses_the_channel_axis(radiograph, heat):
    """Channels come last; channels first are refused, never moved."""
    with pytest.raises(InputError, match=r"\(3, 37, 53\)"):
        paint(np.repeat(radiograph[None], 3, axis=0), Heatmap(heat))


def test_inverts_greys():
    """Black stays black and white stays white."""
    ramp = np.arange(256, dtype=np.uint8)[None]
    painted = paint(ramp, Heatmap(np.zeros((1, 256), np.float32)))

    assert painted.rgb[0, :, 0].tolist() == list(range(256))


def test_swaps_width_and_height(radiograph):
    """The pixel at row 7, column 50 is painted there."""
    values = np.zeros((ROWS, COLUMNS), np.float32)
    values[7, 50] = 1
    changed = (paint(radiograph, Heatmap(values)).rgb != as_rgb(radiograph)).any(-1)

    assert np.argwhere(changed).tolist() == [[7, 50]]


def test_confuses_bgr_and_rgb():
    """Red paint is red in the array, and red in the file."""
    overlay = paint(
        np.zeros((2, 3), np.uint8), Heatmap(np.ones((2, 3))), palette="f00", strength=1
    )
    decoded = Image.open(BytesIO(overlay.png()))

    assert overlay.rgb[0, 0].tolist() == [255, 0, 0]
    assert decoded.mode == "RGB"
    assert decoded.getpixel((2, 1)) == (255, 0, 0)


def test_mutates_the_callers_array(radiograph, heat):
    """Every array that goes in comes out as it was."""
    zone, given = heat > 1, Heatmap(heat)
    before = [array.copy() for array in (radiograph, zone, given.values)]
    paint(radiograph, given, palette="diverging", diagnostic=zone, padding=~zone)

    for old, new in zip(before, (radiograph, zone, given.values), strict=True):
        assert np.array_equal(old, new)


def test_lets_percentiles_pull_the_sign():
    """An outlier of -10 among heat of 1 leaves 0 unpainted, and equal heat equally strong."""
    values = np.zeros((40, 50), np.float32)
    values[:20, :25], values[20:, :25] = 1, -1
    values[39, 0] = -10
    rgb = paint(np.zeros((40, 50), np.uint8), Heatmap(values), palette="f00|0f0").rgb

    assert not rgb[:, 25:].any()
    assert rgb[0, 0].tolist() == [0, round(255 * 0.65), 0]
    assert rgb[20, 0].tolist() == [round(255 * 0.65), 0, 0]


def test_leans_on_the_global_state_of_pyplot():
    """Neither painting nor drawing a figure loads pyplot or changes an rcParam."""
    script = """
import sys, numpy as np, matplotlib
before = matplotlib.rcParams.copy()
from saliency.render import paint
from saliency.render.figure import figure
from saliency.values.heatmap import Heatmap
display, heat = np.zeros((7, 9), np.uint8), Heatmap(np.eye(7, 9))
figure(display, heat, paint(display, heat)).savefig(__import__("io").BytesIO())
assert "matplotlib.pyplot" not in sys.modules
keys = set(before) - {"backend"}  # reading it chooses one
assert all(matplotlib.rcParams[key] == before[key] for key in keys)
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_paints_on_the_models_grid(radiograph, heat):
    """The overlay has the picture's grid; a map on the model's grid is refused, not stretched."""
    assert paint(radiograph, Heatmap(heat)).rgb.shape == (ROWS, COLUMNS, 3)
    with pytest.raises(
        InputError, match=r"expected a heatmap of \(37, 53\).*got \(224, 224\)"
    ):
        paint(radiograph, Heatmap(np.ones((224, 224))))


def test_palettes_are_data():
    """A palette is the same wherever it is made: no registry to fill, no state to set."""
    assert Palette("green") == Palette("green")
    assert hash(Palette("hot")) == hash(Palette("hot"))
