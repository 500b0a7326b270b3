"""Colour is unsigned, whatever Pixel Representation or a codestream says (PS3.3 C.7.6.3.1.2)."""

import imagecodecs
import numpy as np
import pytest
from dicom.build import dataset, encoded, htj2k, written

from saliency.dicom import describe, read_dicom

ROOT = "1.2.840.10008.1.2"
GREY = np.linspace(0, 255, 12 * 10).reshape(12, 10).astype("u1")
PICTURE = np.stack([GREY, GREY[::-1], np.full_like(GREY, 200)], axis=-1)
NATIVE = {
    "8 bits": (PICTURE, {}),
    "planar": (PICTURE, {"PlanarConfiguration": 1}),
    "16 bits": (PICTURE.astype("u2") * 257, {}),
    "12 of 16 bits": (PICTURE.astype("u2") * 16, {"BitsStored": 12, "HighBit": 11}),
    "YBR_FULL": (PICTURE, {"PhotometricInterpretation": "YBR_FULL"}),
    "YBR of 16 bits": (
        PICTURE.astype("u2") * 257,
        {"PhotometricInterpretation": "YBR_FULL"},
    ),
    "YBR_PARTIAL": (PICTURE, {"PhotometricInterpretation": "YBR_PARTIAL_422"}),
    "32 bits": (PICTURE.astype("u4") * 16843009, {}),
}


@pytest.mark.parametrize("kind", NATIVE)
def test_native_colour(kind: str) -> None:
    """Pixels and display are those of the same file that says unsigned."""
    picture, attributes = NATIVE[kind]
    right = read_dicom(written(dataset(picture, **attributes)))

    found = read_dicom(written(dataset(picture, **attributes, PixelRepresentation=1)))

    np.testing.assert_array_equal(found.pixels, right.pixels)
    np.testing.assert_array_equal(found.display, right.display)
    assert found.pixels.min() >= 0
    assert not describe(written(dataset(picture, PixelRepresentation=1)))["signed"]


def rle(picture: np.ndarray) -> bytes:
    """Three segments, one a sample (PS3.5 G)."""
    planes = [bytes(imagecodecs.packbits_encode(picture[..., k])) for k in range(3)]
    planes = [plane + b"\0" * (len(plane) % 2) for plane in planes]
    starts = 64 + np.cumsum([0, *map(len, planes)])[:3]
    return np.array([3, *starts, *[0] * 12], "<u4").tobytes() + b"".join(planes)


CODECS = {
    "rle": (ROOT + ".5", rle),
    "jpeg": (ROOT + ".4.50", lambda a: imagecodecs.jpeg8_encode(a, level=100)),
    "lossless": (ROOT + ".4.70", lambda a: imagecodecs.jpeg8_encode(
        a, lossless=True, colorspace="RGB", outcolorspace="RGB")),
    "jpegls": (ROOT + ".4.80", imagecodecs.jpegls_encode),
    "j2k": (ROOT + ".4.90", lambda a: imagecodecs.jpeg2k_encode(a, level=0, reversible=True)),
    "htj2k": (ROOT + ".4.201", htj2k),
    "jxl": (ROOT + ".4.110", lambda a: imagecodecs.jpegxl_encode(a, lossless=True)),
}  # fmt: skip


@pytest.mark.parametrize("codec", CODECS)
def test_encoded_colour(codec: str) -> None:
    """Every codec gives what it gives to a header that says unsigned."""
    syntax, encode = CODECS[codec]
    stream = encode(np.ascontiguousarray(PICTURE))
    plain, signed = (
        read_dicom(
            encoded(dataset(PICTURE, PixelRepresentation=sign), [stream], syntax)
        )
        for sign in (0, 1)
    )

    np.testing.assert_array_equal(signed.pixels, plain.pixels)
    np.testing.assert_array_equal(signed.display, plain.display)


@pytest.mark.parametrize("mct", [False, True])
@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("said", [0, 1])
def test_a_signed_codestream(bits: int, said: int, *, mct: bool) -> None:
    """Of components that JPEG 2000 calls signed, the same bits count as unsigned."""
    dtype = "i1" if bits == 8 else "i2"
    values = (PICTURE.astype("i4") * ((1 << bits) - 1) // 255 - (1 << bits - 1)).astype(
        dtype
    )
    stream = imagecodecs.jpeg2k_encode(
        values, level=0, reversible=True, codecformat="j2k", mct=mct, bitspersample=bits
    )
    words = (values.astype("i4") % (1 << bits)).astype("u1" if bits == 8 else "u2")
    made = dataset(words, BitsStored=bits, HighBit=bits - 1)
    right = read_dicom(made)
    made.PixelRepresentation = said

    found = read_dicom(encoded(made, [stream], ROOT + ".4.90"))

    np.testing.assert_array_equal(found.pixels, right.pixels)
    np.testing.assert_array_equal(found.display, right.display)
