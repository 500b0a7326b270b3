"""Numbers of text values: each keeps its place, and a comma is a point."""

import io
import logging
import math
import struct

import numpy as np
import pydicom
import pytest
from dicom.build import dataset, ramp, written

from saliency.dicom import describe, read_dicom
from saliency.dicom.file.value_codec import numbers_in, swap_words
from saliency.values.window import Window

ABSENT = math.nan


def element(tag: int, vr: bytes, value: bytes) -> bytes:
    """An element of Explicit VR Little Endian with a length of 16 bits."""
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def with_elements(*elements: tuple[int, bytes, bytes], **attributes: object) -> bytes:
    """A grey file with raw elements in front of Pixel Data."""
    file = written(dataset(ramp(), **attributes))
    at = file.index(b"\xe0\x7f\x10\x00")
    return file[:at] + b"".join(element(*each) for each in elements) + file[at:]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", ()),
        ("  ", ()),
        ("1\\2", (1, 2)),
        ("\\2", (ABSENT, 2)),
        ("1\\", (1, ABSENT)),
        ("1\\ \\3", (1, ABSENT, 3)),
        ("\\", (ABSENT, ABSENT)),
        ("one\\2", (ABSENT, 2)),
        ("1,5\\2,5", (1.5, 2.5)),
        (" -12,5E+1 ", (-125,)),
        (",5", (0.5,)),
        ("5,", (5,)),
        ("1,234.5", (ABSENT,)),
        ("1,234,567", (ABSENT,)),
        (",", (ABSENT,)),
        ("1_000", (ABSENT,)),
    ],
)
def test_decimal_strings(text: str, numbers: tuple[float, ...]) -> None:
    """A DS in full: empty values are NaN in their place (PS3.5 6.4)."""
    np.testing.assert_array_equal(numbers_in(text, "DS"), numbers)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("\\7", (ABSENT, 7)), ("1A", (1,)), ("-3 ", (-3,)), ("1,5", (1,))],
)
def test_integer_strings(text: str, numbers: tuple[float, ...]) -> None:
    """An IS trails what is no digit, and keeps the places of a list as well."""
    np.testing.assert_array_equal(numbers_in(text, "IS"), numbers)


def test_words_are_swapped_twice_to_themselves() -> None:
    """Bytes change places within words; an odd one gets a partner."""
    assert swap_words(b"abcd") == b"badc"
    assert swap_words(b"abc") == b"ba\0c"


CENTER, WIDTH = 0x00281050, 0x00281051
PAIRS = {
    "first center": ((b"\\40 ", b"350\\400 "), Window(40, 400)),
    "first width": ((b"500\\40", b"\\400"), Window(40, 400)),
    "second width": ((b"40\\50 ", b"400\\"), Window(40, 400)),
    "commas": ((b"500,5 ", b"1000,0"), Window(500.5, 1000)),
    "commas in one": ((b"40.5", b"400,5 "), Window(40.5, 400.5)),
}


def as_dataset(file: bytes) -> pydicom.Dataset:
    """Raw, as pydicom read it."""
    return pydicom.dcmread(io.BytesIO(file))


def as_converted(file: bytes) -> pydicom.Dataset:
    """With every element converted by pydicom, where it can."""
    made = pydicom.dcmread(io.BytesIO(file))
    for tag in (CENTER, WIDTH):
        made[tag].value  # noqa: B018
    return made


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("source", [bytes, as_dataset])
def test_a_window_keeps_its_pair(kind: str, source: type) -> None:
    """Center and width of one place belong together, whatever is missing at another."""
    (center, width), right = PAIRS[kind]
    file = with_elements((CENTER, b"DS", center), (WIDTH, b"DS", width))

    assert read_dicom(source(file)).window == right


@pytest.mark.parametrize("kind", [kind for kind in PAIRS if "comma" not in kind])
def test_a_window_keeps_its_pair_in_what_pydicom_converted(kind: str) -> None:
    """The same from values that somebody has looked at before."""
    (center, width), right = PAIRS[kind]
    file = with_elements((CENTER, b"DS", center), (WIDTH, b"DS", width))

    assert read_dicom(as_converted(file)).window == right


def test_a_spacing_with_one_number_is_none() -> None:
    """Pixel Spacing of which the first is empty is not (0.5, something)."""
    for value in (b"\\0.5", b"0.5\\", b"\\0.5\\0.7 "):
        file = with_elements((0x00280030, b"DS", value + b" " * (len(value) % 2)))
        assert read_dicom(file).spacing is None


def test_a_rescale_with_commas() -> None:
    """A German writer's slope and intercept are those of the file."""
    file = with_elements((0x00281052, b"DS", b"-1024,5 "), (0x00281053, b"DS", b"2,0 "))

    np.testing.assert_array_equal(
        read_dicom(file).pixels, ramp().astype("f4") * 2 - 1024.5
    )


def test_a_comma_leaves_a_note_for_each_element(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The note names the tag once, and not the value."""
    file = with_elements((0x00280030, b"DS", b"0,25\\0,25 "))
    with caplog.at_level(logging.WARNING, "saliency.dicom"):
        assert describe(file)["spacing"] == (0.25, 0.25)

    notes = [record.message for record in caplog.records if "comma" in record.message]
    assert len(notes) == 1
    assert "(0028,0030)" in notes[0]
    assert "0,25" not in notes[0]


def test_numbers_without_a_comma_leave_none(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is said of a file that keeps the rules."""
    with caplog.at_level(logging.WARNING, "saliency.dicom"):
        read_dicom(written(dataset(ramp(), WindowCenter=[1, 2], WindowWidth=[3, 4])))

    assert not caplog.records
