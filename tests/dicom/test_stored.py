"""Stored values: bits, sign, byte order (PS3.5 8.1.1, D.2)."""

import numpy as np
import pytest
from dicom.build import dataset, ramp, written

from saliency.dicom import read_dicom
from saliency.dicom.pixels.native import unpack_bits, unpack_twelve
from saliency.dicom.pixels.stored import extend_sign, masked


def test_sign_is_the_highest_stored_bit() -> None:
    """0xFFF of 12 bits is -1 and 0x800 is -2048, whatever lies above."""
    words = np.array([0xFFF, 0x800, 0x7FF, 0xF7FF, 0xA001], "u2")

    assert extend_sign(words, 12).tolist() == [-1, -2048, 2047, 2047, 1]


def test_sign_without_extension_is_read_from_a_file() -> None:
    """Signed 12-bit values that the writer did not extend are negative all the same."""
    values = ramp("i2") - 900
    made = dataset(
        values.astype("u2") & 0x0FFF, BitsStored=12, HighBit=11, PixelRepresentation=1
    )

    np.testing.assert_array_equal(read_dicom(written(made)).stored, values)


@pytest.mark.parametrize(
    ("bits", "dtype"), [(12, "u2"), (10, "u2"), (7, "u1"), (20, "u4")]
)
@pytest.mark.parametrize("value", [0, 1, -1])
def test_a_frame_of_one_value_at_the_edge_of_its_sign(
    bits: int, dtype: str, value: int
) -> None:
    """The least value alone, which no other in the frame gives away, is negative."""
    word = (1 << bits - 1) + value
    right = word - (1 << bits) if value >= 0 else word
    made = dataset(np.full((5, 7), word, dtype), PixelRepresentation=1)
    made.BitsStored, made.HighBit = bits, bits - 1

    np.testing.assert_array_equal(read_dicom(written(made)).stored, right)


def test_packed_words_of_a_later_frame_may_start_within_a_byte() -> None:
    """12-bit frames of 35 pixels follow each other without padding: the second starts at bit 4."""
    frames = np.random.default_rng(0).integers(0, 4096, (3, 5, 7)).astype("u2")
    bits = (frames.ravel()[:, np.newaxis] >> np.arange(12)) & 1
    made = dataset(frames, frames=3)
    made.BitsAllocated, made.BitsStored, made.HighBit = 12, 12, 11
    made.PixelData = np.packbits(bits.astype("u1").ravel(), bitorder="little").tobytes()

    found = [read_dicom(written(made), frame=k).stored for k in range(3)]

    np.testing.assert_array_equal(found, frames)


def test_bits_above_bits_stored_are_no_value() -> None:
    """An overlay in bit 15 does not change a 12-bit value."""
    values = ramp()
    made = dataset(values | 0x8000, BitsStored=12, HighBit=11)

    np.testing.assert_array_equal(read_dicom(written(made)).stored, values)
    assert masked(np.array([0xFABC], "u2"), 12)[0] == 0xABC


def test_left_justified_values_are_moved_down() -> None:
    """High Bit 15 of 12 stored bits moves values down by 4, as DCMTK does (retired PS3.5)."""
    values = ramp()
    made = dataset(values << 4, BitsStored=12, HighBit=15)

    np.testing.assert_array_equal(read_dicom(written(made)).stored, values)


def test_dark_left_justified_values_are_moved_down() -> None:
    """High Bit 11 of 10 stored bits moves values down also where none is above 255."""
    values = ramp() % 200
    made = dataset(values << 2, BitsStored=10, HighBit=11)

    np.testing.assert_array_equal(read_dicom(written(made)).stored, values)


def test_wrong_high_bit_is_not_believed() -> None:
    """High Bit 15 over values that use 12 bits only is an error of the writer: nothing moves."""
    made = dataset(ramp(), BitsStored=12, HighBit=15)

    np.testing.assert_array_equal(read_dicom(written(made)).stored, ramp())


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4"])
@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"])
def test_every_depth_comes_back(dtype: str, syntax: str) -> None:
    """Stored values of 8, 16 and 32 bits, signed or not, are those written, bit for bit."""
    values = (ramp("i8") * 2654435761 >> 3).astype(dtype)

    image = read_dicom(written(dataset(values), syntax))

    np.testing.assert_array_equal(image.stored, values)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_float_pixels_come_back(dtype: str) -> None:
    """Float and Double Float Pixel Data are the modality values."""
    values = (ramp("f8") / 7 - 100).astype(dtype)

    np.testing.assert_array_equal(
        read_dicom(written(dataset(values))).pixels, values.astype(np.float32)
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_no_number_is_padding(value: float) -> None:
    """NaN and infinities become the least number of the frame and join the padding."""
    values = ramp("f4") + 5
    values[3, 4:9] = value

    image = read_dicom(written(dataset(values)))

    assert (image.pixels[3, 4:9] == 5).all()
    assert image.padding.sum() == image.padding[3, 4:9].sum() == 5


def test_doubles_too_large_for_floats_are_padding() -> None:
    """1e300 does not fit float32: the pixel joins the padding, without a warning."""
    values = ramp("f8")
    values[2, 5] = 1e300

    image = read_dicom(written(dataset(values)))

    assert np.argwhere(image.padding).tolist() == [[2, 5]]


def test_all_nan_is_all_padding() -> None:
    """A frame without a number is black, 0 everywhere, and all of it padding."""
    image = read_dicom(written(dataset(np.full((37, 53), np.nan, "f4"))))

    assert not image.pixels.any()
    assert image.padding.all()


def test_frames_of_one_bit_follow_without_padding() -> None:
    """Frame 1 of 37 x 53 one-bit frames starts at bit 1961, within a byte."""
    bits = np.random.default_rng(0).integers(0, 2, (3, 37, 53)).astype("u1")
    made = dataset(bits, frames=3, BitsAllocated=1, BitsStored=1, HighBit=0)
    made.PixelData = np.packbits(bits.ravel(), bitorder="little").tobytes() + b"\0"
    file = written(made)

    for frame in range(3):
        np.testing.assert_array_equal(read_dicom(file, frame=frame).stored, bits[frame])


def test_least_significant_bit_comes_first() -> None:
    """Byte 0b00000101 is pixels 1, 0, 1, 0, ... (PS3.5 D.2)."""
    assert unpack_bits(b"\x05", 4, 0).tolist() == [1, 0, 1, 0]
    assert unpack_bits(b"\x05", 4, 1).tolist() == [0, 1, 0, 0]


def test_twelve_bits_are_packed_two_in_three_bytes() -> None:
    """0x123 and 0x456 are packed as 23 61 45; an odd last one takes two bytes."""
    assert unpack_twelve(bytes([0x23, 0x61, 0x45, 0xFF, 0x0E]), 3).tolist() == [
        0x123,
        0x456,
        0xEFF,
    ]


def test_the_dataset_is_not_written_into() -> None:
    """Reading a Dataset leaves every element of it the very object that it was."""
    made = dataset(ramp(), WindowCenter=3, WindowWidth=4)
    before = dict(made._dict)

    read_dicom(made)

    assert before == made._dict
    assert all(made._dict[tag] is element for tag, element in before.items())
