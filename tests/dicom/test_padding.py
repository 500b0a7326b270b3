"""Pixel padding at its boundaries: sign, bits stored, lossy codecs (PS3.3 C.7.5.1.1.2)."""

import numpy as np
import pytest
from dicom.build import dataset, written

from saliency.dicom import read_dicom


def padded(
    words: list[int], value: int, vr: str, *, dtype: str = "u2", **attributes: object
) -> list:
    """Return which of some words in a row are padding; the other pixels are 1000."""
    pixels = np.full((37, 53), 1000, dtype)
    pixels[5, : len(words)] = np.array(words, "i8").astype(dtype)
    made = dataset(pixels, PixelPaddingValue=value, **attributes)
    for keyword in {"PixelPaddingValue", "PixelPaddingRangeLimit"} & {*made.dir()}:
        made[keyword].VR = vr
    mask = read_dicom(written(made)).padding

    assert not mask[6:].any()
    return mask[5, : len(words)].tolist()


@pytest.mark.parametrize("value", [32768, 63536, 65535])
def test_a_signed_value_in_an_unsigned_vr(value: int) -> None:
    """63536 of signed pixels is -2000, 32768 the least that there is."""
    words = [value - 65536, value - 65535, 0, 32767]

    assert padded(words, value, "US", dtype="i2") == [True, False, False, False]


def test_the_greatest_signed_value_is_itself() -> None:
    """32767 has no sign to lose."""
    assert padded([32767, -1, -32768], 32767, "US", dtype="i2") == [True, False, False]


@pytest.mark.parametrize(("value", "word"), [(-1, 65535), (-2000, 63536), (0, 0)])
def test_an_unsigned_value_in_a_signed_vr(value: int, word: int) -> None:
    """-1 of unsigned pixels is 65535, and 0 is 0."""
    assert padded([word, 1, 65534], value, "SS") == [True, False, False]


@pytest.mark.parametrize("value", [0, 1, 4094, 4095])
def test_what_bits_stored_can_hold_is_compared_without_the_bits_above(
    value: int,
) -> None:
    """An overlay in bit 15 of a 12-bit word leaves padding what it is."""
    words = [value, value | 0x8000, (value ^ 2) | 0x8000]

    assert padded(words, value, "US", BitsStored=12, HighBit=11) == [True, True, False]


@pytest.mark.parametrize("value", [-2048, -1, 0, 2047])
def test_a_signed_value_of_twelve_bits_may_lack_its_extension(value: int) -> None:
    """0x800 of 12 signed bits is -2048, whether or not the writer repeats the sign above."""
    signed = {"BitsStored": 12, "HighBit": 11, "dtype": "i2"}

    assert padded([value, value & 0xFFF, value ^ 2], value, "SS", **signed) == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("value", [-2049, 2048])
def test_a_signed_value_beyond_bits_stored_is_a_whole_word(value: int) -> None:
    """-2049 does not fit 12 bits, where it would read as 2047: the word is compared."""
    signed = {"BitsStored": 12, "HighBit": 11, "dtype": "i2"}

    assert padded([value, 2047, -2048], value, "SS", **signed) == [True, False, False]


def test_an_unsigned_value_beyond_bits_stored_is_a_whole_word() -> None:
    """4096 of 12 bits is a word of its own, not 0; so is a range that ends there."""
    stored = {"BitsStored": 12, "HighBit": 11}

    assert padded([4096, 0, 4095], 4096, "US", **stored) == [True, False, False]
    limit = stored | {"PixelPaddingRangeLimit": 4096}
    assert padded([4095, 4096, 4094, 0], 4095, "US", **limit) == [
        True,
        True,
        False,
        False,
    ]


def test_lossy_frames_have_three_to_spare() -> None:
    """Where the header says that the frame was lossy, padding may have moved by 3, not by 4."""
    words = [96, 97, 100, 103, 104]

    assert padded(words, 100, "US") == [False, False, True, False, False]
    lossy = padded(words, 100, "US", LossyImageCompression="01")
    assert lossy == [False, True, True, True, False]
