"""An outline over the source itself: where the heat is, and the source as it was shown."""

import shutil
import subprocess

import numpy as np
import pydicom
import pytest
from matplotlib.path import Path
from PIL import Image
from pydicom.data import get_testdata_file

import saliency as sal
from saliency import export
from saliency.export import presentation
from saliency.pipeline.answer import Answer
from saliency.pipeline.explanation import Explanation
from saliency.volumes.explanation import VolumeExplanation

CT = get_testdata_file("CT_small.dcm")
RGB = get_testdata_file("examples_rgb_color.dcm")
CINE = get_testdata_file("rtdose.dcm")


def explained(source, heat=None, frame=0, window=None):
    """Return a result with a block of heat that has a hole."""
    image = sal.read_dicom(source, frame=frame, window=window)
    if heat is None:
        heat = np.zeros(image.size, np.float32)
        heat[2:8, 1:7] = 1
        heat[4:6, 3:5] = 0.25
    return Explanation(sal.Heatmap(heat), 1.0, 1, None, "GradCAM()", image)


def lines_of(made):
    """Return the polylines, (n, 2) of (column, row)."""
    (annotation,) = made.GraphicAnnotationSequence
    return [
        np.array(each.GraphicData).reshape(-1, 2)
        for each in annotation.GraphicObjectSequence
    ]


@pytest.mark.parametrize("source", [CT, RGB])
def test_outlines_run_around_the_hot_region(source):
    """Pixel (row, column) covers column..column + 1 and row..row + 1 (PS3.3 C.10.5.1.2)."""
    result = explained(source)
    made = export.presentation_state(result, source)
    outside, hole = (Path(line) for line in lines_of(made))
    rows, columns = np.indices(result.image.size)
    centres = np.stack([columns + 0.5, rows + 0.5], axis=-1).reshape(-1, 2)
    inside = outside.contains_points(centres) & ~hole.contains_points(centres)
    hot = result.heatmap.values >= 0.5
    np.testing.assert_array_equal(inside.reshape(hot.shape), hot)
    (thing, *_) = made.GraphicAnnotationSequence[0].GraphicObjectSequence
    assert (thing.GraphicType, thing.GraphicAnnotationUnits) == ("POLYLINE", "PIXEL")
    assert made.Modality == "PR"
    assert (
        len(
            lines_of(
                export.presentation_state(explained(source), source, threshold=0.2)
            )
        )
        == 1
    )


def test_a_frame_is_named():
    """Of a file with many the outline is on one."""
    made = export.presentation_state(explained(CINE, frame=4), CINE)
    (annotation,) = made.GraphicAnnotationSequence
    (reference,) = annotation.ReferencedImageSequence
    assert reference.ReferencedFrameNumber == 5
    assert reference.ReferencedSOPInstanceUID == pydicom.dcmread(CINE).SOPInstanceUID


def test_no_heat_is_a_state_without_lines():
    made = export.presentation_state(
        explained(CT, np.zeros((128, 128), np.float32)), CT
    )
    assert "GraphicAnnotationSequence" not in made


def test_of_very_many_outlines_the_largest_are_kept():
    """And the layer says so."""
    heat = np.zeros((128, 128), np.float32)
    heat[::2, ::2] = 1
    heat[:20, :20] = 1
    made = export.presentation_state(explained(CT, heat), CT)
    assert len(lines_of(made)) == presentation.MOST
    assert len(lines_of(made)[0]) > 5
    assert "the 500 largest of" in made.GraphicLayerSequence[0].GraphicLayerDescription


needs_dcmtk = pytest.mark.skipif(
    shutil.which("dcmp2pgm") is None, reason="no dcmp2pgm: apt-get install dcmtk"
)


@needs_dcmtk
@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("window", [None, sal.Window(1000, 300)])
def test_dcmtk_shows_the_source_as_it_was_explained(tmp_path, window, inverse):
    """Rescale, window and polarity stand in the state; another program reads it and agrees."""
    source = pydicom.dcmread(CT)
    source.WindowCenter, source.WindowWidth = 900, 700
    if inverse:
        source.PhotometricInterpretation = "MONOCHROME1"
    source.save_as(tmp_path / "source.dcm")
    result = explained(tmp_path / "source.dcm", window=window)
    made = export.presentation_state(result, tmp_path / "source.dcm")
    del made.GraphicAnnotationSequence, made.GraphicLayerSequence
    made.save_as(tmp_path / "state.dcm", enforce_file_format=True)
    words = ["dcmp2pgm", "--pstate", "state.dcm", "source.dcm", "shown.pgm"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    shown = np.asarray(Image.open(tmp_path / "shown.pgm")).astype(int)
    assert np.abs(shown - result.image.display).max() <= 2


def test_slices_rescaled_differently_are_refused(tmp_path):
    """One state has one rescale: a second slice would be shown wrongly."""
    source = pydicom.dcmread(CT)
    for number in range(2):
        source.SOPInstanceUID = f"1.2.3.{number}"
        source.ImagePositionPatient = [0, 0, 5 * number]
        source.RescaleSlope = 1 + number
        source.save_as(tmp_path / f"{number}.dcm")
    volume = sal.read_series(tmp_path)
    answer = Answer(1.5, 1, None, "GradCAM()")
    heat = sal.Heatmap(np.ones(volume.size, np.float32))
    result = VolumeExplanation(heat, volume, (answer,))
    with pytest.raises(sal.InputError, match="rescaled alike, got 2 ways"):
        export.presentation_state(result, tmp_path)
