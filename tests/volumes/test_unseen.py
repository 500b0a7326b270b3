"""Series as scanners and archives leave them: each is right, or refused with numbers."""

import numpy as np
import pytest
from dicom.build import dataset, written
from pydicom import dcmread
from pydicom.data import get_testdata_file
from volumes.built import AXIAL, SIZE, enhanced, item, placed, plane, planes

import saliency as sal
from saliency.errors import InputError
from saliency.volumes.series import list_series

NAME = "Doe^Jane"


def shifted(count=5, **attributes):
    """Return a second stack at the same places, 1000 brighter."""
    return planes(count, RescaleSlope=1, RescaleIntercept=1000, **attributes)


def refusal(source, **asked):
    """Return the sentence with which a source is refused."""
    with pytest.raises(InputError) as caught:
        sal.read_series(source, **asked)
    return str(caught.value)


# Patients


def test_two_patients_under_one_series_uid_are_refused_without_their_names():
    """A copied UID would stack two people; the message counts, and names nobody."""
    other = [plane(k, PatientID="4712", PatientName=NAME) for k in (5, 6, 7)]
    mixed = [*planes(PatientID="4711", PatientName=NAME), *other]
    words = refusal(mixed)
    assert (
        "expected images of one patient, got 2 patients (5, 3 images) within one series"
        in words
    )
    assert not any(secret in words for secret in ("Doe", "Jane", "4711", "4712"))
    assert "one patient" in list_series(mixed)[0].note


def test_names_tell_patients_apart_where_nobody_has_an_id():
    """An empty Patient ID is no ID; a name in other letters or with empty parts is the same."""
    same = [
        *planes(3, PatientName="DOE^JANE^^"),
        *[plane(k, PatientName=NAME) for k in (3, 4)],
    ]
    assert len(sal.read_series(same)) == 5
    others = [plane(k, PatientName="Roe^R") for k in (3, 5)]
    assert "2 patients (3, 2 images)" in refusal(
        [*planes(3, PatientName=NAME, PatientID=""), *others, plane(4)]
    )


def test_one_id_is_one_patient_under_two_names():
    """Names are corrected and marry; an ID that some files lack proves nothing."""
    renamed = [*planes(3, PatientID="1", PatientName=NAME), plane(3, PatientID="1")]
    assert len(sal.read_series([*renamed, plane(4, PatientName="Roe^R")])) == 5


def test_two_series_of_two_patients_are_listed_as_such():
    """The list says how many patients there are; series= reads one of them."""
    both = [
        *planes(PatientID="1"),
        *shifted(PatientID="2", SeriesInstanceUID="1.2.9", SeriesNumber=4),
    ]
    assert (
        "got 2 of 2 patients: series 3 (CT, 5 images); series 4 (CT, 5 images)"
        in refusal(both)
    )
    assert sal.read_series(both, series=4)[0].pixels[1, 1] == 1000


def test_a_header_holds_no_patient():
    """What is compared is salted: neither the ID nor its plain hash is there."""
    from hashlib import sha256

    volume = sal.read_series(planes(PatientID="4711", PatientName=NAME))
    header = volume.stack.slices[0].header
    assert header.patient != sha256(b"4711").hexdigest()[:16]
    assert "4711" not in repr(vars(header))
    assert header.patient not in repr(header)


# Several images at one place

PHASES = {
    "echo numbers": ({"EchoNumbers": 1}, {"EchoNumbers": 2}),
    "cardiac phases": ({"TriggerTime": 0}, {"TriggerTime": 400.5}),
    "time points": (
        {"TemporalPositionIdentifier": 1},
        {"TemporalPositionIdentifier": 2},
    ),
    "b-values": ({"DiffusionBValue": 0.0}, {"DiffusionBValue": 1000.0}),
    "inversion times": ({"InversionTime": 100}, {"InversionTime": 900}),
    "two energies": ({"KVP": 80}, {"KVP": 140}),
    "frames of PET": ({"FrameReferenceTime": 0}, {"FrameReferenceTime": 60000}),
    "two kernels": ({"ConvolutionKernel": "B30f"}, {"ConvolutionKernel": "B60f"}),
    "gradients": (
        {"DiffusionGradientOrientation": [1.0, 0.0, 0.0]},
        {"DiffusionGradientOrientation": [0.0, 1.0, 0.0]},
    ),
    "magnitude and phase": (
        {"ImageType": ["ORIGINAL", "PRIMARY", "M", "FFE"]},
        {"ImageType": ["ORIGINAL", "PRIMARY", "P", "FFE"]},
    ),
}


@pytest.mark.parametrize(("one", "two"), PHASES.values(), ids=PHASES)
def test_what_lies_at_one_place_is_asked_for(one, two):
    """The message names what the images differ in and a choice; the choice reads the right ones."""
    words = refusal([*planes(**one), *shifted(**two)])
    keyword = next(iter(one))
    assert "10 images at 5 places, two of them 0.00 mm along the normal." in words
    assert f"They differ in {keyword} " in words
    assert f'where={{"{keyword}": ' in words
    chosen = {
        "ImageType": "P",
        "DiffusionGradientOrientation": "0.000 1.000 0.000",
    }.get(keyword, two[keyword])
    volume = sal.read_series([*planes(**one), *shifted(**two)], where={keyword: chosen})
    assert [image.pixels[1, 1] for image in volume] == [1000, 1001, 1002, 1003, 1004]


def test_what_goes_with_the_slice_is_not_named():
    """A trigger time that rises from slice to slice tells no two images of a place apart."""
    one = [plane(k, TriggerTime=10 * k, EchoTime=20) for k in range(5)]
    two = [plane(k, TriggerTime=10 * k, EchoTime=40) for k in range(5)]
    words = refusal([*one, *two])
    assert "They differ in EchoTime 20.0 (5), 40.0 (5)." in words
    assert "TriggerTime" not in words


def test_places_that_jitter_are_one_place():
    """The second echo was acquired 4 micrometres off: still the same place, and asked for."""
    one = placed([(0, 0, 3 * k) for k in range(5)], EchoTime=20)
    two = placed([(0, 0, 3 * k + 0.004) for k in range(5)], EchoTime=40)
    assert "at 5 places" in refusal([*one, *two])


def test_copies_of_one_file_are_read_once(tmp_path, caplog):
    """The same bytes at two paths, and in a zip beside them, are one slice; the log counts them."""
    files = [plane(k, SOPInstanceUID=f"1.2.3.{k}") for k in range(5)]
    for k, each in enumerate(files):
        (tmp_path / f"{k}.dcm").write_bytes(written(each))
    (tmp_path / "copies").mkdir()
    for k in (1, 3):
        (tmp_path / "copies" / f"{k}").write_bytes((tmp_path / f"{k}.dcm").read_bytes())
    assert len(sal.read_series(tmp_path)) == 5
    assert "2 files that are there twice, byte for byte, were read once" in caplog.text


def test_one_uid_with_other_bytes_is_refused():
    """An edited copy: nobody can know which of the two is meant."""
    files = [written(plane(k, SOPInstanceUID=f"1.2.3.{k}")) for k in range(5)]
    edited = written(
        plane(2, SOPInstanceUID="1.2.3.2", RescaleIntercept=7, RescaleSlope=1)
    )
    assert "Files of one SOP Instance UID (0008,0018) differ in their bytes" in refusal(
        [*files, edited]
    )


# Enhanced files


def with_content(places, contents, orientations=None):
    """Return an enhanced file whose frames have a Frame Content Sequence each."""
    made = enhanced(places)
    for k, group in enumerate(made.PerFrameFunctionalGroupsSequence):
        group.FrameContentSequence = [item(**contents[k])]
        if orientations:
            group.PlaneOrientationSequence = [
                item(ImageOrientationPatient=list(orientations[k]))
            ]
    return written(made)


def test_two_stacks_of_one_file_are_asked_for():
    """Stack ID tells an axial from a coronal stack; the message says how to choose."""
    coronal = (1, 0, 0, 0, 0, -1)
    file = with_content(
        [(0, 0, 0), (0, 0, 2), (0, 0, 4), (0, 0, 0), (0, 3, 0)],
        [{"StackID": "1"}] * 3 + [{"StackID": "2"}] * 2,
        [AXIAL] * 3 + [coronal] * 2,
    )
    words = refusal(file)
    assert "one Image Orientation (Patient) (0020,0037), got 1 0 0 0 1 0 (3)" in words
    assert 'Choose with where=, as in where={"StackID": "1"}.' in words
    assert [i.pixels[0, 0] for i in sal.read_series(file, where={"StackID": "2"})] == [
        3,
        4,
    ]
    assert sal.read_series(file, where={"StackID": 1}).spacing[0] == 2


def test_temporal_positions_of_one_file_are_asked_for():
    """Each time is a volume of its own."""
    file = with_content(
        [(0, 0, k) for k in (0, 1, 2, 0, 1, 2)],
        [{"TemporalPositionIndex": t} for t in (1, 1, 1, 2, 2, 2)],
    )
    assert "They differ in TemporalPositionIndex 1.0 (3), 2.0 (3)" in refusal(file)
    volume = sal.read_series(file, where={"TemporalPositionIndex": 2})
    assert [image.pixels[0, 0] for image in volume] == [3, 4, 5]


def test_a_dimension_that_has_no_attribute_of_ours_is_asked_for_by_its_index():
    """Dimension Index Values count whatever the writer wanted (PS3.3 C.7.6.17)."""
    file = with_content(
        [(0, 0, k) for k in (0, 1, 2, 0, 1, 2)],
        [{"DimensionIndexValues": [t, k]} for t in (1, 2) for k in (1, 2, 3)],
    )
    assert "They differ in DimensionIndex1 1.0 (3), 2.0 (3)" in refusal(file)
    volume = sal.read_series(file, where={"DimensionIndex1": 2})
    assert [image.pixels[0, 0] for image in volume] == [3, 4, 5]


def test_a_dose_grid_is_placed_by_its_offsets():
    """Grid Frame Offset Vector: distances from the first frame along the normal (C.8.8.3.2)."""
    values = np.stack([np.full(SIZE, k, np.uint16) for k in range(4)])
    made = dataset(
        values,
        frames=4,
        Modality="RTDOSE",
        SOPClassUID="1.2.840.10008.5.1.4.1.1.481.2",
        ImageOrientationPatient=list(AXIAL),
        ImagePositionPatient=[1, 2, 3],
        PixelSpacing=[0.5, 0.75],
        GridFrameOffsetVector=[0, 2.5, 5, 7.5],
        DoseGridScaling=0.5,
    )
    volume = sal.read_series(written(made))
    np.testing.assert_allclose(volume.affine @ [3, 0, 0, 1], [1, 2, 10.5, 1])
    assert volume.pixels[3, 0, 0] == 1.5
    made.GridFrameOffsetVector = [3, 5.5, 8, 10.5]  # the other form: places along z
    again = sal.read_series(written(made)).affine
    np.testing.assert_allclose(again, volume.affine)
    made.GridFrameOffsetVector = [0, -2.5, -5, -7.5]
    assert [image.pixels[0, 0] for image in sal.read_series(written(made))] == [
        1.5,
        1,
        0.5,
        0,
    ]
    del made.GridFrameOffsetVector
    assert "4 images at 1 places" in refusal(written(made))


def test_a_real_dose_is_a_volume():
    """A plan's dose that comes with pydicom: its offsets along z are the places of its frames."""
    path = get_testdata_file("rtdose.dcm", download=False)
    dose = dcmread(path)
    volume = sal.read_series(path)
    places = [float(volume.affine[2] @ [k, 0, 0, 1]) for k in range(len(volume))]
    first = dose.ImagePositionPatient[2]
    np.testing.assert_allclose(
        places, [first + float(z) for z in dose.GridFrameOffsetVector]
    )
    np.testing.assert_allclose(
        volume.pixels, dose.pixel_array * float(dose.DoseGridScaling), rtol=1e-5
    )


@pytest.mark.parametrize("modality", ["NM", "US", "XA"])
def test_frames_without_places_are_no_volume(modality):
    """A cine of ultrasound, projections of a gamma camera."""
    values = np.zeros((4, *SIZE), np.uint16)
    words = refusal(written(dataset(values, frames=4, Modality=modality)))
    assert "got 4 frames without Image Position (Patient) (0020,0032)" in words
    assert "read_frames" in words


# What lies among the slices


def test_a_secondary_capture_among_slices_is_chosen_away():
    """A screenshot has no place; Image Type tells it from the slices."""
    original = planes(ImageType=["ORIGINAL", "PRIMARY", "AXIAL"])
    shot = plane(
        9,
        ImageType=["DERIVED", "SECONDARY"],
        ImagePositionPatient=None,
        ImageOrientationPatient=None,
    )
    words = refusal([*original, shot])
    assert "1 of 6 have none or a broken one" in words
    assert 'where={"ImageType": "ORIGINAL' in words
    assert len(sal.read_series([*original, shot], where={"ImageType": "AXIAL"})) == 5


def test_reformatted_planes_among_slices_are_refused_with_a_choice():
    """A coronal MPR saved into the series of its source."""
    original = planes(ImageType=["ORIGINAL", "PRIMARY", "AXIAL"])
    coronal = placed(
        [(0, 4.0 * k, 0) for k in range(3)],
        (1, 0, 0, 0, 0, -1),
        ImageType=["DERIVED", "SECONDARY", "MPR"],
    )
    words = refusal([*original, *coronal])
    assert "1 0 0 0 1 0 (5), 1 0 0 0 0 -1 (3). Choose with where=" in words
    assert len(sal.read_series([*original, *coronal], where={"ImageType": "MPR"})) == 3


def test_a_whole_series_of_localizers_is_not_left_out():
    """Where nothing but localizers is there, they are what was asked for."""
    scouts = planes(3, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    assert len(sal.read_series(scouts)) == 3


# Distances


@pytest.mark.parametrize("spacing", [0.02, 0.1, 0.5, 3.0])
@pytest.mark.parametrize("lost", [1, 10, 18])
def test_a_missing_slice_is_seen_at_any_distance(spacing, lost):
    """Also in a micro-CT, whose slices lie nearer than the rounding of others."""
    kept = [(0, 0, spacing * k) for k in range(20) if k != lost]
    words = refusal(placed(kept))
    assert f"it is {2 * spacing:.2f} mm. 1 slice seems to be missing" in words


@pytest.mark.parametrize("end", [0, -1])
def test_another_distance_at_the_end_is_refused(end):
    """The last slice of a spiral scan, 1.5 times as far: no regular grid."""
    places = [2.0 * k for k in range(12)]
    places[end] += 1.0 if end else -1.0
    assert "got 2.00 to 3.00 mm (median 2.00 mm)" in refusal(
        placed([(0, 0, z) for z in places])
    )


def test_jitter_within_the_tolerance_passes_and_beyond_is_refused():
    """0.1 mm of rounding on 2 mm slices is read; half a millimetre is not."""
    places = np.array([2.0 * k for k in range(20)])
    jitter = np.random.default_rng(0).uniform(-1, 1, 20)
    assert (
        len(sal.read_series(placed([(0, 0, z) for z in places + 0.05 * jitter]))) == 20
    )
    assert "off the regular grid" in refusal(
        placed([(0, 0, z) for z in places + 0.5 * jitter])
    )


@pytest.mark.parametrize("digits", [3, 4, 6])
def test_rounded_direction_cosines_are_one_orientation(digits):
    """Writers keep three digits at least; the first slice in the patient decides, in any order."""
    turn = np.array([np.cos(0.3), np.sin(0.3), 0, -np.sin(0.3), np.cos(0.3), 0])
    made = placed([(0, 0, 2.0 * k) for k in range(5)], turn)
    made[0].ImageOrientationPatient = [round(float(each), digits) for each in turn]
    there, back = sal.read_series(made), sal.read_series(made[::-1])
    np.testing.assert_array_equal(there.affine, back.affine)
    np.testing.assert_allclose(there.affine[:3, 2], 0.75 * turn[:3], atol=1e-3)


def test_a_stack_that_turns_is_refused():
    """Radial slices share a centre, no direction."""
    turned = [
        plane(k, ImageOrientationPatient=[np.cos(a), np.sin(a), 0, 0, 0, -1])
        for k, a in enumerate(np.linspace(0, 1, 5))
    ]
    assert "expected one Image Orientation (Patient) (0020,0037)" in refusal(turned)


def test_each_slice_keeps_its_own_rescale():
    """PET: another slope on each slice."""
    made = [
        plane(k, Modality="PT", RescaleSlope=1 + k, RescaleIntercept=0)
        for k in range(5)
    ]
    volume = sal.read_series(made)
    assert volume.pixels[:, 1, 1].tolist() == [k * (1 + k) for k in range(5)]


def test_a_broken_pixel_value_is_told_by_the_number_of_its_slice():
    """The header is whole, so the series opens; the slice is named when it is looked at."""
    made = [written(each) for each in planes()]
    files = [made[0][:-60], *made[1:]]
    with pytest.raises(sal.DicomError, match=r"slice 1 of 5|image 0"):
        _ = sal.read_series(files).pixels


def test_what_lies_beside_the_slices_in_a_folder_is_left_out_and_counted(
    tmp_path, caplog
):
    """Reports are counted; notes, AppleDouble files and a DICOMDIR's like are no images."""
    for k, each in enumerate(planes()):
        (tmp_path / f"{k}.dcm").write_bytes(written(each))
        (tmp_path / f"._{k}.dcm").write_bytes(b"\0\x05\x16\x07")
    report = plane(0, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", Modality="SR")
    for keyword in ("PixelData", "Rows", "Columns"):
        del report[keyword]
    (tmp_path / "report").write_bytes(written(report))
    (tmp_path / "notes.txt").write_text("not DICOM")
    assert len(sal.read_series(tmp_path)) == 5
    assert "left out: 1 DICOM object without pixels." in caplog.text


def test_a_cut_file_in_a_folder_is_named(tmp_path):
    """It claims to be a slice: silence would make a hole of it."""
    for k, each in enumerate(planes()):
        (tmp_path / f"{k}.dcm").write_bytes(written(each))
    whole = (tmp_path / "2.dcm").read_bytes()
    (tmp_path / "2.dcm").write_bytes(whole[: whole.index(b"\xe0\x7f\x10\x00")])
    with pytest.raises(sal.DicomError, match=r"image 2: .*Leave it out, or mend it"):
        sal.read_series(tmp_path)
