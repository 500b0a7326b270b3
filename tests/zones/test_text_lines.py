"""A line that is nearly writing is writing where it goes on a line that is."""

import numpy as np
import pytest
from zones.test_text import burn, covered, drawn

from saliency.zones.text_lines import (
    ENDS,
    TextLine,
    going_on,
    of_a_page,
    side_by_side_lines,
)

WORD = TextLine(**dict.fromkeys(TextLine._fields, 0))._replace(
    top=100, bottom=110, left=50, right=90, height=10.0
)


def at(left: int, *, top: int = 100, height: int = 10) -> TextLine:
    """A word of 30 columns."""
    place = {"left": left, "right": left + 30, "top": top, "bottom": top + height}
    return WORD._replace(**place, height=float(height))


@pytest.mark.parametrize(
    "word",
    [
        at(95),
        at(-5),
        at(118),
        at(95, top=98, height=12),
        at(95, top=102),
        at(95, height=8),
    ],
    ids=[
        "after",
        "before",
        "three heights after",
        "with a descender",
        "jumping",
        "smaller",
    ],
)
def test_a_word_beside_a_sure_one_is_writing(word: TextLine) -> None:
    """On either side, on a common top or bottom, up to three heights away."""
    assert going_on([WORD, word], np.array([True, False])).all()


@pytest.mark.parametrize(
    "word",
    [at(121), at(95, top=104), at(95, height=14), at(95, top=200)],
    ids=["four heights after", "out of level", "larger", "elsewhere"],
)
def test_what_stands_elsewhere_is_not(word: TextLine) -> None:
    """Too far, on another level, of another size."""
    assert going_on([WORD, word], np.array([True, False])).tolist() == [True, False]


def test_words_lead_to_words() -> None:
    """A third word is reached over a second; where none is sure, none is."""
    words = [at(145), at(100), WORD, at(100, top=300)]

    assert going_on(words, np.array([False, False, True, False])).tolist() == [
        True
    ] * 3 + [False]
    assert not going_on(words, np.zeros(4, np.bool_)).any()
    assert going_on([], np.zeros(0, np.bool_)).size == 0


def test_a_word_of_a_page_is_writing() -> None:
    """Six sure words of one height are a page: a likely one of that height is of it, wherever."""
    sure_words = [at(95 * number) for number in range(6)]
    likely_words = [at(900, top=400), at(900, height=11)]
    sure = np.array([True] * 6 + [False] * 2)

    assert of_a_page(sure_words + likely_words, sure).tolist() == [True] * 7 + [False]
    assert not of_a_page(sure_words + likely_words, np.arange(8) < 5).any()
    assert of_a_page([], np.zeros(0, np.bool_)).size == 0


def test_pairs_are_named_once() -> None:
    """Two words on a common top and a common bottom are one pair."""
    assert side_by_side_lines([at(95), WORD, at(300)], ENDS).tolist() == [[0, 1]]
    assert side_by_side_lines([], ENDS).shape == (0, 2)


def test_what_is_faint_between_two_words_is_covered() -> None:
    """The middle of a name over bright tissue cannot be seen, and is where a name is."""
    page = np.full((90, 400), 30, np.uint8)
    ink = drawn("ST ELSEWHERE", 16)
    page[:, 8 + ink.shape[1] // 3 : 8 + ink.shape[1] // 2] = 235
    picture, where = burn(page, ink, (20, 8), 240)

    assert covered(picture, where) == 1.0
