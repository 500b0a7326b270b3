"""Colours beside grey (PS3.3 C.7.6.19), colour tables where none can be, and unknown words."""

import numpy as np
import pytest
from dicom.build import dataset, item, ramp, written

from saliency.dicom import describe, read_dicom
from saliency.errors import DicomError

FIRST = 200
GREY = np.arange(256, dtype="u1").reshape(16, 16)


def coloured(pixels: np.ndarray, first: int = FIRST, **attributes: object) -> object:
    """A data set with tables whose red is full, whose green rises and whose blue is nothing."""
    made = dataset(pixels, **attributes)
    entries = {
        "Red": np.full(56, 0xFFFF),
        "Green": np.arange(56) * 256,
        "Blue": np.zeros(56),
    }
    for name, values in entries.items():
        setattr(made, f"{name}PaletteColorLookupTableDescriptor", [56, first, 16])
        made[f"{name}PaletteColorLookupTableDescriptor"].VR = "US"
        setattr(
            made, f"{name}PaletteColorLookupTableData", values.astype("<u2").tobytes()
        )
    return made


@pytest.mark.parametrize("said", ["COLOR", "MIXED", "Color"])
def test_values_from_the_first_mapped_on_are_colours(said: str) -> None:
    """Below it grey, spread over the grey values alone; from it on the entry of the value."""
    file = written(coloured(GREY, PixelPresentation=said.upper()))
    image = read_dicom(file.replace(said.upper().encode(), said.encode()))
    flat = image.display.reshape(-1, 3)

    grey = np.rint(np.arange(FIRST) / (FIRST - 1) * 255)
    np.testing.assert_array_equal(
        flat[:FIRST], np.repeat(grey[:, np.newaxis], 3, axis=1)
    )
    np.testing.assert_array_equal(flat[FIRST:, 0], 255)
    np.testing.assert_array_equal(flat[FIRST:, 1], np.arange(56))
    np.testing.assert_array_equal(flat[FIRST:, 2], 0)
    np.testing.assert_array_equal(image.pixels, image.display)
    np.testing.assert_array_equal(image.stored, GREY)


@pytest.mark.parametrize("said", ["MONOCHROME", "", None])
def test_tables_alone_are_no_colours(said: str | None) -> None:
    """Without Pixel Presentation COLOR or MIXED, grey is what there is."""
    made = coloured(GREY) if said is None else coloured(GREY, PixelPresentation=said)

    assert read_dicom(written(made)).display.ndim == 2


def test_a_frame_without_colours_stays_grey() -> None:
    """It keeps its modality values: no value of it is mapped."""
    made = coloured(
        np.minimum(GREY, FIRST - 1), PixelPresentation="COLOR", RescaleSlope=2
    )
    made.RescaleIntercept = 1
    image = read_dicom(written(made))

    assert image.display.ndim == 2
    assert image.pixels.max() == 2 * (FIRST - 1) + 1


def test_frames_say_for_themselves() -> None:
    """MIXED at the top, and each frame says what it is (C.8.16.2): grey ones have no colour."""
    frames = [
        item(MRImageFrameTypeSequence=[item(PixelPresentation=said)])
        for said in ("MONOCHROME", "COLOR")
    ]
    made = coloured(np.stack([GREY, GREY]), frames=2, PixelPresentation="MIXED")
    made.PerFrameFunctionalGroupsSequence = frames
    file = written(made)

    assert [read_dicom(file, frame=k).display.ndim for k in range(2)] == [2, 3]


def test_signed_values_have_colours_too() -> None:
    """The first mapped value is signed where the pixels are (C.7.6.3.1.5)."""
    values = (GREY.astype("i2") - 250).reshape(16, 16)
    made = coloured(values, first=0x10000 - 20, PixelPresentation="COLOR")
    display = read_dicom(written(made)).display

    assert ((display[..., 0] == 255) & (display[..., 2] == 0)).sum() == (
        values >= -20
    ).sum()


def test_missing_tables_are_noted(caplog: pytest.LogCaptureFixture) -> None:
    """COLOR without tables is shown grey, and somebody learns of it."""
    image = read_dicom(written(dataset(GREY, PixelPresentation="COLOR")))

    assert image.display.ndim == 2
    assert any("Supplemental Palette" in each.message for each in caplog.records)


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("said", ["PALETTE COLOR", "RGB"])
def test_floats_are_no_colours(kind: str, said: str) -> None:
    """Float pixels are MONOCHROME2 alone (C.7.6.24): refused by name, tables or none."""
    made = coloured(ramp(kind), PhotometricInterpretation=said)
    if said == "RGB":
        made = dataset(np.stack([ramp(kind)] * 3, axis=-1))

    for ask in (read_dicom, describe):
        with pytest.raises(DicomError) as caught:
            ask(written(made))
        assert caught.value.reason == "photometric"


@pytest.mark.parametrize("kind", ["u4", "u8", "i4"])
def test_wide_indices_are_looked_up_one_by_one(kind: str) -> None:
    """A table of every value that 32 bits may have would take 4 GiB; 64 bits have none."""
    values = (np.arange(64).reshape(8, 8) * 2**20).astype(kind)
    values[0, :3] = (FIRST, FIRST + 7, 0)
    shown = read_dicom(
        written(coloured(values, PhotometricInterpretation="PALETTE COLOR"))
    ).display

    assert shown[0, :3, 1].tolist() == [0, 7, 0]
    assert shown[7, 7].tolist() == [255, 55, 0]


@pytest.mark.parametrize(
    "said", ["PALETTE_COLOR", "PALETTE  COLOR", "PALETTECOLOR", "PALETTE COLOUR"]
)
def test_another_spelling_is_read_with_a_note(
    said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What can mean one thing alone is read so, and the note names the attribute."""
    file = written(coloured(GREY, PhotometricInterpretation=said))

    right = read_dicom(
        written(coloured(GREY, PhotometricInterpretation="PALETTE COLOR"))
    ).display
    assert not caplog.records
    np.testing.assert_array_equal(read_dicom(file).display, right)
    assert any("(0028,0004)" in each.message for each in caplog.records)


@pytest.mark.parametrize(
    ("said", "inverse"), [("GRAYSCALE", False), ("MONOCHROME 1", True)]
)
def test_a_word_nobody_knows_is_noted(
    said: str, *, inverse: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """It is taken for MONOCHROME2, tables beside it or not, and never without a word."""
    display = read_dicom(
        written(coloured(GREY, PhotometricInterpretation=said))
    ).display

    np.testing.assert_array_equal(display, 255 - GREY if inverse else GREY)
    assert any("(0028,0004)" in each.message for each in caplog.records)
