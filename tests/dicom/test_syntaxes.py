"""Every transfer syntax of still pictures brings back what was encoded."""

import zlib

import imagecodecs
import numpy as np
import pytest
from dicom.build import SIZE, dataset, encoded, htj2k, ramp, written

from saliency.dicom import read_dicom
from saliency.dicom.file.open import open_source
from saliency.dicom.file.syntax import IMPLICIT, find_syntax
from saliency.errors import DicomError

ROOT = "1.2.840.10008.1.2"


@pytest.fixture
def rgb() -> np.ndarray:
    """Smooth colours, that lossy codecs change by little."""
    down, across = np.mgrid[: SIZE[0], : SIZE[1]]
    return np.stack([down * 6, across * 4, 255 - down * 3 - across], axis=-1).astype(
        "u1"
    )


def packbits(plane: bytes) -> bytes:
    """One RLE segment of an even number of bytes."""
    packed = imagecodecs.packbits_encode(plane)
    return packed + b"\0" * (len(packed) % 2)


def rle(planes: list[bytes]) -> bytes:
    """Return an RLE frame (PS3.5 G.5)."""
    segments = [packbits(plane) for plane in planes]
    starts = [
        64 + sum(len(each) for each in segments[:k]) for k in range(len(segments))
    ]
    header = np.array([len(segments), *starts, *[0] * (15 - len(segments))], "<u4")
    return header.tobytes() + b"".join(segments)


LOSSLESS = {
    "4.57": lambda a: imagecodecs.ljpeg_encode(a, bitspersample=16),
    "4.70": lambda a: imagecodecs.ljpeg_encode(a, bitspersample=16),
    "4.80": imagecodecs.jpegls_encode,
    "4.90": lambda a: imagecodecs.jpeg2k_encode(
        a, level=0, codecformat="j2k", reversible=True
    ),
    "4.91": lambda a: imagecodecs.jpeg2k_encode(a, level=0, reversible=True),
    "4.201": lambda a: htj2k(a, reversible=True),
    "4.202": lambda a: htj2k(a, reversible=True),
    "4.110": lambda a: imagecodecs.jpegxl_encode(a, lossless=True),
    "5": lambda a: rle([(a >> 8).astype("u1").tobytes(), a.astype("u1").tobytes()]),
    "8.1": lambda a: zlib.compress(a.tobytes(), wbits=-15),
}


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_lossless_syntaxes_bring_back_every_bit(syntax: str) -> None:
    """16-bit greys survive each lossless transfer syntax unchanged."""
    values = (ramp() * 33).astype("u2")
    made = encoded(dataset(values), [LOSSLESS[syntax](values)], f"{ROOT}.{syntax}")

    np.testing.assert_array_equal(read_dicom(written(made)).stored, values)


@pytest.mark.parametrize("syntax", ["4.70", "4.80", "4.90", "5"])
def test_signed_values_survive(syntax: str) -> None:
    """Codecs without a sign carry two's complement: -1 comes back as -1."""
    values = ramp("i2") - 900
    stream = LOSSLESS[syntax](values.view("u2"))
    made = encoded(dataset(values), [stream], f"{ROOT}.{syntax}")

    np.testing.assert_array_equal(read_dicom(written(made)).stored, values)


def test_a_jpeg_2000_stream_of_words_without_extended_sign() -> None:
    """Signed values of 12 bits in an unsigned stream of 16: the sign is bit 11 of the data set."""
    values = ramp("i2") - 900
    stream = LOSSLESS["4.90"](values.view("u2") & 0x0FFF)
    made = encoded(dataset(values), [stream], f"{ROOT}.4.90", BitsStored=12, HighBit=11)

    np.testing.assert_array_equal(read_dicom(written(made)).stored, values)


@pytest.mark.parametrize("spare", [3, 500])
def test_bytes_behind_the_pixels_of_an_rle_segment_are_left_out(
    spare: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Encoders that fill up what they have allocated; pydicom and DCMTK read them, too."""
    values = ramp("u1")
    segment = imagecodecs.packbits_encode(values.tobytes() + bytes(spare))
    header = np.array([1, 64, *([0] * 14)], "<u4").tobytes()
    made = encoded(dataset(values), [header + segment], f"{ROOT}.5")

    np.testing.assert_array_equal(read_dicom(written(made)).stored, values)
    assert "more bytes than pixels" in caplog.text


def test_sign_of_a_jpeg_2000_stream_is_believed() -> None:
    """A signed codestream under Pixel Representation 0 keeps its negative values (PS3.5 8.2.4)."""
    values = ramp("i2") - 900
    stream = imagecodecs.jpeg2k_encode(values, level=0, reversible=True)
    made = encoded(dataset(values.view("u2")), [stream], f"{ROOT}.4.90")

    np.testing.assert_array_equal(read_dicom(written(made)).stored, values)


COLOUR = {
    ("4.50", "YBR_FULL_422"): lambda a: imagecodecs.jpeg8_encode(
        a, level=98, subsampling="422"
    ),
    ("4.50", "RGB"): lambda a: imagecodecs.jpeg8_encode(a, level=98, subsampling="422"),
    ("4.80", "RGB"): imagecodecs.jpegls_encode,
    ("4.90", "YBR_RCT"): lambda a: imagecodecs.jpeg2k_encode(a, level=0, mct=True),
    ("4.90", "RGB"): lambda a: imagecodecs.jpeg2k_encode(a, level=0, mct=False),
    ("4.201", "YBR_RCT"): lambda a: htj2k(a, reversible=True),
    ("4.110", "RGB"): lambda a: imagecodecs.jpegxl_encode(a, lossless=True),
    ("5", "RGB"): lambda a: rle([a[..., k].tobytes() for k in range(3)]),
}


@pytest.mark.parametrize(("syntax", "photometric"), COLOUR)
def test_colours_survive(rgb: np.ndarray, syntax: str, photometric: str) -> None:
    """RGB comes back through each colour codec, whatever the header says of its colours."""
    stream = COLOUR[syntax, photometric](rgb)
    made = encoded(
        dataset(rgb),
        [stream],
        f"{ROOT}.{syntax}",
        PhotometricInterpretation=photometric,
    )

    shown = read_dicom(written(made)).display.astype(int)

    assert np.abs(shown - rgb).mean() < (1.5 if syntax == "4.50" else 1e-9)


def test_a_jfif_stream_is_ycbcr_whatever_its_label(rgb: np.ndarray) -> None:
    """JFIF is YCbCr, and wins over a label of RGB, though nothing is subsampled."""
    smooth = np.stack(
        [ramp("u1"), ramp("u1").T.reshape(SIZE), ramp("u1")[::-1]], axis=-1
    )
    stream = imagecodecs.jpeg8_encode(smooth, level=98, subsampling="444")
    assert b"JFIF" in stream
    made = encoded(
        dataset(rgb), [stream], f"{ROOT}.4.50", PhotometricInterpretation="RGB"
    )

    wanted = imagecodecs.jpeg8_decode(stream)
    np.testing.assert_array_equal(read_dicom(written(made)).display, wanted)


def test_a_jpeg_with_adobe_marker_zero_is_rgb(rgb: np.ndarray) -> None:
    """APP14 with transform 0 says RGB, and wins over a label of YBR_FULL."""
    stream = imagecodecs.jpeg8_encode(
        rgb, level=98, colorspace="RGB", outcolorspace="RGB"
    )
    made = encoded(
        dataset(rgb), [stream], f"{ROOT}.4.50", PhotometricInterpretation="YBR_FULL"
    )

    assert np.abs(read_dicom(written(made)).display.astype(int) - rgb).mean() < 1.5


@pytest.mark.parametrize("other", ["4.57", "4.80", "4.90", "4.110"])
def test_the_stream_chooses_the_decoder(other: str) -> None:
    """A stream of another family under the label of baseline JPEG is decoded as what it is."""
    values = (ramp() * 33).astype("u2")
    stream = LOSSLESS[other](values)
    made = encoded(dataset(values), [stream], f"{ROOT}.4.50")

    np.testing.assert_array_equal(read_dicom(written(made)).stored, values)


@pytest.mark.parametrize("bits", [8, 16])
def test_big_endian_pixels(bits: int) -> None:
    """Words are swapped; bytes of OW are pairs within swapped words (PS3.5 7.3)."""
    values = ramp(f"u{bits // 8}")
    made = dataset(values)
    raw = values.tobytes() + b"\0" * (values.nbytes % 2)
    made.PixelData = np.frombuffer(raw, "<u2").astype(">u2").tobytes()

    np.testing.assert_array_equal(read_dicom(written(made, f"{ROOT}.2")).stored, values)


def test_deflated_data_set() -> None:
    """A deflated data set is inflated, header and pixels."""
    np.testing.assert_array_equal(
        read_dicom(written(dataset(ramp()), f"{ROOT}.1.99")).stored, ramp()
    )


@pytest.mark.parametrize("syntax", ["", ".1"])
def test_a_file_without_meta_header(syntax: str) -> None:
    """A data set that starts at byte 0 is read, with VR or without."""
    file = written(dataset(ramp()), f"{ROOT}{syntax}")
    with open_source(file):
        start = (
            file.index(b"\x08\x00\x60\x00")
            if not syntax
            else file.index(b"\x08\x00\x60\x00CS")
        )

    np.testing.assert_array_equal(read_dicom(file[start:]).stored, ramp())


def test_unknown_syntax_is_refused() -> None:
    """A UID of nobody is refused, and not repeated in the message."""
    with pytest.raises(DicomError) as caught:
        find_syntax("1.2.3.4.5", IMPLICIT)
    assert caught.value.reason == "unknown-transfer-syntax"
    assert "1.2.3.4.5" not in str(caught.value)


def test_lossy_overshoot_is_cut_off_not_wrapped() -> None:
    """Ringing above 1023 of a 10-bit picture in a 12-bit JPEG is 1023, never a dark pixel."""
    values = np.zeros((64, 96), "u2")
    values[:, 48:] = 1100
    try:
        stream = imagecodecs.jpeg_encode(values, level=90, bitspersample=12)
    except ValueError:
        pytest.skip(f"imagecodecs {imagecodecs.__version__} writes no JPEG of 12 bits")
    made = encoded(dataset(values), [stream], f"{ROOT}.4.51", BitsStored=10, HighBit=9)

    stored = read_dicom(written(made)).stored

    assert stored.max() == 1023
    assert stored[:, 60:].min() > 1000


def test_native_pixels_under_the_label_of_a_codec() -> None:
    """Pixels of a defined length are native, although the label says JPEG."""
    file = written(dataset(ramp())).replace(
        b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0"
    )

    np.testing.assert_array_equal(read_dicom(file).stored, ramp())


def test_a_codec_under_the_label_of_native_pixels() -> None:
    """Fragments of JPEG 2000 are decoded, although the label says native."""
    stream = imagecodecs.jpeg2k_encode(ramp(), level=0, reversible=True)
    file = written(encoded(dataset(ramp()), [stream], f"{ROOT}.4.90"))
    file = file.replace(
        b"UI\x16\x00" + f"{ROOT}.4.90".encode(),
        b"UI\x16\x00" + f"{ROOT}.1\0\0\0".encode(),
    )

    np.testing.assert_array_equal(read_dicom(file).stored, ramp())


@pytest.mark.parametrize("near", [0, 3])
def test_padding_survives_near_lossless(near: int) -> None:
    """JPEG-LS may move the padding value by NEAR, and it is still padding."""
    values = ramp("u2") + 500
    values[:, ::3] = 63
    stream = imagecodecs.jpegls_encode(values, level=near)
    made = encoded(dataset(values), [stream], f"{ROOT}.4.81", PixelPaddingValue=63)

    mask = read_dicom(written(made)).padding

    np.testing.assert_array_equal(mask, values == 63)


def test_a_frame_without_an_end_marker_leaves_a_note(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A JPEG that was cut is shown as far as it goes, and the log says so."""
    stream = imagecodecs.jpeg8_encode(ramp("u1"), level=90)[:-100]
    made = encoded(dataset(ramp("u1")), [stream], f"{ROOT}.4.50")

    read_dicom(written(made))

    assert "no end marker" in caplog.text
