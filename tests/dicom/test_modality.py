"""Modality LUT against PS3.3 C.11.1."""

import numpy as np
import pytest
from dicom.build import dataset, item, ramp, written

from saliency.dicom import read_dicom


def test_rescale_is_a_line() -> None:
    """Pixels are slope * stored + intercept, as real numbers."""
    image = read_dicom(
        written(dataset(ramp(), RescaleSlope="0.25", RescaleIntercept="-3.5"))
    )

    np.testing.assert_array_equal(image.pixels, ramp().astype(np.float32) * 0.25 - 3.5)
    np.testing.assert_array_equal(image.stored, ramp())


def test_table_of_codes_changes_nothing() -> None:
    """A large frame, whose codes are looked up, has the pixels of a small one, pixel by pixel."""
    values = np.random.default_rng(0).integers(-2000, 3000, (307, 311)).astype("i2")
    made = dataset(
        values, RescaleSlope="1.7", RescaleIntercept="3", WindowCenter=9, WindowWidth=99
    )
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
    lut = item(
        LUTDescriptor=[3, 10, 16], LUTData=[500, 700, 1100], ModalityLUTType="US"
    )
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

    np.testing.assert_array_equal(
        read_dicom(written(made)).pixels, ramp().astype(np.float32)
    )


XA, RF, BIPLANE = (f"1.2.840.10008.5.1.4.1.1.12.{kind}" for kind in (1, 2, 3))
CT, CAPTURE = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.7.2"
STORAGE = "1.2.840.10008.5.1.4.1.1"
DOSE = "1.2.840.10008.5.1.4.1.1.481.2"


@pytest.mark.parametrize("sop", [XA, RF, BIPLANE])
def test_angiography_keeps_stored_values(sop: str) -> None:
    """XA and RF objects rescale to beam intensity, which is not for display: it is left out."""
    made = dataset(
        ramp(), RescaleSlope=2, RescaleIntercept=5, Modality="OT", SOPClassUID=sop
    )

    np.testing.assert_array_equal(
        read_dicom(written(made)).pixels, ramp().astype(np.float32)
    )


@pytest.mark.parametrize("modality", ["XA", "RF"])
@pytest.mark.parametrize("sop", [CT, CAPTURE, None])
def test_other_objects_of_an_angiography_system_are_rescaled(
    modality: str, sop: str | None
) -> None:
    """A cone-beam CT with XA in its Modality has Hounsfield units, wherever its rescale lies."""
    made = dataset(ramp(), RescaleSlope=2, RescaleIntercept=5, Modality=modality)
    grouped = dataset(ramp(), Modality=modality)
    rescale = item(RescaleSlope=2, RescaleIntercept=5)
    grouped.SharedFunctionalGroupsSequence = [
        item(PixelValueTransformationSequence=[rescale])
    ]
    lut = item(LUTDescriptor=[2, 0, 16], LUTData=[500, 700], ModalityLUTType="HU")
    lut["LUTDescriptor"].VR = lut["LUTData"].VR = "US"
    mapped = dataset(ramp(), Modality=modality, ModalityLUTSequence=[lut])
    for each in (made, grouped, mapped):
        if sop is not None:
            each.SOPClassUID = sop

    np.testing.assert_array_equal(read_dicom(written(made)).pixels, 2.0 * ramp() + 5)
    np.testing.assert_array_equal(read_dicom(written(grouped)).pixels, 2.0 * ramp() + 5)
    np.testing.assert_array_equal(
        read_dicom(mapped).pixels, np.where(ramp() > 0, 700, 500)
    )


@pytest.mark.parametrize(
    ("slope", "intercept", "name"), [("abc", "5", "Slope"), ("2", "abc", "Intercept")]
)
def test_the_note_names_what_is_broken(
    slope: str, intercept: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a rescale, the note names the number that cannot be read, and not the other."""
    made = dataset(ramp(), RescaleSlope="2.25", RescaleIntercept="5.75")
    file = written(made).replace(b"2.25", slope.encode().ljust(4))

    read_dicom(file.replace(b"5.75", intercept.encode().ljust(4)))

    assert [f"Rescale {name}" in each.message for each in caplog.records] == [True]


def test_a_dose_is_in_gray() -> None:
    """Pixels of an RT Dose are stored values times Dose Grid Scaling (C.8.8.3); no rescale."""
    made = dataset(ramp(), SOPClassUID=DOSE, DoseGridScaling="0.01", RescaleSlope=7)

    image = read_dicom(written(made))

    np.testing.assert_allclose(image.pixels, ramp() * 0.01, rtol=1e-6)
    shown = read_dicom(written(dataset(ramp()))).display.astype(int)
    assert np.abs(image.display - shown).max() <= 1
    np.testing.assert_array_equal(read_dicom(made).pixels, image.pixels)


@pytest.mark.parametrize("scaling", ["0.001", "0.5", "3e-5", "7.1"])
@pytest.mark.parametrize("function", ["", "LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("width", [1, 3, 20, 500])
def test_windows_of_a_dose_show_what_they_showed(
    width: int, function: str, scaling: str
) -> None:
    """They are of stored values, as C.11.2 comes before the scaling; they are told in Gy.

    So does DCMTK, which knows no scaling. LINEAR (C.11.2.1.2.1) has half a grey value and one grey
    value in its formula: of a narrow window LINEAR_EXACT would show up to 63 of 255 levels less.
    """
    window = {"WindowCenter": 1000, "WindowWidth": width}
    window |= {"VOILUTFunction": function} if function else {}
    dose = dataset(ramp(), SOPClassUID=DOSE, DoseGridScaling=scaling, **window)
    image = read_dicom(written(dose))
    plain = read_dicom(written(dataset(ramp(), **window))).display

    assert len(np.unique(plain)) > 1
    np.testing.assert_array_equal(image.display, plain)
    assert image.window is not None
    unit = float(scaling)
    told = (image.window.center, image.window.width)
    assert told == pytest.approx((1000 * unit, width * unit))
    # The same window, given by hand in Gy.
    if function in ("", "LINEAR"):
        again = read_dicom(written(dose), window=image.window)
        np.testing.assert_array_equal(again.display, plain)


def test_a_voi_lut_of_a_dose_is_of_stored_values() -> None:
    """Its first value mapped is a stored value as well: the picture is that of a plain file."""
    table = item(LUTDescriptor=[4, 100, 8], LUTData=[0, 85, 170, 255])
    for keyword in ("LUTDescriptor", "LUTData"):
        table[keyword].VR = "US"
    dose = {"SOPClassUID": DOSE, "DoseGridScaling": "0.5"}
    shown = [
        read_dicom(written(dataset(ramp(), VOILUTSequence=[table], **more))).display
        for more in ({}, dose)
    ]

    assert sorted(set(shown[0].ravel().tolist())) == [0, 85, 170, 255]
    np.testing.assert_array_equal(shown[1], shown[0])


@pytest.mark.parametrize("scaling", ["0", "-1", "abc", None])
def test_a_dose_without_its_scaling_is_noted(
    scaling: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Stored values are used, and nobody takes them for Gy."""
    made = dataset(ramp(), SOPClassUID=DOSE, DoseGridScaling="1.25")
    if scaling is None:
        del made.DoseGridScaling
    file = written(made).replace(b"1.25", (scaling or "").encode().ljust(4))

    np.testing.assert_array_equal(read_dicom(file).pixels, ramp().astype(np.float32))
    notes = [each.message for each in caplog.records]
    assert [note.startswith("Dose Grid Scaling") for note in notes] == [False, True]


@pytest.mark.parametrize(
    ("uid", "said"),
    [
        (f"{STORAGE}.66.4", "a mask (SEG)"),
        (f"{STORAGE}.66.7", "a label map (SEG)"),
        (f"{STORAGE}.30", "a Parametric Map"),
        (DOSE, "an RT Dose"),
        (f"{STORAGE}.2", ""),
        (f"{STORAGE}.7", ""),
    ],
)
def test_what_shows_no_patient_is_noted(
    uid: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Marks, computed values and doses have pixels, and are no image of a modality."""
    read_dicom(written(dataset(ramp(), SOPClassUID=uid, DoseGridScaling="0.5")))

    notes = [each.message for each in caplog.records]
    assert len(notes) == bool(said)
    assert all(f"says {said}:" in note for note in notes)


def test_rescale_of_the_frame_wins() -> None:
    """Rescale comes from the frame, else the shared group, else the top (C.7.6.16.2.9)."""
    own = item(
        PixelValueTransformationSequence=[item(RescaleSlope=3, RescaleIntercept=1)]
    )
    shared = item(
        PixelValueTransformationSequence=[item(RescaleSlope=2, RescaleIntercept=0)]
    )
    made = dataset(
        np.stack([ramp(), ramp()]), frames=2, RescaleSlope=9, RescaleIntercept=9
    )
    made.SharedFunctionalGroupsSequence = [shared]
    made.PerFrameFunctionalGroupsSequence = [item(), own]
    file = written(made)

    assert read_dicom(file, frame=0).pixels[0, 5] == 10
    assert read_dicom(file, frame=1).pixels[0, 5] == 16


def test_deep_integers_keep_their_range() -> None:
    """32-bit doses keep seven digits of their value after a small slope."""
    values = (ramp("u4") + 1) * 2_000_003
    image = read_dicom(
        written(dataset(values, RescaleSlope="1e-6", RescaleIntercept=0))
    )

    np.testing.assert_allclose(image.pixels, values * 1e-6, rtol=1e-6)
