"""Words in pictures can be read."""

import numpy as np
import pytest

from saliency.render.band import Legend, Line, Swatch, banded, ends_of_bar
from saliency.render.letters import drawable
from saliency.render.palettes import Palette
from saliency.render.tiles import tiled

BLACK = np.zeros((40, 400, 3), np.uint8)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pneumonia β, Ödem, пневмония", "pneumonia β, Ödem, пневмония"),
        ("肺炎, right", r"\u80ba\u708e, right"),
        ("two\nlines", "two\nlines"),
        ("\N{LUNGS}", r"\U0001fac1"),
    ],
)
def test_letters_that_the_font_lacks_are_told_by_their_codes(text, shown):
    """Two labels of boxes would look alike."""
    assert drawable(text) == shown


@pytest.mark.parametrize(
    "drawn",
    [
        lambda words: banded(BLACK, [Line(words)], None),
        lambda words: banded(
            BLACK,
            [Line("a")],
            Legend(Palette("green"), 1.0, "unit"),
            swatches=[Swatch((1, 2, 3), words)],
        ),
        lambda words: tiled([BLACK], [words], 1),
    ],
    ids=["line", "swatch", "strip"],
)
def test_no_picture_has_boxes_for_letters(drawn):
    """What is drawn of a word is what is drawn of its codes."""
    assert np.array_equal(drawn("肺炎"), drawn(r"\u80ba\u708e"))
    assert not np.array_equal(drawn("肺炎"), drawn("气胸"))


def test_a_swatch_has_its_colour():
    """The square is of the colour whose meaning stands beside it."""
    seen = banded(BLACK, [Line("a")], None, swatches=[Swatch((10, 120, 250), "b")])

    assert (seen == (10, 120, 250)).all(axis=2).sum() >= 100


def test_the_numbers_of_a_bar_are_those_of_its_ends():
    """0 or the heat against at the left, the heat of full colour at the right."""
    unsigned = Legend(Palette("green"), 0.25, "unit")
    signed = Legend(Palette("diverging"), 1234.5, "unit", signed=True)

    assert ends_of_bar(unsigned) == ("0", "0.25")
    assert ends_of_bar(signed) == ("against -1.23e+03", "1.23e+03 for")
