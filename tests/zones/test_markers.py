"""Side and view markers: lone letters near the edge are found, anatomy and devices are not."""

import numpy as np
import pytest
from PIL import Image
from shared import shared
from zones.test_text import anatomy, burn, drawn

from saliency.dicom import read_dicom
from saliency.errors import InputError
from saliency.zones.detect import Hints, found_zones
from saliency.zones.markers import marker_boxes, marker_zone

CORNERS = ((9, 13), (9, 460), (250, 5))


def names(zones):
    """Names of zones, in order."""
    return [zone.name for zone in zones]


@pytest.mark.parametrize("letter", ["L", "R"])
@pytest.mark.parametrize("corner", CORNERS)
@pytest.mark.parametrize("height", [16, 24])
def test_a_lone_letter_is_found(letter, corner, height):
    """White letters beside a slice are markers, and no other pixel is."""
    picture, where = burn(anatomy("CT_small.dcm"), drawn(letter, height), corner, 255)
    (box,) = marker_boxes(picture)

    assert where[box.slices].sum() > 0.9 * where.sum()
    assert box.rows * box.columns < 4 * where.sum() + 200


def test_a_dark_letter_on_a_bright_ground_is_found():
    """MONOCHROME1 shown the other way round changes nothing."""
    picture, where = burn(anatomy("CT_small.dcm"), drawn("L", 18), (20, 20), 255)

    assert marker_boxes(picture) == marker_boxes(~picture)
    assert where[marker_boxes(picture)[0].slices].any()


@pytest.mark.parametrize("degrees", [-25, 15, 180])
def test_lead_letters_lie_as_they_fell(degrees):
    """A tilted, blurred lead letter on a radiograph is found."""
    page = Image.fromarray((np.pad(drawn("L", 40), 30) * 255).astype(np.uint8))
    ink = np.asarray(page.rotate(degrees, Image.Resampling.BICUBIC)) / 255
    shade = np.tile(np.linspace(30, 190, 700).astype(np.uint8)[:, None], (1, 600))
    picture, where = burn(shade, ink, (20, 470), 255)
    boxes = marker_boxes(picture, "DX")

    assert len(boxes) == 1
    assert where[boxes[0].slices].all()


def test_the_middle_of_a_picture_holds_no_marker():
    """The same letter where ports, clips and vessels lie is left alone."""
    picture, _ = burn(
        np.full((371, 531), 90, np.uint8), drawn("L", 18), (180, 260), 255
    )

    assert marker_boxes(picture) == ()


@pytest.mark.parametrize(
    "name", ["examples_overlay.dcm", "693_J2KI.dcm", "CT_small.dcm"]
)
@pytest.mark.parametrize("turns", range(4))
def test_anatomy_alone_holds_no_marker(name, turns):
    """No bundled slice is accused, turned or inverted."""
    picture = np.rot90(anatomy(name), turns)

    assert marker_boxes(picture) == ()
    assert marker_boxes(~picture) == ()


def test_a_ring_and_a_bar_are_no_letters():
    """A disc, a ring and a line near the edge are devices, not writing."""
    rows, columns = np.mgrid[:371, :531]
    far = np.hypot(rows - 40, columns - 40)
    picture = np.where((far < 14) & (far > 9), 255, 80).astype(np.uint8)
    picture[20:60, 480:486] = 255
    picture[300:330, 30:60] = 255

    assert marker_boxes(picture, "DX") == ()


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 53), (37, 1), (5, 7), (37, 53), (37, 53, 3)]
)
def test_small_pictures_are_no_error(size):
    """A picture too small for a letter, or constant, shows nothing."""
    assert found_zones(np.zeros(size, np.uint8)) == ()
    assert marker_zone(np.full(size, 255, np.uint8)) is None


@pytest.mark.parametrize("wrong", [np.zeros((37, 53)), np.zeros((37, 53, 4), np.uint8)])
def test_another_dtype_or_shape_is_refused(wrong):
    """Only the display is looked at."""
    with pytest.raises(InputError, match="uint8"):
        marker_boxes(wrong)


def test_words_and_markers_are_zones_of_their_own():
    """A name is text, a lone R a marker; the letters of the name are not counted again."""
    picture, name = burn(anatomy("CT_small.dcm"), drawn("MERCY 47", 16), (9, 13), 255)
    picture, side = burn(picture, drawn("R", 16), (250, 480), 255)
    zones = found_zones(picture)
    by_name = {zone.name: zone for zone in zones}

    assert names(zones) == ["text", "marker"]
    assert by_name["text"].mask[name].mean() > 0.9
    assert by_name["marker"].mask[side].mean() > 0.9
    assert not (by_name["text"].mask & by_name["marker"].mask).any()
    assert "1 box of a letter or sign" in by_name["marker"].evidence


def test_the_header_speaks_in_the_evidence(caplog):
    """Burned In Annotation is repeated beside what was found, and noted where nothing was."""
    picture, _ = burn(
        np.zeros((153, 219), np.uint8), drawn("MERCY HOSP", 12), (70, 60), 255
    )
    (text,) = (z for z in found_zones(picture, Hints(burned="YES")) if z.name == "text")

    assert text.evidence.endswith("(0028,0301) is YES")
    assert not caplog.records
    found_zones(anatomy("CT_small.dcm"), Hints(burned="YES"))
    assert "no writing was found" in caplog.text
    (text,) = (
        z for z in found_zones(picture, Hints(burned="Miller")) if z.name == "text"
    )
    assert "Miller" not in text.evidence


def test_huge_pictures_are_looked_at():
    """10,000 x 10,000 pixels with a name and a letter: both are found."""
    rows = np.linspace(40, 90, 10_000).astype(np.uint8)
    picture = np.repeat(rows[:, None], 10_000, axis=1)
    for words, height, left in (("MERCY 47", 30, 130), ("L", 160, 9700)):
        ink = drawn(words, height)
        picture[90 : 90 + len(ink), left : left + ink.shape[1]] += (ink * 150).astype(
            np.uint8
        )

    assert [
        name for name in names(found_zones(picture, Hints("DX"))) if name != "border"
    ] == [
        "text",
        "marker",
    ]


def test_lead_letters_of_real_radiographs():
    """Of 33 radiographs that show a letter most are marked, and where the letter is."""
    found = 0
    for path in sorted(
        (shared("models", "shortcut") / "dicom" / "test_clean").glob("*.dcm")
    ):
        image = read_dicom(path)
        boxes = marker_boxes(image.display, image.modality)
        high = [box for box in boxes if box.top < 90 and not 70 < box.left < 180]
        found += bool(high)
        assert len(boxes) - len(high) <= 1
    assert found >= 18
