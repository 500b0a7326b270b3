"""Elements whose VR nobody knows, or that have none, in files of explicit VR (PS3.5 7.1.2)."""

import struct

import numpy as np
import pytest
from dicom.build import dataset, ramp, written

from saliency.dicom import describe, read_dicom

VALUE = b"abcdefgh"
#: Where an odd element can stand: before the first, among those of the picture, as the last.
PLACES = {
    "first": (b"\x08\x00\x60\x00CS", 0x00080001),
    "amid": (b"\x28\x00\x10\x00US", 0x00280009),
    "private": (b"\x28\x00\x02\x00US", 0x00191001),
    "last": (b"\xe0\x7f\x10\x00OW", 0x7FDF1001),
}
LITTLE, BIG = "<", ">"


def header(
    tag: int, letters: bytes, length: int, width: str, order: str = LITTLE
) -> bytes:
    """An element header with a length of one of three widths."""
    start = struct.pack(f"{order}HH", tag >> 16, tag & 0xFFFF)
    if width == "omitted":
        return start + struct.pack(f"{order}I", length)
    wide = struct.pack(f"{order}HI", 0, length)
    return (
        start
        + letters
        + (wide if width == "long" else struct.pack(f"{order}H", length))
    )


def with_odd(place: str, raw: bytes) -> bytes:
    """A file with raw bytes at a place, and attributes that would be lost behind them."""
    file = written(
        dataset(ramp(), RescaleIntercept=-5, WindowCenter=40, WindowWidth=400)
    )
    at = file.index(PLACES[place][0])
    return file[:at] + raw + file[at:]


def check(file: bytes) -> None:
    """Everything before and behind is what it was."""
    found = read_dicom(file)

    np.testing.assert_array_equal(found.stored, ramp())
    assert (found.pixels[0, 0], found.window.center, found.modality) == (-5, 40, "OT")
    assert describe(file)["windows"] == ((40, 400),)


@pytest.mark.parametrize("length", [0, 8, 2, 300])
@pytest.mark.parametrize("width", ["short", "long"])
@pytest.mark.parametrize(
    "letters", [b"??", b"  ", b"\0\0", b"ZZ", b"XX", b"o\xff", b"pn", b"--"]
)
@pytest.mark.parametrize("place", PLACES)
def test_any_vr_with_either_length(
    place: str, letters: bytes, width: str, length: int
) -> None:
    """The length is the one behind which a header follows."""
    value = (VALUE * 40)[:length]

    check(with_odd(place, header(PLACES[place][1], letters, length, width) + value))


@pytest.mark.parametrize("length", [0, 8, 2, 300, 0x5A5A, 0x20202])
@pytest.mark.parametrize("place", PLACES)
def test_an_element_without_a_vr(place: str, length: int) -> None:
    """An implicit element in an explicit file, also where its length spells letters."""
    value = (VALUE * 20_000)[:length]

    check(with_odd(place, header(PLACES[place][1], b"", length, "omitted") + value))


@pytest.mark.parametrize("letters", [b"UN", b"OB", b"UT", b"OV", b"SV"])
@pytest.mark.parametrize("place", ["amid", "private", "last"])
def test_a_long_vr_with_a_short_length(place: str, letters: bytes) -> None:
    """Writers that give UN and its like 16 bits exist; the reserved bytes give them away."""
    check(with_odd(place, header(PLACES[place][1], letters, 8, "short") + VALUE))


def test_several_in_a_row() -> None:
    """One behind the other, of every kind, are all passed over."""
    raw = b"".join(
        header(0x00191001 + k, letters, 8, width) + VALUE
        for k, (letters, width) in enumerate(
            [
                (b"??", "short"),
                (b"ZZ", "long"),
                (b"", "omitted"),
                (b"\0\0", "short"),
                (b"QQ", "short"),
            ]
        )
    )

    check(with_odd("private", raw))


@pytest.mark.parametrize("letters", [b"??", b"ZZ", b"\0\0"])
def test_a_sequence_of_an_unknown_vr(letters: bytes) -> None:
    """Undefined length, with items of implicit VR inside as in UN (PS3.5 6.2.2)."""
    inner = struct.pack("<HHI", 0x0008, 0x1150, 4) + b"1.2\0"
    items = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
    end = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)

    check(
        with_odd(
            "private", header(0x00191001, letters, 0xFFFFFFFF, "long") + items + end
        )
    )


@pytest.mark.parametrize("wrap", ["defined", "undefined"])
@pytest.mark.parametrize("letters", [b"??", b"ZZ"])
def test_inside_an_item(wrap: str, letters: bytes) -> None:
    """The last element of an item is followed by another item, or by a delimiter."""
    odd = header(0x00191001, letters, 8, "short") + VALUE
    if wrap == "defined":
        items = (struct.pack("<HHI", 0xFFFE, 0xE000, len(odd)) + odd) * 2
        raw = header(0x00081140, b"SQ", len(items), "long") + items
    else:
        items = (
            struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
            + odd
            + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
        ) * 2
        end = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
        raw = header(0x00081140, b"SQ", 0xFFFFFFFF, "long") + items + end

    check(with_odd("private", raw))


@pytest.mark.parametrize("width", ["short", "long"])
@pytest.mark.parametrize("letters", [b"??", b"ZZ"])
def test_in_a_big_endian_file(letters: bytes, width: str) -> None:
    """The same in the retired byte order."""
    made = dataset(ramp(">u2"), WindowCenter=40, WindowWidth=400)
    made.PixelRepresentation = 0
    file = written(made, "1.2.840.10008.1.2.2")
    at = file.index(b"\x00\x28\x00\x02US")
    raw = header(0x00191001, letters, 8, width, BIG) + VALUE

    assert read_dicom(file[:at] + raw + file[at:]).window.center == 40


@pytest.mark.parametrize("letters", [b"??", b"ZZ", b"\0\0"])
def test_listed_elements_are_read_by_their_tag(letters: bytes) -> None:
    """Window Center of an unknown VR is a DS, as PS3.6 has it."""
    file = written(dataset(ramp(), WindowCenter=40, WindowWidth=400))
    check_at = b"\x28\x00\x50\x10"
    file = file.replace(check_at + b"DS", check_at + letters)

    assert read_dicom(file).window.center == 40
