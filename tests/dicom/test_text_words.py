"""A line that is nearly writing is writing where it goes on a line that is."""

import pytest

from saliency.dicom.text import neighbours
from saliency.dicom.text_lines import Line

WORD = Line(**dict.fromkeys(Line._fields, 0))._replace(
    top=100, bottom=110, left=50, right=90, height=10.0
)


def at(left: int, *, top: int = 100, height: int = 10) -> Line:
    """A word of 30 columns."""
    place = {"left": left, "right": left + 30, "top": top, "bottom": top + height}
    return WORD._replace(**place, height=float(height))


@pytest.mark.parametrize(
    "word",
    [at(95), at(-5), at(118), at(95, top=98, height=12), at(95, top=102), at(95, height=8)],
    ids=["after", "before", "three heights after", "with a descender", "jumping", "smaller"],
)
def test_a_word_beside_a_sure_one_is_writing(word: Line) -> None:
    """On either side, on a common top or bottom, up to three heights away."""
    assert list(neighbours([WORD], [word])) == [word]


@pytest.mark.parametrize(
    "word",
    [at(121), at(95, top=104), at(95, height=14), at(95, top=200)],
    ids=["four heights after", "out of level", "larger", "elsewhere"],
)
def test_what_stands_elsewhere_is_not(word: Line) -> None:
    """Too far, on another level, of another size."""
    assert list(neighbours([WORD], [word])) == []


def test_words_lead_to_words() -> None:
    """A third word is reached over a second; without a sure one, none is."""
    second, third = at(100), at(145)
    assert list(neighbours([WORD], [third, second])) == [second, third]
    assert list(neighbours([], [third, second])) == []
