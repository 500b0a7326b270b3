"""The laws of the colours, measured with an own CIELAB."""

import copy
import pickle

import numpy as np
import pytest
from render.eyes import BLIND, GREYS, apart, lab, over_greys

from saliency.errors import InputError
from saliency.render import Palette
from saliency.render.colour import distance
from saliency.render.palettes import NAMED


@pytest.mark.parametrize("eye", ["normal", "protan", "deutan"])
def test_green_is_far_from_every_grey(eye):
    """Green at opacity 0.6, over any grey, is 50 units from every grey."""
    assert apart(over_greys(Palette("green").positive[255], 0.6), GREYS, eye) >= 50


def test_green_is_far_from_every_grey_for_tritans_too():
    """Without blue cones it still is 35 units away."""
    assert apart(over_greys(Palette("green").positive[255], 0.6), GREYS, "tritan") >= 35


@pytest.mark.parametrize("eye", BLIND)
def test_safe_is_far_from_every_grey_for_every_eye(eye):
    """Orange at opacity 0.6 is 40 units from every grey, for whichever cone is missing."""
    assert apart(over_greys(Palette("safe").positive[255], 0.6), GREYS, eye) >= 40


@pytest.mark.parametrize("eye", BLIND)
@pytest.mark.parametrize("name", NAMED)
def test_the_warning_cannot_be_taken_for_heat(name, eye):
    """The warning hue is 40 units from every colour of its palette."""
    palette = Palette(name)
    own = np.concatenate([palette.positive, palette.negative])

    assert apart(palette.warning[None], own, eye) >= 40


@pytest.mark.parametrize("eye", BLIND)
@pytest.mark.parametrize("name", NAMED)
def test_the_warning_cannot_be_taken_for_heat_on_a_picture(name, eye):
    """As painted at full heat, strength 0.65, over one and the same grey: 25 units apart."""
    palette = Palette(name)
    warned = over_greys(palette.warning, 0.65)[::15]
    for full in (palette.positive[255], palette.negative[255]):
        gaps = lab(over_greys(full, 0.65)[::15], eye) - lab(warned, eye)

        assert np.sqrt((gaps**2).sum(-1)).min() >= 25


@pytest.mark.parametrize("eye", BLIND)
@pytest.mark.parametrize(("name", "least"), [("diverging", 100), ("blue-yellow", 65)])
def test_the_signs_cannot_be_taken_for_each_other(name, least, eye):
    """Blue and orange are 100 units apart for every eye; blue and yellow 65 for tritans."""
    palette = Palette(name)

    assert apart(palette.negative[::5], palette.positive[::5], eye) >= least


def test_hot_gets_lighter_with_heat():
    """Lightness L* rises at every one of the 256 steps, so the map survives a grey print."""
    assert (np.diff(lab(Palette("hot").positive)[:, 0]) > 0).all()


@pytest.mark.parametrize("name", NAMED)
def test_tables_are_frozen(name):
    """256 colours of uint8, read-only, also in a copy."""
    for palette in (Palette(name), pickle.loads(pickle.dumps(Palette(name)))):  # noqa: S301
        for table in (palette.positive, palette.negative):
            assert (table.shape, table.dtype, table.flags.writeable) == (
                (256, 3),
                np.uint8,
                False,
            )


def test_only_a_bar_makes_a_sign():
    """A palette is signed where its source parts negative from positive."""
    signed = {name: Palette(name).signed for name in NAMED}

    assert {name for name in signed if signed[name]} == {"diverging", "blue-yellow"}
    assert Palette("00f|f00").signed


def test_stops_are_evenly_spaced():
    """Three colours: the first, the last, and the middle one in the middle."""
    table = Palette("000,0F0,#ffffff").positive

    assert table[0].tolist() == [0, 0, 0]
    assert table[255].tolist() == [255, 255, 255]
    assert table[127].tolist() == [0, 254, 0]
    assert table[128].tolist() == [1, 255, 1]


def test_a_signed_palette_reads_like_a_colour_bar():
    """The strongest negative stands first, the strongest positive last."""
    palette = Palette("00f,0ff|ff0,f00")

    assert palette.negative[255].tolist() == [0, 0, 255]
    assert palette.negative[0].tolist() == [0, 255, 255]
    assert palette.positive[0].tolist() == [255, 255, 0]
    assert palette.positive[255].tolist() == [255, 0, 0]


def test_an_own_palette_gets_the_warning_farthest_from_it():
    """For magenta the warning is not magenta."""
    assert distance(Palette("e000ff").warning[None], Palette("e000ff").positive) > 60


def test_colour_difference_equals_the_other_implementation():
    """The library's own distance is that of the standards, for every eye."""
    colours = np.random.default_rng(0).integers(0, 256, (9, 3)).astype(np.uint8)
    least = min(apart(colours[:4], colours[4:], eye) for eye in BLIND)

    assert distance(colours[:4], colours[4:]) == pytest.approx(least, abs=0.05)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("grean", "green"),
        ("GREEN", "green"),
        ("diverge", "diverging"),
        ("rainbows", "Nearest names: "),
        ("", "Palette: expected a name"),
        ("000,", "hex colours"),
        ("0f0|f00|00f", "hex colours"),
        ("0f0\n", "hex colours"),
        ("12345", "hex colours"),
        (None, "got None"),
    ],
)
def test_unknown_sources_are_refused_with_the_nearest_names(source, words):
    """An error says what a palette may be, and which name was meant."""
    with pytest.raises(InputError, match=words):
        Palette(source)


def test_copies_are_equal():
    """A palette is its source."""
    assert copy.deepcopy(Palette("hot")) == Palette("hot")
