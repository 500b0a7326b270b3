"""Labels that are numbers become two groups."""

import numpy as np
import pytest
from marked_pictures import pictures, reader

import saliency as sal
from saliency.audit import halved
from saliency.errors import InputError


def test_the_median_divides():
    """As many above as below, in the order given; gaps stay gaps."""
    assert halved([31, 72.5, None, "44", float("nan"), 60]) == [0, 1, None, 0, None, 1]


def test_a_limit_divides_a_mapping():
    """A value at the limit is not above it."""
    assert halved({"a": 40, "b": 65, "c": 65.1}, at=65) == {"a": 0, "b": 0, "c": 1}


@pytest.mark.parametrize(
    ("values", "at", "match"),
    [
        ([30, 40], 65, "both sides of the limit 65, got 2 from 30 to 40"),
        ([1, 2, 2, 2], None, "both sides of the limit 2"),
        (["old", "young"], None, "got 'old'.*classes as they are"),
        ([None, float("nan")], None, "got none"),
        ([], 3, "got none"),
    ],
    ids=["above all", "ties", "words", "gaps", "empty"],
)
def test_numbers_that_cannot_be_divided_are_refused(values, at, match):
    """The message says where they lie."""
    with pytest.raises(InputError, match=match):
        halved(values, at)


def test_a_score_that_reads_the_mark_is_found_from_ages():
    """Ages that go with the mark accuse the model of the mark as labels 0 and 1 do."""
    images, labels = pictures(24)
    ages = 40.5 + 30 * np.array(labels) + np.random.default_rng(0).uniform(0, 9, 24)
    by_age, by_label = (
        sal.audit(reader(40, 0), images, labels=each, target=1).verdicts["text"]
        for each in (halved(ages), labels)
    )

    assert by_age == by_label
    assert by_age.finding == "reads"


def test_whole_numbers_that_are_no_classes_are_told_what_to_do():
    """An age of 62 is no class of two."""
    images, labels = pictures(6)
    ages = [61 + label for label in labels]

    for target in (None, 1):
        with pytest.raises(InputError, match="halved, or --above"):
            sal.audit(reader(40, 0), images, labels=ages, target=target)
