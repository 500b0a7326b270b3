"""Truths drawn as DICOM objects: laid on the image that they refer to, refused on others."""

import io
import warnings

import numpy as np
import pydicom
import pytest
from numpy.testing import assert_array_equal
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

import saliency as sal
from saliency.dicom import drawn as drawings
from saliency.dicom.drawn import DrawnTruth
from saliency.errors import DicomError, InputError
from saliency.evaluation.cases import truth_of

hd = pytest.importorskip("highdicom")

CT = get_testdata_file("CT_small.dcm")
MASK = np.zeros((128, 128), bool)
MASK[20:31, 40:77] = True


@pytest.fixture(scope="module")
def scan():
    return pydicom.dcmread(CT)


def segmentation(source, mask, kind="BINARY"):
    """Return a Segmentation of one image, made by highdicom."""
    code = hd.sr.CodedConcept("49755003", "SCT", "Morphologically abnormal structure")
    segment = hd.seg.SegmentDescription(
        1, "lesion", code, code, hd.seg.SegmentAlgorithmTypeValues.MANUAL
    )
    return hd.seg.Segmentation(
        [source],
        mask[np.newaxis] if kind == "BINARY" else mask[np.newaxis].astype(np.float32),
        kind,
        [segment],
        generate_uid(),
        1,
        generate_uid(),
        1,
        "maker",
        "model",
        "1",
        "1",
    )


def structures(source, polygons, kind="CLOSED_PLANAR", *, refer=True):
    """Return an RT Structure Set with corners in (row, column) of the image."""
    found = Dataset()
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found.SOPClassUID = "1.2.840.10008.5.1.4.1.1.481.3"
    found.SOPInstanceUID, found.Modality = generate_uid(), "RTSTRUCT"
    name = Dataset()
    name.ROINumber = 1
    name.ReferencedFrameOfReferenceUID = source.FrameOfReferenceUID
    found.StructureSetROISequence = [name]
    position = np.array(source.ImagePositionPatient, float)
    row, column = np.reshape(np.array(source.ImageOrientationPatient, float), (2, 3))
    down, across = map(float, source.PixelSpacing)
    contours = []
    for corners in polygons:
        contour = Dataset()
        contour.ContourGeometricType = kind
        points = [position + r * down * column + c * across * row for r, c in corners]
        contour.ContourData = [f"{each:.6f}" for each in np.ravel(points)]
        image = Dataset()
        image.ReferencedSOPInstanceUID = source.SOPInstanceUID
        if refer:
            contour.ContourImageSequence = [image]
        contours.append(contour)
    roi = Dataset()
    roi.ReferencedROINumber, roi.ContourSequence = 1, contours
    found.ROIContourSequence = [roi]
    return found


#: Around the pixel centres of MASK, half a pixel away.
OUTLINE = [(19.5, 39.5), (19.5, 76.5), (30.5, 76.5), (30.5, 39.5)]


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL"])
def test_a_segmentation_lies_where_it_was_drawn(scan, kind):
    drawn = DrawnTruth(segmentation(scan, MASK, kind)).on(sal.read_dicom(CT))
    assert_array_equal(drawn, MASK)


@pytest.mark.parametrize("refer", [True, False])
def test_a_structure_lies_where_it_was_drawn(scan, refer):
    """By the image that its contours refer to; without, by plane and frame of reference."""
    drawn = DrawnTruth(structures(scan, [OUTLINE], refer=refer)).on(
        sal.read_dicom(CT), CT
    )
    assert_array_equal(drawn, MASK)


def test_holes_are_those_of_the_standard(scan):
    """PS3.3 C.8.8.6.3: contours add up, unless their type says exclusive or."""
    hole = [(22.5, 45.5), (22.5, 50.5), (27.5, 50.5), (27.5, 45.5)]
    holed = MASK.copy()
    holed[23:28, 46:51] = False
    for kind, expected in (("CLOSED_PLANAR", MASK), ("CLOSEDPLANAR_XOR", holed)):
        drawing = DrawnTruth(structures(scan, [OUTLINE, hole], kind))
        assert_array_equal(drawing.on(sal.read_dicom(CT), CT), expected)


def test_a_polygon_holds_the_centres_inside_it(scan):
    """A slanted one, against the sign of each edge's cross product."""
    corners = np.array([(10.2, 12.1), (60.7, 30.3), (40.4, 90.9), (14.9, 70.2)])
    drawn = DrawnTruth(structures(scan, [corners])).on(sal.read_dicom(CT), CT)
    places = np.stack(np.indices((128, 128)), axis=-1)
    sides = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        (dr, dc), away = end - start, places - start
        sides.append(dr * away[..., 1] - dc * away[..., 0] > 0)
    assert_array_equal(drawn, np.all(sides, axis=0))


def test_a_segmentation_without_references_lies_by_its_place(scan):
    drawing = segmentation(scan, MASK)
    for group in drawing.PerFrameFunctionalGroupsSequence:
        del group.DerivationImageSequence
    assert_array_equal(DrawnTruth(drawing).on(sal.read_dicom(CT), CT), MASK)
    moved = pydicom.dcmread(CT)
    moved.ImagePositionPatient = [*moved.ImagePositionPatient[:2], -40]
    assert DrawnTruth(drawing).on(sal.read_dicom(moved), moved) is None
    assert (
        DrawnTruth(drawing).on(sal.read_dicom(CT)) is None
    )  # nobody knows where it lies


def test_no_file_is_read_where_references_tell(scan, monkeypatch):
    """A folder of masks is laid on every image: each would be read as often as there are masks."""
    monkeypatch.setattr(drawings, "frame_headers", None)
    image = sal.read_dicom(CT)
    assert_array_equal(DrawnTruth(segmentation(scan, MASK)).on(image, CT), MASK)
    elsewhere = structures(scan, [OUTLINE])
    (contour,) = elsewhere.ROIContourSequence[0].ContourSequence
    contour.ContourImageSequence[0].ReferencedSOPInstanceUID = "1.2.3"
    assert DrawnTruth(elsewhere).on(image, CT) is None


def test_no_value_of_a_truth_is_said(scan):
    """Of an identifier that can be none, pydicom quotes the value in a warning."""
    written, file = structures(scan, [OUTLINE]), io.BytesIO()
    written.file_meta.MediaStorageSOPClassUID = written.SOPClassUID
    written.file_meta.MediaStorageSOPInstanceUID = written.SOPInstanceUID
    pydicom.dcmwrite(file, written, enforce_file_format=True)
    uid = str(scan.SOPInstanceUID).encode()
    broken = file.getvalue().replace(uid, b"Doe^John".ljust(len(uid)))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert DrawnTruth(broken).on(sal.read_dicom(CT), CT) is None
    assert not said


def other(scan):
    """Return the same image under another UID."""
    found = pydicom.dcmread(CT)
    found.SOPInstanceUID = generate_uid()
    return found


def test_regions_of_other_images_are_refused_in_one_sentence(scan):
    stranger = sal.read_dicom(other(scan))
    for drawing in (segmentation(scan, MASK), structures(scan, [OUTLINE])):
        with pytest.raises(InputError, match="drawn on other images") as caught:
            truth_of(drawing, stranger, CT)
        assert scan.SOPInstanceUID not in str(caught.value)


def test_another_grid_is_refused(scan):
    drawing = segmentation(scan, MASK)
    image = sal.read_dicom(CT)
    small = sal.DicomImage.from_array(np.zeros((64, 64))).remembering(image.uid)
    with pytest.raises(InputError, match="resampled"):
        DrawnTruth(drawing).on(small)


def test_a_contour_off_its_plane_is_refused(scan):
    drawing = structures(scan, [OUTLINE])
    contour = drawing.ROIContourSequence[0].ContourSequence[0]
    points = np.reshape(np.array(contour.ContourData, float), (-1, 3))
    points[:, 2] += 7
    contour.ContourData = [f"{each:.4f}" for each in np.ravel(points)]
    with pytest.raises(InputError, match="7 mm off its plane"):
        DrawnTruth(drawing).on(sal.read_dicom(CT), CT)


def test_a_structure_needs_the_file(scan):
    with pytest.raises(InputError, match="Pass the file"):
        DrawnTruth(structures(scan, [OUTLINE])).on(sal.read_dicom(CT))


def test_what_is_no_drawing():
    with pytest.raises(DicomError, match="modality CT"):
        DrawnTruth(CT)
    with pytest.raises(DicomError, match="none under that name"):
        DrawnTruth("nowhere.dcm")


def test_a_folder_of_objects(scan, tmp_path, reader):
    """Each image takes what refers to it; what else lies there is left out."""
    (tmp_path / "notes.csv").write_text("a,b")
    segmentation(scan, MASK).save_as(tmp_path / "seg.dcm")
    asked = {"target": 1, "metrics": "energy_inside"}
    files = [CT, get_testdata_file("MR_small.dcm")]
    by_folder = sal.evaluate(reader, files, "edges", truth=tmp_path, **asked)
    by_mask = sal.evaluate(reader, files, "edges", truth=[MASK, None], **asked)
    key = ("edges", "energy_inside")
    assert by_folder.scores[key].value == by_mask.scores[key].value
    with pytest.raises(InputError, match="all of other images"):
        sal.evaluate(reader, files[1:], "edges", truth=tmp_path, **asked)


@pytest.fixture(scope="module")
def reader():
    from marked_pictures import reader as made

    return made(40, 0)
