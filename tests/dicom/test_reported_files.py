"""Kinds of file that people reported to makers of other readers, built anew, one function a kind.

Each says what numpy, the standard or the sender's own array says of it. "Met in pydicom 1312" names
an issue on GitHub; nothing of a reported file is copied.
"""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import imagecodecs
import numpy as np
import pytest
from dicom.build import dataset, encoded, item, written
from dicom.test_fragments import file_of
from numpy.typing import ArrayLike
from pydicom.dataset import Dataset

from saliency.dicom import describe, read_dicom
from saliency.errors import DicomError, InputError

ROOT = "1.2.840.10008.1.2"
BASELINE, LOSSLESS, JPEG_LS, J2K, RLE = (
    f"{ROOT}.4.50",
    f"{ROOT}.4.70",
    f"{ROOT}.4.80",
    f"{ROOT}.4.90",
    f"{ROOT}.5",
)
SIZE = (10, 14)
DEEP = np.random.default_rng(1).integers(0, 4096, SIZE).astype("u2")
GREY = np.random.default_rng(2).integers(0, 256, SIZE).astype("u1")
COLOUR = np.random.default_rng(3).integers(0, 256, (*SIZE, 3)).astype("u1")
FRAMES = np.random.default_rng(4).integers(0, 256, (3, *SIZE)).astype("u1")


@dataclass(frozen=True)
class Kind:
    """A file, and what is right: stored or modality values, the display, or a reason.

    ``near`` is how far a value may lie from the right one, for codecs that lose something.
    ``noted`` are words of a note that the log must hold, ``silent`` says that it must hold none.
    """

    data: bytes
    stored: ArrayLike | None = None
    pixels: ArrayLike | None = None
    display: ArrayLike | None = None
    spacing: tuple[float, float] | None = None
    refused: str = ""
    noted: str = ""
    silent: bool = False
    frame: int = 0
    near: float = 0


KINDS: dict[str, Callable[[], Kind]] = {}


def kind(made: Callable[[], Kind]) -> Callable[[], Kind]:
    """Add a kind to those that are judged."""
    KINDS[made.__name__] = made
    return made


def before_rows(file: bytes, raw: bytes) -> bytes:
    """Put an element in front of the description of the pixels."""
    at = file.index(b"\x28\x00\x02\x00")
    return file[:at] + raw + file[at:]


def long_element(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    """An explicit element of a VR with a 32-bit length."""
    said = len(value) if length is None else length
    return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr, 0, said) + value


def short_element(tag: int, vr: bytes, value: bytes) -> bytes:
    """An explicit element of a VR with a 16-bit length."""
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def implicit_element(tag: int, value: bytes, length: int | None = None) -> bytes:
    """An element without a VR."""
    said = len(value) if length is None else length
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, said) + value


ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF
SPACING = 0x00280030
MEASURES, SHARED = 0x00289110, 0x52009229


def rle_frame(planes: list[np.ndarray]) -> bytes:
    """A frame of RLE, each plane a segment of even length."""
    segments = [imagecodecs.packbits_encode(plane) for plane in planes]
    segments = [each + b"\0" * (len(each) % 2) for each in segments]
    starts = np.cumsum([64, *map(len, segments)])[:-1].tolist()
    header = struct.pack("<16I", len(planes), *starts, *[0] * (15 - len(planes)))
    return header + b"".join(segments)


def lossless(values: np.ndarray, bits: int) -> bytes:
    """A lossless JPEG of so many bits."""
    return imagecodecs.ljpeg_encode(values, bitspersample=bits)


# --- elements -------------------------------------------------------------------------------


@kind
def unknown_sequence_with_explicit_items() -> Kind:
    """Met in dcm4che 159: items inside a UN are written with their VRs."""
    measures = long_element(
        MEASURES,
        b"SQ",
        implicit_element(ITEM, short_element(SPACING, b"DS", b"0.5\\0.25")),
    )
    groups = implicit_element(ITEM, measures)
    raw = long_element(SHARED, b"UN", groups)
    file = written(dataset(DEEP))
    at = file.index(b"\xe0\x7f\x10\x00")
    return Kind(file[:at] + raw + file[at:], stored=DEEP, spacing=(0.5, 0.25))


@kind
def unknown_sequence_of_undefined_length() -> Kind:
    """Met in dicomParser 141, pydicom 1312: UN of undefined length, items implicit (CP-246)."""
    spacing = implicit_element(SPACING, b"0.5\\0.25")
    inner = implicit_element(ITEM, spacing + implicit_element(ITEM_END, b""), UNDEFINED)
    measures = implicit_element(
        MEASURES, inner + implicit_element(SEQUENCE_END, b""), UNDEFINED
    )
    groups = implicit_element(
        ITEM, measures + implicit_element(ITEM_END, b""), UNDEFINED
    )
    raw = long_element(
        SHARED, b"UN", groups + implicit_element(SEQUENCE_END, b""), UNDEFINED
    )
    file = written(dataset(DEEP))
    at = file.index(b"\xe0\x7f\x10\x00")
    return Kind(file[:at] + raw + file[at:], stored=DEEP, spacing=(0.5, 0.25))


@kind
def explicit_sequence_with_implicit_items() -> Kind:
    """Met in pydicom 242: a converter wrote the VR of the sequence, and none within it."""
    measures = implicit_element(
        MEASURES, implicit_element(ITEM, implicit_element(SPACING, b"0.5\\0.25"))
    )
    raw = long_element(SHARED, b"SQ", implicit_element(ITEM, measures))
    file = written(dataset(DEEP))
    at = file.index(b"\xe0\x7f\x10\x00")
    return Kind(file[:at] + raw + file[at:], stored=DEEP, spacing=(0.5, 0.25))


@kind
def group_length_of_unknown_vr() -> Kind:
    """Met in fo-dicom 1941: group lengths of VR UN."""
    file = written(dataset(DEEP))
    raw = long_element(0x00280000, b"UN", struct.pack("<I", 90))
    return Kind(before_rows(file, raw), stored=DEEP)


@kind
def defined_length_and_a_delimiter() -> Kind:
    """Met in fo-dicom 64: a private sequence of defined length with a delimiter at its end."""
    item_of_it = implicit_element(ITEM, short_element(0x20010010, b"LO", b"X "))
    value = item_of_it + implicit_element(SEQUENCE_END, b"")
    raw = long_element(0x2001105F, b"SQ", value)
    file = written(dataset(DEEP))
    at = file.index(b"\xe0\x7f\x10\x00")
    return Kind(file[:at] + raw + file[at:], stored=DEEP)


@kind
def delimiter_behind_a_defined_length() -> Kind:
    """The same, and the length does not count the delimiter."""
    item_of_it = implicit_element(ITEM, short_element(0x00091010, b"LO", b"X "))
    raw = long_element(0x0009105F, b"SQ", item_of_it) + implicit_element(
        SEQUENCE_END, b""
    )
    return Kind(before_rows(written(dataset(DEEP)), raw), stored=DEEP)


@kind
def meta_element_of_undefined_length() -> Kind:
    """Private Information (0002,0102) of undefined length, in fragments."""
    file = written(dataset(DEEP))
    value = implicit_element(ITEM, b"abcd") + implicit_element(SEQUENCE_END, b"")
    raw = long_element(0x00020102, b"OB", value, UNDEFINED)
    at = file.index(b"\x08\x00\x60\x00CS")
    return Kind(file[:at] + raw + file[at:], stored=DEEP)


@kind
def syntax_twice_padded() -> Kind:
    """A Transfer Syntax UID with blanks and NULs behind it."""
    file = written(dataset(DEEP))
    old = short_element(0x00020010, b"UI", b"1.2.840.10008.1.2.1\0")
    new = short_element(0x00020010, b"UI", b"1.2.840.10008.1.2.1 \0\0 ")
    return Kind(file.replace(old, new), stored=DEEP)


@kind
def description_before_everything_else() -> Kind:
    """Elements out of order: group 0028 first."""
    file = written(dataset(DEEP))
    start = file.index(b"\x08\x00\x60\x00CS")
    rows, pixels = file.index(b"\x28\x00\x02\x00"), file.index(b"\xe0\x7f\x10\x00")
    swapped = file[rows:pixels] + file[start:rows] + file[pixels:]
    return Kind(file[:start] + swapped, stored=DEEP)


@kind
def description_behind_the_pixels() -> Kind:
    """Elements out of order: group 0028 last."""
    file = written(dataset(DEEP))
    rows, pixels = file.index(b"\x28\x00\x02\x00"), file.index(b"\xe0\x7f\x10\x00")
    return Kind(file[:rows] + file[pixels:] + file[rows:pixels], stored=DEEP)


@kind
def acr_nema() -> Kind:
    """ACR-NEMA 2.0: neither preamble, photometric interpretation nor samples."""
    made = dataset(DEEP)
    del made.PhotometricInterpretation, made.SamplesPerPixel, made.Modality
    made.BitsStored, made.HighBit = 12, 11
    file = written(made, ROOT)
    start = file.index(b"\x28\x00\x10\x00\x02\0\0\0")
    recognition = implicit_element(0x00080010, b"ACR-NEMA 2.0")
    return Kind(recognition + file[start:], stored=DEEP)


@kind
def frame_times_of_a_long_cine() -> Kind:
    """A Frame Time Vector longer than a DS can be in an explicit file."""
    made = dataset(GREY)
    file = written(made, ROOT)
    times = b"\\".join([b"33.333"] * 12_000)
    raw = implicit_element(0x00181065, times + b" " * (len(times) % 2))
    return Kind(before_rows(file, raw), stored=GREY)


@kind
def rows_of_32_bits() -> Kind:
    """Rows and Columns of VR UL."""
    file = written(dataset(DEEP))
    for tag, value in ((0x00280010, SIZE[0]), (0x00280011, SIZE[1])):
        old = short_element(tag, b"US", struct.pack("<H", value))
        assert old in file
        file = file.replace(old, short_element(tag, b"UL", struct.pack("<I", value)))
    return Kind(file, stored=DEEP)


@kind
def only_what_cannot_be_guessed() -> Kind:
    """Neither Bits Stored, High Bit, Pixel Representation, samples nor photometric words."""
    made = dataset(DEEP)
    del made.BitsStored, made.HighBit, made.PixelRepresentation
    del made.SamplesPerPixel, made.PhotometricInterpretation
    return Kind(written(made), stored=DEEP)


# --- where the pixels lie -------------------------------------------------------------------


@kind
def odd_length_without_padding() -> Kind:
    """An odd number of bytes, and the length says so."""
    odd = GREY[:, :13][:9]
    made = dataset(odd)
    file = written(made)
    assert file[-1:] == b"\0"
    head = struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, odd.size + 1)
    shorter = struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, odd.size)
    return Kind(file.replace(head, shorter)[:-1], stored=odd)


@kind
def native_of_undefined_length() -> Kind:
    """Native words whose length is undefined, without items."""
    file = written(dataset(DEEP))
    head = struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, 2 * DEEP.size)
    endless = struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, UNDEFINED)
    return Kind(file.replace(head, endless), stored=DEEP)


@kind
def pixels_of_unknown_vr() -> Kind:
    """Pixel Data of VR UN in fragments, as archives that know no pixels store it."""
    made = encoded(dataset(GREY), [imagecodecs.jpegls_encode(GREY), b""][:1], JPEG_LS)
    file = written(made)
    at = file.index(b"\xe0\x7f\x10\x00OB")
    return Kind(file[: at + 4] + b"UN" + file[at + 6 :], stored=GREY)


@kind
def icon_in_fragments_first() -> Kind:
    """Met in cornerstone, dcm2niix 638: an icon with fragments of its own before the picture."""
    fragments = implicit_element(ITEM, b"") + implicit_element(
        ITEM, b"\xff\xd8\xff\xd9"
    )
    icon = long_element(
        0x7FE00010, b"OB", fragments + implicit_element(SEQUENCE_END, b""), UNDEFINED
    )
    inner = short_element(0x00280010, b"US", b"\x01\0") + icon
    items = implicit_element(ITEM, inner + implicit_element(ITEM_END, b""), UNDEFINED)
    raw = long_element(
        0x00880200, b"SQ", items + implicit_element(SEQUENCE_END, b""), UNDEFINED
    )
    made = encoded(dataset(GREY), [imagecodecs.jpegls_encode(GREY)], JPEG_LS)
    file = written(made)
    at = file.index(b"\xe0\x7f\x10\x00OB")
    return Kind(file[:at] + raw + file[at:], stored=GREY)


@kind
def compressed_label_over_native_pixels() -> Kind:
    """pydicom: PixelData = array.tobytes(), and the file keeps the label of its codec."""
    made = dataset(DEEP)
    file = written(made)
    return Kind(relabelled_by_length(file, J2K), stored=DEEP)


def relabelled_by_length(file: bytes, syntax: str) -> bytes:
    """Give an explicit file another label; the length of group 2 is not mended."""
    old = short_element(0x00020010, b"UI", b"1.2.840.10008.1.2.1\0")
    uid = syntax.encode() + b"\0" * (len(syntax) % 2)
    assert old in file
    return file.replace(old, short_element(0x00020010, b"UI", uid))


@kind
def codestream_without_fragments() -> Kind:
    """A JPEG stream as the plain value of Pixel Data."""
    made = dataset(GREY)
    stream = imagecodecs.jpegls_encode(GREY)
    made.PixelData = stream + b"\0" * (len(stream) % 2)
    made["PixelData"].VR = "OB"
    return Kind(relabelled_by_length(written(made), JPEG_LS), stored=GREY)


@kind
def fragments_without_a_table() -> Kind:
    """The item of the Basic Offset Table was left out: the first item is the first frame."""
    streams = [imagecodecs.jpegls_encode(each) for each in FRAMES]
    made = dataset(FRAMES, frames=3)
    file = file_of(made, streams, JPEG_LS)
    empty = implicit_element(ITEM, b"")
    assert file.count(empty) == 1
    return Kind(file.replace(empty, b""), stored=FRAMES[0])


@kind
def fragments_without_a_table_last_frame() -> Kind:
    """The same, and its last frame."""
    return Kind(fragments_without_a_table().data, stored=FRAMES[2], frame=2)


@kind
def rle_without_a_table() -> Kind:
    """The same of RLE."""
    streams = [rle_frame([each]) for each in FRAMES]
    file = file_of(dataset(FRAMES, frames=3), streams, RLE)
    return Kind(
        file.replace(implicit_element(ITEM, b""), b""), stored=FRAMES[1], frame=1
    )


def with_table(entries: tuple[int, ...]) -> bytes:
    """Three frames of RLE under a table of these offsets."""
    streams = [rle_frame([each]) for each in FRAMES]
    file = file_of(dataset(FRAMES, frames=3), streams, RLE)
    table = implicit_element(ITEM, struct.pack(f"<{len(entries)}I", *entries))
    return file.replace(implicit_element(ITEM, b""), table, 1)


def rle_offsets() -> tuple[int, int, int]:
    """Where the three frames of :func:`with_table` start."""
    lengths = [len(rle_frame([each])) + 8 for each in FRAMES]
    return 0, lengths[0], lengths[0] + lengths[1]


@kind
def table_wrong_in_the_middle() -> Kind:
    """An offset between two right ones leads into a frame."""
    first, _, last = rle_offsets()
    return Kind(with_table((first, last - 2, last)), stored=FRAMES[1], frame=1)


@kind
def table_wrong_behind_the_frame() -> Kind:
    """The frame before the wrong offset."""
    first, _, last = rle_offsets()
    return Kind(with_table((first, last - 2, last)), stored=FRAMES[0])


@kind
def table_counts_its_own_headers() -> Kind:
    """Offsets of the frames' bytes in place of their items."""
    table = tuple(8 + each for each in rle_offsets())
    return Kind(with_table(table), stored=FRAMES[2], frame=2)


@kind
def table_of_two_for_one_frame() -> Kind:
    """Met in dcm2niix 1013: one frame in two fragments, and an entry for each fragment."""
    stream = imagecodecs.jpegls_encode(GREY)
    half = len(stream) // 4 * 2
    file = file_of(dataset(GREY), [stream[:half], stream[half:]], JPEG_LS, table=(0, 1))
    return Kind(file, stored=GREY)


@kind
def last_fragment_empty() -> Kind:
    """Met in fo-dicom 1586: a fragment of no bytes behind the last frame."""
    streams = [imagecodecs.jpegls_encode(each) for each in FRAMES]
    file = file_of(dataset(FRAMES, frames=3), [*streams, b""], JPEG_LS)
    return Kind(file, stored=FRAMES[2], frame=2)


@kind
def one_rle_frame_in_pieces() -> Kind:
    """Met in dcm4chee-arc 752: one frame in fragments of a few bytes."""
    stream = rle_frame([GREY])
    pieces = [stream[k : k + 32] for k in range(0, len(stream), 32)]
    return Kind(file_of(dataset(GREY), pieces, RLE), stored=GREY)


@kind
def no_end_of_fragments() -> Kind:
    """The file ends with its last fragment."""
    file = file_of(dataset(GREY), [imagecodecs.jpegls_encode(GREY)], JPEG_LS)
    return Kind(file.removesuffix(implicit_element(SEQUENCE_END, b"")), stored=GREY)


@kind
def zeros_before_a_frame() -> Kind:
    """Bytes of padding in front of a JPEG's start."""
    stream = b"\0\0" + imagecodecs.jpegls_encode(GREY)
    return Kind(file_of(dataset(GREY), [stream], JPEG_LS), stored=GREY)


@kind
def extended_table_beside_a_basic_one() -> Kind:
    """Both offset tables, and the extended one is of no use."""
    made = dataset(FRAMES, frames=3)
    made.ExtendedOffsetTable = struct.pack("<3Q", 0, 7, 9)
    made.ExtendedOffsetTableLengths = struct.pack("<3Q", 1, 1, 1)
    streams = [imagecodecs.jpegls_encode(each) for each in FRAMES]
    file = file_of(made, streams, JPEG_LS, table=(0, 1, 2))
    return Kind(file, stored=FRAMES[1], frame=1)


@kind
def deflated_label_over_plain_elements() -> Kind:
    """Met in pydicom 1086: saved under the deflated label without being deflated."""
    return Kind(
        relabelled_by_length(written(dataset(DEEP)), f"{ROOT}.1.99"), stored=DEEP
    )


@kind
def deflated_with_a_header_of_zlib() -> Kind:
    """A stream of RFC 1950 in the place of RFC 1951."""
    file = relabelled_by_length(written(dataset(DEEP)), f"{ROOT}.1.99")
    at = file.index(b"\x08\x00\x60\x00CS")
    return Kind(file[:at] + zlib.compress(file[at:]), stored=DEEP)


@kind
def deflated_and_padded() -> Kind:
    """Bytes behind the end of the deflate stream."""
    file = written(dataset(DEEP), f"{ROOT}.1.99")
    return Kind(file + b"\0\0\0", stored=DEEP)


# --- what the codes say ---------------------------------------------------------------------


@kind
def jpegls_of_seven_signed_bits() -> Kind:
    """Met in pydicom 2009: JPEG-LS knows no sign."""
    signed = (GREY % 128).astype("i1") - 64
    stream = imagecodecs.jpegls_encode(signed.view("u1") & 0x7F)
    made = dataset(GREY, BitsStored=7, HighBit=6, PixelRepresentation=1)
    return Kind(written(encoded(made, [stream], JPEG_LS)), stored=signed)


@kind
def j2k_of_14_signed_bits_called_16() -> Kind:
    """Met in pydicom 2012: the stream says 14 signed bits, the header 16."""
    signed = DEEP.astype("i2") - 2048
    stream = imagecodecs.jpeg2k_encode(
        signed, level=0, reversible=True, bitspersample=14
    )
    made = dataset(DEEP, PixelRepresentation=1)
    return Kind(written(encoded(made, [stream], J2K)), stored=signed)


WIDE = DEEP * 16 + 5


@kind
def j2k_of_16_bits_called_12() -> Kind:
    """Met in pydicom 2073: the stream holds more bits than the header says (PS3.5 A.4.4)."""
    stream = imagecodecs.jpeg2k_encode(WIDE, level=0, reversible=True)
    made = dataset(WIDE, BitsStored=12, HighBit=11)
    return Kind(written(encoded(made, [stream], J2K)), stored=WIDE)


@kind
def lossless_jpeg_of_16_bits_called_12() -> Kind:
    """DCMTK writes lossless JPEG of the words as they lie: the header says which bits count."""
    made = dataset(WIDE, BitsStored=12, HighBit=11)
    file = written(encoded(made, [lossless(WIDE, 16)], LOSSLESS))
    return Kind(file, stored=WIDE & 0xFFF, noted="Bits above Bits Stored")


@kind
def jpegls_of_16_bits_called_12() -> Kind:
    """The same of JPEG-LS."""
    made = dataset(WIDE, BitsStored=12, HighBit=11)
    file = written(encoded(made, [imagecodecs.jpegls_encode(WIDE)], JPEG_LS))
    return Kind(file, stored=WIDE & 0xFFF, noted="Bits above Bits Stored")


@kind
def jpegls_of_16_signed_bits_called_12() -> Kind:
    """The same with a sign, which is bit 11."""
    low = (WIDE & 0xFFF).astype("i4")
    stream = imagecodecs.jpegls_encode(WIDE)
    made = dataset(WIDE, BitsStored=12, HighBit=11, PixelRepresentation=1)
    file = written(encoded(made, [stream], JPEG_LS))
    right = np.where(low < 2048, low, low - 4096)
    return Kind(file, stored=right, noted="Bits above Bits Stored")


@kind
def lossless_jpeg_of_extended_signs() -> Kind:
    """Copies of the sign above Bits Stored are no other bits: nothing is noted."""
    signed = DEEP.astype("i2") - 2048
    made = dataset(DEEP, BitsStored=12, HighBit=11, PixelRepresentation=1)
    file = written(encoded(made, [lossless(signed.view("u2"), 16)], LOSSLESS))
    return Kind(file, stored=signed, silent=True)


@kind
def lossless_colour_called_planar() -> Kind:
    """Met in cornerstone WADO 533: Planar Configuration 1 over a stream, where it says nothing."""
    stream = imagecodecs.jpeg8_encode(
        COLOUR, lossless=True, colorspace="RGB", outcolorspace="RGB"
    )
    made = dataset(COLOUR, PlanarConfiguration=1)
    return Kind(written(encoded(made, [stream], LOSSLESS)), display=COLOUR)


@kind
def rct_called_planar() -> Kind:
    """Met in cornerstone3D 2462: YBR_RCT with Planar Configuration 1."""
    stream = imagecodecs.jpeg2k_encode(COLOUR, level=0, reversible=True)
    made = dataset(COLOUR, PlanarConfiguration=1, PhotometricInterpretation="YBR_RCT")
    return Kind(written(encoded(made, [stream], J2K)), display=COLOUR)


def rgb_of(ybr: np.ndarray) -> np.ndarray:
    """YBR_FULL to RGB (PS3.3 C.7.6.3.1.2)."""
    y, cb, cr = (ybr[..., k].astype(float) for k in range(3))
    red = y + 1.402 * (cr - 128)
    green = y - 0.344136 * (cb - 128) - 0.714136 * (cr - 128)
    blue = y + 1.772 * (cb - 128)
    return np.clip(np.stack([red, green, blue], axis=-1), 0, 255).round()


@kind
def ybr_in_j2k_without_its_transform() -> Kind:
    """Met in cornerstone WADO 308: YBR_FULL in JPEG 2000, which mixes no components."""
    stream = imagecodecs.jpeg2k_encode(COLOUR, level=0, reversible=True, mct=False)
    made = dataset(COLOUR, PhotometricInterpretation="YBR_FULL")
    return Kind(written(encoded(made, [stream], J2K)), display=rgb_of(COLOUR), near=1)


@kind
def ybr_in_rle_called_planar() -> Kind:
    """YBR_FULL in RLE, whose segments are planes whatever the header says."""
    stream = rle_frame([COLOUR[..., k] for k in range(3)])
    made = dataset(COLOUR, PhotometricInterpretation="YBR_FULL", PlanarConfiguration=1)
    return Kind(written(encoded(made, [stream], RLE)), display=rgb_of(COLOUR), near=1)


SMOOTH = np.stack(
    [
        np.add.outer(np.arange(10) * a, np.arange(14) * b) % 256
        for a, b in ((9, 2), (3, 7), (11, 5))
    ],
    axis=-1,
).astype("u1")


@kind
def adobe_says_rgb_the_header_ybr() -> Kind:
    """An APP14 segment of transform 0 under the label YBR_FULL_422."""
    stream = imagecodecs.jpeg8_encode(
        SMOOTH, level=100, colorspace="RGB", outcolorspace="RGB", subsampling="444"
    )
    if b"Adobe" not in stream:
        adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\0\0\0\0\0"
        stream = stream[:2] + adobe + stream[2:]
    made = dataset(COLOUR, PhotometricInterpretation="YBR_FULL_422")
    return Kind(written(encoded(made, [stream], BASELINE)), display=SMOOTH, near=3)


@kind
def a_thumbnail_within_a_segment() -> Kind:
    """An EXIF segment that holds a small JPEG with a header of its own."""
    stream = imagecodecs.jpeg8_encode(GREY, level=100)
    small = imagecodecs.jpeg8_encode(GREY[:8, :8], level=50)
    exif = b"\xff\xe1" + struct.pack(">H", len(small) + 8) + b"Exif\0\0" + small
    made = dataset(GREY)
    file = written(encoded(made, [stream[:2] + exif + stream[2:]], BASELINE))
    return Kind(file, stored=GREY, near=3)


def hp1(values: np.ndarray) -> np.ndarray:
    """The first colour transform of Hewlett-Packard: R - G + 128, G, B - G + 128."""
    red, green, blue = (values[..., k].astype("u1") for k in range(3))
    half = np.uint8(128)
    return np.stack([red - green + half, green, blue - green + half], axis=-1)


@kind
def jpegls_with_a_colour_transform() -> Kind:
    """A segment APP8 'mrfx' of transform 1, which the decoder undoes."""
    stream = imagecodecs.jpegls_encode(np.ascontiguousarray(hp1(COLOUR)))
    segment = b"\xff\xe8\x00\x07mrfx\x01"
    made = dataset(COLOUR)
    file = written(encoded(made, [stream[:2] + segment + stream[2:]], JPEG_LS))
    return Kind(file, display=COLOUR)


@kind
def jpegls_called_lossless_jpeg() -> Kind:
    """A JPEG-LS stream under the label of lossless JPEG."""
    stream = imagecodecs.jpegls_encode(DEEP)
    return Kind(written(encoded(dataset(DEEP), [stream], LOSSLESS)), stored=DEEP)


@kind
def rle_of_one_segment_for_16_bits() -> Kind:
    """Values of 8 bits with Bits Allocated 16: one segment in place of two."""
    made = dataset(GREY.astype("u2"), BitsStored=8, HighBit=7)
    file = written(encoded(made, [rle_frame([GREY])], RLE))
    return Kind(file, stored=GREY)


@kind
def colour_of_8_bits_in_words_of_16() -> Kind:
    """RGB with Bits Allocated 16 and Bits Stored 8."""
    made = dataset(COLOUR.astype("u2"), BitsStored=8, HighBit=7)
    return Kind(written(made), display=COLOUR)


@kind
def float_pixels_in_big_endian() -> Kind:
    """Float Pixel Data of Explicit VR Big Endian."""
    real = (DEEP / 7).astype("f4")
    made = dataset(real)
    made.FloatPixelData = real.astype(">f4").tobytes()
    made["FloatPixelData"].VR = "OB"  # written as the bytes are
    file = written(made, f"{ROOT}.2")
    at = file.index(b"\x7f\xe0\x00\x08OB")
    return Kind(file[: at + 4] + b"OF" + file[at + 6 :], pixels=real)


# --- values ---------------------------------------------------------------------------------


def windowed(values: np.ndarray, center: float, width: float) -> np.ndarray:
    """LINEAR of PS3.3 C.11.2.1.2.1 on 0..255."""
    unit = (values - (center - 0.5)) / (width - 1) + 0.5
    return np.clip(unit, 0, 1) * 255


@kind
def numbers_as_people_write_them() -> Kind:
    """Exponents, signs, blanks and NULs in DS."""
    file = written(dataset(DEEP, RescaleIntercept="-1.024e3", RescaleSlope="1"))
    file = file.replace(
        short_element(0x00281053, b"DS", b"1 "),
        short_element(0x00281053, b"DS", b" +1.0E0 \0\0"),
    )
    values = DEEP.astype(float) - 1024
    window = short_element(0x00281050, b"DS", b" 40. ") + short_element(
        0x00281051, b"DS", b"+4.E+2\0 "
    )
    at = file.index(b"\x28\x00\x52\x10DS")
    return Kind(
        file[:at] + window + file[at:],
        pixels=values,
        display=windowed(values, 40, 400),
        near=0.51,
    )


@kind
def two_slopes() -> Kind:
    """Rescale Slope with two values: the first counts."""
    made = dataset(DEEP, RescaleIntercept="-5\\7", RescaleSlope="2\\3")
    return Kind(written(made), pixels=DEEP * 2.0 - 5)


@kind
def a_slope_for_each_frame() -> Kind:
    """Met in dcm2niix 853: each frame has its slope, the last has no group of its own."""
    deep = np.stack([DEEP, DEEP, DEEP])
    made = dataset(deep, frames=3)
    made.PerFrameFunctionalGroupsSequence = [
        item(
            PixelValueTransformationSequence=[item(RescaleSlope=k, RescaleIntercept=1)]
        )
        for k in (2, 3)
    ]
    return Kind(written(made), pixels=DEEP * 3.0 + 1, frame=1)


@kind
def a_frame_without_its_group() -> Kind:
    """The last frame of the same file has the shared rescale."""
    deep = np.stack([DEEP, DEEP, DEEP])
    made = dataset(deep, frames=3)
    groups = [
        item(
            PixelValueTransformationSequence=[item(RescaleSlope=k, RescaleIntercept=1)]
        )
        for k in (2, 3, 5)
    ]
    made.SharedFunctionalGroupsSequence = groups[2:]
    made.PerFrameFunctionalGroupsSequence = groups[:2]
    return Kind(written(made), pixels=DEEP * 5.0 + 1, frame=2)


def table_item(
    first: int, bits: int, raw: bytes, count: int, vr: str = "US"
) -> Dataset:
    """An item of a LUT sequence."""
    made = Dataset()
    made.add_new(0x00283002, vr, [count, first, bits])
    made.add_new(0x00283006, "OW", raw)
    return made


@kind
def voi_lut_of_bytes_called_words() -> Kind:
    """LUT Data of one byte an entry, and a descriptor that says 16 bits."""
    entries = np.linspace(255, 0, 256).astype("u1")
    made = dataset(GREY, VOILUTSequence=[table_item(0, 16, entries.tobytes(), 256)])
    return Kind(written(made), display=255 - GREY.astype(float), near=0.51)


@kind
def modality_lut_above_the_signed_range() -> Kind:
    """Met in cornerstone 382: entries above 32,767 of signed pixels are no negative numbers."""
    signed = (GREY.astype("i2") - 128) * 1
    entries = np.arange(256).astype("u2") * 200
    made = dataset(
        signed,
        ModalityLUTSequence=[table_item(-128, 16, entries.tobytes(), 256, vr="SS")],
    )
    return Kind(written(made), pixels=GREY * 200.0)


@kind
def palette_of_bytes_called_words() -> Kind:
    """Palette data of one byte an entry, and descriptors that say 16 bits."""
    table = np.random.default_rng(5).integers(0, 256, (3, 256)).astype("u1")
    return Kind(
        written(palette(table, 16, 256)), display=np.moveaxis(table[:, GREY], 0, -1)
    )


@kind
def palette_of_words_called_bytes() -> Kind:
    """Met in cornerstone WADO 138: 16-bit entries, and descriptors that say 8 bits."""
    table = np.random.default_rng(6).integers(0, 65536, (3, 256)).astype("u2")
    right = np.moveaxis((table >> 8)[:, GREY], 0, -1)
    return Kind(written(palette(table, 8, 256)), display=right)


@kind
def palette_of_all_words_and_few_entries() -> Kind:
    """Met in OHIF 2366: 0 entries mean 65,536, and only those that 8-bit pixels need are there."""
    table = np.random.default_rng(7).integers(0, 65536, (3, 256)).astype("u2")
    right = np.moveaxis((table >> 8)[:, GREY], 0, -1)
    return Kind(written(palette(table, 16, 0)), display=right)


def palette(table: np.ndarray, bits: int, count: int) -> Dataset:
    """A Dataset of 8-bit indices with three tables."""
    made = dataset(GREY, PhotometricInterpretation="PALETTE COLOR")
    for name, entries in zip(("Red", "Green", "Blue"), table, strict=True):
        word = f"{name}PaletteColorLookupTable"
        setattr(made, f"{word}Descriptor", [count, 0, bits])
        setattr(made, f"{word}Data", entries.tobytes())
    return made


@kind
def inverse_shape_of_monochrome1() -> Kind:
    """MONOCHROME1 and Presentation LUT Shape INVERSE: inverted once (C.11.6.1.2)."""
    made = dataset(
        GREY,
        PhotometricInterpretation="MONOCHROME1",
        PresentationLUTShape="INVERSE",
        WindowCenter=128,
        WindowWidth=256,
    )
    return Kind(written(made), display=255 - GREY.astype(float), near=0.51)


@kind
def an_aspect_that_is_none() -> Kind:
    """Pixel Aspect Ratio 0 to 0."""
    return Kind(written(dataset(GREY, PixelAspectRatio=[0, 0])), stored=GREY)


@kind
def partial_420_in_native_words() -> Kind:
    """YBR_PARTIAL_420 is for videos alone: native words of it are refused by that name."""
    made = dataset(COLOUR, PhotometricInterpretation="YBR_PARTIAL_420")
    made.PixelData = made.PixelData[: SIZE[0] * SIZE[1] * 3 // 2]
    return Kind(written(made), refused="photometric")


@kind
def three_samples_called_grey() -> Kind:
    """MONOCHROME2 with three samples a pixel."""
    made = dataset(COLOUR, PhotometricInterpretation="MONOCHROME2")
    return Kind(written(made), refused="samples")


@kind
def bits_of_acr_colour() -> Kind:
    """Bits Allocated 24."""
    made = dataset(GREY, BitsAllocated=24, BitsStored=24, HighBit=23)
    return Kind(written(made), refused="bits")


@pytest.mark.parametrize("name", KINDS)
def test_a_reported_kind(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """The image is the right one, or the file is refused in one sentence of that reason."""
    made = KINDS[name]()
    if made.refused:
        with pytest.raises(DicomError) as caught:
            read_dicom(made.data, frame=made.frame)
        assert caught.value.reason == made.refused
        assert "\n" not in str(caught.value)
        return
    image = read_dicom(made.data, frame=made.frame)
    for right, shown in (
        (made.stored, image.stored),
        (made.pixels, image.pixels),
        (made.display, image.display),
    ):
        if right is not None:
            assert shown is not None
            np.testing.assert_allclose(shown.astype(float), right, atol=made.near)
    assert made.noted in caplog.text
    assert not (made.silent and caplog.text)
    if made.spacing:
        assert image.spacing == made.spacing
    assert describe(made.data)["rows"] == image.size[0]


@pytest.mark.parametrize(
    ("coding", "syntax"), [("jpegls", JPEG_LS), ("j2k", J2K), ("rle", RLE)]
)
@pytest.mark.parametrize("label", ["none", "native"])
def test_a_dataset_of_fragments_that_does_not_say_so(
    coding: str, syntax: str, label: str
) -> None:
    """A Dataset that lost its file meta, or has another copy's, holds fragments all the same."""
    streams = {
        "jpegls": imagecodecs.jpegls_encode(GREY),
        "j2k": imagecodecs.jpeg2k_encode(GREY, level=0, reversible=True),
        "rle": rle_frame([GREY]),
    }
    made = encoded(dataset(GREY), [streams[coding]], syntax)
    if label == "none":
        del made.file_meta
    else:
        made.file_meta.TransferSyntaxUID = f"{ROOT}.1"

    np.testing.assert_array_equal(read_dicom(made).stored, GREY)


def test_words_that_look_like_an_item_are_words() -> None:
    """Pixels that start with the tag of an item, and are no items."""
    words = DEEP.copy()
    words[0, :4] = 0xFFFE, 0xE000, 8, 0

    np.testing.assert_array_equal(read_dicom(written(dataset(words))).stored, words)


def test_pixels_of_a_dataset_are_bytes() -> None:
    """A text in their place is the mistake of the caller, told in a sentence."""
    made = dataset(GREY)
    made["PixelData"]._value = "text"

    with pytest.raises(InputError, match="set_pixel_data"):
        read_dicom(made)
