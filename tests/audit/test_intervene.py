"""One picture: the drop, and how it ranks among controls."""

import numpy as np
import pytest
from marked_pictures import corner_mask, pictures, reader

from saliency.audit import intervene
from saliency.errors import InputError


def test_the_mark_of_a_reader_stands_out():
    """Removing what decides ranks first among 19 controls, in every fill."""
    images, _ = pictures(2)
    found = intervene(reader(40, 0), images[1], "text")

    assert found.p_value == 1 / 20
    assert all(drop > 0 for drop in found.drops.values())
    assert {len(drops) for drops in found.controls.values()} == {19}


def test_background_drop_in_closed_form():
    """The score falls by the weight times what the mean of the corner falls by."""
    images, _ = pictures(2)
    pixels = images[1].display / 255
    found = intervene(reader(40, 0), images[1], "text", target=1)
    mean = pixels[~corner_mask()].mean()

    # The fill is rounded to whole grey levels.
    assert np.isclose(
        found.drops["mean"], 40 * (pixels[corner_mask()].mean() - mean), atol=0.1
    )
    assert np.isclose(found.score, 40 * (pixels[corner_mask()].mean() - 0.5), atol=1e-3)


def test_the_mark_of_another_model_does_not():
    """The model looks elsewhere: nothing changes, and no rounding error ranks first."""
    images, _ = pictures(2)
    found = intervene(reader(0, 40), images[1], "text")

    assert np.allclose([*found.drops.values()], 0, atol=1e-4)
    assert found.p_value == 1


@pytest.mark.parametrize(
    ("zone", "controls", "match"),
    [
        ("shutter", 19, "zone of the image \\(text\\)"),
        ("text", 0, "1 control"),
        ("all", 3, "room"),
    ],
)
def test_what_cannot_be_asked_is_refused(zone, controls, match):
    """An unknown zone, no controls, no room for any."""
    images, _ = pictures(2)
    image = images[0]
    if zone == "all":
        image = image.with_zone("all", np.ones(image.size, bool))

    with pytest.raises(InputError, match=match):
        intervene(reader(40, 0), image, zone, controls=controls)


def test_it_says_what_it_found():
    """The repr holds the zone, the drops and the rank."""
    images, _ = pictures(2)

    assert "p = 0.05 of 19 controls" in repr(
        intervene(reader(40, 0), images[1], "text")
    )
