"""Polarity: one inversion, never two, relative to the output range."""

import numpy as np
import pytest
from dicom.build import dataset, item, ramp, written

from saliency.dicom import read_dicom


@pytest.mark.parametrize(
    ("photometric", "shape", "inverse"),
    [
        ("MONOCHROME2", None, False),
        ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME2", "INVERSE", True),
        ("MONOCHROME1", None, True),
        ("MONOCHROME1", "INVERSE", True),
        ("MONOCHROME1", "IDENTITY", False),
    ],
)
def test_polarity(photometric: str, shape: str | None, inverse: bool) -> None:  # noqa: FBT001
    """MONOCHROME1 or INVERSE make the least value white, once; IDENTITY has the last word."""
    made = dataset(ramp(), PhotometricInterpretation=photometric)
    if shape:
        made.PresentationLUTShape = shape

    shown = read_dicom(written(made)).display

    assert (shown[0, 0], shown[-1, -1]) == ((255, 0) if inverse else (0, 255))


def test_a_presentation_lut_starts_at_its_first_value() -> None:
    """The VOI output is scaled to the input of the table, from its first value on (C.11.4)."""
    entries = np.arange(256, dtype="u2")
    table = item(LUTDescriptor=[256, 100, 8], LUTData=entries.tobytes())
    plain = dataset(ramp())
    made = dataset(ramp(), PresentationLUTSequence=[table])

    found, right = (read_dicom(written(each)).display for each in (made, plain))

    np.testing.assert_array_equal(found, right)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_presentation_lut_is_the_last_word(photometric: str) -> None:
    """A Presentation LUT maps the VOI output, scaled to its entries, to P-values (C.11.4)."""
    squares = (
        (np.arange(1024, dtype=np.float64) ** 2 / 1023**2 * 4095).round().astype("u2")
    )
    table = item(LUTDescriptor=[1024, 0, 12], LUTData=squares.tobytes())
    window = {"WindowCenter": 1000, "WindowWidth": 1001}
    made = dataset(ramp(), PhotometricInterpretation=photometric, **window)
    made.PresentationLUTSequence = [table]

    shown = read_dicom(written(made)).display

    unit = np.clip((ramp() - 999.5) / 1000 + 0.5, 0, 1)
    assert np.abs(shown - 255 * unit**2).max() <= 1


def test_a_broken_presentation_lut_is_left_out() -> None:
    """A table with fewer entries than it says leaves the polarity to the rest of the header."""
    table = item(LUTDescriptor=[1024, 0, 12], LUTData=bytes(64))
    made = dataset(ramp(), PhotometricInterpretation="MONOCHROME1")
    plain = read_dicom(written(made)).display
    made.PresentationLUTSequence = [table]

    np.testing.assert_array_equal(read_dicom(written(made)).display, plain)


def test_inversion_is_relative_to_the_range_not_to_the_frame() -> None:
    """Two frames of a cine with one window invert to displays that add up to 255 everywhere."""
    frames = np.stack([ramp(), ramp() // 3])
    window = {"WindowCenter": 1000, "WindowWidth": 2000}
    plain = written(dataset(frames, frames=2, **window))
    white = written(
        dataset(frames, frames=2, PhotometricInterpretation="MONOCHROME1", **window)
    )

    for frame in (0, 1):
        both = read_dicom(plain, frame=frame).display.astype(int)
        both += read_dicom(white, frame=frame).display
        assert np.abs(both - 255).max() <= 1


def test_pixels_keep_their_polarity() -> None:
    """Inversion is a matter of the display: modality values stay what they are."""
    image = read_dicom(
        written(dataset(ramp(), PhotometricInterpretation="MONOCHROME1"))
    )

    np.testing.assert_array_equal(image.pixels, ramp().astype(np.float32))
