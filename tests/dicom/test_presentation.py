"""Polarity: one inversion, never two, relative to the output range."""

import numpy as np
import pytest
from dicom.build import dataset, ramp, written

from saliency.dicom import read_dicom


@pytest.mark.parametrize(
    ("photometric", "shape", "inverse"),
    [
        ("MONOCHROME2", None, False),
        ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME2", "INVERSE", True),
        ("MONOCHROME1", None, True),
        ("MONOCHROME1", "INVERSE", True),
    ],
)
def test_polarity(photometric: str, shape: str | None, inverse: bool) -> None:  # noqa: FBT001
    """MONOCHROME1 and INVERSE make the least value white; both together do it once."""
    made = dataset(ramp(), PhotometricInterpretation=photometric)
    if shape:
        made.PresentationLUTShape = shape

    shown = read_dicom(written(made)).display

    assert (shown[0, 0], shown[-1, -1]) == ((255, 0) if inverse else (0, 255))


def test_inversion_is_relative_to_the_range_not_to_the_frame() -> None:
    """Two frames of a cine with one window invert to displays that add up to 255 everywhere."""
    frames = np.stack([ramp(), ramp() // 3])
    window = {"WindowCenter": 1000, "WindowWidth": 2000}
    plain = written(dataset(frames, frames=2, **window))
    white = written(dataset(frames, frames=2, PhotometricInterpretation="MONOCHROME1", **window))

    for frame in (0, 1):
        both = read_dicom(plain, frame=frame).display.astype(int)
        both += read_dicom(white, frame=frame).display
        assert np.abs(both - 255).max() <= 1


def test_pixels_keep_their_polarity() -> None:
    """Inversion is a matter of the display: modality values stay what they are."""
    image = read_dicom(written(dataset(ramp(), PhotometricInterpretation="MONOCHROME1")))

    np.testing.assert_array_equal(image.pixels, ramp().astype(np.float32))
