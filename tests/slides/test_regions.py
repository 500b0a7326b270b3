"""A region of a slide is exactly what its tiles hold, wherever it lies."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor

import imagecodecs
import numpy as np
import pytest
from dicom.build import encoded, written
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from shared import shared
from slides.built import level, places_of, scene, sparse

import saliency as sal

PIXELS = scene(23, 37)
TILE = (5, 7)


def references():
    lines = shared("slides", "refs", "refs.csv").read_text().splitlines()
    return list(csv.DictReader(lines))


@pytest.mark.parametrize(
    "name",
    ["full", "sparse", "concatenated", "label", "glass", "turned", "same_origin"],
)
def test_regions_are_those_of_other_readers(name):
    """As wsidicom 0.36.1 and OpenSlide 4.0.1 read them."""
    own = [row for row in references() if row["slide"] == f"slide_{name}"]
    with sal.open_slide(shared("slides", f"slide_{name}")) as slide:
        for row in own:
            with Image.open(shared("slides", "refs", row["file"])) as picture:
                wanted = picture.convert("RGB")
            box = (int(row[key]) for key in ("row", "column", "height", "width"))
            region = slide.read_region(*box, level=int(row["level"]))
            np.testing.assert_array_equal(region.display, np.asarray(wanted))


@settings(max_examples=60, deadline=None)
@given(
    row=st.integers(0, 22),
    column=st.integers(0, 36),
    rows=st.integers(1, 23),
    columns=st.integers(1, 37),
)
def test_any_region_is_a_part_of_the_matrix(row, column, rows, columns):
    """Across tile borders and in edge tiles that reach beyond the matrix."""
    rows, columns = min(rows, 23 - row), min(columns, 37 - column)
    with sal.open_slide([level(PIXELS, tile=TILE)]) as slide:
        region = slide.read_region(row, column, rows, columns)
    wanted = PIXELS[row : row + rows, column : column + columns]
    np.testing.assert_array_equal(region.display, wanted)
    np.testing.assert_array_equal(region.pixels, wanted.astype(np.float32))
    assert region.spacing == (0.0005, 0.0005)


@pytest.mark.parametrize(
    "box",
    [(0, 0, 24, 5), (0, 30, 5, 8), (-1, 0, 5, 5), (23, 0, 1, 1), (0, 0, 0, 5)],
)
def test_a_region_beyond_the_edge_is_refused(box):
    """No pixel is invented."""
    with (
        sal.open_slide([level(PIXELS)]) as slide,
        pytest.raises(sal.InputError, match="23 rows x 37"),
    ):
        slide.read_region(*box)


def test_tiles_of_a_sparse_slide_come_in_any_order():
    """Their places say where they lie, not their order."""
    places = places_of((23, 37), TILE)[::-1]
    with sal.open_slide([sparse(PIXELS, places)]) as slide:
        region = slide.read_region(0, 0, 23, 37)
    np.testing.assert_array_equal(region.display, PIXELS)


def test_a_place_without_a_tile_is_white_and_padding():
    """Nothing was scanned there, and the image says so."""
    places = [place for place in places_of((23, 37), TILE) if place != (5, 14)]
    with sal.open_slide([sparse(PIXELS, places)]) as slide:
        region = slide.read_region(3, 10, 9, 15)
    hole = np.zeros((9, 15), bool)
    hole[2:7, 4:11] = True
    np.testing.assert_array_equal(region.padding, hole)
    assert (region.display[hole] == 255).all()
    np.testing.assert_array_equal(region.display[~hole], PIXELS[3:12, 10:25][~hole])


def test_a_place_without_a_tile_has_the_colour_that_the_file_recommends():
    """CIELab (0048,0015): L 50, a 0, b 0 is sRGB 119, 119, 119."""
    half = [0x8000, 0x8080, 0x8080]
    made = sparse(PIXELS, [(0, 0)], RecommendedAbsentPixelCIELabValue=half)
    with sal.open_slide([made]) as slide:
        blank = slide.read_region(10, 10, 1, 1).display[0, 0]
    assert np.abs(blank.astype(int) - 119).max() <= 1


@pytest.mark.parametrize(
    ("lab", "rgb"),
    [
        ((54.29, 80.80, 69.89), (255, 0, 0)),
        ((87.82, -79.27, 80.99), (0, 255, 0)),
        ((29.57, 68.30, -112.03), (0, 0, 255)),
    ],
)
def test_the_recommended_colour_is_that_of_the_standard(lab, rgb):
    """Its primaries under D50, as published; a and b are counted from -128 (C.10.7.1.1)."""
    lightness, a, b = lab
    words = [lightness / 100, (a + 128) / 255, (b + 128) / 255]
    coded = [round(65535 * word) for word in words]
    made = sparse(PIXELS, [(0, 0)], RecommendedAbsentPixelCIELabValue=coded)
    with sal.open_slide([made]) as slide:
        blank = slide.read_region(10, 10, 1, 1).display[0, 0]
    assert np.abs(blank.astype(int) - rgb).max() <= 2


def test_of_tiles_that_overlap_the_later_frame_is_shown():
    """Frames in their order, wherever they lie."""
    places = [(0, 0), (3, 4), (1, 2)]
    tiles = [np.full((*TILE, 3), value, np.uint8) for value in (10, 20, 30)]
    wanted = np.full_like(PIXELS, 255)
    for (row, column), tile in zip(places, tiles, strict=True):
        wanted[row : row + TILE[0], column : column + TILE[1]] = tile
    with sal.open_slide([sparse(PIXELS, places, frames=np.stack(tiles))]) as slide:
        region = slide.read_region(0, 0, 23, 37)
    np.testing.assert_array_equal(region.display, wanted)


def test_tiles_that_overlap_agree():
    """Positions need not lie side by side."""
    places = [(r, c) for r in range(0, 23, 3) for c in range(0, 37, 4)]
    with sal.open_slide([sparse(PIXELS, places)]) as slide:
        region = slide.read_region(2, 1, 20, 35)
    np.testing.assert_array_equal(region.display, PIXELS[2:22, 1:36])


def test_one_label_is_seen_and_never_read():
    """Label and overview are no levels."""
    with sal.open_slide(shared("slides", "slide_label")) as slide:
        assert slide.label_present
        assert [(each.rows, each.columns) for each in slide.levels] == [
            (448, 592),
            (112, 148),
        ]
    with sal.open_slide(shared("slides", "slide_full")) as slide:
        assert not slide.label_present


@settings(max_examples=40, deadline=None)
@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    tile=st.tuples(st.integers(1, 45), st.integers(1, 45)),
    left_out=st.sets(st.integers(0, 30)),
    start=st.tuples(st.floats(0, 0.999), st.floats(0, 0.999)),
)
def test_any_slide_of_any_tiles_gives_its_pixels(size, tile, left_out, start):
    """Tiles larger than the matrix, of one pixel, missing."""
    pixels = scene(*size)
    places = places_of(size, tile)
    kept = [place for k, place in enumerate(places) if k not in left_out] or places
    row, column = (int(share * side) for share, side in zip(start, size, strict=True))
    with sal.open_slide([sparse(pixels, kept, tile=tile)]) as slide:
        region = slide.read_region(row, column, size[0] - row, size[1] - column)
    wanted = np.full_like(pixels, 255)
    for r, c in kept:
        wanted[r : r + tile[0], c : c + tile[1]] = pixels[
            r : r + tile[0], c : c + tile[1]
        ]
    np.testing.assert_array_equal(region.display, wanted[row:, column:])


def test_a_matrix_that_claims_a_country_costs_nothing():
    """One tile in a matrix of 2**30 x 2**30: read where it is, refused as a whole."""
    made = sparse(PIXELS, [(0, 0)])
    made.TotalPixelMatrixRows = made.TotalPixelMatrixColumns = 2**30
    with sal.open_slide([made]) as slide:
        region = slide.read_region(0, 0, 5, 7)
        with pytest.raises(sal.InputError, match="at once"):
            slide.read_region(0, 0, 2**30, 2**30)
        with pytest.raises(sal.InputError, match="at once"):
            slide.thumbnail()
    np.testing.assert_array_equal(region.display, PIXELS[:5, :7])


def test_a_damaged_tile_is_named_by_its_place():
    """The others are read."""
    whole = np.ascontiguousarray(scene(16, 32)[:, :16])
    streams = [imagecodecs.jpeg8_encode(whole, level=90) for _ in range(2)]
    streams[1] = imagecodecs.jpeg8_encode(whole[:8], level=90)  # of another size
    made = encoded(
        level(scene(16, 32), tile=(16, 16)), streams, "1.2.840.10008.1.2.4.50"
    )
    with sal.open_slide([made]) as slide:
        slide.read_region(0, 0, 16, 16)
        with pytest.raises(sal.DicomError, match=r"row 0, column 16.* 16 x 16"):
            slide.read_region(0, 10, 16, 16)


def test_threads_read_what_one_thread_reads():
    """Bytes are read by one at a time: no tile gets those of another."""
    pixels = scene(120, 140)
    source = io.BytesIO(written(level(pixels, tile=(10, 10))))
    boxes = [(r, c, 33, 27) for r in range(0, 80, 7) for c in range(0, 110, 9)]
    with sal.open_slide([source]) as slide, ThreadPoolExecutor(8) as pool:
        regions = pool.map(lambda box: slide.read_region(*box).display, boxes)
        for (r, c, rows, columns), display in zip(boxes, regions, strict=True):
            np.testing.assert_array_equal(
                display, pixels[r : r + rows, c : c + columns]
            )
