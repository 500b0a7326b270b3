"""Headers of codestreams, read before a decoder is trusted with them."""

from itertools import combinations

import imagecodecs
import numpy as np
import pytest
from dicom.build import dataset, encoded, ramp

from saliency.dicom import read_dicom
from saliency.dicom.pixels.codestream import Stream, read_jpeg, read_jpeg2k, read_jpegxl
from saliency.dicom.pixels.decode import jpeg_space
from saliency.dicom.pixels.image_pixel import Layout
from saliency.errors import DicomError


def test_jpeg_header() -> None:
    """SOF of a baseline JPEG: size, components, subsampling, 8 bits, lossy."""
    colour = np.zeros((37, 53, 3), "u1")

    stream = read_jpeg(imagecodecs.jpeg8_encode(colour, subsampling="422"))

    assert (stream.rows, stream.columns, stream.components, stream.precision) == (
        37,
        53,
        3,
        8,
    )
    assert stream.subsampled
    assert stream.lossy


def test_lossless_and_jpegls_headers() -> None:
    """SOF3 and SOF55 are not lossy in the sense that values overshoot."""
    for data in (
        imagecodecs.ljpeg_encode(ramp(), bitspersample=16),
        imagecodecs.jpegls_encode(ramp()),
    ):
        stream = read_jpeg(data)
        assert (stream.rows, stream.columns, stream.lossy) == (37, 53, False)


@pytest.mark.parametrize("form", ["j2k", "jp2"])
@pytest.mark.parametrize("dtype", ["u1", "i2"])
def test_jpeg2k_header(form: str, dtype: str) -> None:
    """SIZ and COD, raw or boxed: size, depth, sign, wavelet."""
    data = imagecodecs.jpeg2k_encode(
        ramp(dtype), level=0, codecformat=form, reversible=True
    )

    stream = read_jpeg2k(data)

    assert (stream.rows, stream.columns, stream.components) == (37, 53, 1)
    assert stream.signed == (dtype == "i2")
    assert stream.precision == 8 * np.dtype(dtype).itemsize
    assert not stream.lossy


@pytest.mark.parametrize(
    "size", [(37, 53), (64, 64), (8, 256), (300, 400), (1080, 1920)]
)
def test_jpegxl_header(size: tuple[int, int]) -> None:
    """Small sizes, ratios and plain sizes of a JPEG XL size header."""
    stream = read_jpegxl(imagecodecs.jpegxl_encode(np.zeros(size, "u1")))

    assert (stream.rows, stream.columns) == size


@pytest.mark.parametrize("read", [read_jpeg, read_jpeg2k, read_jpegxl])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff\xc0\0",
        b"\xff\xd8\xff\xc0\0\x0b\x08\0",
        b"\xff\x4f\xff\x51\0\x29",
        b"abc" * 40,
    ],
)
def test_no_header_is_refused(read, data: bytes) -> None:
    """Bytes without a header of their kind are a DicomError, not an index error."""
    with pytest.raises(DicomError):
        read(data)


def test_many_scans_are_refused() -> None:
    """A progressive JPEG of 10,000 scans would cost a pass over the frame each."""
    data = imagecodecs.jpeg8_encode(np.zeros((37, 53), "u1")) + b"\xff\xda" * 10_000
    data = data.replace(b"\xff\xc0", b"\xff\xc2")

    with pytest.raises(DicomError) as caught:
        read_jpeg(data)
    assert caught.value.reason == "over-limit"


def test_tiny_tiles_are_refused() -> None:
    """A 64 x 64 frame of 4,096 tiles costs more in tiles than in pixels."""
    data = imagecodecs.jpeg2k_encode(
        np.zeros((64, 64), "u1"), level=0, codecformat="j2k"
    )
    tiny = data.replace(
        (64).to_bytes(4, "big") * 2 + bytes(8), (64).to_bytes(4, "big") * 2 + bytes(8)
    )
    at = tiny.index(b"\xff\x51") + 22
    tiny = tiny[:at] + (1).to_bytes(4, "big") * 2 + tiny[at + 8 :]

    with pytest.raises(DicomError) as caught:
        read_jpeg2k(tiny)
    assert caught.value.reason == "over-limit"


#: Evidence on the colours of a JPEG stream, the strongest first, and what it says.
EVIDENCE = [
    ({"adobe": 0}, "RGB"),
    ({"adobe": 1}, "YBR_FULL"),
    ({"subsampled": True}, "YBR_FULL"),
    ({"ids": b"RGB"}, "RGB"),
    ({"jfif": True}, "YBR_FULL"),
]
PAIRS = [
    (*pair, label)
    for pair in combinations(EVIDENCE, 2)
    for label in ("RGB", "YBR_FULL_422")
    if {*pair[0][0]} != {*pair[1][0]}
]


@pytest.mark.parametrize(("stronger", "weaker", "label"), PAIRS)
def test_the_stronger_evidence_on_colours_wins(
    stronger: tuple[dict, str], weaker: tuple[dict, str], label: str
) -> None:
    """Of two that contradict each other, and a label, one decides."""
    layout = Layout(
        16, 16, 1, 3, 8, 8, 7, signed=False, planar=False, photometric=label, real=False
    )
    stream = Stream(16, 16, 3, 8, lossy=True, **weaker[0], **stronger[0])

    assert jpeg_space(stream, layout) == stronger[1]


def adobe(stream: bytes, transform: int) -> bytes:
    """Put Adobe's segment in the place of the JFIF segment."""
    assert stream[2:4] == b"\xff\xe0"
    end = 4 + int.from_bytes(stream[4:6], "big")
    flag = b"\xff\xee\x00\x0eAdobe\x00\x64" + bytes(4) + bytes([transform])
    return stream[:2] + flag + stream[end:]


@pytest.mark.parametrize("label", ["RGB", "YBR_FULL_422"])
def test_subsampled_rgb_stays_rgb(label: str) -> None:
    """Adobe's flag says that three subsampled components are RGB: a red picture is red."""
    red = np.broadcast_to(np.array([220, 40, 60], "u1"), (16, 16, 3))
    raw = {
        "colorspace": "YCBCR",
        "outcolorspace": "YCBCR",
        "subsampling": "420",
        "level": 98,
    }
    stream = adobe(imagecodecs.jpeg8_encode(np.ascontiguousarray(red), **raw), 0)
    made = dataset(np.ascontiguousarray(red), PhotometricInterpretation=label)

    shown = read_dicom(encoded(made, [stream], "1.2.840.10008.1.2.4.50")).display

    assert read_jpeg(stream).subsampled
    np.testing.assert_allclose(shown.astype(int), red, atol=3)
