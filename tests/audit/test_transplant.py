"""The reverse test: a zone comes into pictures that lack it."""

import numpy as np
import pytest
from marked_pictures import CORNER, corner_mask, pictures, reader, shown

import saliency as sal
from saliency.audit import transplant
from saliency.errors import InputError


def unmarked(count=3):
    """Return pictures of healthy bodies without a mark, of one grey in its place."""
    images, labels = pictures(2 * count, zone=False, seed=4)
    found = []
    for image, label in zip(images, labels, strict=True):
        pixels = image.display / 255
        pixels[CORNER] = 0.25
        if not label:
            found.append(shown(pixels))
    return found


def test_the_scores_follow_a_mark_that_is_read():
    """In closed form: a pasted corner moves the score by the weight times its change."""
    images, _ = pictures(2)
    hosts = unmarked()
    found = transplant(reader(40, 0), images[1], "text", hosts, target=1)
    change = images[1].display[corner_mask()].mean() / 255 - np.rint(255 * 0.25) / 255

    assert np.allclose(found.gains["pasted"], 40 * change, atol=1e-2)
    assert found.follows > 0.5
    assert found.p_value == 1 / 20
    assert found.controls["blended"].shape == (3, 19)


def test_the_scores_do_not_follow_what_is_not_read():
    """The model looks elsewhere: nothing moves, and no rounding error ranks first."""
    images, _ = pictures(2)
    found = transplant(reader(0, 40), images[1], "text", unmarked())

    assert abs(found.follows) < 1e-3
    assert found.p_value == 1


def test_a_larger_picture_takes_the_zone_where_it_lies():
    """A zone is stretched onto the grid of the picture that it comes into."""
    images, _ = pictures(2)
    wide = [
        sal.DicomImage(
            np.kron(one.pixels, np.ones((2, 3), np.float32)),
            np.kron(one.display, np.ones((2, 3), np.uint8)),
        )
        for one in unmarked()
    ]
    found = transplant(reader(40, 0), images[1], "text", wide)

    assert found.follows > 0.5
    assert "into 3 pictures" in repr(found)


@pytest.mark.parametrize(
    ("case", "match"),
    [
        ("zone", "zone of the image"),
        ("has", "1 of 1 have it"),
        ("none", "got 0 and 19"),
    ],
)
def test_what_cannot_be_transplanted_is_refused(case, match):
    """No such zone, a picture that has one already, no pictures."""
    images, _ = pictures(2)
    hosts = {"zone": unmarked(), "has": images[:1], "none": []}[case]

    with pytest.raises(InputError, match=match):
        transplant(
            reader(40, 0), images[1], "shutter" if case == "zone" else "text", hosts
        )
