"""The optional reader: what was drawn is read, what it says travels nowhere."""

import logging
import pickle
import socket
import sys

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from shared import shared

from saliency.dicom import read_dicom
from saliency.errors import InputError, MissingExtraError
from saliency.values.image import DicomImage
from saliency.values.placement import Box
from saliency.zones.ocr import TextReader, Words

NAME = "DOE JANE 1961"


pytestmark = pytest.mark.slow  # seconds of a network for each picture


@pytest.fixture(scope="module")
def reader():
    """A loaded reader: nothing but the weights in the package is needed."""
    pytest.importorskip("rapidocr")
    return TextReader()


def signed(*lines, size=(337, 453)):
    """A grey picture with lines of writing at (row, column)."""
    page = Image.new("L", (size[1], size[0]), 60)
    pen = ImageDraw.Draw(page)
    for words, (row, column) in lines:
        pen.text((column, row), words, fill=255, font=ImageFont.load_default(22))
    return DicomImage.from_array(np.asarray(page))


def test_names_and_markers_are_told_apart(reader):
    """A name is text, PORTABLE is a marker; each mask covers its own line alone."""
    image = signed((NAME, (20, 30)), ("PORTABLE", (250, 280)))
    text, markers = reader.text(image), reader.markers(image)

    assert text[22:40, 35:170].mean() > 0.9
    assert markers[252:270, 285:380].mean() > 0.9
    assert not text[200:].any()
    assert not markers[:200].any()
    assert np.array_equal(text | markers, reader(image))


def test_what_is_read_is_in_place(reader):
    """The words come with their box, and are what was drawn."""
    (words,) = reader.read(signed((NAME, (20, 30))))

    assert words.text.replace(" ", "") == NAME.replace(" ", "")
    assert abs(words.box.left - 30) < 8
    assert 15 < words.box.rows < 45
    assert words.confidence > 0.5


def test_large_pictures_are_read_in_tiles(reader):
    """Letters of 22 px in 2100 columns are found beyond the first tile, and once."""
    image = signed((NAME, (60, 1900)), (NAME, (100, 1350)), size=(173, 2100))

    assert sorted(each.box.left // 100 for each in reader.read(image)) in (
        [13, 18],
        [13, 19],
    )


def test_no_words_travel(reader, caplog, capfd):
    """A name that was read is in no repr, no zone, no log, and on no terminal."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("RapidOCR").propagate = True
    image = signed((NAME, (20, 30)))
    marked = image.with_zone("text", reader.text)
    told = repr(reader.read(image)) + repr(marked) + repr(marked.zones) + caplog.text
    told += "".join(capfd.readouterr()) + str(pickle.dumps(marked))

    assert [zone.name for zone in marked.zones] == ["text"]
    assert marked.zones[0].evidence == "found by TextReader.text"
    assert not any(part in told for part in NAME.split())


def test_it_reads_without_a_network(monkeypatch):
    """Loading and reading open no socket."""
    pytest.importorskip("rapidocr")

    def refuse(*args, **kwargs):
        msg = "no network"
        raise OSError(msg)

    monkeypatch.setattr(socket, "socket", refuse)
    assert TextReader().read(signed((NAME, (20, 30))))


def test_an_empty_picture_says_nothing(reader):
    """Constant pictures, one pixel, and colour are no error."""
    for shape in ((37, 53), (1, 1), (37, 53, 3)):
        image = DicomImage.from_array(np.zeros(shape))
        assert reader.read(image) == ()
        assert image.with_zone("text", reader).zones == ()


def test_without_the_extra_the_error_names_it(monkeypatch):
    """Who lacks the package is told what to install."""
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    with pytest.raises(MissingExtraError, match=r"dicom-saliency\[ocr\]"):
        TextReader()


def test_confidence_is_a_share():
    """It lies in 0..1."""
    with pytest.raises(InputError, match=r"0\.\.1"):
        TextReader(confidence=2)


@pytest.mark.parametrize(
    ("text", "marker"),
    [
        ("L", True),
        ("PORTABLE", True),
        ("Semi-Upright", True),
        ("R MLO", True),
        ("LCC", True),
        ("AP", True),
        ("SUPINE AP", True),
        ("DOE^JANE", False),
        ("LEE", False),
        ("PAT L", False),
        ("01.09.2012", False),
        ("", False),
    ],
)
def test_markers_name_nobody(text, marker):
    """Side, view and position alone make a marker; anything more may be a name."""
    words = Words(Box(0, 0, 5, 9), text, 1.0)

    assert words.marker is marker
    assert not text or text not in repr(words).replace("marker", "").replace("text", "")


def test_the_invented_names_are_read(reader):
    """Of the radiograph with an invented name: name and birth date are text, the L a marker."""
    image = read_dicom(
        shared("images", "burned_in_dicom") / "0_ORIGINAL_compressed.dcm"
    )
    found = reader.read(image)

    assert any("DAVIDSON" in each.text for each in found if not each.marker)
    assert any(each.text == "L" for each in found if each.marker)
