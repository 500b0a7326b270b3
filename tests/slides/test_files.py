"""Whatever way a slide is cut into files and frames, its pixels are the same."""

from itertools import pairwise

import fsspec
import imagecodecs
import numpy as np
import pytest
from dicom.build import encoded, htj2k, written
from dicom.test_icc import gamma_profile
from slides.built import halved, item, level, places_of, scene, sparse, tiles_of

import saliency as sal
from saliency.errors import SaliencyError

PIXELS = scene(24, 36)
TILE = (5, 7)
PLACES = places_of((24, 36), TILE)
PIXEL_SPACINGS = {
    "own": [0.0005, 0.0005],
    "digits": ["5e-4", "0.00050"],
    "coarse": [0.001, 0.001],
    "tall": [0.0006, 0.0005],
}


def read(*files, **choices):
    """Return all of level 0."""
    with sal.open_slide([*files], **choices) as slide:
        first = slide.levels[0]
        return slide.read_region(0, 0, first.rows, first.columns)


def rle(frame):
    planes = [_rle_plane(frame[..., k]) for k in range(3)]
    starts = np.cumsum([64, *[len(each) for each in planes]])[:3]
    header = np.array([3, *starts, *[0] * 12], "<u4").tobytes()
    return header + b"".join(planes)


def _rle_plane(plane):
    raw = plane.tobytes()
    runs = [raw[k : k + 128] for k in range(0, len(raw), 128)]
    coded = b"".join(bytes([len(run) - 1]) + run for run in runs)
    return coded + b"\0" * (len(coded) % 2)


CODECS = {
    "1.2.840.10008.1.2.5": rle,
    "1.2.840.10008.1.2.4.90": lambda a: imagecodecs.jpeg2k_encode(
        a, reversible=True, codecformat="j2k", mct=True
    ),
    "1.2.840.10008.1.2.4.201": htj2k,
    "1.2.840.10008.1.2.4.110": lambda a: imagecodecs.jpegxl_encode(a, lossless=True),
    "1.2.840.10008.1.2.4.80": imagecodecs.jpegls_encode,
}


@pytest.mark.parametrize("syntax", CODECS)
def test_every_lossless_codec_gives_the_pixels_back(syntax):
    """Through the decoders of read_dicom."""
    frames = tiles_of(PIXELS, (16, 32), places_of((24, 36), (16, 32)))
    streams = [CODECS[syntax](np.ascontiguousarray(each)) for each in frames]
    made = encoded(level(PIXELS, tile=(16, 32)), streams, syntax)
    np.testing.assert_array_equal(read(made).display, PIXELS)


def test_a_file_on_disk_is_read_as_a_dataset_is(tmp_path):
    """Sparse places are found by their bytes in a file, and one by one in a Dataset."""
    made = sparse(PIXELS, PLACES[::-1])
    (tmp_path / "level.dcm").write_bytes(written(made))
    (tmp_path / "notes.txt").write_text("no image")
    with sal.open_slide(tmp_path) as slide:
        region = slide.read_region(0, 0, 24, 36)
    np.testing.assert_array_equal(region.display, PIXELS)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"])
def test_places_are_read_whatever_the_encoding(syntax):
    """Implicit VR has no letters to look for."""
    made = written(sparse(PIXELS, PLACES[::-1]), syntax)
    np.testing.assert_array_equal(read(made).display, PIXELS)


def parts_of(cuts, **attributes):
    frames = tiles_of(PIXELS, TILE, PLACES)
    edges = [0, *cuts, len(frames)]
    return [
        level(
            PIXELS,
            tile=TILE,
            frames=frames[start:end],
            SOPInstanceUID=f"1.2.3.{number}",
            ConcatenationUID="1.2.4",
            InConcatenationNumber=number,
            ConcatenationFrameOffsetNumber=start,
            **attributes,
        )
        for number, (start, end) in enumerate(pairwise(edges), 1)
    ]


def test_a_concatenation_is_one_level():
    """In any order of its files."""
    parts = parts_of([4, 11], InConcatenationTotalNumber=3)
    np.testing.assert_array_equal(read(*parts[::-1]).display, PIXELS)


@pytest.mark.parametrize("total", [{"InConcatenationTotalNumber": 3}, {}])
@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_part_that_is_missing_is_missed(missing, total):
    """A hole of a third of a slide would look like glass."""
    parts = parts_of([4, 11], **total)
    del parts[missing]
    with pytest.raises(sal.InputError, match=r"expected (all 3 parts|.* tiles|all 2)"):
        read(*parts)


def two_paths(**attributes):
    other = 255 - PIXELS
    frames = np.concatenate([tiles_of(each, TILE, PLACES) for each in (PIXELS, other)])
    names = [item(OpticalPathIdentifier=name) for name in ("DAPI", "FITC")]
    made = level(
        PIXELS, tile=TILE, frames=frames, OpticalPathSequence=names, **attributes
    )
    return made, other


def test_an_optical_path_is_chosen(caplog):
    """The first by default, and it is said; by index or identifier."""
    made, other = two_paths()
    np.testing.assert_array_equal(read(made).display, PIXELS)
    assert "2 optical paths" in caplog.text
    np.testing.assert_array_equal(read(made, optical_path=1).display, other)
    np.testing.assert_array_equal(read(made, optical_path="FITC").display, other)
    for wrong in (2, -1, "Cy5", 1.0, True):
        with pytest.raises(sal.InputError, match="optical_path"):
            read(made, optical_path=wrong)


def test_an_optical_path_may_have_a_file_of_its_own():
    """As many makers of fluorescence store it."""
    other = 255 - PIXELS
    files = [
        level(
            pixels,
            tile=TILE,
            SOPInstanceUID=f"1.2.{name}",
            OpticalPathSequence=[item(OpticalPathIdentifier=name)],
        )
        for name, pixels in (("1", PIXELS), ("2", other))
    ]
    np.testing.assert_array_equal(read(*files).display, PIXELS)
    np.testing.assert_array_equal(read(*files, optical_path="2").display, other)


def test_optical_paths_may_be_of_colour_and_of_grey():
    """Each in a file of its own: the hole, the window and the pixels are those of the one read."""
    values = np.arange(24 * 36, dtype=np.uint16).reshape(24, 36) * 70
    stain = level(PIXELS, tile=TILE)
    glow = sparse(
        values,
        PLACES[1:],
        SOPInstanceUID="1.2.2",
        OpticalPathSequence=[item(OpticalPathIdentifier="2")],
        WindowCenter=500,
        WindowWidth=1000,
    )
    for files in ((stain, glow), (glow, stain)):
        np.testing.assert_array_equal(read(*files, optical_path="1").display, PIXELS)
        region = read(*files, optical_path="2")
        wanted = values.astype(np.float32)
        wanted[: TILE[0], : TILE[1]] = 0
        np.testing.assert_array_equal(region.pixels, wanted)
        assert (region.display[wanted >= 1000] == 255).all()


@pytest.mark.parametrize("apart", [True, False])
def test_grey_values_are_shown_through_the_window_of_their_optical_path(apart):
    """In a file of its own, and beside others in one file."""
    values = np.arange(24 * 36, dtype=np.uint16).reshape(24, 36)
    windows = {"a": (100, 50), "b": (700, 50)}
    if apart:
        files = [
            level(
                values,
                tile=TILE,
                SOPInstanceUID=f"1.2.{centre}",
                OpticalPathSequence=[item(OpticalPathIdentifier=name)],
                WindowCenter=centre,
                WindowWidth=width,
            )
            for name, (centre, width) in windows.items()
        ]
    else:
        own = [
            {
                "OpticalPathIdentificationSequence": [item(OpticalPathIdentifier=name)],
                "FrameVOILUTSequence": [item(WindowCenter=centre, WindowWidth=width)],
            }
            for name, (centre, width) in windows.items()
        ]
        places = [place for place in PLACES for _ in windows]
        paths = [item(OpticalPathIdentifier=name) for name in windows]
        groups = [dict(own[k % 2]) for k, _ in enumerate(places)]
        files = [
            sparse(values, places, tile=TILE, groups=groups, OpticalPathSequence=paths)
        ]
    for name, (centre, width) in windows.items():
        shown = read(*files, optical_path=name).display
        assert (shown[values < centre - width] == 0).all()
        assert (shown[values > centre + width] == 255).all()


def test_sparse_tiles_say_their_optical_path():
    """Paths alternate from frame to frame."""
    other = 255 - PIXELS
    groups = [
        {"OpticalPathIdentificationSequence": [item(OpticalPathIdentifier=name)]}
        for _ in PLACES
        for name in ("a", "b")
    ]
    frames = np.stack(
        [
            tiles_of(each, TILE, [place])[0]
            for place in PLACES
            for each in (PIXELS, other)
        ]
    )
    made = sparse(
        PIXELS,
        [place for place in PLACES for _ in range(2)],
        tile=TILE,
        groups=groups,
        frames=frames,
        OpticalPathSequence=[item(OpticalPathIdentifier=name) for name in ("a", "b")],
    )
    np.testing.assert_array_equal(read(made).display, PIXELS)
    np.testing.assert_array_equal(read(made, optical_path="b").display, other)


def test_a_focal_plane_is_chosen(caplog):
    """Planes of TILED_FULL follow each other within an optical path."""
    other = 255 - PIXELS
    frames = np.concatenate([tiles_of(each, TILE, PLACES) for each in (PIXELS, other)])
    made = level(PIXELS, tile=TILE, frames=frames, TotalPixelMatrixFocalPlanes=2)
    np.testing.assert_array_equal(read(made).display, PIXELS)
    assert "2 focal planes" in caplog.text
    np.testing.assert_array_equal(read(made, focal_plane=1).display, other)
    with pytest.raises(sal.InputError, match="focal_plane"):
        read(made, focal_plane=2)


def test_optical_paths_follow_focal_planes():
    """All planes of the first path, then all of the second (PS3.3 C.7.6.17.3)."""
    matrices = [scene(24, 36, seed) for seed in range(4)]
    frames = np.concatenate([tiles_of(each, TILE, PLACES) for each in matrices])
    made = level(
        PIXELS,
        tile=TILE,
        frames=frames,
        TotalPixelMatrixFocalPlanes=2,
        OpticalPathSequence=[item(OpticalPathIdentifier=name) for name in ("a", "b")],
    )
    choices = [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    for (path, plane), wanted in zip(choices, matrices, strict=True):
        region = read(made, optical_path=path, focal_plane=plane)
        np.testing.assert_array_equal(region.display, wanted)


@pytest.mark.parametrize("tilt", [0.0, 0.3])
def test_sparse_tiles_say_their_focal_plane(tilt):
    """By depth; also where each place has depths of its own."""
    other = 255 - PIXELS
    groups = [
        {"z": round(z + tilt * k, 3)} for k, _ in enumerate(PLACES) for z in (5.0, 1.0)
    ]
    frames = np.stack(
        [
            tiles_of(each, TILE, [place])[0]
            for place in PLACES
            for each in (other, PIXELS)
        ]
    )
    made = sparse(
        PIXELS,
        [place for place in PLACES for _ in range(2)],
        tile=TILE,
        groups=groups,
        frames=frames,
        TotalPixelMatrixFocalPlanes=2,
    )
    np.testing.assert_array_equal(read(made).display, PIXELS)
    np.testing.assert_array_equal(read(made, focal_plane=1).display, other)


def test_tiles_of_one_plane_may_each_have_a_depth():
    """The microscope focused on each."""
    made = sparse(PIXELS, PLACES, groups=[{"z": k / 7} for k, _ in enumerate(PLACES)])
    np.testing.assert_array_equal(read(made).display, PIXELS)


def test_grey_tiles_share_one_window():
    """Fluorescence of 16 bits: equal brightness means equal values in every tile."""
    values = np.arange(24 * 36, dtype=np.uint16).reshape(24, 36) * 70
    made = level(values, tile=TILE)
    region = read(made)
    np.testing.assert_array_equal(region.pixels, values.astype(np.float32))
    wanted = np.rint(values / 65535 * 255)
    assert np.abs(region.display - wanted).max() <= 1
    with sal.open_slide([made]) as slide:
        tile = slide.read_at(0.0, 0.0, 24, 36, slide.levels[0].spacing)
        assert slide.tissue().values.all()
    np.testing.assert_array_equal(tile, np.repeat(region.display[..., None], 3, 2))


def test_colours_go_through_the_profile_of_the_optical_path():
    """The same colours as read_dicom shows; pixels do not change, holes neither."""
    made = sparse(PIXELS, PLACES[1:])
    made.OpticalPathSequence[0].ICCProfile = gamma_profile(1.0)
    plain, shown = read(made), read(made, icc=True)
    frame = sal.read_dicom(made, frame=0, icc=True)
    np.testing.assert_array_equal(shown.display[0:5, 7:14], frame.display)
    assert not np.array_equal(plain.display, shown.display)
    np.testing.assert_array_equal(plain.pixels, shown.pixels)
    assert (shown.display[:5, :7] == 255).all()


def own_place(made):
    """Return the place of frame 3."""
    return made.PerFrameFunctionalGroupsSequence[3].PlanePositionSlideSequence[0]


def with_spacing(made, *measures):
    made.SharedFunctionalGroupsSequence = [item(PixelMeasuresSequence=[*measures])]


def moved(made, row, column):
    own_place(made).RowPositionInTotalImagePixelMatrix = row
    own_place(made).ColumnPositionInTotalImagePixelMatrix = column


#: What is wrong -> how a TILED_FULL level is broken, and what the message says.
FULL = {
    "no slide": (
        lambda made: setattr(made, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.2"),
        "VL Whole Slide Microscopy",
    ),
    "label alone": (
        lambda made: setattr(made, "ImageType", ["ORIGINAL", "PRIMARY", "LABEL"]),
        "LABEL alone",
    ),
    "fewer frames": (
        lambda made: setattr(made, "NumberOfFrames", len(PLACES) - 1),
        "expected 30 tiles .5 x 6.* got 29",
    ),
    "more frames": (
        lambda made: setattr(made, "NumberOfFrames", len(PLACES) + 1),
        "larger than the matrix",
    ),
    "pixels cut": (
        lambda made: setattr(made, "PixelData", made.PixelData[:-300]),
        "cut",
    ),
    "no spacing": (with_spacing, "0028,0030"),
    "spacing of zero": (
        lambda made: with_spacing(made, item(PixelSpacing=[0, 0])),
        "0028,0030",
    ),
    "no matrix": (lambda made: delattr(made, "TotalPixelMatrixRows"), "0048,0007"),
    "no places": (
        lambda made: delattr(made, "DimensionOrganizationType"),
        "0020,9311",
    ),
}
#: The same of a TILED_SPARSE level.
SPARSE = {
    "from 0": (lambda made: moved(made, 0, 1), "found 0 at frame 3"),
    "beyond": (lambda made: moved(made, 1, 37), "found 37 at frame 3"),
    "twice": (lambda made: moved(made, 1, 1), "row 0, column 0"),
    "no place": (
        lambda made: delattr(
            made.PerFrameFunctionalGroupsSequence[3], "PlanePositionSlideSequence"
        ),
        "found none at frame 3",
    ),
    "too few places": (
        lambda made: made.PerFrameFunctionalGroupsSequence.pop(),
        "5200,9230",
    ),
}


@pytest.mark.parametrize("as_file", [False, True])
@pytest.mark.parametrize("name", [*FULL, *SPARSE])
def test_a_slide_that_cannot_be_read_is_refused(name, as_file):
    """Each by its own sentence, which names the attribute."""
    made = sparse(PIXELS, PLACES) if name in SPARSE else level(PIXELS, tile=TILE)
    breaking, words = (FULL | SPARSE)[name]
    breaking(made)
    with pytest.raises(SaliencyError, match=words):
        read(written(made) if as_file else made)


def test_two_slides_are_listed():
    """By number and size; series= chooses."""
    other = level(
        PIXELS[:20, :30], tile=TILE, SeriesInstanceUID="1.2.9", SeriesNumber=7
    )
    first = level(PIXELS, tile=TILE)
    with pytest.raises(sal.InputError, match=r"got 2: series 4 .*24 x 36.*; series 7"):
        read(first, other)
    np.testing.assert_array_equal(read(first, other, series=4).display, PIXELS)
    with pytest.raises(sal.InputError, match="0 series have the number 5"):
        read(first, other, series=5)


def test_levels_of_two_slides_in_one_series_are_refused():
    """A coarser level must show the same area."""
    other = level(scene(10, 30), tile=TILE, spacing=(0.001, 0.001))
    with pytest.raises(sal.InputError, match="one area"):
        read(level(PIXELS, tile=TILE), other)


def test_a_spacing_that_contradicts_the_size_is_refused():
    """The scale of one level is wrong, and nobody knows of which."""
    with pytest.raises(sal.InputError, match="one area"):
        read(level(PIXELS, tile=TILE), level(halved(PIXELS), tile=TILE))


def test_parts_of_two_spacings_are_refused():
    """One of them is wrong."""
    first, second = parts_of([12])
    second.SharedFunctionalGroupsSequence = [
        item(PixelMeasuresSequence=[item(PixelSpacing=[0.001, 0.001])])
    ]
    with pytest.raises(sal.InputError, match="one Pixel Spacing"):
        read(first, second)


@pytest.mark.parametrize("syntax", [None, "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"])
def test_tiles_of_one_file_have_one_spacing(syntax):
    """Said for each tile it may be, in other digits too; another one at any tile is refused."""

    def source(*spacings):
        measures = {k: PIXEL_SPACINGS[name] for k, name in enumerate(spacings) if name}
        groups = [
            {"PixelMeasuresSequence": [item(PixelSpacing=measures[k])]}
            if k in measures
            else {}
            for k, _ in enumerate(PLACES)
        ]
        made = sparse(PIXELS, PLACES, groups=groups)
        return made if syntax is None else written(made, syntax)

    count = len(PLACES)
    for same in (["own"] * count, [None, "digits"], ["own", None, "digits"]):
        np.testing.assert_array_equal(read(source(*same)).display, PIXELS)
    last = count - 1
    for other in (["own"] * last + ["coarse"], [None] * last + ["tall"]):
        words = f"one Pixel Spacing .* at frame {last}"
        with pytest.raises(sal.DicomError, match=words):
            read(source(*other))


def test_one_file_twice_is_read_once():
    """Copies have one SOP Instance UID."""
    made = level(PIXELS, tile=TILE)
    np.testing.assert_array_equal(read(made, made).display, PIXELS)


def test_two_files_of_one_level_are_refused():
    """Nobody knows which is meant."""
    other = level(255 - PIXELS, tile=TILE, SOPInstanceUID="1.2.77")
    with pytest.raises(sal.InputError, match="at row 0, column 0"):
        read(level(PIXELS, tile=TILE), other)


def test_a_closed_slide_says_so():
    """Files are closed with it."""
    slide = sal.open_slide([level(PIXELS, tile=TILE)])
    slide.close()
    slide.close()
    with pytest.raises(sal.InputError, match="closed"):
        slide.read_region(0, 0, 1, 1)


def test_two_slides_of_one_number_are_told_what_helps():
    """series= cannot choose between them."""
    files = [
        level(PIXELS, tile=TILE, SeriesInstanceUID=uid) for uid in ("1.2.8", "1.2.9")
    ]
    for choice in ({}, {"series": 4}):
        with pytest.raises(sal.InputError, match="Hand in the files of one"):
            read(*files, **choice)


@pytest.mark.parametrize("source", [[], 7, None, "/no/such/folder"])
def test_what_is_no_slide_is_refused(source):
    """By one sentence of our own."""
    with pytest.raises(sal.InputError, match=r"(?i)expected"):
        sal.open_slide(source)


def test_sequences_without_a_length_are_walked():
    """Items end by a delimiter (PS3.5 7.5.1)."""
    made = sparse(PIXELS, PLACES[::-1])
    made["PerFrameFunctionalGroupsSequence"].is_undefined_length = True
    for group in made.PerFrameFunctionalGroupsSequence:
        group.is_undefined_length_sequence_item = True
        group["PlanePositionSlideSequence"].is_undefined_length = True
    np.testing.assert_array_equal(read(written(made)).display, PIXELS)


def test_bytes_that_look_like_a_place_are_not_believed():
    """A text that holds the eight bytes of the element: then items are read one by one."""
    made = sparse(PIXELS, PLACES[::-1])
    trap = b"\x48\x00\x1f\x02SL\x04\x00\x09\x00\x00\x00"
    made.PerFrameFunctionalGroupsSequence[2].add_new(0x00091001, "OB", trap)
    np.testing.assert_array_equal(read(written(made)).display, PIXELS)


@pytest.mark.parametrize("url", ["memory://a-slide/", "memory://a-slide/*.dcm"])
def test_a_slide_behind_a_url(url):
    """A folder or a glob of any file system that fsspec knows; tiles are read from there."""
    files = fsspec.filesystem("memory")
    coarse = level(halved(PIXELS[:22, :36]), spacing=(0.001, 0.001))
    fine = level(PIXELS[:22, :36])
    for number, made in enumerate((fine, coarse)):
        with files.open(f"/a-slide/{number}.dcm", "wb") as file:
            made.save_as(file, enforce_file_format=True)
    with sal.open_slide(url) as slide:
        assert len(slide.levels) == 2
        region = slide.read_region(3, 5, 17, 29).display
    np.testing.assert_array_equal(region, PIXELS[3:20, 5:34])
