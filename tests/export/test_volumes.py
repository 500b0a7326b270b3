"""Objects of volumes: a frame for each slice, where the slice lies."""

import highdicom as hd
import numpy as np
import pydicom
import pytest
from export.test_objects import errors_of, needs_validator
from shared import shared

import saliency as sal
from saliency import export
from saliency.pipeline.answer import Answer
from saliency.pipeline.files import sources_in
from saliency.render.scale import full
from saliency.volumes.explanation import VolumeExplanation

SERIES = ("ct_axial", "ct_enhanced_built", "mr_coronal")


def explained(source):
    """Return a result with random heat about a volume of one answer."""
    volume = sal.read_series(source)
    heat = np.random.default_rng(0).gamma(0.5, 3.0, volume.size).astype(np.float32)
    answer = Answer(1.5, 1, None, "GradCAM()", probability=0.9, label="tumour")
    return VolumeExplanation(sal.Heatmap(heat), volume, (answer,))


@pytest.fixture(scope="module", params=SERIES)
def series(request, tmp_path_factory):
    """The folder, the result, and the paths of its four objects."""
    folder = shared("series", request.param)
    result = explained(folder)
    out = tmp_path_factory.mktemp(request.param)
    return (
        folder,
        result,
        sal.export_dicom(result, folder, out, ("sc", "pm", "seg", "sr")),
    )


def slices_of(made, volume):
    """Return the slice that each frame of an object lies in."""
    places = [
        volume.affine[:3, 3] + k * volume.affine[:3, 0] for k in range(len(volume))
    ]
    found = [
        group.PlanePositionSequence[0].ImagePositionPatient
        for group in made.PerFrameFunctionalGroupsSequence
    ]
    distances = np.linalg.norm(
        np.array(found, float)[:, None] - np.array(places), axis=2
    )
    assert distances.min(axis=1).max() < 0.05
    return distances.argmin(axis=1)


def test_the_capture_has_the_slices_in_order(series):
    """One scale for all, bit for bit."""
    _, result, paths = series
    made = pydicom.dcmread(paths[0])
    expected = [
        result.slice(k).overlay(vmax=result.vmax).rgb for k in range(len(result))
    ]

    np.testing.assert_array_equal(made.pixel_array, expected)


def test_heat_lies_in_its_slice(series):
    """Values of map and segment by place, one factor for all."""
    _, result, paths = series
    heat = result.heatmap.values
    made = pydicom.dcmread(paths[1])
    stored = np.frombuffer(made.FloatPixelData, np.float32).reshape(heat.shape)
    mapping = made.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    order = slices_of(made, result.volume)
    np.testing.assert_allclose(
        stored * mapping.RealWorldValueSlope, heat[order], rtol=2e-7
    )

    segments = hd.seg.Segmentation.from_dataset(pydicom.dcmread(paths[2]))
    order = slices_of(segments, result.volume)
    share = np.clip(heat[order] / full(heat), 0, 1)
    assert np.abs(segments.pixel_array / 255 - share).max() <= 0.5 / 255 + 1e-6


def test_each_frame_refers_to_the_image_of_its_slice(series):
    """Instance, and frame number of an enhanced file: its pixels are those of the slice."""
    folder, result, paths = series
    files = {
        str(pydicom.dcmread(file).SOPInstanceUID): file for file in sources_in(folder)
    }
    made = pydicom.dcmread(paths[1])
    order = slices_of(made, result.volume)
    for group, number in zip(made.PerFrameFunctionalGroupsSequence, order, strict=True):
        item = group.DerivationImageSequence[0].SourceImageSequence[0]
        frame = int(item.get("ReferencedFrameNumber", 1)) - 1
        image = sal.read_dicom(files[item.ReferencedSOPInstanceUID], frame=frame)
        assert image.digest == result.volume[number].digest
    listed = [
        item.ReferencedSOPInstanceUID
        for item in made.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    ]
    assert sorted(listed) == sorted(files)


def test_the_report_speaks_of_the_hottest_slice():
    """Of one answer for a volume: its first slice may hold no heat."""
    folder = shared("series", "ct_axial")
    volume = sal.read_series(folder)
    heat = np.zeros(volume.size, np.float32)
    heat[5, 20:40, 30:60] = 1
    answer = Answer(1.5, 1, None, "GradCAM()")
    made = export.report(
        VolumeExplanation(sal.Heatmap(heat), volume, (answer,)), folder
    )
    (evidence,) = made.CurrentRequestedProcedureEvidenceSequence
    (series,) = evidence.ReferencedSeriesSequence
    (item,) = series.ReferencedSOPSequence
    files = {
        str(pydicom.dcmread(file).SOPInstanceUID): file for file in sources_in(folder)
    }
    image = sal.read_dicom(files[item.ReferencedSOPInstanceUID])
    assert image.digest == volume[5].digest


@needs_validator
def test_a_validator_finds_no_error_that_the_source_lacks(series):
    folder, _, paths = series
    own = errors_of(next(iter(sources_in(folder))))
    assert {error for path in paths for error in errors_of(path)} <= own


def test_orientations_that_differ_in_the_last_digits_are_one():
    """As a scanner writes them: the same to the eighth digit, and other text in each slice."""
    folder = shared("series", "ct_axial")
    headers = [pydicom.dcmread(file) for file in sorted(sources_in(folder))[:3]]
    for number, each in enumerate(headers):
        each.ImageOrientationPatient = [1, number * 1e-8, 0, 0, 1, 0]
    result = explained(headers)
    for make in (export.parametric_map, export.segmentation):
        assert make(result, headers).NumberOfFrames == 3


def test_another_series_is_refused():
    """A slice without its pixels, and one in another place."""
    result = explained(shared("series", "ct_axial"))
    files = sorted(sources_in(shared("series", "ct_axial")))
    with pytest.raises(
        sal.InputError, match="no frame of the source has the pixels of slice"
    ):
        export.parametric_map(result, files[1:])
    moved = [pydicom.dcmread(file) for file in files]
    for each in moved:
        each.ImagePositionPatient[0] += 5
    with pytest.raises(sal.InputError, match="slice 0 lie 5 mm from"):
        export.parametric_map(result, moved)
    for each in moved:
        del each.FrameOfReferenceUID
    with pytest.raises(sal.InputError, match=r"Frame of Reference UID.*got slice 0"):
        export.parametric_map(result, moved)
