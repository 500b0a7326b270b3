"""What is looked for in a picture that is handed in with zones of its owner."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from saliency.interventions.canvas import with_found
from saliency.values.image import DicomImage


def written() -> DicomImage:
    """Return a grey picture with a name in it."""
    page = Image.new("L", (253, 197), 60)
    ImageDraw.Draw(page).text(
        (12, 9), "ST ELSEWHERE", fill=230, font=ImageFont.load_default(18)
    )
    return DicomImage.from_array(np.asarray(page, np.float32))


@pytest.mark.parametrize("name", ["marker", "border", "air", "mine"])
def test_a_zone_by_hand_hides_no_text(name: str) -> None:
    """Whoever marks a marker has not said that there is no text."""
    mask = np.zeros((197, 253), np.bool_)
    mask[150:170, 200:230] = True
    image = with_found(written().with_zone(name, mask))

    assert [zone.name for zone in image.zones].count("text") == 1


def test_text_by_hand_is_not_looked_for_again() -> None:
    """A zone of that name was given: it stays the only one."""
    mask = np.zeros((197, 253), np.bool_)
    mask[150:170, 200:230] = True
    zones = with_found(written().with_zone("text", mask)).zones

    assert [zone.mask.sum() for zone in zones if zone.name == "text"] == [600]
