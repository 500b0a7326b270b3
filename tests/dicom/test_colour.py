"""Colour: RGB, YBR and palettes (PS3.3 C.7.6.3.1)."""

import io

import numpy as np
import pydicom
import pytest
from dicom.build import SIZE, dataset, ramp, written
from pydicom.pixels.processing import apply_color_lut

from saliency.dicom import read_dicom
from saliency.dicom.display.colour import from_ybr, full_range
from saliency.dicom.display.lut import Descriptor
from saliency.dicom.display.palette import expand_segments
from saliency.errors import DicomError


@pytest.fixture
def rgb() -> np.ndarray:
    """Colours that are all different."""
    return np.random.default_rng(0).integers(0, 256, (*SIZE, 3)).astype("u1")


def test_rgb_is_shown_as_it_is(rgb: np.ndarray) -> None:
    """RGB of 8 bits is the display, bit for bit, and takes no window."""
    image = read_dicom(written(dataset(rgb, WindowCenter=5, WindowWidth=6)))

    np.testing.assert_array_equal(image.display, rgb)
    np.testing.assert_array_equal(image.pixels, rgb.astype(np.float32))
    assert image.window is None


def test_planes_are_interleaved(rgb: np.ndarray) -> None:
    """Planar Configuration 1 holds all red, all green, all blue."""
    made = dataset(rgb, PlanarConfiguration=1)
    made.PixelData = np.moveaxis(rgb, -1, 0).tobytes() + b"\0"

    np.testing.assert_array_equal(read_dicom(written(made)).display, rgb)


@pytest.mark.parametrize("bits", [16, 32])
def test_deep_colour_is_scaled(rgb: np.ndarray, bits: int) -> None:
    """16-bit and 32-bit RGB are shown by 0..255 of their range."""
    deep = rgb.astype(f"u{bits // 8}") * ((2**bits - 1) // 255)

    np.testing.assert_array_equal(read_dicom(written(dataset(deep))).display, rgb)


def test_ybr_of_the_primaries() -> None:
    """(76, 85, 255) is red and (29, 255, 107) is blue, to one level; grey is grey."""
    found = from_ybr(
        np.array([[76, 85, 255], [29, 255, 107], [90, 128, 128]], np.float32)
    )

    np.testing.assert_allclose(
        found, [[254, 0, 0], [0, 0, 254], [90, 90, 90]], atol=1.5
    )


def test_partial_range_is_stretched() -> None:
    """Y 16 is black and 235 white; Cb and Cr 16..240 are the full range."""
    found = full_range(np.array([[16, 16, 240], [235, 128, 128]], np.float32))

    np.testing.assert_allclose(found, [[0, 0.5, 255.5], [255, 128, 128]], atol=1e-3)


def test_half_chroma_is_shared_by_two_pixels() -> None:
    """YBR_FULL_422 holds Y Y Cb Cr: both pixels of a pair take the same chroma."""
    ybr = np.tile(np.array([50, 200, 128, 128], "u1"), 37 * 27)
    made = dataset(
        np.zeros((37, 54, 3), "u1"), PhotometricInterpretation="YBR_FULL_422"
    )
    made.PixelData = ybr.tobytes()

    shown = read_dicom(written(made)).display

    assert (shown[:, ::2] == 50).all()
    assert (shown[:, 1::2] == 200).all()


@pytest.mark.parametrize("columns", [53, 54])
@pytest.mark.parametrize("whole", ["YBR_FULL", "YBR_PARTIAL"])
def test_whole_chroma_under_the_label_of_half(whole: str, columns: int) -> None:
    """Native 4:2:2 with three bytes a pixel is not: decompressors keep the label, and the range."""
    ybr = np.random.default_rng(0).integers(0, 256, (37, columns, 3)).astype("u1")

    found, plain = (
        read_dicom(written(dataset(ybr, PhotometricInterpretation=label)))
        for label in (f"{whole}_422", whole)
    )

    np.testing.assert_array_equal(found.display, plain.display)


@pytest.mark.parametrize(("bits", "used"), [(10, 10), (12, 12), (14, 14), (12, 16)])
def test_palette_entries_of_other_depths_keep_their_brightness(
    bits: int, used: int
) -> None:
    """Entries of 12 bits are shown by their upper 8 of 12, as DCMTK does; unless they have more."""
    entries = np.linspace(0, (1 << used) - 1, 8).astype("u2")
    made = dataset(np.arange(8, dtype="u1").reshape(2, 4))
    made.PhotometricInterpretation = "PALETTE COLOR"
    for colour in ("Red", "Green", "Blue"):
        name = f"{colour}PaletteColorLookupTable"
        setattr(made, f"{name}Descriptor", [8, 0, bits])
        setattr(made, f"{name}Data", entries.tobytes())

    shown = read_dicom(written(made)).display[..., 0].ravel()

    np.testing.assert_array_equal(shown, entries >> used - 8)


def test_pairs_in_rows_of_odd_length_are_refused() -> None:
    """Native YBR_FULL_422 of 53 columns: PS3.3 C.7.6.3 asks for an even number."""
    made = dataset(
        np.zeros((37, 53, 3), "u1"), PhotometricInterpretation="YBR_FULL_422"
    )
    made.PixelData = bytes(37 * 54 * 2)

    with pytest.raises(
        DicomError, match=r"even number of Columns .*C\.7\.6\.3"
    ) as caught:
        read_dicom(written(made))
    assert caught.value.reason == "image-pixel"


def test_partial_half_chroma_is_shown() -> None:
    """YBR_PARTIAL_422 of Y 16 and 235 without colour is black and white."""
    made = dataset(
        np.zeros((37, 54, 3), "u1"), PhotometricInterpretation="YBR_PARTIAL_422"
    )
    made.PixelData = np.tile(np.array([16, 235, 128, 128], "u1"), 37 * 27).tobytes()

    shown = read_dicom(written(made)).display

    assert (shown[:, ::2] == 0).all()
    assert (shown[:, 1::2] == 255).all()


def test_a_dark_table_among_bright_ones_keeps_its_depth() -> None:
    """Of entries of 16 bits a table below 256 is black: the three tables have one depth."""
    made = pydicom.dcmread(io.BytesIO(palette(16, 256)))
    made.BluePaletteColorLookupTableData = np.arange(256, dtype="<u2").tobytes()

    shown = read_dicom(written(made)).display

    assert shown[..., 2].max() == 0
    assert shown[..., 0].max() == 255


def palette(bits: int, scale: int = 1, **attributes: object) -> bytes:
    """Return a file of indices with a palette: red rises, green falls, blue is 7."""
    entries = np.arange(256, dtype="u2")
    dtype = "u1" if bits == 8 else "<u2"
    made = dataset(
        ramp() % 256, PhotometricInterpretation="PALETTE COLOR", **attributes
    )
    for colour, table in zip(
        ("Red", "Green", "Blue"), (entries, 255 - entries, entries * 0 + 7), strict=True
    ):
        name = f"{colour}PaletteColorLookupTable"
        setattr(made, f"{name}Descriptor", [256, 0, bits])
        made[f"{name}Descriptor"].VR = "US"
        setattr(made, f"{name}Data", (table * scale).astype(dtype).tobytes())
    return written(made)


@pytest.mark.parametrize(("bits", "scale"), [(8, 1), (16, 256), (16, 257), (16, 1)])
def test_palette_entries(bits: int, scale: int) -> None:
    """Entries of 8 bits are shown as they are, those of 16 by their upper 8, if those are used."""
    shown = read_dicom(palette(bits, scale)).display.reshape(-1, 3)

    assert shown[[0, 1, 255, 256]].tolist() == [
        [0, 255, 7],
        [1, 254, 7],
        [255, 0, 7],
        [0, 255, 7],
    ]


def test_palette_keeps_its_indices() -> None:
    """The stored values of a palette picture are the indices."""
    np.testing.assert_array_equal(read_dicom(palette(8)).stored, ramp() % 256)


def test_segments_of_the_standard() -> None:
    """Discrete, linear and indirect segments expand as C.7.9.2 has it."""
    words = [0, 2, 10, 20, 1, 4, 60, 2, 1, 0, 0]

    found = expand_segments(
        np.array(words, "<u2").tobytes(), Descriptor(8, 0, 16), little=True
    )

    assert found is not None
    assert found.tolist() == [10, 20, 30, 40, 50, 60, 10, 20]


@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("bits", [8, 16])
def test_an_indirect_segment_counts_bytes(bits: int, little: bool) -> None:  # noqa: FBT001
    """Its offset has 32 bits whatever the entries have (C.7.9.2.3); here, of the second segment."""
    second, order = 3 * bits // 8, "<" if little else ">"
    word = "u1" if bits == 8 else f"{order}u2"
    start = np.array([second, 0], f"{order}u2").tobytes()
    raw = np.array([0, 1, 10, 1, 3, 40, 2, 1], word).tobytes() + start

    found = expand_segments(raw, Descriptor(7, 0, bits), little=little)

    assert found is not None
    assert found.tolist() == [10, 20, 30, 40, 40, 40, 40]


@pytest.mark.parametrize(
    "words",
    [[0, 9, 1], [1, 4, 60], [2, 60000, 0, 0], [7, 1, 1], [0, 0, 0, 0], [1, 65535, 1]],
)
def test_broken_segments_are_no_palette(words: list[int]) -> None:
    """Segments that run over, start with a ramp or point ahead give None, not a hang."""
    raw = np.array(words, "<u2").tobytes()

    assert expand_segments(raw, Descriptor(8, 0, 16), little=True) is None


def test_three_samples_of_grey_are_refused(rgb: np.ndarray) -> None:
    """MONOCHROME2 with 3 samples is neither grey nor colour: DicomError names both tags."""
    file = written(dataset(rgb, PhotometricInterpretation="MONOCHROME2"))

    with pytest.raises(DicomError, match=r"\(0028,0002\)"):
        read_dicom(file)


@pytest.mark.parametrize(("bits", "scale"), [(16, 256), (8, 1)])
def test_a_segmented_palette_is_as_pydicom_has_it(bits: int, scale: int) -> None:
    """Discrete, linear and indirect segments, beside pydicom's own expansion.

    The copy starts at byte 0, since pydicom counts words where C.7.9.2.3 counts bytes.
    """
    made = pydicom.dcmread(io.BytesIO(palette(bits, scale)))
    offset = [0, 0] if bits == 16 else [0, 0, 0, 0]
    words = [0, 2, 10 * scale, 20 * scale, 1, 124, 60 * scale]
    words += [2, 2, *offset, 1, 4, 255 * scale]
    for colour in ("Red", "Green", "Blue"):
        del made[f"{colour}PaletteColorLookupTableData"]
        segments = np.array(words, "<u2" if bits == 16 else "u1").tobytes()
        made.add_new(f"Segmented{colour}PaletteColorLookupTableData", "OW", segments)

    expected = apply_color_lut(ramp() % 256, made)

    shown = read_dicom(written(made)).display.astype(int)
    assert np.abs(shown - (expected >> (bits - 8))).max() <= 1  # pydicom cuts ramps off
