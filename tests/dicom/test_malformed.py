"""Broken and hostile files: each is refused with a reason, or shown with a note."""

import logging
import struct
import time
import tracemalloc
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from dicom.build import dataset, encoded, item, ramp, written
from shared import ROOT, shared

from saliency.dicom import read_dicom
from saliency.errors import DicomError

#: What the shared files must get: a reason, or "shown".
WANTED = {
    "01_rows65535_2bytes": "over-limit",
    "02_rows_zero": "image-pixel",
    "04_bitsallocated_12": "image-pixel",
    "05_bitsstored_gt_allocated": "image-pixel",
    "07_frames_2e9": "over-limit",
    "08_frames_negative": "frames",
    "10_palette_without_lut": "palette",
    "11_palette_short_lut": "palette",
    "13_modality_lut_short": "shown",
    "14_slope_zero": "shown",
    "16_slope_nan": "shown",
    "17_window_zero": "shown",
    "19_window_inf": "shown",
    "20_truncated_in_header": "truncated",
    "22_empty_file": "not-dicom",
    "23_only_preamble": "truncated",
    "25_elem_len_4gb": "truncated",
    "26_sq_depth_5000_open": "over-limit",
    "27_sq_endless_items": "over-limit",
    "28_million_elements": "over-limit",
    "29_dup_and_unsorted_tags": "shown",
    "31_ts_lies_big_endian": "byte-order",
    "32_ts_unknown_uid": "unknown-transfer-syntax",
    "33_deflate_bomb_1GB": "over-limit",
    "34_rle_overlong_segments": "broken-codestream",
    "35_rle_header_offsets_wild": "broken-codestream",
    "36_jpeg_sof_65500": "size-mismatch",
    "37_j2k_siz_60000": "over-limit",
    "38_j2k_1x1_tiles": "over-limit",
    "40_fragment_len_4gb": "truncated",
    "41_empty_fragment": "empty-frame",
    "43_charset_bad_bytes": "shown",
    "44_overlay_65535": "shown",
    "46_aspect_zero": "shown",
    "47_polyglot_MZ_preamble": "shown",
    "49_padding_covers_all": "shown",
}


def outcome(source: object) -> str:
    """Return the reason of a refusal, or "shown"."""
    try:
        read_dicom(source)
    except DicomError as error:
        return error.reason
    return "shown"


@pytest.mark.parametrize("name", WANTED)
def test_shared_files(name: str) -> None:
    """Each hostile file gets what it deserves, in less than two seconds."""
    path = shared("malformed", f"{name}.dcm")
    begin = time.process_time()

    assert outcome(path) == WANTED[name]
    assert time.process_time() - begin < 2


@pytest.mark.parametrize(
    "name",
    [
        "01_rows65535_2bytes",
        "33_deflate_bomb_1GB",
        "36_jpeg_sof_65500",
        "37_j2k_siz_60000",
    ],
)
def test_bombs_need_no_memory(name: str) -> None:
    """What asks for gigabytes is refused within 300 MB."""
    path = shared("malformed", f"{name}.dcm")
    tracemalloc.start()
    outcome(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 300e6


def test_no_shared_file_is_forgotten() -> None:
    """Every file of the folder has a row above."""
    names = {path.stem for path in Path(ROOT, "malformed").glob("*.dcm")}

    assert names <= set(WANTED)


def patched(file: bytes, tag: int, value: bytes) -> bytes:
    """Return the file with the value of a short element replaced by as many bytes."""
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    at = file.index(head) + 8
    return file[:at] + value + file[at + len(value) :]


def test_a_negative_number_of_frames() -> None:
    """-5 frames are none."""
    assert outcome(written(dataset(ramp(), NumberOfFrames="-5"))) == "frames"


def test_letters_after_a_number_of_frames() -> None:
    """Number of Frames '1A', as one scanner writes it, is 1."""
    file = written(dataset(ramp(), NumberOfFrames="12")).replace(
        b"IS\x02\x0012", b"IS\x02\x001A"
    )

    assert read_dicom(file).frames == 1


@pytest.mark.parametrize("bits", [0, 7, 24, 128])
def test_impossible_bits(bits: int) -> None:
    """Bits Allocated other than 1, 8, 16, 32, 64 (and packed 12) are refused."""
    file = patched(written(dataset(ramp())), 0x00280100, struct.pack("<H", bits))

    assert outcome(file) in ("bits", "image-pixel")


def test_high_bit_3_is_shown() -> None:
    """High Bit below Bits Stored - 1 cannot be, and changes nothing."""
    file = patched(written(dataset(ramp())), 0x00280102, struct.pack("<H", 3))

    np.testing.assert_array_equal(read_dicom(file).stored, ramp())


def test_an_empty_pixel_element_is_no_pixel_data() -> None:
    """Pixel Data of no bytes is no picture."""
    made = dataset(ramp())
    made.PixelData = b""

    assert outcome(written(made)) == "no-pixel-data"


def test_text_is_not_dicom() -> None:
    """A text file, a PNG and a zip are not DICOM."""
    for data in (
        b"Dear colleague, " * 40,
        b"\x89PNG\r\n\x1a\n" + bytes(300),
        b"PK\3\4" + bytes(300),
    ):
        assert outcome(data) == "not-dicom"


def test_cut_pixels_are_refused() -> None:
    """A file that ends within its pixels is refused, wherever it ends."""
    file = written(dataset(ramp()))

    for length in (len(file) - 2, len(file) - 1000, len(file) - 37 * 53 * 2 + 10):
        assert outcome(file[:length]) == "truncated"


def test_a_folder_and_a_missing_file(tmp_path: Path) -> None:
    """A folder is no regular file, a missing one cannot be opened; neither path is repeated."""
    for path, reason in (
        (tmp_path, "not-a-file"),
        (tmp_path / "smith.dcm", "cannot-open"),
    ):
        with pytest.raises(DicomError) as caught:
            read_dicom(path)
        assert caught.value.reason == reason
        assert "smith" not in str(caught.value)


def test_400_000_empty_items_cost_less_than_a_second() -> None:
    """Endless items of an unlisted sequence stop at the limit, by CPU time and in little memory."""
    items = struct.pack("<HHI", 0xFFFE, 0xE000, 0) * 400_000
    head = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    file = written(dataset(ramp()))
    at = file.index(b"\x08\x00\x60\x00CS")
    begin = time.process_time()

    assert outcome(file[:at] + head + items + file[at:]) == "over-limit"
    assert time.process_time() - begin < 2


@pytest.mark.parametrize("inner", ["implicit", "explicit"])
def test_a_sequence_hidden_in_unknown(inner: str) -> None:
    """A private UN of undefined length is passed over, whichever way its items are written."""
    value = (
        b"\x09\x00\x01\x10"
        + (b"LO\x04\x00" if inner == "explicit" else b"\x04\0\0\0")
        + b"ABCD"
    )
    hidden = (
        struct.pack("<HH2sHI", 0x0009, 0x1010, b"UN", 0, 0xFFFFFFFF)
        + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
        + value
        + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
        + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    )
    file = written(dataset(ramp()))
    at = file.index(b"\x28\x00\x02\x00US")

    assert outcome(file[:at] + hidden + file[at:]) == "shown"


def test_stray_delimiters_are_passed_over() -> None:
    """An item delimiter between elements ends nothing."""
    file = written(dataset(ramp()))
    at = file.index(b"\x28\x00\x02\x00US")

    assert (
        outcome(file[:at] + struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + file[at:])
        == "shown"
    )


def test_functional_groups_of_many_frames_are_no_attack() -> None:
    """Two thousand frames with groups of undefined length exceed the limit, and are read."""
    group = b"".join(
        struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
        + struct.pack("<HH2sH2s", 0x0018, 0x9073, b"CS", 2, b"AB") * 60
        + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
        for _ in range(2000)
    )
    head = struct.pack("<HH2sHI", 0x5200, 0x9230, b"SQ", 0, 0xFFFFFFFF)
    file = written(dataset(np.zeros((2000, 3, 4), "u1"), frames=2000))
    at = file.index(b"\xe0\x7f\x10\x00")
    end = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)

    assert outcome(file[:at] + head + group + end + file[at:]) == "shown"


def test_a_deflate_bomb_stops_at_the_cap() -> None:
    """Zeros deflated a thousand times over are not inflated to the end."""
    file = written(dataset(ramp()), "1.2.840.10008.1.2.1.99")
    start = 132 + 12 + struct.unpack_from("<I", file, 140)[0]
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = b"".join(
        [*(bomb.compress(bytes(2**20)) for _ in range(200)), bomb.flush()]
    )
    tracemalloc.start()

    assert outcome(file[:start] + deflated) == "over-limit"
    assert tracemalloc.get_traced_memory()[1] < 250e6
    tracemalloc.stop()


def test_a_jpeg_of_another_size_is_not_decoded() -> None:
    """A 65,500 x 65,500 JPEG in a 37 x 53 header is refused by its header alone."""
    stream = bytearray(imagecodecs.jpeg8_encode(np.zeros((37, 53), "u1")))
    at = stream.index(b"\xff\xc0") + 5
    stream[at : at + 4] = struct.pack(">HH", 65500, 65500)
    made = encoded(dataset(ramp("u1")), [bytes(stream)], "1.2.840.10008.1.2.4.50")
    begin = time.process_time()

    assert outcome(written(made)) == "size-mismatch"
    assert time.process_time() - begin < 1


@pytest.mark.parametrize("cut", [100, 400, 900])
def test_a_jpegls_frame_without_an_end_does_not_hang(cut: int) -> None:
    """CharLS takes 20 s over a stream without EOI; with ours it takes none."""
    values = np.random.default_rng(0).integers(0, 4096, (256, 256)).astype("u2")
    stream = imagecodecs.jpegls_encode(values)[:cut]
    file = written(encoded(dataset(values), [stream], "1.2.840.10008.1.2.4.80"))
    begin = time.process_time()

    assert outcome(file) == "broken-codestream"
    assert time.process_time() - begin < 1


def test_a_jp2_box_without_a_length_does_not_hang() -> None:
    """A box of length 0 before a broken codestream ends in a refusal: pydicom walks it for ever."""
    colour = np.stack([ramp("u1")] * 3, axis=-1)
    stream = bytearray(imagecodecs.jpeg2k_encode(colour, codecformat="jp2"))
    stream[12:16] = bytes(4)
    begin = stream.find(b"\xff\x4f\xff\x51")
    stream[begin + 60 :] = bytes(len(stream) - begin - 60)
    made = encoded(dataset(colour), [bytes(stream)], "1.2.840.10008.1.2.4.91")

    assert outcome(written(made)) == "broken-codestream"


def test_notes_hold_no_value(caplog: pytest.LogCaptureFixture) -> None:
    """What is shown although something is wrong leaves a note of tags, not of values."""
    made = dataset(ramp(), RescaleSlope="0", RescaleIntercept="123.75")
    with caplog.at_level(logging.WARNING, "saliency.dicom"):
        read_dicom(written(made))

    assert "(0028,1053)" in caplog.text
    assert "123.75" not in caplog.text


def test_unlisted_elements_are_never_read() -> None:
    """A name that is broken, long or 60 MB costs nothing: it is skipped by its length."""
    made = dataset(ramp())
    made.add_new(0x00091001, "UN", bytes(60_000_000))
    file = written(made)
    tracemalloc.start()
    read_dicom(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 5e6


def test_a_nested_icon_is_not_the_picture() -> None:
    """Pixel Data inside an Icon Image Sequence alone is no pixel data."""
    made = dataset(ramp())
    icon = item(Rows=2, Columns=2, PixelData=bytes(4))
    icon["PixelData"].VR = "OB"
    made.IconImageSequence = [icon]
    del made.PixelData

    assert outcome(written(made)) == "no-pixel-data"


def test_a_listed_element_of_an_unknown_vr_is_read_by_its_tag() -> None:
    """Rows with the VR 'ZZ' are still Rows: PS3.6 knows the VR of a tag."""
    file = written(dataset(ramp())).replace(
        b"\x28\x00\x10\x00US", b"\x28\x00\x10\x00ZZ"
    )

    np.testing.assert_array_equal(read_dicom(file).stored, ramp())


def test_numbers_without_end_are_refused() -> None:
    """A Window Center of two million numbers is refused by its length."""
    made = dataset(ramp(), WindowCenter="1", WindowWidth="1")
    file = written(made, "1.2.840.10008.1.2")
    at = file.index(b"\x28\x00\x50\x10")
    many = struct.pack("<HHI", 0x0028, 0x1050, 4_000_000) + b"1\\" * 2_000_000

    assert outcome(file[:at] + many + file[at + 10 :]) == "over-limit"


def test_a_segmented_bomb_stops() -> None:
    """Indirect segments that repeat a long ramp end with the table, not with the memory."""
    words = [0, 1, 5, 1, 60000, 9, *[2, 2, 0, 0] * 4000]
    made = dataset(ramp(), PhotometricInterpretation="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        name = f"{colour}PaletteColorLookupTable"
        setattr(made, f"{name}Descriptor", [0, 0, 16])
        made[f"{name}Descriptor"].VR = "US"
        setattr(made, f"Segmented{name}Data", np.array(words, "<u2").tobytes())
    begin = time.process_time()

    assert outcome(written(made)) == "palette"
    assert time.process_time() - begin < 1
