"""A picture has the same values under every Pillow, with a compiler or without."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from saliency.pipeline import resize
from saliency.pipeline.resize import BILINEAR, resized

needs_c = pytest.mark.skipif(
    resize.shrink is None, reason="nobody compiled _shrink.c here"
)


@pytest.fixture(params=["C", "Pillow"])
def form(request, monkeypatch):
    """Both forms; the compiled one where somebody compiled it."""
    if request.param == "Pillow":
        monkeypatch.setattr(resize, "shrink", None)
    elif resize.shrink is None:
        pytest.skip("nobody compiled _shrink.c here: there was no compiler")


def weights(before, after):
    """(after, before), whole numbers of which 2^22 is 1: a triangle around each new centre."""
    scale = before / after
    reach = max(1.0, scale)
    table = np.zeros((after, before), np.int64)
    for k in range(after):
        centre = (k + 0.5) * scale
        triangle = [max(0.0, 1 - abs(x + 0.5 - centre) / reach) for x in range(before)]
        table[k] = [int(share / sum(triangle) * 2**22 + 0.5) for share in triangle]
    return table


def rounded(sums):
    return np.minimum((sums + 2**21) // 2**22, 255)


def twin(pixels, size):
    """Rows first, then columns, in whole numbers (rows, columns, channels)."""
    rows, columns = pixels.shape[:2]
    wide = rounded(np.einsum("kx,yxc->ykc", weights(columns, size[1]), pixels))
    return rounded(np.einsum("ky,yxc->kxc", weights(rows, size[0]), wide))


def in_two_calls(pixels, size):
    wide = Image.fromarray(pixels).resize((size[1], len(pixels)), BILINEAR)
    return np.asarray(wide.resize((size[1], size[0]), BILINEAR))


def noise(shape, dtype="u1"):
    return np.random.default_rng(0).integers(0, 256, shape).astype(dtype)


SIDES = (1, 2, 7, 30, 61)


@pytest.mark.parametrize("shape", list(product(SIDES, SIDES)), ids=str)
def test_rows_come_first_whatever_the_size(form, shape):
    """Grey and colour, up and down, tall and wide: the bytes of the arithmetic, in its order."""
    colour = noise((*shape, 3))
    for size in product((1, 3, 16, 45), repeat=2):
        expected = twin(colour, size)
        np.testing.assert_array_equal(resized(colour, size), expected)
        grey = resized(colour[..., 0], size)
        np.testing.assert_array_equal(grey, expected[..., 0])
        assert grey.dtype == np.float32


def test_the_order_is_seen_in_the_values():
    """The other order gives other bytes, so the tests above would notice it."""
    tall = noise((61, 7, 1))
    turned = twin(tall.swapaxes(0, 1), (3, 16)).swapaxes(0, 1)

    assert (twin(tall, (16, 3)) != turned).any()


@pytest.mark.parametrize("shape", [(61, 7), (7, 61), (300, 211)])
@pytest.mark.parametrize("size", [(16, 3), (90, 100), (224, 224)])
def test_floats_are_resized_in_the_same_order(form, shape, size):
    """Every bit of a float depends on the order, too."""
    values = noise(shape, "f4") / 7 - 11

    np.testing.assert_array_equal(resized(values, size), in_two_calls(values, size))
    planes = resized(np.stack([values, -values], axis=2), size)
    np.testing.assert_array_equal(planes[..., 1], in_two_calls(-values, size))


@needs_c
@settings(deadline=None)
@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 400)),
    size=st.tuples(st.integers(1, 12), st.integers(1, 400)),
    seed=st.integers(0, 2**32),
)
def test_what_is_compiled_is_pillow_bit_for_bit(shape, size, seed):
    """Any bytes, any size."""
    pixels = np.random.default_rng(seed).integers(0, 256, shape, "u1")
    expected = pixels if shape == size else in_two_calls(pixels, size)

    np.testing.assert_array_equal(resized(pixels, size), expected)


@needs_c
def test_each_length_is_pillow_bit_for_bit():
    """All pairs of lengths up to 70, and long rows: noise, black and white, all white."""
    lengths = [(before, after) for before in range(2, 71) for after in range(1, before)]
    long = [(2048, 224), (2500, 512), (4095, 4094), (9973, 7), (60_001, 1)]
    for before, after in lengths + long:
        pixels = np.stack(
            [
                noise(before),
                noise(before) // 128 * 255,
                np.full(before, 255, np.uint8),
            ]
        )
        expected = Image.fromarray(pixels).resize((after, 3), BILINEAR)
        np.testing.assert_array_equal(
            resized(pixels, (3, after)), np.asarray(expected), str((before, after))
        )


def test_any_view_is_read_as_it_is_seen(form):
    """Cut out, turned, mirrored, every second, for reading only: as a copy of it."""
    pixels = noise((90, 120))
    locked = pixels.copy()
    locked.flags.writeable = False
    views = (pixels[5:60, 7:99], pixels.T, pixels[::-1, ::-1], pixels[::2, ::3], locked)
    for view in views:
        expected = resized(view.copy(), (20, 31))
        np.testing.assert_array_equal(resized(view, (20, 31)), expected)
    np.testing.assert_array_equal(pixels, noise((90, 120)))


@needs_c
@pytest.mark.parametrize("width", [2, 8, 9, 15, 16, 17, 63, 64, 65])
def test_nothing_is_written_beside_the_row(width):
    """What lies before and behind the room stays, whatever a block leaves over."""
    pixels = noise((5, width))
    for columns in range(1, width):
        first, halves = resize._neighbours(width, columns)
        room = np.full(5 * columns + 128, 77, np.uint8)
        resize.shrink(pixels, width, first, halves, room[64:-64])

        assert (room[:64] == 77).all()
        assert (room[-64:] == 77).all()
        found = room[64:-64].reshape(5, columns)
        np.testing.assert_array_equal(found, in_two_calls(pixels, (5, columns)))


WIDTH, COLUMNS = 40, 7
FIRST, HALVES = resize._neighbours(WIDTH, COLUMNS)


def first_at(column, place):
    moved = FIRST.copy()
    moved[column] = place
    return moved


@needs_c
@pytest.mark.parametrize(
    ("width", "first", "halves", "room"),
    [
        (WIDTH - 1, FIRST, HALVES, 3 * COLUMNS),
        (0, FIRST, HALVES, 3 * COLUMNS),
        (-WIDTH, FIRST, HALVES, 3 * COLUMNS),
        (2**31, FIRST, HALVES, 3 * COLUMNS),
        (WIDTH, FIRST[:0], HALVES, 3 * COLUMNS),
        (WIDTH, FIRST[:-1], HALVES, 3 * COLUMNS),
        (WIDTH, first_at(0, -1), HALVES, 3 * COLUMNS),
        (WIDTH, first_at(6, WIDTH + 8 - HALVES.shape[1]), HALVES, 3 * COLUMNS),
        (WIDTH, FIRST, HALVES[:, :-1].copy(), 3 * COLUMNS),
        (WIDTH, FIRST, np.tile(HALVES, (1, 3, 1)), 3 * COLUMNS),
        (WIDTH, FIRST, HALVES, 3 * COLUMNS - 1),
        (WIDTH, FIRST, HALVES, 3 * COLUMNS + 1),
        (WIDTH, FIRST, HALVES, 2 * COLUMNS),
        (WIDTH, FIRST, HALVES, 4 * COLUMNS),
    ],
    ids=[
        "part of a row", "no width", "less than none", "too wide", "no column",
        "a column less", "before the row", "behind the row", "part of a block", "too many",
        "a byte less", "a byte more", "a row less", "a row more",
    ],
)  # fmt: skip
def test_sizes_that_do_not_fit_are_refused(width, first, halves, room):
    """Before a byte is read or written."""
    found = np.full(room, 77, np.uint8)

    with pytest.raises(ValueError, match="shrink: expected"):
        resize.shrink(noise((3, WIDTH)), width, first, halves, found)

    assert (found == 77).all()


@needs_c
def test_what_is_for_reading_is_not_written_into():
    """Neither into an array that is locked, nor between strided bytes."""
    locked = np.empty((3, COLUMNS), "u1")
    strided = np.empty((3, COLUMNS, 2), "u1")[..., 0]
    locked.flags.writeable = False
    for room in (locked, strided):
        with pytest.raises(
            (TypeError, BufferError, ValueError), match=r"read-write|contiguous"
        ):
            resize.shrink(noise((3, WIDTH)), WIDTH, FIRST, HALVES, room)
