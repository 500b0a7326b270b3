"""The laws of LOVI, against arrays of the authors' own code and against corner cases."""

import colorsys

import numpy as np
import pytest
from shared import shared

from saliency.errors import InputError
from saliency.render import heat, lovi
from saliency.render.layers import heat_hsv, lovi_hsv, rgb_of

CASES = {"lovi": lovi_hsv, "heat": heat_hsv}


@pytest.fixture(scope="module")
def golden():
    """Return what the authors' code gave; their images are BGR."""
    with np.load(
        shared("golden", "fastcam", "lovi_heat.npz"), allow_pickle=False
    ) as arrays:
        return dict(arrays)


def inputs(golden, case):
    stack = golden[case.removesuffix("w") + "__stack"]
    return stack, golden.get(f"{case}__weights")


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("case", ["c2", "c3", "c5", "c7", "c5w", "edge"])
def test_equals_the_authors_picture(golden, case, kind):
    """RGB is theirs to 5e-6; where theirs is NaN (every map 0) ours is black."""
    stack, weights = inputs(golden, case)
    ours = rgb_of(CASES[kind](stack, weights=weights))
    theirs = golden[f"{case}__{kind}_bgr"][..., ::-1]
    known = np.isfinite(theirs).all(-1)

    assert np.abs(ours - theirs)[known].max() < 5e-6
    assert not ours[~known].any()


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("case", ["c2", "c3", "c5", "c7", "c5w"])
def test_equals_the_authors_hue(golden, case, kind):
    """Hue is theirs to 1e-3 degrees, value to 2e-6."""
    stack, weights = inputs(golden, case)
    gap = np.abs(CASES[kind](stack, weights=weights) - golden[f"{case}__{kind}_hsv"])

    assert gap[..., 0].max() < 1e-3
    assert gap[..., 2].max() < 2e-6


def test_the_picture_is_the_formula_in_bytes(golden):
    """``lovi`` and ``heat`` are uint8 RGB, rounded once, read-only."""
    stack = golden["c5__stack"]
    for picture, formula in ((lovi(stack), lovi_hsv), (heat(stack), heat_hsv)):
        assert (picture.dtype, picture.shape) == (np.uint8, (24, 31, 3))
        assert np.array_equal(picture, np.rint(255 * rgb_of(formula(stack))))
        assert not picture.flags.writeable


@pytest.mark.parametrize("layers", range(2, 8))
def test_a_pixel_of_one_layer_has_that_layers_pure_hue(layers):
    """The earliest is at 300 degrees, the last at 0, the rest evenly between."""
    hsv = lovi_hsv(np.eye(layers)[None])

    assert np.allclose(hsv[0, :, 0], np.linspace(300, 0, layers))
    assert np.allclose(hsv[0, :, 1:], 1)


def test_the_earliest_layer_is_violet_and_the_last_red():
    """In RGB: red and blue for the first, red alone for the last."""
    assert lovi(np.eye(3)[None])[0].tolist() == [
        [255, 0, 255],
        [0, 255, 128],
        [255, 0, 0],
    ]


def test_layers_that_agree_are_white():
    """All alike: white at full heat, black at none."""
    ramp = np.linspace(0, 1, 37 * 53).reshape(37, 53, 1)

    assert lovi(ramp.repeat(4, -1))[36, 52].tolist() == [255, 255, 255]
    assert lovi(ramp.repeat(4, -1))[0, 0].tolist() == [0, 0, 0]


def test_one_layer_is_grey():
    """Without an order there is no hue: the map itself, from black to white."""
    ramp = np.arange(256.0).reshape(16, 16, 1)

    assert np.array_equal(lovi(ramp), np.arange(256).reshape(16, 16, 1).repeat(3, -1))
    assert heat(ramp)[0, 0].tolist() == [0, 0, 0]


def test_zeros_are_black():
    """No heat is no light, and no warning."""
    assert not lovi(np.zeros((37, 53, 5))).any()
    assert not heat(np.zeros((37, 53, 5))).any()


def test_heat_is_red_where_it_is_hottest():
    """The hottest pixel is at 0 degrees and of full value."""
    hsv = heat_hsv(np.random.default_rng(0).random((37, 53, 6)))
    at = np.unravel_index(hsv[..., 2].argmax(), hsv.shape[:2])

    assert hsv[at][0] == 0
    assert hsv[at][2] == 1


def test_colours_equal_the_standard_library():
    """Hue, saturation and value become RGB as in ``colorsys``."""
    hsv = np.random.default_rng(1).random((50, 3)) * [360, 1, 1]
    slow = [
        colorsys.hsv_to_rgb(hue / 360, strength, value) for hue, strength, value in hsv
    ]

    assert np.allclose(rgb_of(hsv), slow)


@pytest.mark.parametrize(
    ("stack", "weights", "words"),
    [
        (np.ones((37, 53)), None, "rank 3"),
        (np.full((3, 4, 2), np.nan), None, "finite"),
        (np.ones((3, 4, 2)), [1, 2, 3], "expected 2 weights"),
        (np.ones((3, 4, 2)), [1, -1], "0 or more"),
        (np.ones((3, 4, 2)), [0, 0], "above 0"),
    ],
)
def test_bad_stacks_are_refused(stack, weights, words):
    """An error says what was expected."""
    with pytest.raises(InputError, match=words):
        lovi(stack, weights=weights)
