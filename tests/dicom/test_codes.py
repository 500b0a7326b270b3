"""What is computed once a value, late, or without a copy equals what is computed at every pixel."""

import zlib

import numpy as np
import pytest
from dicom.build import SIZE, dataset, encoded, ramp, written

from saliency.dicom import read_dicom
from saliency.dicom.display import codes
from saliency.dicom.display.codes import by_code, taken
from saliency.dicom.file.inflate import inflate
from saliency.dicom.pixels.rle import joined
from saliency.dicom.pixels.stored import cut_off, extend_sign, masked


def wave(values: np.ndarray) -> np.ndarray:
    """A function that neither rises nor falls throughout."""
    return 100 + 90 * np.sin(np.asarray(values, np.float64) / 37)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2"])
@pytest.mark.parametrize("size", [(1, 1), (37, 53), (300, 401)])
def test_a_table_gives_what_the_function_gives(
    dtype: str, size: tuple[int, int]
) -> None:
    """By a table or at every pixel, signed or not, few or many pixels: the same bytes."""
    ends = np.iinfo(dtype)
    values = (
        np.random.default_rng(0).integers(ends.min, ends.max + 1, size).astype(dtype)
    )

    np.testing.assert_array_equal(
        by_code(wave, values, np.uint8), wave(values).astype(np.uint8)
    )


TABLE = np.random.default_rng(1).integers(0, 256, 65536, "u1")
INDEX = np.random.default_rng(2).integers(0, 65536, (301, 457), "u2")


@pytest.mark.parametrize("dtype", ["u1", "f4"])
@pytest.mark.parametrize("compiled", [True, False])
def test_the_look_up_in_c_is_the_one_in_numpy(
    monkeypatch: pytest.MonkeyPatch, dtype: str, *, compiled: bool
) -> None:
    """Every entry is met, of an index of many blocks and of none."""
    if compiled and codes.look_up is None:
        pytest.skip("nobody compiled _look.c here: there was no compiler")
    if not compiled:
        monkeypatch.setattr(codes, "look_up", None)

    table = TABLE.astype(dtype)
    for index in (INDEX, np.arange(65536, dtype="u2"), INDEX[:0]):
        np.testing.assert_array_equal(taken(table, index), table[index])


@pytest.mark.skipif(codes.look_up is None, reason="nobody compiled _look.c here")
@pytest.mark.parametrize(
    ("table", "index", "room"),
    [
        (TABLE[:-1], INDEX, INDEX.size),
        (TABLE[:0], INDEX, INDEX.size),
        (np.tile(TABLE, 2), INDEX, 2 * INDEX.size),
        (TABLE, INDEX, INDEX.size - 1),
        (TABLE, TABLE[:3], 1),
        (np.tile(TABLE, 4), INDEX, INDEX.size),
        (np.tile(TABLE, 4), INDEX[:1, :1], 7),
    ],
    ids=[
        "short",
        "empty",
        "two bytes",
        "little room",
        "half an index",
        "a quarter",
        "a byte less",
    ],
)
def test_the_look_up_in_c_reads_and_writes_nothing_else(
    table: np.ndarray, index: np.ndarray, room: int
) -> None:
    """Sizes that do not fit are refused before a byte is read."""
    with pytest.raises(ValueError, match="65,536"):
        codes.look_up(table, index, np.empty(room, "u1"))


@pytest.mark.skipif(codes.look_up is None, reason="nobody compiled _look.c here")
def test_the_look_up_in_c_keeps_to_what_may_be_written() -> None:
    """Nothing is written into an array that is for reading, nor between strided bytes."""
    locked, strided = np.empty(INDEX.size, "u1"), np.empty((INDEX.size, 2), "u1")[:, 0]
    locked.flags.writeable = False
    for room in (locked, strided):
        with pytest.raises(
            (TypeError, BufferError, ValueError), match=r"read-write|contiguous"
        ):
            codes.look_up(TABLE, INDEX, room)


def test_a_table_covers_both_ends() -> None:
    """The least and the greatest value are in the table: nothing outside is asked for."""
    values = np.tile(np.array([-300, 299], "i2"), (37, 53))
    seen = []

    by_code(lambda codes: seen.append(codes) or codes, values, np.float32)

    assert (seen[0].min(), seen[0].max(), seen[0].size) == (-300, 299, 600)


def test_pixels_wait_until_somebody_looks() -> None:
    """The display is there at once; modality values are made when asked for, once."""
    image = read_dicom(written(dataset(ramp(), RescaleSlope=2, RescaleIntercept=-7)))

    assert "pixels" not in vars(image)
    np.testing.assert_array_equal(image.pixels, ramp() * 2.0 - 7)
    assert image.pixels is image.pixels
    assert not image.pixels.flags.writeable


def test_native_values_are_a_view_of_the_bytes_that_were_read() -> None:
    """Neither stored values nor RGB of 8 bits are copied, and nobody can write into them."""
    grey = read_dicom(written(dataset(ramp()))).stored
    colour = read_dicom(written(dataset(np.stack([ramp("u1")] * 3, axis=-1)))).display

    for array in (grey, colour):
        root = array.base.base
        assert isinstance(root.obj if isinstance(root, memoryview) else root, bytes)
        assert not array.flags.writeable
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True


def test_bytes_in_memory_are_not_copied_unless_a_part_would_keep_them_all() -> None:
    """The one frame of a file in memory is a view of it; one of four is not."""
    whole = np.zeros((4, *SIZE), "u2")
    one, four = written(dataset(whole[0])), written(dataset(whole, frames=4))

    for file, shared in ((one, True), (four, False)):
        stored = read_dicom(file, frame=0).stored
        assert np.shares_memory(stored, np.frombuffer(file, "u1")) is shared


def test_a_buffer_that_may_change_is_copied() -> None:
    """What becomes of a bytearray later does not reach the image."""
    file = bytearray(written(dataset(ramp())))
    image = read_dicom(file)
    file[:] = bytes(len(file))

    np.testing.assert_array_equal(image.stored, ramp())
    assert image.digest == read_dicom(written(dataset(ramp()))).digest


def test_words_without_other_bits_are_not_touched() -> None:
    """Masks, signs and ends that change nothing cost no copy."""
    words = np.array([0, 5, 2047], "u2")

    assert masked(words, 12) is words
    assert cut_off(words, 12) is words
    assert np.shares_memory(extend_sign(words, 12), words)
    assert extend_sign(np.array([0xFFFB], "u2"), 12).tolist() == [-5]


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_planes_of_bytes_are_words(depth: int) -> None:
    """The most significant plane is the first (PS3.5 G.2)."""
    words = np.random.default_rng(0).integers(0, 256**depth, 99, dtype=f"u{depth}")
    planes = [(words >> np.uint8(8 * k)).astype("u1") for k in reversed(range(depth))]

    np.testing.assert_array_equal(joined(planes), words)


@pytest.mark.parametrize("most", [999, 1000, 5_000_000])
@pytest.mark.parametrize(
    "data", [bytes(1000), bytes(range(250)) * 4], ids=["zeros", "counting"]
)
def test_inflate_stops_a_byte_behind_its_limit(data: bytes, most: int) -> None:
    """What fits comes whole; of what does not, one byte more than allowed says so."""
    deflated = zlib.compress(data, wbits=-15)

    assert inflate(deflated, most) == data[: most + 1]


def test_inflate_of_a_bomb_and_of_nonsense() -> None:
    """A million zeros leave with 101 bytes, broken streams with None."""
    assert inflate(zlib.compress(bytes(10**6), wbits=-15), 100) == bytes(101)
    assert inflate(b"\xff" * 20, 100) is None


def test_a_deflated_frame_may_hold_more_than_the_frame() -> None:
    """Bytes behind the frame (PS3.5 A.4.13: it may be padded) are left out."""
    stream = zlib.compress(ramp().tobytes() + bytes(50), wbits=-15)
    made = encoded(
        dataset(ramp()), [stream + bytes(len(stream) % 2)], "1.2.840.10008.1.2.8.1"
    )

    image = read_dicom(written(made))

    assert image.size == SIZE
    np.testing.assert_array_equal(image.stored, ramp())
