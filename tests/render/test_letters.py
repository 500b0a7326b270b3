"""Words in pictures can be read."""

import numpy as np
import pytest

from saliency.render.band import Legend, Line, Swatch, banded
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
