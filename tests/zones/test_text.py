"""Burned-in text: what was drawn is found, what was not drawn is not."""

import json
import time
from itertools import product

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont
from pydicom.data import get_testdata_file
from shared import shared

from saliency.errors import InputError
from saliency.values.placement import Box
from saliency.zones.markers import marker_boxes
from saliency.zones.text import text_boxes, text_zone
from saliency.zones.text_boxes import mask_of, pad_and_join
from saliency.zones.writing import find_writing

HEIGHTS = (8, 11, 16, 24, 40)
BACKGROUNDS = ("examples_overlay.dcm", "693_J2KI.dcm", "CT_small.dcm")


def anatomy(name, *, high=200):
    """A bundled slice, 512 px wide, stretched to grey levels 30..high."""
    pixels = pydicom.dcmread(
        get_testdata_file(name, download=False)
    ).pixel_array.astype(float)
    low, top = np.percentile(pixels, [1, 99])
    grey = np.clip((pixels - low) / (top - low), 0, 1) * (high - 30) + 30
    picture = Image.fromarray(grey.astype(np.uint8))
    return np.asarray(picture.resize((512, 512 * picture.height // picture.width)))


def drawn(words, height):
    """Coverage 0..1 of words whose capitals are so many pixels high."""
    font = ImageFont.load_default(height / 0.72)
    box = font.getbbox(words)
    page = Image.new("L", (round(box[2] - box[0]), round(box[3] - box[1])))
    ImageDraw.Draw(page).text((-box[0], -box[1]), words, fill=255, font=font)
    return np.asarray(page) / 255


def burn(picture, ink, corner, grey):
    """Paint with that grey level; return the picture and the mask of what was painted on."""
    rows = slice(corner[0], corner[0] + ink.shape[0])
    columns = slice(corner[1], corner[1] + ink.shape[1])
    painted, where = picture.astype(float), np.zeros(picture.shape, bool)
    painted[rows, columns] += ink * (grey - painted[rows, columns])
    where[rows, columns] = True
    return np.rint(painted).astype(np.uint8), where


def covered(picture, where):
    """Share of the painted pixels that the zone covers."""
    zone = text_zone(picture)
    return 0.0 if zone is None else zone.mask[where].mean()


#: Of a console: capitals, mixed case with letters of five pixels, figures.
SCREEN = (
    *(
        "DOE^JANE 1961-04-12",
        "Mercy Hospital",
        "SUPINE",
        "Jane Doe",
        "kV 120",
        "mA 240",
    ),
    *(
        "W:400 L:40",
        "Chest",
        "ID 48211",
        "Dr. Miller",
        "SEMI-UPRIGHT",
        "Mary",
        "GENERAL",
    ),
)


@pytest.mark.slow
@pytest.mark.parametrize("level", [90, 255])
def test_words_of_a_black_screen_are_found(level):
    """Strokes of one pixel on black, 6 x 11: every name is in a box."""
    font = ImageFont.load_default_imagefont()
    page = Image.new("L", (320, 30 * len(SCREEN)))
    pen = ImageDraw.Draw(page)
    pen.fontmode = "1"
    for number, words in enumerate(SCREEN):
        pen.text((10 + 60 * (number % 3), 30 * number + 8), words, level, font)
    screen = np.asarray(page)

    ink = screen > 0
    shares = [
        text_zone(screen).mask[top : top + 30][ink[top : top + 30]].mean()
        for top in range(0, len(screen), 30)
    ]
    assert min(shares) > 0.75
    assert np.mean(shares) > 0.95


@pytest.mark.parametrize(("name", "height"), list(product(BACKGROUNDS, HEIGHTS)))
@pytest.mark.parametrize("turns", [0, 1, 3])
def test_bright_words_on_anatomy_are_found(name, height, turns):
    """White words of every height are found on every slice, level and upright."""
    ink = np.rot90(drawn("MERCY 47", height), turns)
    picture, where = burn(anatomy(name), ink, (9, 13), 255)
    assert covered(picture, where) > 0.9


@pytest.mark.parametrize(("name", "height"), list(product(BACKGROUNDS, HEIGHTS)))
def test_dark_words_on_bright_anatomy_are_found(name, height):
    """Black words on grey are found as white ones are."""
    grey = 255 - anatomy(name, high=160)
    picture, where = burn(grey, drawn("ID 417756", height), (21, 8), 0)
    assert covered(picture, where) > 0.9


@pytest.mark.parametrize(
    ("rows", "columns", "margin"), [(40, 200, 10), (9, 70, 2), (60, 16, 4)]
)
def test_boxes_are_padded_by_a_quarter_of_their_height(rows, columns, margin):
    """The height of upright writing is its shorter side; 2 pixels at least, cut at the picture."""
    (padded,) = pad_and_join([Box(50, 60, rows, columns)], (300, 400))
    assert padded == Box(
        50 - margin, 60 - margin, rows + 2 * margin, columns + 2 * margin
    )
    assert pad_and_join([Box(0, 0, rows, columns)], (rows, columns)) == (
        Box(0, 0, rows, columns),
    )


@pytest.mark.parametrize("height", HEIGHTS)
@pytest.mark.parametrize("words", ["Jörgen Þygjø", "Yang, Qi 47", "ÅSGÅRD"])
def test_no_ink_of_a_name_stays_outside_the_zone(words, height):
    """Hooks, dots and soft edges reach beyond the letters that are measured, and not the box."""
    ink = drawn(words, height)
    picture, _ = burn(np.full((160, 720), 40, np.uint8), ink, (40, 30), 255)
    left = np.where(text_zone(picture).mask, 0, picture.astype(int) - 40)
    assert left.sum() <= 0.002 * ink.sum() * 215


@pytest.mark.parametrize("words", ["St.", "2.5", "kVp"])
@pytest.mark.parametrize("height", [12, 24])
def test_words_of_two_letters_are_found(words, height):
    """Letters that cross few strokes are a line, too."""
    picture, where = burn(anatomy("CT_small.dcm"), drawn(words, height), (9, 13), 255)
    assert covered(picture, where) > 0.8


@pytest.mark.parametrize("name", BACKGROUNDS)
@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("turns", [0, 1])
def test_anatomy_alone_holds_no_text(name, invert, turns):
    """No bundled slice, turned or inverted, is accused."""
    picture = np.rot90(anatomy(name), turns)
    assert text_boxes(~picture if invert else picture) == ()


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    words=st.text("ABCDEFGHKLMNPRSTXYZ0234568", min_size=7, max_size=14),
    height=st.integers(8, 32),
    grey=st.integers(170, 255),
    corner=st.tuples(st.integers(0, 60), st.integers(0, 40)),
)
def test_any_word_on_a_dark_ground_is_found(words, height, grey, corner):
    """Whatever the letters, size, place and grey level, the word lies in the zone."""
    ground = np.random.default_rng(0).integers(0, 12, (371, 531), np.uint8)
    ink = drawn(words, height)[:, :470]
    picture, where = burn(ground, ink, corner, grey)
    assert covered(picture, where) > 0.8


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), spread=st.integers(1, 120))
def test_noise_holds_no_text(seed, spread):
    """White noise of any strength is not read."""
    noise = np.random.default_rng(seed).normal(128, spread, (173, 219))
    assert text_boxes(np.clip(noise, 0, 255).astype(np.uint8)) == ()


def test_two_valued_noise_is_given_up_in_time():
    """A picture that is ink throughout is not followed pixel by pixel."""
    noise = np.random.default_rng(0).random((613, 709)) < 0.5
    start = time.process_time()
    assert text_boxes(noise.astype(np.uint8) * 255) == ()
    assert time.process_time() - start < 2


def test_faint_words_are_missed_rather_than_guessed():
    """Ink 15 grey levels above its ground is below the limit that the page states."""
    picture, where = burn(
        np.full((97, 203), 100, np.uint8), drawn("MERCY", 12), (30, 40), 115
    )
    assert covered(picture, where) == 0


@pytest.mark.parametrize(
    "colour", [(255, 255, 0), (0, 255, 0), (255, 0, 0), (90, 160, 255)]
)
def test_colour_does_not_matter(colour):
    """Words of any hue are found on black RGB."""
    ink = drawn("MERCY HOSP", 10)
    picture = np.zeros((111, 157, 3), np.uint8)
    picture[20 : 20 + len(ink), 10 : 10 + ink.shape[1]] = np.rint(
        ink[..., None] * colour
    )
    assert len(text_boxes(picture)) == 1


def test_boxes_make_the_zone_and_the_evidence_counts_them():
    """The mask is the union of the boxes; the evidence tells number and height, not the words."""
    picture, _ = burn(
        np.zeros((153, 219), np.uint8), drawn("MERCY HOSP", 12), (20, 30), 255
    )
    picture, _ = burn(picture, drawn("ID 417756", 12), (100, 30), 255)
    zone, boxes = text_zone(picture), text_boxes(picture)
    union = np.zeros(picture.shape, bool)
    for box in boxes:
        union[box.slices] = True
    assert len(boxes) == 2
    assert zone.name == "text"
    assert np.array_equal(zone.mask, union)
    assert zone.evidence.startswith("2 boxes")
    assert "MERCY" not in zone.evidence


@pytest.mark.parametrize("size", [(1, 1), (1, 53), (37, 1), (2, 2), (5, 7), (37, 53)])
def test_small_pictures_are_no_error(size):
    """A picture too small for a letter holds none."""
    assert text_zone(np.zeros(size, np.uint8)) is None


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((37, 53)), np.zeros((37, 53, 4), np.uint8), np.zeros(37, np.uint8)],
)
def test_another_dtype_or_shape_is_refused(wrong):
    """Only the display is read."""
    with pytest.raises(InputError, match="uint8"):
        text_boxes(wrong)


@pytest.mark.slow
def test_the_hospital_names_of_the_shortcut_study_are_found():
    """Of 144 names and technique lines on 72 real radiographs at least 95 % are found."""
    root = shared("models", "shortcut")
    notes = {
        image["id"]: image
        for image in json.loads((root / "annotations.json").read_text())["images"]
    }
    found = []
    for kind in ("poisoned", "flipped"):
        for path in sorted((root / "dicom" / f"test_{kind}").glob("*.dcm")):
            pixels = pydicom.dcmread(path).pixel_array
            zone = text_zone((pixels / 4095 * 255).round().astype(np.uint8))
            for note in notes[path.stem][kind]:
                left, top, width, height = (round(edge) for edge in note["box"])
                box = (
                    zone.mask[top : top + height, left : left + width]
                    if zone
                    else np.zeros(1)
                )
                found.append(box.mean() > 0.5)
    assert len(found) == 144
    assert np.mean(found) >= 0.95


@pytest.mark.slow
def test_radiographs_without_names_are_not_accused():
    """Of 36 radiographs at most one has a box apart from lead markers, which are text indeed."""
    accused = 0
    for path in sorted(
        (shared("models", "shortcut") / "dicom" / "test_clean").glob("*.dcm")
    ):
        pixels = pydicom.dcmread(path).pixel_array
        boxes = text_boxes((pixels / 4095 * 255).round().astype(np.uint8))
        accused += any(
            box.top > 90 and path.stem not in {"pub0037", "pub0051"} for box in boxes
        )
    assert accused <= 1


def test_a_sign_that_touches_writing_is_text_to_its_end():
    """A large letter of which most is taken for writing: the rest of its marker joins that."""
    noise = np.random.default_rng(34).integers(60, 75, (120, 160)).astype(np.uint8)
    drawn = Image.fromarray(noise)
    pen = ImageDraw.Draw(drawn)
    pen.text((4, 4), "DOE JANE", fill=255, font=ImageFont.load_default(size=10))
    pen.text((22, 17), "E", fill=255, font=ImageFont.load_default(size=21))
    picture = np.asarray(drawn)

    (sign,) = marker_boxes(picture, "CR")
    assert not mask_of(text_boxes(picture), picture.shape)[sign.slices].all()
    writing = find_writing(picture, "CR")

    assert mask_of(writing.text, picture.shape)[sign.slices].all()
    assert writing.markers == ()
