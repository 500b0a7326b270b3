"""Modality LUT against PS3.3 C.11.1."""

import numpy as np
import pytest
from dicom.build import dataset, item, ramp, written

from saliency.dicom import read_dicom


def test_rescale_is_a_line() -> None:
    """Pixels are slope * stored + intercept, as real numbers."""
    image = read_dicom(written(dataset(ramp(), RescaleSlope="0.25", RescaleIntercept="-3.5")))

    np.testing.assert_array_equal(image.pixels, ramp().astype(np.float32) * 0.25 - 3.5)
    np.testing.assert_array_equal(image.stored, ramp())


def test_table_of_codes_changes_nothing() -> None:
    """A large frame, whose codes are looked up, has the pixels of a small one, pixel by pixel."""
    values = np.random.default_rng(0).integers(-2000, 3000, (307, 311)).astype("i2")
    made = dataset(values, RescaleSlope="1.7", RescaleIntercept="3", WindowCenter=9, WindowWidth=99)
    whole = read_dicom(written(made))

    made.Rows, made.PixelData = 3, values[:3].tobytes() + b""
    part = read_dicom(written(made))

    np.testing.assert_array_equal(whole.pixels[:3], part.pixels)
    np.testing.assert_array_equal(whole.display[:3], part.display)


@pytest.mark.parametrize("slope", ["0", "nan", "inf", "1e308", "text"])
def test_impossible_slope_is_identity(slope: str) -> None:
    """A slope that is 0 or no number leaves the stored values, finite."""
    file = written(dataset(ramp(), RescaleSlope="1.25", RescaleIntercept="0")).replace(
        b"1.25", slope[:4].encode().ljust(4)
    )

    np.testing.assert_array_equal(read_dicom(file).pixels, ramp().astype(np.float32))


def test_lut_maps_from_its_first_value() -> None:
    """A Modality LUT of first value 10 sends 10 to entry 0, and clamps at both ends."""
    lut = item(LUTDescriptor=[3, 10, 16], LUTData=[500, 700, 1100], ModalityLUTType="US")
    made = dataset(ramp(), ModalityLUTSequence=[lut])
    for keyword in ("LUTDescriptor", "LUTData"):
        made.ModalityLUTSequence[0][keyword].VR = "US"

    pixels = read_dicom(written(made)).pixels.ravel()

    assert pixels[[0, 9, 10, 11, 12, 13]].tolist() == [500, 500, 500, 700, 1100, 1100]


def test_short_lut_is_left_out() -> None:
    """A LUT with fewer entries than its descriptor says leaves the stored values."""
    lut = item(LUTDescriptor=[300, 0, 16], LUTData=[1, 2], ModalityLUTType="US")
    made = dataset(ramp(), ModalityLUTSequence=[lut])
    for keyword in ("LUTDescriptor", "LUTData"):
        made.ModalityLUTSequence[0][keyword].VR = "US"

    np.testing.assert_array_equal(read_dicom(written(made)).pixels, ramp().astype(np.float32))


@pytest.mark.parametrize("modality", ["XA", "RF"])
def test_angiography_keeps_stored_values(modality: str) -> None:
    """XA and RF rescale to beam intensity, which is not for display: it is left out."""
    made = dataset(ramp(), RescaleSlope=2, RescaleIntercept=5, Modality=modality)

    np.testing.assert_array_equal(read_dicom(written(made)).pixels, ramp().astype(np.float32))


def test_rescale_of_the_frame_wins() -> None:
    """Rescale comes from the frame, else the shared group, else the top (C.7.6.16.2.9)."""
    own = item(PixelValueTransformationSequence=[item(RescaleSlope=3, RescaleIntercept=1)])
    shared = item(PixelValueTransformationSequence=[item(RescaleSlope=2, RescaleIntercept=0)])
    made = dataset(np.stack([ramp(), ramp()]), frames=2, RescaleSlope=9, RescaleIntercept=9)
    made.SharedFunctionalGroupsSequence = [shared]
    made.PerFrameFunctionalGroupsSequence = [item(), own]
    file = written(made)

    assert read_dicom(file, frame=0).pixels[0, 5] == 10
    assert read_dicom(file, frame=1).pixels[0, 5] == 16


def test_deep_integers_keep_their_range() -> None:
    """32-bit doses keep seven digits of their value after a small slope."""
    values = (ramp("u4") + 1) * 2_000_003
    image = read_dicom(written(dataset(values, RescaleSlope="1e-6", RescaleIntercept=0)))

    np.testing.assert_allclose(image.pixels, values * 1e-6, rtol=1e-6)
