"""Objects for a PACS: values and pixels equal, the patient where the standard wants it, no more."""

import copy
import io
import logging
import re
import shutil
import subprocess
import warnings
from dataclasses import replace

import highdicom as hd
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_file
from shared import shared

import saliency as sal
from saliency import export
from saliency.pipeline.answer import Answer
from saliency.pipeline.explanation import Explanation
from saliency.values.model_record import ModelRecord
from saliency.volumes.explanation import VolumeExplanation

CT = get_testdata_file("CT_small.dcm")
RGB = get_testdata_file("SC_rgb_small_odd.dcm")
CINE = get_testdata_file("rtdose.dcm")
COLOUR_CINE = get_testdata_file("examples_ybr_color.dcm")
ABDOMEN = get_testdata_file("examples_overlay.dcm")
MAKERS = {
    "sc": export.secondary_capture,
    "pm": export.parametric_map,
    "seg": export.segmentation,
    "outline": lambda result, source: export.segmentation(
        result, source, fractional=False
    ),
    "sr": export.report,
    "pr": export.presentation_state,
}


def noise(size):
    """Return heat of many sizes."""
    return np.random.default_rng(0).gamma(0.5, 3.0, size).astype(np.float32)


def smooth(size):
    """Return heat as maps of networks have it: a coarse grid, drawn out to the image."""
    coarse = Image.fromarray(noise((16, 16)))
    return np.asarray(coarse.resize(size[::-1], Image.Resampling.BILINEAR))


def explained(source, frame=0, *, signed=False, heat_of=noise, **more):
    """Return a result with heat; no network is needed to write one down."""
    image = sal.read_dicom(source, frame=frame)
    heat = heat_of(image.size)
    told = {
        "recipe": "GradCAM()",
        "probability": 0.9,
        "label": "Erguß",
        "model": ModelRecord("net", "ab" * 32),
        **more,
    }
    recipe = told.pop("recipe")
    return Explanation(
        sal.Heatmap(heat - 2 if signed else heat), 1.5, 1, None, recipe, image, **told
    )


def reread(made):
    """Return an object as its file gives it back."""
    file = io.BytesIO()
    made.save_as(file, enforce_file_format=True)
    file.seek(0)
    return pydicom.dcmread(file)


@pytest.mark.parametrize("source", [CT, RGB, CINE, COLOUR_CINE, ABDOMEN])
def test_the_capture_is_the_overlay(source):
    """Bit for bit, read by pydicom and by our own reader; the band stands below on request."""
    result = explained(source, frame=2 if source in (CINE, COLOUR_CINE) else 0)
    made = reread(export.secondary_capture(result, source))

    np.testing.assert_array_equal(made.pixel_array, result.overlay().rgb)
    np.testing.assert_array_equal(sal.read_dicom(made).display, result.overlay().rgb)
    banded = export.secondary_capture(result, source, caption=True)
    assert banded.Rows > made.Rows
    np.testing.assert_array_equal(
        banded.pixel_array[: made.Rows, : made.Columns], made.pixel_array
    )


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("source", [CT, RGB, CINE])
def test_real_world_values_are_the_heat(source, signed):
    """float32 of at most 1, and the factor that makes the heat of it; highdicom reads it back."""
    result = explained(
        source, signed=signed, recipe="IntegratedGradients()" if signed else "CAM()"
    )
    made = reread(export.parametric_map(result, source))
    stored = np.frombuffer(made.FloatPixelData, np.float32).reshape(
        made.Rows, made.Columns
    )
    image = hd.pm.ParametricMap.from_dataset(made)
    mapping = image.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    heat = stored * mapping.RealWorldValueSlope + mapping.RealWorldValueIntercept
    quantity = mapping.QuantityDefinitionSequence[0].ConceptCodeSequence[0].CodeValue

    assert np.abs(stored).max() == 1
    assert signed == bool(stored.min() < 0)
    np.testing.assert_allclose(heat, result.heatmap.values, rtol=2e-7)
    assert made.ContentLabel == "HEATMAP"
    assert quantity == ("130404" if signed else "130402")


@pytest.mark.parametrize("source", [CT, RGB, COLOUR_CINE])
def test_segments_follow_the_heat(source):
    """255 steps of full heat as the overlay paints it; BINARY at its threshold; colour green."""
    from saliency.render.scale import full

    result = explained(source)
    share = np.clip(result.heatmap.values / full(result.heatmap.values), 0, 1)
    made = hd.seg.Segmentation.from_dataset(reread(export.segmentation(result, source)))
    binary = export.segmentation(result, source, fractional=False, threshold=0.25)
    outline = hd.seg.Segmentation.from_dataset(reread(binary))
    lightness, a, b = made.SegmentSequence[0].RecommendedDisplayCIELabValue

    assert (made.SegmentationType, made.MaximumFractionalValue) == ("FRACTIONAL", 255)
    assert np.abs(made.pixel_array.squeeze() / 255 - share).max() <= 0.5 / 255 + 1e-6
    np.testing.assert_array_equal(outline.pixel_array.squeeze(), share >= 0.25)
    assert "0.25 of full heat" in outline.SegmentSequence[0].SegmentDescription
    assert lightness > 0.8 * 65535
    assert a < 32768 < b


def test_one_scale_for_capture_map_and_segments():
    """At half the usual full heat: what is hotter than that, and what half of it encloses."""
    from saliency.render.scale import full

    result = explained(CT)
    heat = result.heatmap.values
    scale = full(heat) / 2
    made = {
        kind: maker(result, CT, vmax=scale)
        for kind, maker in MAKERS.items()
        if kind in ("sc", "pm", "seg")
    }
    binary = export.segmentation(result, CT, fractional=False, vmax=scale)
    stored = np.frombuffer(made["pm"].FloatPixelData, np.float32).reshape(heat.shape)
    shared_groups = made["pm"].SharedFunctionalGroupsSequence[0]
    (mapping,) = shared_groups.RealWorldValueMappingSequence

    np.testing.assert_array_equal(
        made["sc"].pixel_array, result.overlay(vmax=scale).rgb
    )
    share = np.clip(heat / scale, 0, 1)
    assert np.abs(made["seg"].pixel_array / 255 - share).max() <= 0.5 / 255 + 1e-6
    np.testing.assert_array_equal(binary.pixel_array, share >= 0.5)
    assert f"Full heat is {scale:g}." in binary.SegmentSequence[0].SegmentDescription
    np.testing.assert_allclose(stored, heat / scale, rtol=2e-7)
    assert mapping.RealWorldValueSlope == scale
    assert mapping.DoubleFloatRealWorldValueLastValueMapped == stored.max() > 2


@pytest.mark.parametrize("kind", ["pr", "sr"])
def test_one_scale_for_outlines(kind):
    """Half of full heat lies where a quarter of the usual full heat lies."""
    from saliency.export.outlines import outlines_by_area
    from saliency.render.scale import full

    result = explained(CT)
    heat = result.heatmap.values
    usual, scaled = (
        next(
            each.GraphicData
            for each in items_of(MAKERS[kind](result, CT, vmax=vmax))
            if "GraphicData" in each
        )
        for vmax in (None, full(heat) / 2)
    )
    expected, *_ = outlines_by_area(heat, full(heat) / 4)
    np.testing.assert_allclose(scaled, expected.ravel(), atol=1e-3)
    assert len(usual) != len(scaled)


@pytest.mark.parametrize("kind", ["sc", "pm", "seg", "pr", "sr"])
@pytest.mark.parametrize("vmax", [0, np.nan])
def test_a_scale_is_above_0(kind, vmax):
    with pytest.raises(sal.InputError, match="vmax to be a number above 0"):
        MAKERS[kind](explained(CT), CT, vmax=vmax)


@pytest.mark.parametrize("fractional", [True, False])
def test_a_segmentation_has_the_spacing_of_a_source_without_a_place(fractional):
    """OHIF, for one, leaves its whole page blank where Pixel Measures are missing."""
    source = pydicom.dcmread(RGB)
    source.PixelSpacing = [0.25, 0.5]
    made = export.segmentation(explained(source), source, fractional=fractional)
    assert "FrameOfReferenceUID" not in made
    (measures,) = made.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    assert measures.PixelSpacing == [0.25, 0.5]
    assert measures.SliceThickness == 0.25  # the width of a pixel: one layer of cubes
    hd.seg.Segmentation.from_dataset(reread(made))
    source.SliceThickness = 3
    made = export.segmentation(explained(source), source, fractional=fractional)
    (measures,) = made.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    assert measures.SliceThickness == 3
    del source.PixelSpacing
    made = export.segmentation(explained(source), source, fractional=fractional)
    assert "PixelMeasuresSequence" not in made.SharedFunctionalGroupsSequence[0]


@pytest.mark.parametrize("kind", ["pm", "seg", "outline"])
@pytest.mark.parametrize("source", [CT, RGB])
def test_a_single_frame_is_no_distance_from_another(kind, source):
    """The builder would say 1 mm."""
    made = MAKERS[kind](explained(source), source)
    assert "SpacingBetweenSlices" not in str(made)


def test_pixels_that_are_no_squares_stay_what_they_are():
    """Of unknown size: else a viewer would squeeze capture and map."""
    source = pydicom.dcmread(RGB)
    del source.PixelSpacing
    source.PixelAspectRatio = [2, 1]
    result = explained(source)
    assert export.secondary_capture(result, source).PixelAspectRatio == [2, 1]
    made = export.parametric_map(result, source)
    (measures,) = made.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    assert measures.PixelSpacing == [2, 1]
    source.PixelSpacing = [0.25, 0.5]
    made = export.secondary_capture(explained(source), source)
    assert made.PixelSpacing == [0.25, 0.5]
    assert "PixelAspectRatio" not in made


@pytest.mark.parametrize("kind", ["pm", "seg"])
def test_a_frame_of_a_dose_lies_on_its_grid(kind):
    """The file says the place of the first (PS3.3 C.8.8.3.2); a plane is as thick as a step."""
    source = pydicom.dcmread(CINE)
    *along, height = source.ImagePositionPatient
    offsets = source.GridFrameOffsetVector
    made = MAKERS[kind](explained(CINE, frame=4), CINE)
    (group,) = made.PerFrameFunctionalGroupsSequence
    place = group.PlanePositionSequence[0].ImagePositionPatient
    np.testing.assert_allclose(place, [*along, height + offsets[4]])
    (measures,) = made.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    assert measures.SliceThickness == abs(offsets[1] - offsets[0]) > 0
    source.GridFrameOffsetVector[0] = (
        7  # neither form: nobody knows where the frame lies
    )
    made = MAKERS[kind](explained(source, frame=4), source)
    assert made.get("FrameOfReferenceUID") != source.FrameOfReferenceUID


def test_a_dose_is_exported_as_a_volume():
    volume = sal.read_series(CINE)
    heat = sal.Heatmap(np.ones(volume.size, np.float32))
    answer = Answer(1.5, 1, None, "GradCAM()")
    made = export.parametric_map(VolumeExplanation(heat, volume, (answer,)), CINE)
    assert made.NumberOfFrames == len(volume)


def test_an_empty_frame_of_reference_is_none():
    source = pydicom.dcmread(CT)
    source.FrameOfReferenceUID = ""
    made = export.segmentation(explained(source), source)
    assert "FrameOfReferenceUID" not in made


@pytest.mark.parametrize(
    ("keyword", "said", "written"),
    [
        ("Laterality", "L", "L"),
        ("Laterality", "r", "R"),
        ("Laterality", "B", None),
        ("Laterality", "LEFT", None),
        ("ImageLaterality", "B", "B"),
        ("ImageLaterality", "X", None),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
@pytest.mark.parametrize("kind", ["sc", "pm", "pr", "seg"])
def test_a_side_is_one_that_the_standard_has(kind, keyword, said, written):
    """Unknown, it is empty (type 2C); of a body part that is named it may be absent."""
    source = pydicom.dcmread(CT)
    setattr(source, keyword, said)
    made = MAKERS[kind](explained(source), source)
    if kind == "seg":  # dciodvfy allows it no Laterality
        assert "Laterality" not in made
    elif written is None:
        assert made.Laterality == ""
    elif kind != "pr":
        assert made[keyword].value == written
    source.BodyPartExamined = "HAND"
    made = MAKERS[kind](explained(source), source)
    stated = {made.get("Laterality"), made.get("ImageLaterality")} - {None}
    assert stated == {written} - {None, "B" if kind == "pr" else None}


@pytest.mark.parametrize("kind", MAKERS)
def test_words_of_a_class_are_one_value(kind):
    r"""A backslash would make two of them."""
    made = reread(MAKERS[kind](explained(CT, label="mass\\nodule\n(left)"), CT))
    assert "mass nodule (left)" in str(made)


def test_classes_whose_names_begin_alike_have_two_codes():
    """A code has 16 signs, a long code has as many as it needs."""
    name = "effusion of the left side"
    made = reread(export.report(replace(explained(CT), target=name), CT))
    assert name in {item.get("LongCodeValue") for item in items_of(made)}


def test_two_segmentations_of_a_result_have_two_names():
    kinds = ({}, {"fractional": False}, {"fractional": False, "threshold": 0.3})
    names = [
        export.segmentation(explained(CT), CT, **kind).SeriesDescription
        for kind in kinds
    ]
    assert [name.partition(",")[0] for name in names] == [
        "GradCAM region",
        "GradCAM region at 0.5",
        "GradCAM region at 0.3",
    ]


def test_an_empty_map_is_an_object(tmp_path):
    """No heat: frames of zeros, no division by nothing, no frame omitted."""
    image = sal.read_dicom(CT)
    result = Explanation(
        sal.Heatmap(np.zeros(image.size)), 0.0, 0, None, "Gradient()", image
    )
    for path in sal.export_dicom(result, CT, tmp_path, ("pm", "seg")):
        made = pydicom.dcmread(path)
        assert made.NumberOfFrames == 1
        assert not any(made.get("PixelData", made.get("FloatPixelData")))


@pytest.mark.parametrize("kind", MAKERS)
def test_references_lead_to_the_frame(kind):
    """Class, instance and frame number of the source; its study; another series and instance."""
    result, source = explained(CINE, frame=4), pydicom.dcmread(CINE)
    first, second = (MAKERS[kind](result, CINE) for _ in range(2))
    found = [
        item
        for item in items_of(first)
        if item.get("ReferencedSOPInstanceUID") == source.SOPInstanceUID
    ]

    assert found
    assert {str(item.ReferencedSOPClassUID) for item in found} == {
        str(source.SOPClassUID)
    }
    assert 5 in {item.get("ReferencedFrameNumber") for item in found}
    assert first.StudyInstanceUID == source.StudyInstanceUID
    uids = {each.SeriesInstanceUID for each in (first, second, source)}
    uids |= {each.SOPInstanceUID for each in (first, second, source)}
    assert len(uids) == 6
    assert "not for diagnosis" in first.SeriesDescription
    assert len(first.SeriesDescription) <= 64


def items_of(dataset):
    for element in dataset:
        for item in element.value if element.VR == "SQ" else ():
            yield item
            yield from items_of(item)


def test_a_frame_lies_where_the_source_lies():
    """Frame of reference, position, orientation and spacing, bit for bit of what was written."""
    result, source = explained(CT), pydicom.dcmread(CT)
    for kind in ("sc", "pm", "seg"):
        made = MAKERS[kind](result, CT)
        group = made.get("PerFrameFunctionalGroupsSequence", [made])[0]
        shared_group = made.get("SharedFunctionalGroupsSequence", [made])[0]
        at = group.get("PlanePositionSequence", [made])[0]
        along = shared_group.get("PlaneOrientationSequence", [made])[0]
        measures = shared_group.get("PixelMeasuresSequence", [made])[0]

        assert made.FrameOfReferenceUID == source.FrameOfReferenceUID
        np.testing.assert_allclose(at.ImagePositionPatient, source.ImagePositionPatient)
        np.testing.assert_allclose(
            along.ImageOrientationPatient, source.ImageOrientationPatient
        )
        np.testing.assert_allclose(measures.PixelSpacing, source.PixelSpacing)


def test_the_derivation_says_method_model_target_and_version():
    """And that it is for research."""
    words = export.secondary_capture(explained(CT), CT).DerivationDescription
    for each in (
        "GradCAM()",
        "Erguß",
        "net",
        "ab" * 32,
        sal.__version__,
        "not for diagnosis",
    ):
        assert each in words


@pytest.mark.parametrize(("text", "declared", "said"), [
    (False, None, "NO"), (True, None, "YES"), (False, "YES", "YES"),
])  # fmt: skip
def test_burned_in_annotation_is_true_to_what_was_found(tmp_path, text, declared, said):
    """YES where text was found or the source says so; NO where it was looked for in vain."""
    dataset = pydicom.dcmread(CT)
    if declared:
        dataset.BurnedInAnnotation = declared
    if text:
        pixels = dataset.pixel_array.copy()
        pixels[20:34, 10:118] = _written(pixels)
        dataset.PixelData = pixels.tobytes()
    dataset.save_as(tmp_path / "a.dcm")
    result = explained(tmp_path / "a.dcm")
    assert text == any(zone.name == "text" for zone in result.image.zones)

    made = export.secondary_capture(result, tmp_path / "a.dcm")
    assert made.BurnedInAnnotation == said
    if text:
        redacted = export.secondary_capture(result, tmp_path / "a.dcm", redact=True)
        assert redacted.BurnedInAnnotation == "NO"


def _written(pixels):
    from PIL import Image, ImageDraw, ImageFont

    page = Image.new("L", (108, 14))
    ImageDraw.Draw(page).text(
        (2, 0), "DOE JOHN 123", fill=255, font=ImageFont.load_default(11)
    )
    return np.where(np.asarray(page) > 100, pixels.max(), pixels.min()).astype(
        pixels.dtype
    )


def marked():
    """A source with everything that must not travel, and a patient with an odd name."""
    dataset = pydicom.dcmread(CT)
    dataset.PatientName = "Müller"
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.InstitutionName, dataset.OperatorsName = (
        "SECRET HOSPITAL",
        "SECRET^OPERATOR",
    )
    dataset.PatientAddress, dataset.PatientComments = "SECRET STREET", "SECRET COMMENT"
    block = dataset.private_block(0x0009, "SECRET MAKER", create=True)
    block.add_new(1, "LO", "SECRET PRIVATE")
    dataset.add_new(0x60003000, "OW", b"SECRETOVERLAY   ")
    dataset.add_new(0x50003000, "OW", b"SECRETCURVE     ")
    icon = pydicom.Dataset()
    icon.BitsAllocated, icon.PixelData = 8, b"SECRETICON  "
    dataset.IconImageSequence = [icon]
    code = pydicom.Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = (
        "113100",
        "DCM",
        "Basic",
    )
    code.private_block(0x0011, "SECRET INNER", create=True).add_new(1, "LO", "SECRET")
    dataset.DeidentificationMethodCodeSequence = [code]
    return dataset


@pytest.mark.parametrize("kind", MAKERS)
def test_the_patient_is_copied_and_nothing_else(kind, caplog, tmp_path):
    """No private group, overlay, curve, icon, institution; no name in log or warning."""
    source = marked()
    before = copy.deepcopy(source)
    result = explained(source)
    with caplog.at_level(logging.DEBUG), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        made = MAKERS[kind](result, source)
        file = io.BytesIO()
        made.save_as(file, enforce_file_format=True)
    again = pydicom.dcmread(io.BytesIO(file.getvalue()))

    assert source == before
    assert b"SECRET" not in file.getvalue()
    assert not [element for element in again.iterall() if element.tag.is_private]
    assert str(again.PatientName) == str(source.PatientName)
    assert again.PatientID == source.PatientID
    assert again.StudyDate == source.StudyDate
    said = caplog.text + "".join(str(each.message) for each in warned)
    assert "Müller" not in said
    assert str(source.PatientID) not in said


def test_names_of_files_hold_nothing_of_the_patient(tmp_path):
    """Digest, frame, method and kind."""
    source = marked()
    source.save_as(tmp_path / "Mueller.dcm")
    result = explained(tmp_path / "Mueller.dcm")
    kinds = ("sc", "pm", "seg", "sr")
    paths = sal.export_dicom(
        result, tmp_path / "Mueller.dcm", tmp_path / "new" / "out", kinds
    )

    digest = result.image.digest[:12]
    assert [path.name for path in paths] == [
        f"{digest}-0-GradCAM-{kind}.dcm" for kind in kinds
    ]
    modalities = [pydicom.dcmread(path).Modality for path in paths]
    assert modalities == ["OT", "OT", "SEG", "SR"]


def test_the_report_holds_the_numbers_and_refers_to_the_objects(tmp_path):
    """Probability, score and shares of heat under our codes; the map is referred to."""
    result = explained(CT)
    map_path, path = sal.export_dicom(result, CT, tmp_path, ("pm", "sr"))
    made = pydicom.dcmread(path)
    numbers = {
        item.ConceptNameCodeSequence[0].CodeValue: float(
            item.MeasuredValueSequence[0].NumericValue
        )
        for item in items_of(made)
        if item.get("ValueType") == "NUM"
    }
    referred = {item.get("ReferencedSOPInstanceUID") for item in items_of(made)}

    units = {
        item.ConceptNameCodeSequence[0].CodeValue: item.MeasuredValueSequence[0]
        .MeasurementUnitsCodeSequence[0]
        .CodeValue
        for item in items_of(made)
        if item.get("ValueType") == "NUM"
    }
    assert numbers["probability"] == pytest.approx(90)
    assert numbers["score"] == pytest.approx(1.5)
    assert numbers["outside"] == pytest.approx(100 * result.outside)
    assert (units["probability"], units["score"], units["outside"]) == (
        "%",
        "{score}",
        "%",
    )
    assert pydicom.dcmread(map_path).SOPInstanceUID in referred
    assert "Erguß" in str(made)
    assert hd.sr.ComprehensiveSR.from_dataset(made).content is not None


@pytest.mark.parametrize(("source", "frame"), [(CT, 0), (CINE, 4)])
def test_the_report_marks_the_largest_hot_region(source, frame):
    """A closed line on the frame explained, in pixels from the upper left corner (C.18.6.1.1)."""
    image = sal.read_dicom(source, frame=frame)
    heat = np.zeros(image.size, np.float32)
    heat[2:4, 1:9] = 0.6
    heat[6:8, 6:8] = 1  # hotter, and smaller
    result = Explanation(sal.Heatmap(heat), 1.5, 1, None, "CAM()", image)
    made = reread(export.report(result, source))
    (group,) = hd.sr.MeasurementReport.from_sequence(
        [made]
    ).get_planar_roi_measurement_groups()
    corners = group.roi.value
    (looked_at,) = group.roi.ContentSequence
    reference = looked_at.ReferencedSOPSequence[0]

    assert (corners.min(0) > (0, 1)).all()
    assert (corners.min(0) < (2, 3)).all()
    assert (corners.max(0) > (8, 3)).all()
    assert (corners.max(0) < (10, 5)).all()
    np.testing.assert_array_equal(corners[0], corners[-1])
    assert reference.ReferencedSOPInstanceUID == pydicom.dcmread(source).SOPInstanceUID
    assert reference.get("ReferencedFrameNumber", 1) == frame + 1


def test_a_report_without_heat_marks_nothing():
    image = sal.read_dicom(CT)
    nothing = sal.Heatmap(np.zeros(image.size))
    result = Explanation(nothing, 0.0, 0, None, "Gradient()", image)
    assert "SCOORD" not in str(export.report(result, CT))


def test_a_loop_is_a_loop_again(tmp_path):
    """Each frame on one scale, bit for bit, named one by one, at the pace of the source."""
    from saliency.render.scale import full

    results = [explained(COLOUR_CINE, frame=frame) for frame in (0, 2, 3)]
    assert results[0].image.frames > 3
    made = reread(export.secondary_capture(results, COLOUR_CINE))
    scale = full(np.stack([np.abs(each.heatmap.values) for each in results]))
    expected = [each.overlay(vmax=scale).rgb for each in results]
    np.testing.assert_array_equal(made.pixel_array, expected)
    numbers = [item.ReferencedFrameNumber for item in made.SourceImageSequence]
    assert numbers == [1, 3, 4]
    source = pydicom.dcmread(COLOUR_CINE)
    assert made[made.FrameIncrementPointer].keyword == (
        "FrameTime" if source.get("FrameTime") else "PageNumberVector"
    )
    assert made.get("FrameTime") == source.get("FrameTime")


@pytest.mark.parametrize("results", [[], ["a"]])
def test_a_loop_is_of_explanations(results):
    with pytest.raises(sal.InputError, match="expected Explanations of frames, got"):
        export.secondary_capture(results, COLOUR_CINE)


def test_the_report_holds_what_an_audit_found():
    """Finding, effect and p value of each zone; without an audit no word of one."""
    from saliency.audit import AuditReport, Verdict

    verdicts = {
        "text": Verdict("reads", 0.62, (0.5, 0.7), 0.0004),
        "borders": Verdict("no evidence", 0.01, (-0.1, 0.1), 1.0),
    }
    made = reread(export.report(explained(CT), CT, audit=AuditReport(verdicts)))
    found = {
        item.ConceptNameCodeSequence[0].CodeMeaning: item
        for item in items_of(made)
        if item.get("ValueType") in ("NUM", "CODE")
        and "ConceptNameCodeSequence" in item
    }
    for name, verdict in verdicts.items():
        answer = found[f"Audit: does the model read {name}?"].ConceptCodeSequence[0]
        assert answer.CodeMeaning == verdict.finding
        for words, value in (
            (f"Audit: effect of {name} on the score", verdict.effect),
            (f"Audit: corrected p value of {name}", 100 * verdict.p_value),
        ):
            number = found[words].MeasuredValueSequence[0].NumericValue
            assert float(number) == pytest.approx(value)
    assert "Audit" not in str(export.report(explained(CT), CT))


def test_loss_is_said():
    """What was lost before is lost still: flag, ratio, and the syntax that says it by itself."""
    source = pydicom.dcmread(CT)
    source.LossyImageCompression, source.LossyImageCompressionRatio = "01", "12.5"
    made = export.secondary_capture(explained(source), source)
    assert (made.LossyImageCompression, made.LossyImageCompressionRatio) == ("01", 12.5)

    jpeg = get_testdata_file("JPGExtended.dcm")
    assert export.secondary_capture(explained(jpeg), jpeg).LossyImageCompression == "01"
    assert export.secondary_capture(explained(CT), CT).LossyImageCompression == "00"


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize(
    ("change", "match"),
    [
        (
            lambda d: setattr(d, "PixelData", bytes(len(d.PixelData))),
            "pixels of the source",
        ),
        (lambda d: setattr(d, "Rows", 64), "128, 128.*64"),
        (lambda d: delattr(d, "StudyInstanceUID"), "StudyInstanceUID"),
        (lambda d: setattr(d, "SOPInstanceUID", "1.02.x"), "SOPInstanceUID"),
        (
            lambda d: setattr(d, "SeriesInstanceUID", "1." + "2" * 63),
            "SeriesInstanceUID",
        ),
    ],
    ids=["pixels", "size", "study", "broken", "long"],
)
def test_what_does_not_belong_together_is_refused(kind, change, match):
    """Nothing is written about another image."""
    result, source = explained(CT), pydicom.dcmread(CT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        change(source)
        with pytest.raises(sal.SaliencyError, match=match):
            MAKERS[kind](result, source)


@pytest.mark.parametrize(("kinds", "match"), [(("sc", "gsps"), "gsps"), ((), "none")])
def test_unknown_kinds_are_refused(tmp_path, kinds, match):
    """Before anything is written."""
    with pytest.raises(sal.InputError, match=match):
        sal.export_dicom(explained(CT), CT, tmp_path / "out", kinds)
    assert not (tmp_path / "out").exists()


def test_a_threshold_is_a_share():
    with pytest.raises(sal.InputError, match="threshold"):
        export.segmentation(explained(CT), CT, threshold=0)


needs_validator = pytest.mark.skipif(
    shutil.which("dciodvfy") is None, reason="no dciodvfy: apt-get install dicom3tools"
)


def errors_of(path):
    """Return dciodvfy's errors."""
    done = subprocess.run(["dciodvfy", path], capture_output=True, check=False)
    text = (done.stdout + done.stderr).decode(errors="replace")
    return {line for line in text.splitlines() if line.startswith("Error")}


def uid_judged(error):
    """Return an error without where it stands: a reference names a source by the UID it has."""
    return re.sub(r"(Illegal .* UID - .*?) in \(.*", r"\1", error)


#: Of a class that has one frame, or that dciodvfy of 2022 does not know: the source has several.
OF_FRAMES = "Shall not be present for Referenced SOP Class that is not multi-frame"


EVERY_KIND = ("sc", "pm", "seg", "outline", "sr", "pr")


def exported(source, folder):
    """Write every kind of object of a file."""
    return sal.export_dicom(explained(source), source, folder, EVERY_KIND)


def judged(source, paths):
    """Return the errors of objects made of a file that the file itself has not."""
    own = {uid_judged(error) for error in errors_of(source)}
    header = pydicom.dcmread(source, stop_before_pixels=True, force=True)
    has_frames = int(header.get("NumberOfFrames") or 1) > 1
    return {
        error
        for path in paths
        for error in errors_of(path)
        if uid_judged(error) not in own and not (has_frames and OF_FRAMES in error)
    }


@needs_validator
@pytest.mark.parametrize("keyword", ["Laterality", "ImageLaterality"])
def test_a_validator_has_nothing_to_say_of_a_side(keyword, tmp_path):
    source = pydicom.dcmread(CT)
    source.BodyPartExamined = "HAND"
    setattr(source, keyword, "L")
    source.save_as(file := tmp_path / "source.dcm")
    assert judged(file, exported(file, tmp_path)) == set()


@needs_validator
@pytest.mark.parametrize("source", [CT, RGB, CINE, COLOUR_CINE, ABDOMEN])
def test_a_validator_finds_no_error_that_the_source_lacks(source, tmp_path):
    assert judged(source, exported(source, tmp_path)) == set()


@needs_validator
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")  # of pydicom, about sources
def test_sixty_files_of_the_corpus(tmp_path):
    """Every kind of object of real files from many makers; values equal."""
    files = sorted(shared("corpus", "corpus").glob("*.dcm"))
    done, found, refused = 0, {}, {}
    for number, file in enumerate(files[::2]):
        folder = tmp_path / str(number)
        try:
            result = explained(file, heat_of=smooth)
            paths = sal.export_dicom(result, file, folder, EVERY_KIND)
        except sal.SaliencyError as error:
            # What is refused is refused from the first kind on.
            with pytest.raises(type(error)):
                export.secondary_capture(explained(file), file)
            if isinstance(error, sal.InputError):
                refused[file.name] = str(error)
            continue
        assert (pydicom.dcmread(paths[0]).pixel_array == result.overlay().rgb).all()
        errors = judged(file, paths)
        shutil.rmtree(folder)
        done += 1
        if errors:
            found[file.name] = errors
    assert done >= 60
    assert all("UID" in message for message in refused.values()), refused
    assert found == {}
