"""Which fragments are a frame, where counts and tables do not say it rightly (PS3.5 A.4)."""

import struct
import zlib
from collections.abc import Callable
from hashlib import sha256
from itertools import pairwise

import imagecodecs
import numpy as np
import pytest
from dicom.build import dataset, written
from pydicom.dataset import Dataset

from saliency.dicom import describe, read_dicom, read_frames
from saliency.errors import DicomError

ROOT = "1.2.840.10008.1.2"
UNCOMPRESSED = f"{ROOT}.1.98"
NATIVE = f"{ROOT}.1"
SIZE = (9, 14)
FRAMES = np.random.default_rng(0).integers(0, 256, (3, *SIZE)).astype("u1")


def item(value: bytes) -> bytes:
    """A fragment of even length."""
    padded = value + b"\0" * (len(value) % 2)
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(padded)) + padded


def file_of(
    made: Dataset, fragments: list[bytes], syntax: str, table: tuple[int, ...] = ()
) -> bytes:
    """A file with these fragments; ``table`` counts the fragments before each of its entries."""
    made.PixelData = b"PIXELS"
    made["PixelData"].VR = "OB"
    native = written(made)
    at = native.index(b"\xe0\x7f\x10\x00OB")
    lengths = [len(item(each)) for each in fragments]
    entries = struct.pack(f"<{len(table)}I", *(sum(lengths[:k]) for k in table))
    head = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)
    body = b"".join(item(each) for each in (entries, *fragments))
    end = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    return relabelled(native[:at] + head + body + end, syntax)


def relabelled(file: bytes, syntax: str) -> bytes:
    """Give a file of Explicit VR Little Endian another label."""
    old, new = (each.encode() + b"\0" * (len(each) % 2) for each in (NATIVE, syntax))
    head = struct.pack("<HH2sH", 2, 0x10, b"UI", len(old)) + old
    assert head in file
    file = file.replace(head, struct.pack("<HH2sH", 2, 0x10, b"UI", len(new)) + new, 1)
    (length,) = struct.unpack_from("<I", file, 140)
    return file[:140] + struct.pack("<I", length + len(new) - len(old)) + file[144:]


def grey(said: int | None) -> Dataset:
    """A Dataset of 8 bits that says so many frames, or nothing of them."""
    made = dataset(FRAMES[0])
    if said is not None:
        made.NumberOfFrames = said
    return made


def rle(frame: np.ndarray) -> bytes:
    """An RLE frame of one segment (PS3.5 G)."""
    packed = bytes(imagecodecs.packbits_encode(frame))
    return struct.pack("<16I", 1, 64, *[0] * 14) + packed + b"\0" * (len(packed) % 2)


def deflated(frame: np.ndarray) -> bytes:
    """A frame as a deflate stream."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(frame.tobytes()) + packer.flush()


CODINGS: dict[str, tuple[Callable[[np.ndarray], bytes], str]] = {
    "rle": (rle, f"{ROOT}.5"),
    "deflate": (deflated, f"{ROOT}.8.1"),
    "uncompressed": (lambda frame: frame.tobytes(), UNCOMPRESSED),
    "native": (lambda frame: frame.tobytes(), NATIVE),
    "jpegls": (imagecodecs.jpegls_encode, f"{ROOT}.4.80"),
    "j2k": (lambda frame: imagecodecs.jpeg2k_encode(frame, level=0, codecformat="j2k"),
            f"{ROOT}.4.90"),
}  # fmt: skip
TABLES = {"none": (), "right": (0, 1, 2), "one": (0,), "wrong": (0, 2)}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("said", [None, 1, 2, 3])
@pytest.mark.parametrize("coding", CODINGS)
def test_fragment_k_is_frame_k_of_those_that_are_said(
    coding: str, said: int | None, table: str
) -> None:
    """Three frames of one fragment each, whatever the header says of their number."""
    if (said, table) == (2, "wrong"):
        pytest.skip("The table agrees with the count, and is to be believed.")
    encode, syntax = CODINGS[coding]
    file = file_of(
        grey(said), [encode(frame) for frame in FRAMES], syntax, TABLES[table]
    )

    found = [image.stored for image in read_frames(file)]

    np.testing.assert_array_equal(found, FRAMES[: said or 1])


@pytest.mark.parametrize("coding", CODINGS)
def test_more_frames_said_than_there_are(coding: str) -> None:
    """Those that are there are read; the others are not made up."""
    encode, syntax = CODINGS[coding]
    file = file_of(grey(5), [encode(frame) for frame in FRAMES], syntax)

    np.testing.assert_array_equal(read_dicom(file, frame=2).stored, FRAMES[2])
    with pytest.raises(DicomError) as caught:
        read_dicom(file, frame=3)
    assert caught.value.reason == "empty-frame"


def halves(data: bytes) -> list[bytes]:
    """A frame in three fragments of even length."""
    cuts = [0, len(data) // 3 & ~1, len(data) // 2 & ~1, len(data)]
    return [data[a:b] for a, b in pairwise(cuts)]


@pytest.mark.parametrize("tables", [False, True])
@pytest.mark.parametrize("said", [1, 2, 3])
@pytest.mark.parametrize("coding", [name for name in CODINGS if name != "deflate"])
def test_frames_of_several_fragments(coding: str, said: int, *, tables: bool) -> None:
    """Frames of three fragments each; where a start can be told, a wrong count does no harm."""
    encode, syntax = CODINGS[coding]
    fragments = [part for frame in FRAMES for part in halves(encode(frame))]
    file = file_of(grey(said), fragments, syntax, (0, 3, 6) if tables else ())

    found = [image.stored for image in read_frames(file)]

    np.testing.assert_array_equal(found, FRAMES[:said])


@pytest.mark.parametrize("said", [1, 2, 3, 4])
def test_deflated_frames_of_several_fragments(said: int) -> None:
    """They look like nothing: a table tells, whatever the header counts, but for a count of one."""
    fragments = [part for frame in FRAMES for part in halves(deflated(frame))]
    file = file_of(grey(said), fragments, f"{ROOT}.8.1", (0, 3, 6))

    for k in range(min(said, 3)):
        np.testing.assert_array_equal(read_dicom(file, frame=k).stored, FRAMES[k])


def test_one_deflated_frame_of_several_fragments() -> None:
    """Without a table, a stream that does not end with its first fragment goes on in the next."""
    file = file_of(grey(1), halves(deflated(FRAMES[0])), f"{ROOT}.8.1")

    np.testing.assert_array_equal(read_dicom(file).stored, FRAMES[0])


WORDS = {
    "8 bits": FRAMES,
    "16 bits": FRAMES.astype("<u2") * 250,
    "signed": FRAMES.astype("<i2") - 99,
    "32 bits": FRAMES.astype("<u4") * 70_000,
    "float": FRAMES.astype("<f4") / 7,
}


@pytest.mark.parametrize("syntax", [UNCOMPRESSED, NATIVE])
@pytest.mark.parametrize("words", [name for name in WORDS if name != "float"])
@pytest.mark.parametrize("layout", ["a fragment each", "all in one", "three each"])
def test_words_in_fragments(words: str, layout: str, syntax: str) -> None:
    """Encapsulated Uncompressed (PS3.5 A.4.11), and the same under a native label."""
    frames = WORDS[words]
    raw = [frame.tobytes() for frame in frames]
    fragments = {
        "a fragment each": raw,
        "all in one": [b"".join(raw)],
        "three each": [part for each in raw for part in halves(each)],
    }[layout]
    file = file_of(dataset(frames, frames=3), fragments, syntax)

    np.testing.assert_array_equal([image.stored for image in read_frames(file)], frames)


def test_frames_of_an_odd_number_of_bytes_are_padded() -> None:
    """Fragments are even (PS3.5 A.4), frames need not be."""
    frames = FRAMES[:, :, :13]
    file = file_of(
        dataset(frames, frames=3), [each.tobytes() for each in frames], UNCOMPRESSED
    )

    np.testing.assert_array_equal([image.stored for image in read_frames(file)], frames)


def test_bits_in_fragments() -> None:
    """Each frame of 1 bit starts with a byte of its fragment."""
    frames = FRAMES[:, :, :13] > 99
    raw = [np.packbits(each, axis=None, bitorder="little").tobytes() for each in frames]
    made = dataset(frames.astype("u1"), frames=3)
    made.BitsAllocated = made.BitsStored = 1
    made.HighBit = 0

    found = [image.stored for image in read_frames(file_of(made, raw, UNCOMPRESSED))]

    np.testing.assert_array_equal(found, frames)


@pytest.mark.parametrize("planar", [0, 1])
def test_colour_in_fragments(planar: int) -> None:
    """Planar or not, as native colour."""
    picture = np.moveaxis(FRAMES, 0, -1)
    made = dataset(np.ascontiguousarray(picture), PlanarConfiguration=planar)
    raw = FRAMES.tobytes() if planar else np.ascontiguousarray(picture).tobytes()

    np.testing.assert_array_equal(
        read_dicom(file_of(made, [raw], UNCOMPRESSED)).display, picture
    )


def test_a_cut_fragment_is_told() -> None:
    """Fewer bytes than a frame are no picture."""
    file = file_of(grey(1), [FRAMES[0].tobytes()[:-4]], UNCOMPRESSED)

    with pytest.raises(DicomError) as caught:
        read_dicom(file)
    assert caught.value.reason == "truncated"


def test_a_codestream_under_either_label_is_still_found() -> None:
    """JPEG-LS in fragments whose label says that they are not compressed."""
    stream = imagecodecs.jpegls_encode(FRAMES[0])
    for syntax in (UNCOMPRESSED, NATIVE):
        file = file_of(grey(1), [stream], syntax)
        np.testing.assert_array_equal(read_dicom(file).stored, FRAMES[0])


@pytest.mark.parametrize(
    ("uid", "reason", "word"),
    [
        (f"{ROOT}.4.94", "jpip", "JPIP"),
        (f"{ROOT}.4.95", "jpip", "JPIP"),
        (f"{ROOT}.4.204", "jpip", "JPIP"),
        (f"{ROOT}.4.205", "jpip", "JPIP"),
        (f"{ROOT}.6.1", "unsupported-transfer-syntax", "RFC 2557"),
        (f"{ROOT}.7.1", "unsupported-transfer-syntax", "SMPTE"),
        ("1.2.3.4", "unknown-transfer-syntax", "unknown"),
        ("1.2.840.10008.SMITH", "unknown-transfer-syntax", "unknown"),
    ],
)
def test_what_is_not_read_is_called_what_it_is(
    uid: str, reason: str, word: str, recwarn: pytest.WarningsRecorder
) -> None:
    """Each refusal is true of the syntax that it refuses, and quotes no malformed one."""
    file = relabelled(written(grey(None)), uid)

    for read in (read_dicom, describe):
        with pytest.raises(DicomError, match=word) as caught:
            read(file)
        assert caught.value.reason == reason
        assert "SMITH" not in str(caught.value)
    assert not recwarn.list


@pytest.mark.parametrize("frame", [0, 1, 2])
def test_a_table_ends_a_frame_where_the_next_one_starts(frame: int) -> None:
    """The digest of a frame is that of its own bytes, not of all that follow it."""
    streams = [imagecodecs.jpegls_encode(each) for each in FRAMES]
    streams = [each + b"\0" * (len(each) % 2) for each in streams]
    file = file_of(dataset(FRAMES, frames=3), streams, f"{ROOT}.4.80", (0, 1, 2))

    image = read_dicom(file, frame=frame)

    assert image.digest == sha256(streams[frame]).hexdigest()
