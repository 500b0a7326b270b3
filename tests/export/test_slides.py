"""Objects of slides: heat on its own grid, in the slide's coordinates."""

from copy import deepcopy
from dataclasses import replace

import highdicom as hd
import numpy as np
import pydicom
import pytest
from dicom.test_icc import gamma_profile
from export.test_objects import errors_of, needs_validator
from shared import shared
from slides.built import level
from slides.networks import red_detector

import saliency as sal
from saliency import export
from saliency.pipeline.answer import Answer
from saliency.slides.explain import explain_slide
from saliency.slides.explain_setup import THUMBNAIL, slide_digest
from saliency.slides.open import open_slide
from saliency.slides.result import AskedSlide, SlideExplanation
from saliency.slides.stitch import tile_grid

SLIDES = (
    "slide_full",
    "slide_sparse",
    "slide_concatenated",
    "slide_label",
    "slide_turned",
)
ANSWER = Answer(1.5, 1, None, "GradCAM()", probability=0.9, label="tumour")
#: Not square, so that rows and columns cannot be exchanged unseen.
SPACING = (0.0005, 0.0006)
UIDS = {
    "StudyInstanceUID": "1.2.3.4",
    "FrameOfReferenceUID": "1.2.3.5",
    "PatientName": "Slide^Made",
    "PatientID": "S-1",
    "ContainerIdentifier": "C-7",
}


def explained(source, tile=4, seed=0, spacing_factor=1.7):
    """Return a result with random heat; a corner of the slide and a hole were not asked about."""
    with open_slide(source) as slide:
        shown = slide.thumbnail(THUMBNAIL)
        spacing = tuple(mm * spacing_factor for mm in slide.levels[0].spacing)
        size = tuple(
            round(mm / step) for mm, step in zip(slide.size, spacing, strict=True)
        )
        asked = AskedSlide(
            size=slide.size,
            spacing=spacing,
            assumed=False,
            pixels=(slide.levels[0].rows, slide.levels[0].columns),
            affine=slide.affine,
            tissue=None,
            digest=slide_digest(slide, shown),
            thumbnail=lambda _: shown,
        )
    grid = tile_grid(size, (tile, tile), 0.0)
    rng = np.random.default_rng(seed)
    said = np.ones(grid.cells, np.bool_)
    said[64:, 64:] = False
    said[9:14, 21:24] = (
        False  # odd borders: some cells of a coarser level are asked in part
    )
    heat = (rng.gamma(0.5, 0.3, grid.cells) * said).astype(np.float32)
    scores = np.zeros((*grid.tiles, 2), np.float32)
    return SlideExplanation(
        heatmap=sal.Heatmap(heat),
        explained=said,
        scores=scores,
        probabilities=scores[..., 0] + 0.7,
        grid=grid,
        slide=asked,
        answer=ANSWER,
    )


@pytest.fixture(scope="module")
def made_files():
    """A slide of 150 x 190 pixels, tiles of 5 x 7, whose axes are turned as scanners have it."""
    scene = np.random.default_rng(1).integers(0, 250, (150, 190, 3), np.uint8)
    return [level(scene, spacing=SPACING, **UIDS)]


@pytest.fixture(scope="module", params=("made", *SLIDES))
def source(request):
    """Each slide: a folder, or Datasets."""
    if request.param == "made":
        return request.getfixturevalue("made_files")
    return shared("slides", request.param)


@pytest.fixture(scope="module")
def written(source, tmp_path_factory):
    """The result of a slide, and the path of each object by kind, of coarser levels too."""
    tile = 4 if isinstance(source, list) else 8
    result = explained(source, tile=tile)
    paths = sal.export_dicom(result, source, tmp_path_factory.mktemp("slide"))
    return result, {path.stem.split("GradCAM-")[1]: path for path in paths}


def pyramid(paths, kind):
    """Return the levels of a kind, as they were written."""
    return [
        pydicom.dcmread(path)
        for name, path in paths.items()
        if name.split("-")[0] == kind
    ]


def whole(made, frames):
    """Put frames together by their position in the total pixel matrix."""
    rows, columns = made.TotalPixelMatrixRows, made.TotalPixelMatrixColumns
    canvas = np.zeros((rows + made.Rows, columns + made.Columns), np.float64)
    for group, frame in zip(made.PerFrameFunctionalGroupsSequence, frames, strict=True):
        place = group.PlanePositionSlideSequence[0]
        r = place.RowPositionInTotalImagePixelMatrix - 1
        c = place.ColumnPositionInTotalImagePixelMatrix - 1
        canvas[r : r + made.Rows, c : c + made.Columns] = frame
    return canvas[:rows, :columns]


def test_the_map_holds_the_heat(written):
    """Values times the factor are the heat, cell by cell; what was not asked about is no tile."""
    result, paths = written
    made = pydicom.dcmread(paths["pm"])
    heat = result.heatmap.values
    frames = np.frombuffer(made.FloatPixelData, np.float32)
    frames = frames.reshape(-1, made.Rows, made.Columns)
    mapping = made.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    stored = whole(made, frames)

    assert made.DimensionOrganizationType == "TILED_SPARSE"
    assert (made.TotalPixelMatrixRows, made.TotalPixelMatrixColumns) == heat.shape
    assert np.abs(stored).max() == 1
    np.testing.assert_allclose(stored * mapping.RealWorldValueSlope, heat, rtol=2e-7)
    tiles = -(-heat.shape[0] // made.Rows) * -(-heat.shape[1] // made.Columns)
    corner_left_out = min(heat.shape) > 64
    assert made.NumberOfFrames == len(frames) <= tiles
    assert (len(frames) < tiles) == corner_left_out


def test_highdicom_reads_the_same_matrix(written):
    """An independent reader puts map and segment together likewise."""
    result, paths = written
    heat = result.heatmap.values
    made = hd.pm.ParametricMap.from_dataset(pydicom.dcmread(paths["pm"]))
    rows = min(64, len(heat))  # it reads no region in which a tile is left out
    read = made.get_total_pixel_matrix(
        row_end=rows + 1, apply_real_world_transform=False
    )
    share = heat[:rows] / heat.max()
    np.testing.assert_allclose(np.squeeze(read), share, rtol=1e-6)

    segments = pydicom.dcmread(paths["seg"])
    share = np.clip(heat / result.vmax, 0, 1)
    stored = whole(segments, segments.pixel_array.reshape(-1, 64, 64)) / 255
    assert np.abs(stored - share).max() <= 0.5 / 255 + 1e-6


def test_corners_lie_where_the_affine_says(written, source):
    """Every tile's position, and the corners of the grid, which are those of the slide."""
    result, paths = written
    cell = np.diag(result.placement)[:2]
    for path in (paths["pm"], paths["seg"]):
        made = pydicom.dcmread(path)
        measures = made.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
        np.testing.assert_allclose(measures.PixelSpacing, cell, rtol=1e-9)
        for group in made.PerFrameFunctionalGroupsSequence:
            place = group.PlanePositionSlideSequence[0]
            row = place.RowPositionInTotalImagePixelMatrix - 0.5
            column = place.ColumnPositionInTotalImagePixelMatrix - 0.5
            expected = result.affine @ (row, column, 1)
            stored = (
                float(place.XOffsetInSlideCoordinateSystem),
                float(place.YOffsetInSlideCoordinateSystem),
            )
            np.testing.assert_allclose(stored, expected[:2], atol=1e-6)
        origin = made.TotalPixelMatrixOriginSequence[0]
        cosines = np.array(made.ImageOrientationSlide, float).reshape(2, 3)[:, :2]
        first = np.array(
            (
                float(origin.XOffsetInSlideCoordinateSystem),
                float(origin.YOffsetInSlideCoordinateSystem),
            )
        )
        rows, columns = result.grid.cells
        for r, c in ((0, 0), (0, columns), (rows, 0), (rows, columns)):
            along = cosines[0] * (c - 0.5) * cell[1] + cosines[1] * (r - 0.5) * cell[0]
            with open_slide(source) as slide:
                near = slide.affine @ (r * cell[0], c * cell[1], 1)
            assert np.abs(first + along - near[:2]).max() < cell.min() / 2


def means(cells, said, factor):
    """Return the mean of each factor x factor cells that were asked about; 0 where none was."""
    sums, counts = (
        np.add.reduceat(
            np.add.reduceat(each, np.arange(0, each.shape[0], factor), axis=0),
            np.arange(0, each.shape[1], factor),
            axis=1,
        )
        for each in (np.where(said, cells, 0).astype(np.float64), said.astype(int))
    )
    return np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)


def offsets(item):
    """Return (x, y) mm of a position in the slide's coordinates."""
    return (
        float(item.XOffsetInSlideCoordinateSystem),
        float(item.YOffsetInSlideCoordinateSystem),
    )


@pytest.mark.parametrize("kind", ["pm", "seg"])
def test_coarser_levels_are_one_pyramid(written, kind):
    """One series, frame of reference and pyramid; until the whole map fits into one tile."""
    result, paths = written
    levels = pyramid(paths, kind)
    longest = max(result.heatmap.values.shape)
    assert len(levels) == int(np.ceil(np.log2(longest / 64))) + 1
    assert longest < 64 * 2 ** (len(levels) - 1) + 1
    same = ("SeriesInstanceUID", "FrameOfReferenceUID", "SeriesNumber", "PyramidUID")
    for attribute in same:
        assert len({made.get(attribute) for made in levels}) == 1
    assert {made.PyramidLabel for made in levels} == {"HEATMAP"}
    assert [made.InstanceNumber for made in levels] == list(range(1, len(levels) + 1))
    assert len({made.SOPInstanceUID for made in levels}) == len(levels)


@pytest.mark.parametrize("kind", ["pm", "seg"])
def test_coarser_levels_hold_means(written, kind):
    """Of what was asked about; of a segment, of the share of full heat."""
    result, paths = written
    heat = result.heatmap.values
    cells = heat if kind == "pm" else np.clip(heat / result.vmax, 0, 1)
    for doubling, made in enumerate(pyramid(paths, kind)):
        if kind == "pm":
            groups = made.SharedFunctionalGroupsSequence[0]
            slope = groups.RealWorldValueMappingSequence[0].RealWorldValueSlope
            frames = np.frombuffer(made.FloatPixelData, np.float32) * slope
        else:
            frames = made.pixel_array / 255
        stored = whole(made, frames.reshape(-1, made.Rows, made.Columns))
        wanted = means(cells, result.explained, 2**doubling)
        tolerance = 1e-6 * heat.max() if kind == "pm" else 0.5 / 255 + 1e-6
        assert stored.shape == wanted.shape
        assert np.abs(stored - wanted).max() <= tolerance


@pytest.mark.parametrize("kind", ["pm", "seg"])
def test_coarser_levels_lie_where_their_cells_lie(written, kind):
    """A level's first cell begins where the map begins; each origin is a centre."""
    result, paths = written
    for doubling, made in enumerate(pyramid(paths, kind)):
        factor = 2**doubling
        measures = made.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
        cell = np.multiply(np.diag(result.placement)[:2], factor)
        np.testing.assert_allclose(measures.PixelSpacing, cell, rtol=1e-9)
        centre = result.affine @ (factor / 2, factor / 2, 1)
        origin = offsets(made.TotalPixelMatrixOriginSequence[0])
        np.testing.assert_allclose(origin, centre[:2], atol=1e-6)
        for group in made.PerFrameFunctionalGroupsSequence:
            place = group.PlanePositionSlideSequence[0]
            row = factor * (place.RowPositionInTotalImagePixelMatrix - 0.5)
            column = factor * (place.ColumnPositionInTotalImagePixelMatrix - 0.5)
            expected = result.affine @ (row, column, 1)
            np.testing.assert_allclose(offsets(place), expected[:2], atol=1e-6)


def test_highdicom_reads_the_coarsest_level(written):
    result, paths = written
    factor = 2 ** (len(pyramid(paths, "pm")) - 1)
    heat = means(result.heatmap.values, result.explained, factor)
    made = hd.pm.ParametricMap.from_dataset(pyramid(paths, "pm")[-1])
    read = np.squeeze(made.get_total_pixel_matrix(apply_real_world_transform=False))
    np.testing.assert_allclose(read, heat / result.heatmap.values.max(), atol=1e-6)
    level_of_segments = pyramid(paths, "seg")[-1]
    (measures,) = level_of_segments.SharedFunctionalGroupsSequence[
        0
    ].PixelMeasuresSequence
    if "SliceThickness" not in measures:  # it reads no segments of unknown thickness
        return
    segments = hd.seg.Segmentation.from_dataset(level_of_segments)
    read = np.squeeze(segments.get_total_pixel_matrix())
    share = np.clip(result.heatmap.values / result.vmax, 0, 1)
    wanted = means(share, result.explained, factor)
    np.testing.assert_allclose(read, wanted, atol=0.5 / 255 + 1e-6)


def test_a_level_alone_is_no_pyramid(made_files):
    for make in (export.parametric_map, export.segmentation):
        made = make(explained(made_files), made_files)
        assert ("PyramidUID" in made, made.InstanceNumber) == (False, 1)


def test_signed_levels_share_one_window(made_files):
    """The mean of heat for and against may have one sign alone."""
    result = explained(made_files)
    values = result.heatmap.values.copy()
    values[0, 0] = -0.1
    signed = replace(result, heatmap=sal.Heatmap(values))
    levels = export.parametric_map_pyramid(signed, made_files)
    factors = set()
    for made in levels:
        group = made.SharedFunctionalGroupsSequence[0]
        mapping = group.RealWorldValueMappingSequence[0]
        factors.add(mapping.RealWorldValueSlope)
        assert mapping.DoubleFloatRealWorldValueFirstValueMapped == -1
        assert float(group.FrameVOILUTSequence[0].WindowWidth) == 2
    assert len(levels) == 2
    assert factors == {values.max()}


def test_objects_refer_to_the_files_of_level_0(written, source):
    """All parts of a concatenation, no other level, no label; patient and container are kept."""
    _, paths = written
    items = source if isinstance(source, list) else sorted(source.glob("*.dcm"))
    headers = [
        item if isinstance(item, pydicom.Dataset) else pydicom.dcmread(item)
        for item in items
    ]
    volumes = [each for each in headers if each.ImageType[2] == "VOLUME"]
    most = max(each.TotalPixelMatrixRows for each in volumes)
    finest = {
        str(each.SOPInstanceUID)
        for each in volumes
        if each.TotalPixelMatrixRows == most
    }
    own = volumes[0]
    for path in paths.values():
        made = pydicom.dcmread(path)
        if "ReferencedSeriesSequence" in made:
            (series,) = made.ReferencedSeriesSequence
            assert series.SeriesInstanceUID == own.SeriesInstanceUID
            listed = series.ReferencedInstanceSequence
        else:
            listed = made.SourceImageSequence
        found = [str(item.ReferencedSOPInstanceUID) for item in listed]
        assert (sorted(found), len(set(found))) == (sorted(finest), len(finest))
        for keyword in ("PatientName", "PatientID", "StudyInstanceUID"):
            assert made.get(keyword) == own.get(keyword)
        if path != paths["sc"]:
            assert made.FrameOfReferenceUID == own.FrameOfReferenceUID
            assert made.ContainerIdentifier == own.ContainerIdentifier


def test_the_capture_is_the_overlay(written, source):
    """Bit for bit; the caption stands below."""
    result, paths = written
    made = pydicom.dcmread(paths["sc"])
    np.testing.assert_array_equal(made.pixel_array, result.overlay().rgb)
    assert all(str(made.PatientID) not in path.name for path in paths.values())
    size = np.array(result.slide.size) / made.pixel_array.shape[:2]
    np.testing.assert_allclose(made.PixelSpacing, size, rtol=1e-6)
    if isinstance(source, list):
        captioned = export.secondary_capture(result, source, caption=True).pixel_array
        assert captioned.shape[0] > made.Rows


def test_binary_at_the_threshold(made_files):
    result = explained(made_files)
    made = export.segmentation(result, made_files, fractional=False, threshold=0.3)
    bits = whole(made, made.pixel_array.reshape(-1, 64, 64))
    np.testing.assert_array_equal(bits, result.heatmap.values >= 0.3 * result.vmax)
    assert 0.01 < bits.mean() < 0.9
    assert "0.3 of full heat" in made.SegmentSequence[0].SegmentDescription


def test_a_scale_of_the_user_s_is_that_of_all_kinds(made_files, tmp_path):
    """A quarter of the slide's own: capture, factor of the map, and segments clipped there."""
    result = explained(made_files)
    vmax = result.vmax / 4
    paths = sal.export_dicom(result, made_files, tmp_path, vmax=vmax)
    made = {path.stem.rpartition("-")[2]: pydicom.dcmread(path) for path in paths}
    overlay = result.overlay(vmax=vmax)
    np.testing.assert_array_equal(made["sc"].pixel_array, overlay.rgb)
    groups = made["pm"].SharedFunctionalGroupsSequence[0]
    assert groups.RealWorldValueMappingSequence[0].RealWorldValueSlope == vmax
    steps = whole(made["seg"], made["seg"].pixel_array.reshape(-1, 64, 64))
    share = np.clip(result.heatmap.values / vmax, 0, 1)
    assert np.abs(steps / 255 - share).max() <= 0.5 / 255 + 1e-6


@needs_validator
def test_a_validator_finds_no_error_that_the_slide_lacks(written, source):
    _, paths = written
    if isinstance(source, list):
        pytest.skip("a slide made in code is no valid object itself")
    own = {error for file in source.glob("*.dcm") for error in errors_of(file)}
    assert {error for path in paths.values() for error in errors_of(path)} <= own


def test_another_slide_is_refused(made_files):
    """Other pixels, another place, no place, an open slide, and kinds that no slide has."""
    result = explained(made_files)
    other = level(np.zeros((150, 190, 3), np.uint8), spacing=SPACING, **UIDS)
    with pytest.raises(sal.InputError, match="not the slide that was explained"):
        export.parametric_map(result, [other])
    moved = deepcopy(made_files[0])
    origin = moved.TotalPixelMatrixOriginSequence[0]
    origin.XOffsetInSlideCoordinateSystem = 21.0
    with pytest.raises(sal.InputError, match="lies elsewhere"):
        export.segmentation(result, [moved])
    nowhere = deepcopy(made_files[0])
    del nowhere.FrameOfReferenceUID
    with pytest.raises(sal.InputError, match="with FrameOfReferenceUID, got none that"):
        export.parametric_map(result, [nowhere])
    nameless = deepcopy(made_files[0])
    del nameless.StudyInstanceUID
    with pytest.raises(sal.InputError, match="StudyInstanceUID"):
        export.secondary_capture(result, [nameless])
    with open_slide(made_files) as slide, pytest.raises(sal.InputError, match="folder"):
        export.parametric_map(result, slide)
    with pytest.raises(
        sal.InputError, match="expected some of sc, pm, seg, outline of"
    ):
        sal.export_dicom(result, made_files, "nowhere", ("sr", "pr"))
    for make in (export.report, export.presentation_state):
        with pytest.raises(sal.InputError, match="got that of a slide"):
            make(result, made_files)
    with pytest.raises(sal.InputError, match="redact=False"):
        export.secondary_capture(result, made_files, redact=True)


def test_what_explain_slide_answers_is_taken(made_files):
    """Not only a result put together by hand: digest and grid are those of a run."""
    probe = sal.KerasProbe(red_detector())
    ways = {"target": 1, "tissue": None, "prepare": sal.Prepare()}
    result = explain_slide(probe, made_files, "gradient", **ways)
    made = export.parametric_map(result, made_files)
    size = (made.TotalPixelMatrixRows, made.TotalPixelMatrixColumns)
    assert size == result.heatmap.values.shape


def test_a_slide_seen_through_its_profile_is_known_again(made_files):
    """Its digest is that of other colours; nobody is asked which way it was opened."""
    profiled = deepcopy(made_files[0])
    profiled.OpticalPathSequence[0].ICCProfile = gamma_profile(1.0)
    with open_slide([profiled], icc=True) as slide:
        through = slide_digest(slide, slide.thumbnail(THUMBNAIL))
    plain = explained([profiled])
    assert through != plain.slide.digest
    shown = replace(plain, slide=replace(plain.slide, digest=through))
    assert export.parametric_map(shown, [profiled]).NumberOfFrames == 3
