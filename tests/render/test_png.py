"""The laws of the PNG files."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from saliency import png
from saliency.errors import InputError

GREY = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40))
COLOUR = arrays(
    np.uint8, some.tuples(some.integers(1, 30), some.integers(1, 30), some.just(3))
)


def decoded(file):
    with Image.open(BytesIO(file)) as image:
        image.load()
        return np.asarray(image)


def chunks(file):
    """Read a file by the letter of ISO/IEC 15948, 5.3: length, type, data, CRC."""
    assert file[:8] == b"\x89PNG\r\n\x1a\n"
    found, at = [], 8
    while at < len(file):
        (length,) = struct.unpack_from(">I", file, at)
        name, data = file[at + 4 : at + 8], file[at + 8 : at + 8 + length]
        (check,) = struct.unpack_from(">I", file, at + 8 + length)
        assert check == zlib.crc32(name + data)
        found.append((name, data))
        at += 12 + length
    return found


@given(some.one_of(GREY, COLOUR))
def test_every_pixel_comes_back(picture):
    """Another decoder reads the very pixels that were written."""
    assert np.array_equal(decoded(png.encode(picture)), picture)


@pytest.mark.parametrize("shape", [(37, 53), (37, 53, 3)])
def test_holds_pixels_and_nothing_else(shape):
    """Three chunks: header, pixels, end. No text, no time, no profile, no resolution."""
    file = png.encode(np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8))
    names = [name for name, _ in chunks(file)]
    header = struct.unpack(">IIBBBBB", chunks(file)[0][1])

    assert names == [b"IHDR", b"IDAT", b"IEND"]
    assert header == (53, 37, 8, 2 if len(shape) == 3 else 0, 0, 0, 0)


def test_the_same_pixels_give_the_same_bytes():
    """A file depends on its pixels alone, also when they lie in memory in another order."""
    picture = np.random.default_rng(1).integers(0, 256, (53, 37, 3)).astype(np.uint8)
    turned = picture.transpose(1, 0, 2)

    assert png.encode(turned) == png.encode(np.ascontiguousarray(turned))


def test_is_smaller_than_pillow_at_level_one():
    """On a painted picture with noise the file is no larger than Pillow's fast one."""
    noise = np.random.default_rng(2).normal(0, 2, (300, 401, 1))
    picture = (np.linspace(40, 200, 401)[None, :, None] + noise + [0, 20, 0]).astype(
        np.uint8
    )
    sink = BytesIO()
    Image.fromarray(picture).save(sink, "PNG", compress_level=1)

    assert len(png.encode(picture)) <= len(sink.getvalue())


@pytest.mark.parametrize(
    ("shape", "longest", "size"),
    [
        ((370, 530), 53, (37, 53)),
        ((530, 370, 3), 53, (53, 37)),
        ((37, 53), 53, (37, 53)),
        ((37, 53, 3), 1024, (37, 53)),
        ((50, 70), 99, (50, 70)),
        ((1, 5000), 100, (1, 100)),
        ((5, 5), 1, (1, 1)),
    ],
)
def test_thumbnails_keep_the_aspect_and_never_grow(shape, longest, size):
    """The long side is at most ``longest``, the other follows, and none vanishes."""
    picture = np.zeros(shape, np.uint8)

    assert decoded(png.encode(picture, longest=longest)).shape[:2] == size


def test_thumbnails_are_means():
    """Shrunk by a whole factor, a pixel is the mean of its block, up to two roundings."""
    picture = (
        np.random.default_rng(3).integers(0, 256, (4 * 37, 4 * 53)).astype(np.uint8)
    )
    means = picture.reshape(37, 4, 53, 4).mean((1, 3))

    assert np.abs(decoded(png.encode(picture, longest=53)) - means).max() <= 1


def test_a_hot_pixel_survives_the_thumbnail():
    """Nothing falls between the samples: every pixel has its share of the preview."""
    picture = np.zeros((200, 300), np.uint8)
    picture[101, 203] = 255

    assert decoded(png.encode(picture, longest=100)).max() > 0


@pytest.mark.parametrize(
    ("picture", "longest", "words"),
    [
        (np.zeros((3, 4)), None, "got float64"),
        (np.zeros((3, 4, 4), np.uint8), None, r"\(3, 4, 4\)"),
        (np.zeros((3, 4, 1), np.uint8), None, r"\(3, 4, 1\)"),
        (np.zeros(5, np.uint8), None, r"\(5,\)"),
        (np.zeros((0, 4), np.uint8), None, r"\(0, 4\)"),
        (np.zeros((3, 4), np.uint8), 0, "at least 1 pixel, got 0"),
    ],
)
def test_other_arrays_are_refused(picture, longest, words):
    """Grey or RGB of uint8, with pixels in it."""
    with pytest.raises(InputError, match=words):
        png.encode(picture, longest=longest)
