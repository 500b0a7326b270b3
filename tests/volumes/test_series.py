"""A series is one volume on its true millimetres, or is refused with numbers."""

import csv
import io
import zipfile

import numpy as np
import pytest
from dicom.build import item, written
from shared import shared
from volumes.built import REFERENCE, SERIES, enhanced, placed, plane, planes

import saliency as sal
from saliency.dicom.slices import frame_headers
from saliency.errors import DicomError, InputError
from saliency.volumes.series import list_series

#: From (slice, row, column, 1), as ours are, to (column, row, slice, 1), as the table's are.
SWAPPED = np.eye(4)[[2, 1, 0, 3]]


def table():
    """Return the rows of the shared table of series; one that is absent where the data is."""
    try:
        path = shared("series", "series.csv")
    except pytest.skip.Exception:
        return [{"folder": "absent", "group": "", "expected": ""}]
    with path.open() as file:
        return list(csv.DictReader(file))


def files_of(row):
    """Return the files of a row: those that the table of the order names, else its whole folder."""
    folder = shared("series", row["folder"])
    with shared("series", "order.csv").open() as file:
        named = [
            folder / each["file"]
            for each in csv.DictReader(file)
            if (each["folder"], each["group"]) == (row["folder"], row["group"])
        ]
    return sorted(set(named)) or folder


def choice_in(row):
    """Return which images of the one file are meant."""
    return (
        {"FrameType": row["group"]} if row["folder"] == "mr_enhanced_fieldmap" else None
    )


@pytest.mark.parametrize(
    "row", table(), ids=lambda row: f"{row['folder']}-{row['group'][-8:]}"
)
def test_real_series_have_their_true_affine_or_are_refused(row):
    """Every series that other tools checked: the same millimetres to 1e-4, or a refusal."""
    source = files_of(row)
    if row["expected"] == "refuse":
        with pytest.raises(InputError, match="read_series: expected"):
            sal.read_series(source)
        return
    volume = sal.read_series(source, where=choice_in(row))

    wanted = (
        np.array([float(each) for each in row["affine_lps"].split()]).reshape(4, 4)
        @ SWAPPED
    )
    np.testing.assert_allclose(volume.affine, wanted, atol=1e-4)
    assert volume.size == tuple(
        int(row[name]) for name in ("slices", "rows", "columns")
    )
    assert volume.sheared == (row["folder"] == "ct_tilt")


@pytest.mark.parametrize("folder", ["ct_axial", "pet_axial", "mr_coronal"])
def test_slices_lie_where_the_table_says(folder):
    """volume[k] is the k-th file of the table, after its own rescale."""
    with shared("series", "order.csv").open() as file:
        rows = [each for each in csv.DictReader(file) if each["folder"] == folder]
    volume = sal.read_series(shared("series", folder))
    for row in rows[::7]:
        image = sal.read_dicom(shared("series", folder, row["file"]))
        np.testing.assert_array_equal(volume[int(row["slice"])].pixels, image.pixels)
        np.testing.assert_array_equal(volume.pixels[int(row["slice"])], image.pixels)


def test_a_folder_of_several_series_asks_which():
    """The message lists number, modality and count; series= chooses."""
    folder = shared("series", "mixed_ct_mr_pet")
    with pytest.raises(
        InputError, match=r"got 3: series 3 \(CT, 13 images\); series 4 \(PT"
    ):
        sal.read_series(folder)
    assert sal.read_series(folder, series=4).modality == "PT"
    with pytest.raises(InputError, match="there is no series 9"):
        sal.read_series(folder, series=9)
    assert [each.orientation for each in list_series(folder)] == ["axial"] * 3


def test_order_and_affine_by_hand():
    """Slices go along the normal whatever their numbers say; thickness is not spacing."""
    volume = sal.read_series(planes())

    assert [image.pixels[1, 1] for image in volume] == [0, 1, 2, 3, 4]
    assert volume.spacing == (2.5, 0.5, 0.75)
    np.testing.assert_allclose(
        volume.affine @ [2, 3, 4, 1], [-10 + 4 * 0.75, -20 + 3 * 0.5, 5, 1]
    )
    assert not volume.sheared


@pytest.mark.parametrize(
    "orientation",
    [
        (1, 0, 0, 0, 0, -1),
        (0, 1, 0, 0, 0, -1),
        (-1, 0, 0, 0, -1, 0),
        (0.8, 0.6, 0, -0.6, 0.8, 0),
    ],
)
def test_slices_ascend_along_row_by_column(orientation):
    """Coronal, sagittal, turned and oblique stacks: the third axis is the cross product."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    normal = np.cross(row, column)
    places = [np.array([1.0, 2.0, 3.0]) + 4 * k * normal for k in (3, 0, 2, 1)]
    volume = sal.read_series(placed(places, orientation))

    np.testing.assert_allclose(volume.affine[:3, 0], 4 * normal, atol=1e-9)
    np.testing.assert_allclose(volume.affine[:3, 1], 0.5 * column)
    np.testing.assert_allclose(volume.affine[:3, 2], 0.75 * row)
    np.testing.assert_allclose(volume.affine[:3, 3], [1, 2, 3])


def test_a_tilted_gantry_shears():
    """The third column is the step from slice to slice, not the normal."""
    volume = sal.read_series(placed([(0, 1.5 * k, 4.0 * k) for k in range(6)]))
    assert volume.sheared
    np.testing.assert_allclose(volume.affine[:3, 0], [0, 1.5, 4])
    assert volume.spacing[0] == pytest.approx(np.hypot(1.5, 4))


@pytest.mark.parametrize(
    ("orientation", "plane_of_it"),
    [
        ((1, 0, 0, 0, -1, 0), "axial"),
        ((-1, 0, 0, 0, 0, -1), "coronal"),
        ((0, -1, 0, 0, 0, -1), "sagittal"),
    ],
)
def test_a_plane_is_one_from_either_side(orientation, plane_of_it):
    """The normal may point to the feet, the front or the right."""
    row, column = np.reshape(orientation, (2, 3))
    places = [k * 3 * np.cross(row, column) for k in range(3)]

    found = list_series(placed(places, orientation))

    assert [each.orientation for each in found] == [plane_of_it]


def test_a_small_slide_shears_where_it_adds_up():
    """0.1 mm a slice is a fifth of a pixel, over ten slices two pixels."""
    assert sal.read_series(placed([(0, 0.1 * k, 4.0 * k) for k in range(11)])).sheared
    assert not sal.read_series(
        placed([(0, 0.1 * k, 4.0 * k) for k in range(3)])
    ).sheared


@pytest.mark.parametrize("step", [0.625, 1.25, 3.27])
def test_rounded_places_pass(step):
    """Writers round places to a tenth of a mm."""
    volume = sal.read_series(placed([(0, 0, round(step * k, 1)) for k in range(20)]))
    assert volume.spacing[0] == pytest.approx(step, abs=0.01)


REFUSED = {
    "a hole": (
        placed([(0, 0, 3 * k) for k in (0, 1, 2, 4, 5)]),
        "6.00 mm. 1 slice seems to be missing",
    ),
    "two distances": (
        placed([(0, 0, z) for z in (0, 2, 4, 6, 9, 12)]),
        "got 2.00 to 3.00 mm",
    ),
    "one out of line": (
        placed([(9 * (k == 2), 0, 3 * k) for k in range(5)]),
        "off the regular grid",
    ),
    "a double": ([*planes(), plane(2)], "got 6 images at 5 places"),
    "one slice": ([plane(0)], "read_dicom"),
    "no place": (planes(ImagePositionPatient=None), "5 of 5 have none"),
    "a broken place": (
        [*planes(), plane(5, ImagePositionPatient=[1, 2])],
        "1 of 6 have none",
    ),
    "other orientation": (
        [*planes(), plane(9, ImageOrientationPatient=[1, 0, 0, 0, 0, -1])],
        r"one Image Orientation \(Patient\)",
    ),
    "no right angle": (
        planes(ImageOrientationPatient=[1, 0, 0, 1, 0, 0]),
        "at right angles",
    ),
    "other size": (
        [*planes(), plane(9, Rows=4, Columns=12)],
        r"6 x 8 \(5\), 4 x 12 \(1\)",
    ),
    "other spacing": (
        [*planes(), plane(5, PixelSpacing=[0.5, 0.8])],
        "one Pixel Spacing",
    ),
    "no spacing": (planes(PixelSpacing=None), "5 of 5 have none"),
    "other frame of reference": (
        [*planes(), plane(5, FrameOfReferenceUID="1.2.3")],
        "cannot be compared",
    ),
    "a mosaic": (planes(ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"]), "mosaic"),
    "two series": (
        [*planes(), plane(9, SeriesInstanceUID="1.2.9", SeriesNumber=4)],
        "Choose with series=",
    ),
    "two patients of one number": (
        [*planes(), *planes(SeriesInstanceUID="1.2.9")],
        "expected one series, got 2",
    ),
    "nothing": ([], "found none"),
}


@pytest.mark.parametrize(("source", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_volume_is_refused_with_numbers(source, words):
    """Silence would put heat on the wrong millimetre."""
    with pytest.raises(InputError, match=words):
        sal.read_series(source)


def test_one_number_for_two_series_is_refused():
    """series= must not mix two studies or patients."""
    with pytest.raises(InputError, match="2 series have the number 3"):
        sal.read_series([*planes(), *planes(SeriesInstanceUID="1.2.9")], series=3)


def test_echoes_are_asked_for():
    """Two echoes at each place: the message names them, where= chooses one."""
    both = [*planes(EchoTime=20), *planes(EchoTime=40)]
    with pytest.raises(
        InputError, match=r"They differ in EchoTime 20.0 \(5\), 40.0 \(5\)"
    ):
        sal.read_series(both)
    assert len(sal.read_series(both, where={"EchoTime": 40})) == 5
    with pytest.raises(InputError, match="expected a value of EchoTime"):
        sal.read_series(both, where={"EchoTime": 30})


def test_repetitions_are_asked_for_in_the_order_of_their_numbers():
    """Where nothing but the instance number tells two times apart."""
    later = [
        plane(k, InstanceNumber=100 + k, RescaleSlope=1, RescaleIntercept=1000)
        for k in range(5)
    ]
    volume = sal.read_series([*later, *planes()], where={"repetition": 1})
    assert volume[0].pixels[1, 1] == 1000
    with pytest.raises(InputError, match=r"repetition in 0..1, got 2"):
        sal.read_series([*later, *planes()], where={"repetition": 2})


def test_frames_of_one_file_are_slices():
    """An enhanced file is put in order by the places of its frames."""
    volume = sal.read_series(written(enhanced([(0, 0, 2.0 * k) for k in (2, 0, 3, 1)])))
    assert [image.pixels[0, 0] for image in volume] == [1, 3, 0, 2]
    assert volume.spacing == (2.0, 0.5, 0.75)


def test_frame_types_of_one_file_are_asked_for():
    """Magnitude and field map at one place."""
    types = [
        ["ORIGINAL", "PRIMARY", "T1", kind]
        for kind in ("M", "FIELD_MAP")
        for _ in range(3)
    ]
    file = written(enhanced([(0, 0, k) for k in (0, 1, 2, 0, 1, 2)], types))
    with pytest.raises(InputError, match="FrameType"):
        sal.read_series(file)
    volume = sal.read_series(file, where={"FrameType": "FIELD_MAP"})
    assert [image.pixels[0, 0] for image in volume] == [3, 4, 5]


def test_frames_in_time_are_no_volume():
    """A cine is sent to read_frames."""
    made = enhanced([(0, 0, 0), (0, 0, 1)])
    del made.PerFrameFunctionalGroupsSequence
    with pytest.raises(InputError, match="read_frames"):
        sal.read_series(written(made))


def test_localizers_are_left_out_and_said(caplog):
    """A scout among the slices is no slice."""
    scout = plane(
        9,
        ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
        ImageOrientationPatient=[1, 0, 0, 0, 0, -1],
    )
    assert len(sal.read_series([*planes(), scout])) == 5
    assert "1 localizer was left out" in caplog.text


def test_a_folder_and_a_zip_give_the_same_volume(tmp_path):
    """Files are found by content; what has no pixels is left out."""
    for k, each in enumerate(planes()):
        (tmp_path / f"{k}").write_bytes(written(each))
    (tmp_path / "notes.txt").write_text("not DICOM")
    packed = tmp_path / "series.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for k in range(5):
            archive.write(tmp_path / f"{k}", f"inner/{k}")
    folder = tmp_path / "folder"
    folder.mkdir()
    for k in range(5):
        (tmp_path / f"{k}").rename(folder / f"{k}")

    np.testing.assert_array_equal(
        sal.read_series(folder).pixels, sal.read_series(packed).pixels
    )


def test_a_broken_slice_is_named():
    """Its index, and the reader's own sentence."""
    whole = written(plane(1))
    with pytest.raises(DicomError, match=r"image 1: .*Leave it out, or mend it"):
        sal.read_series([written(plane(0)), whole[:300], written(plane(2))])


def test_nothing_is_decoded_before_it_is_looked_at():
    """Pixels that cannot be decoded are told when their slice is asked for, by its number."""
    cut = planes()
    cut[0].PixelData = b"\0\0"
    with pytest.raises((DicomError, InputError)):
        _ = sal.read_series([written(each) for each in cut]).pixels


def test_one_window_for_all_slices():
    """Equal values are equally bright in every slice, though each file has a window of its own."""
    made = [plane(k, WindowCenter=50 + k, WindowWidth=100) for k in range(5)]
    volume = sal.read_series(made)
    assert {image.window for image in volume} == {sal.Window(52, 100)}
    assert sal.read_series(made, window=sal.Window(10, 20))[0].window == sal.Window(
        10, 20
    )


@pytest.mark.parametrize(
    "voi",
    [
        {"WindowCenter": 3, "WindowWidth": 4, "VOILUTFunction": "SIGMOID"},
        {"WindowCenter": 3, "WindowWidth": 4, "VOILUTFunction": "LINEAR_EXACT"},
        {
            "VOILUTSequence": [
                item(LUTDescriptor=[4, 1, 8], LUTData=b"\t\0Z\0c\0\xc8\0")
            ]
        },
        {"PixelPaddingValue": 65535},
        {"PixelPaddingValue": 65535, "RescaleSlope": 0.25, "RescaleIntercept": -1},
    ],
    ids=["sigmoid", "exact", "table", "range", "rescaled range"],
)
def test_the_middle_slice_is_shown_as_alone(voi):
    """With the function of its window, its VOI LUT, or its range without padding: so are others."""
    made = [plane(k, **voi) for k in range(5)]
    for each in made:
        values = np.arange(48, dtype=np.uint16).reshape(6, 8) % 7
        values[5] = 65535
        each.PixelData = values.tobytes()
    alone = sal.read_dicom(written(made[2])).display

    for shown in sal.read_series(made).display:
        np.testing.assert_array_equal(shown[:5], alone[:5])


def test_colour_is_refused():
    """A volume is grey."""
    rgb = np.zeros((6, 8, 3), np.uint8)
    made = planes()
    for each in made:
        each.PixelData, each.SamplesPerPixel = rgb.tobytes(), 3
        each.PhotometricInterpretation, each.PlanarConfiguration = "RGB", 0
        each.BitsAllocated = each.BitsStored = 8
        each.HighBit = 7
    with pytest.raises(InputError, match="grey slices"):
        _ = sal.read_series(made)[0]


def test_file_objects_and_bytes_are_slices_too():
    """What read_dicom takes, as a sequence."""
    made = [io.BytesIO(written(each)) for each in planes()]
    assert len(sal.read_series(made)) == 5


def test_a_volume_of_an_array():
    """from_array has an axial affine, or the one given."""
    voxels = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
    volume = sal.DicomVolume.from_array(voxels, spacing=(3, 2, 1))
    np.testing.assert_array_equal(volume.pixels, voxels)
    np.testing.assert_allclose(volume.affine @ [1, 1, 1, 1], [1, 2, 3, 1])
    assert (volume.display[0, 0, 0], volume.display[-1, -1, -1]) == (0, 255)
    turned = sal.DicomVolume.from_array(voxels, affine=volume.affine[:, [0, 2, 1, 3]])
    assert turned.spacing == (3, 1, 2)


def test_a_header_of_a_slice_holds_no_uid():
    """Series and frame of reference are hashed; equal ones have equal hashes."""
    headers = [frame_headers(each)[0] for each in planes(2)]
    assert headers[0].series == headers[1].series != ""
    assert SERIES not in repr(headers)
    assert REFERENCE not in repr(headers)


def test_repr_names_no_patient():
    """Modality, grid and spacing."""
    made = planes(PatientName="Doe^Jane", PatientID="4711")
    assert (
        repr(sal.read_series(made))
        == "DicomVolume(CT, 5 slices of 6 x 8, 2.5 x 0.5 x 0.75 mm)"
    )
