"""Tiles at any scale lie where they should, in mm; thumbnails and tissue lie on the whole slide."""

import numpy as np
import pytest
from PIL import Image
from slides.built import halved, item, level, places_of, scene, sparse

import saliency as sal
from saliency.slides.tissue import otsu, threshold_of, tissue_in

STEP = 0.0005
GLASS = (244, 243, 241)


def pyramid(pixels, **attributes):
    """Return two levels, the coarser the mean of 2 x 2 pixels."""
    coarse = level(halved(pixels), tile=(5, 7), spacing=(2 * STEP, 2 * STEP))
    return [level(pixels, tile=(5, 7), **attributes), coarse]


def smooth(rows, columns):
    """Return colours that change so little that interpolation is exact but for rounding."""
    row, column = np.mgrid[:rows, :columns] + 0.5
    planes = (100 + row, 60 + 2 * column, 30 + row + column)
    return np.stack([np.rint(each) for each in planes], axis=-1).astype(np.uint8)


def test_tiles_at_the_spacing_of_a_level_are_its_pixels():
    """Nothing is resampled."""
    pixels = scene(24, 36)
    with sal.open_slide(pyramid(pixels)) as slide:
        fine = slide.read_at(3 * STEP, 5 * STEP, 7, 9, (STEP, STEP))
        coarse = slide.read_at(4 * STEP, 6 * STEP, 7, 9, 2 * STEP)
    np.testing.assert_array_equal(fine, pixels[3:10, 5:14])
    np.testing.assert_array_equal(coarse, halved(pixels)[2:9, 3:12])


@pytest.mark.parametrize(
    "spacing", [(0.0007, 0.0007), (0.0011, 0.0006), (0.0014, 0.003)]
)
@pytest.mark.parametrize("corner", [(0.0, 0.0), (0.00131, 0.00277), (0.004, 0.006)])
def test_a_tile_at_any_spacing_shows_its_place(spacing, corner):
    """A plane of colours is the same whatever the grid: value = place, within rounding."""
    with sal.open_slide(pyramid(smooth(60, 80))) as slide:
        tile = slide.read_at(*corner, 6, 8, spacing).astype(float)
    row = (corner[0] + (np.arange(6) + 0.5) * spacing[0])[:, None] / STEP
    column = (corner[1] + (np.arange(8) + 0.5) * spacing[1]) / STEP
    inner = (slice(1, -1), slice(1, -1))  # a triangle is cut at the edge of the slide
    assert np.abs(tile[..., 0] - (100 + row))[inner].max() <= 1.1
    assert np.abs(tile[..., 1] - (60 + 2 * column))[inner].max() <= 1.1


def test_a_tile_is_made_from_the_nearest_finer_level():
    """The coarser level is twice as dark here, to be told apart."""
    pixels = np.full((24, 36, 3), 200, np.uint8)
    dark = level(halved(pixels) // 2, tile=(5, 7), spacing=(2 * STEP, 2 * STEP))
    with sal.open_slide([level(pixels, tile=(5, 7)), dark]) as slide:
        shades = [
            slide.read_at(0, 0, 3, 3, (s, s))[1, 1, 0] for s in (0.0009, 0.00101, 0.003)
        ]
        # Makers round spacings: 0.995 um is 1 um.
        near = slide.read_at(0, 0, 3, 3, (0.000995, 0.000995))[1, 1, 0]
        mixed = slide.read_at(0, 0, 3, 3, (0.0009, 0.003))[1, 1, 0]
    assert shades == [200, 100, 100]
    assert (near, mixed) == (100, 200)


def test_a_tile_may_reach_beyond_the_slide():
    """There it is blank; inside it is what it is anywhere."""
    pixels = scene(24, 36)
    with sal.open_slide(pyramid(pixels)) as slide:
        tile = slide.read_at(20 * STEP, -2 * STEP, 9, 6, (STEP, STEP))
        with pytest.raises(sal.InputError, match="meets the slide"):
            slide.read_at(25 * STEP, 0.0, 4, 4, (STEP, STEP))
        with pytest.raises(sal.InputError, match="spacing above 0"):
            slide.read_at(0.0, 0.0, 4, 4, (STEP, 0.0))
    wanted = np.full((9, 6, 3), 255, np.uint8)
    wanted[:4, 2:] = pixels[20:24, :4]
    np.testing.assert_array_equal(tile, wanted)


def test_tiles_put_together_are_the_whole():
    """No seam: neighbours see beyond their own edge."""
    with sal.open_slide(pyramid(scene(60, 80))) as slide:
        step = (0.0013, 0.0017)
        whole = slide.read_at(0.0, 0.0, 20, 20, step)
        parts = [
            [
                slide.read_at(r * 5 * step[0], c * 4 * step[1], 5, 4, step)
                for c in range(5)
            ]
            for r in range(4)
        ]
    together = np.block([[[part] for part in row] for row in parts])
    assert np.abs(together.astype(int) - whole).max() <= 1


@pytest.mark.parametrize("own_origin", [True, False])
def test_levels_share_the_corner_of_level_0(own_origin):
    """An origin is the centre of the first pixel; many makers write level 0's into all levels."""
    pixels = scene(24, 36)
    fine, coarse = pyramid(pixels)
    if not own_origin:
        coarse.TotalPixelMatrixOriginSequence = fine.TotalPixelMatrixOriginSequence
    with sal.open_slide([coarse, fine]) as slide:
        assert [each.corner for each in slide.levels] == [(0.0, 0.0), (0.0, 0.0)]
        assert [each.downsample for each in slide.levels] == [(1.0, 1.0), (2.0, 2.0)]


def test_a_level_that_begins_elsewhere_is_placed_there():
    """Three of its pixels to the right: along a row y falls."""
    pixels = scene(24, 36)
    fine, coarse = pyramid(pixels)
    place = coarse.TotalPixelMatrixOriginSequence[0]
    place.YOffsetInSlideCoordinateSystem = (
        float(place.YOffsetInSlideCoordinateSystem) - 3 * 2 * STEP
    )
    with sal.open_slide([fine, coarse]) as slide:
        assert slide.levels[1].corner == pytest.approx((0.0, 6 * STEP), abs=1e-9)
        moved = slide.read_at(0.0, 6 * STEP, 4, 4, (2 * STEP, 2 * STEP))
    np.testing.assert_array_equal(moved, halved(pixels)[:4, :4])


def test_a_level_of_an_odd_size_keeps_its_spacing():
    """37 columns by 2 are 18: half a pixel is cut, and nothing drifts."""
    pixels = scene(24, 37)
    coarse = level(halved(pixels[:, :36]), tile=(5, 7), spacing=(2 * STEP, 2 * STEP))
    with sal.open_slide([level(pixels, tile=(5, 7)), coarse]) as slide:
        assert slide.levels[1].downsample == (2.0, 2.0)


def test_a_level_that_is_filled_up_to_whole_tiles_keeps_its_spacing():
    """The filling lies behind the last pixels: the scale is that of the spacings."""
    fine = level(scene(2000, 10), tile=(500, 10), spacing=(0.00025, 0.00025))
    coarse = level(scene(1024, 5), tile=(512, 5), spacing=(0.0005, 0.0005))
    with sal.open_slide([fine, coarse]) as slide:
        assert slide.levels[1].downsample == (2.0, 2.0)


@pytest.mark.parametrize("own", [0.000252, 0.000248])
def test_a_spacing_that_was_rounded_is_put_right(caplog, own):
    """0.504 um written as 0.5: over 40,000 pixels the error is 300."""
    fine = level(scene(2000, 10), tile=(500, 10), spacing=(own, own))
    coarse = level(scene(1000, 5), tile=(500, 5), spacing=(0.0005, 0.0005))
    with sal.open_slide([fine, coarse]) as slide:
        assert slide.levels[1].downsample[0] == pytest.approx(2.0)
        assert slide.levels[1].spacing[0] == pytest.approx(2 * own)
    assert "was rounded" in caplog.text


def test_affine_gives_the_corners_in_the_slides_own_coordinates():
    """The origin is a centre: the corner lies half a pixel before it."""
    with sal.open_slide(pyramid(scene(24, 36))) as slide:
        corner = slide.affine @ (0, 0, 1)
        opposite = slide.affine @ (*slide.size, 1)
    np.testing.assert_allclose(corner, (20.00025, 40.00025, 1))
    np.testing.assert_allclose(opposite, (20.00025 - 0.012, 40.00025 - 0.018, 1))
    bare = level(scene(24, 36), TotalPixelMatrixOriginSequence=[])
    with sal.open_slide([bare]) as slide:
        assert slide.affine is None


def test_a_thumbnail_is_as_long_as_asked_for():
    """From the smallest level that is no smaller; never enlarged."""
    pixels = smooth(60, 80)
    with sal.open_slide(pyramid(pixels)) as slide:
        small = slide.thumbnail(20)
        assert small.size == (15, 20)
        assert small.spacing == pytest.approx((4 * STEP, 4 * STEP))
        assert slide.thumbnail().size == (60, 80)
        np.testing.assert_array_equal(slide.thumbnail().display, pixels)
        with pytest.raises(sal.InputError, match="1 or more"):
            slide.thumbnail(0)
    by_pillow = Image.fromarray(halved(pixels)).resize(
        (20, 15), Image.Resampling.BILINEAR
    )
    assert np.abs(small.display.astype(int) - np.asarray(by_pillow)).max() <= 1


def test_a_pixel_is_a_hole_where_most_of_it_is():
    """At a third of the scale a pixel weighs five by 1, 2, 3, 2 and 1 ninths."""
    pixels = scene(24, 36)
    places = places_of((24, 36), (5, 7))
    # Rows 10 to 14 are missing: 6, 8 and 1 ninths of rows 3, 4 and 5.
    with sal.open_slide(
        [sparse(pixels, [at for at in places if at[0] != 10])]
    ) as slide:
        small = slide.thumbnail(12)
    assert small.padding.all(axis=1).tolist() == [row in (3, 4) for row in range(8)]
    assert (small.padding.any(axis=1) == small.padding.all(axis=1)).all()
    assert (small.display[3:5] == 255).all()
    # Columns 14 to 20: 3, 9, 8 and 1 ninths of columns 4 to 7.
    with sal.open_slide(
        [sparse(pixels, [at for at in places if at[1] != 14])]
    ) as slide:
        holes = slide.thumbnail(12).padding
    assert holes.any(axis=0).tolist() == [column in (5, 6) for column in range(12)]


def test_a_large_level_is_resampled_in_bands(monkeypatch):
    """What is in memory at once changes no pixel."""
    with sal.open_slide([level(scene(90, 70))]) as slide:
        whole = slide.thumbnail(23).display
        monkeypatch.setattr("saliency.slides.slide._BAND", 4000)
        np.testing.assert_array_equal(slide.thumbnail(23).display, whole)


@pytest.mark.parametrize("rows", [10, 24, 60])
@pytest.mark.parametrize("columns", [20, 38, 70])
def test_bands_are_resampled_in_the_order_of_the_whole(monkeypatch, rows, columns):
    """Bytes are rounded after each axis, and bands are not as tall as the whole."""
    pixels = np.random.default_rng(0).integers(0, 256, (120, 40, 3), np.uint8)
    spacing = (120 / rows * STEP, 40 / columns * STEP)
    with sal.open_slide([level(pixels, tile=(60, 40))]) as slide:
        whole = slide.read_at(0, 0, rows, columns, spacing)
        monkeypatch.setattr("saliency.slides.slide._BAND", 2000)
        bands = slide.read_at(0, 0, rows, columns, spacing)

    np.testing.assert_array_equal(bands, whole)


def glass(rows, columns, colour=GLASS, noise=1.0, seed=0):
    made = np.random.default_rng(seed).normal(colour, noise, (rows, columns, 3))
    return np.clip(np.rint(made), 0, 255).astype(np.uint8)


def test_tissue_lies_on_the_grid_of_the_thumbnail():
    """And what was not scanned is none."""
    pixels = glass(96, 160, noise=0.0)
    pixels[32:64, 48:112] = (180, 90, 160)
    places = [p for p in places_of((96, 160), (16, 16)) if p != (32, 48)]
    made = sparse(
        pixels,
        places,
        tile=(16, 16),
        SharedFunctionalGroupsSequence=[
            item(PixelMeasuresSequence=[item(PixelSpacing=[0.008, 0.008])])
        ],
    )
    with sal.open_slide([made]) as slide:
        mask = slide.tissue().values
        assert mask.shape == slide.thumbnail().size
        small = slide.tissue(pixels=80).values
        assert small.shape == slide.thumbnail(80).size
    wanted = np.zeros((96, 160), bool)
    wanted[32:64, 48:112] = True
    wanted[32:48, 48:64] = False
    np.testing.assert_array_equal(mask, wanted)
    np.testing.assert_array_equal(small, wanted[::2, ::2])


@pytest.mark.parametrize(
    "colour", [GLASS, (250, 250, 250), (232, 230, 236), (240, 238, 233)]
)
def test_glass_alone_is_no_tissue(colour):
    """Otsu would halve the noise."""
    assert not tissue_in(glass(100, 120, colour, 1.5), None).any()


@pytest.mark.parametrize(
    "colour", [(235, 222, 230), (226, 228, 238), (205, 203, 205), (120, 116, 118)]
)
@pytest.mark.parametrize("strong", [True, False])
def test_faint_tissue_is_kept(colour, strong):
    """Beside a strong stain, which draws Otsu's threshold far above it; and unstained, but dark."""
    picture = glass(120, 120)
    if strong:
        picture[10:50, 10:50] = glass(40, 40, (180, 80, 160), 8.0)
    picture[70:110, 30:80] = glass(40, 50, colour)
    mask = tissue_in(picture, None)
    assert mask[70:110, 30:80].mean() > 0.999
    assert mask[10:50, 10:50].all() == strong
    mask[70:110, 30:80] = mask[10:50, 10:50] = False
    assert mask.mean() < 0.001  # noise beside the edge of a piece may count as its edge


@pytest.mark.parametrize("colour", [(235, 220, 230), (180, 80, 160), (150, 110, 70)])
def test_a_slide_full_of_tissue_has_no_glass(colour):
    """Even where the stain is faint everywhere."""
    assert tissue_in(glass(80, 90, colour), None).mean() > 0.999


def test_specks_are_no_tissue_and_edges_are():
    """Less than 3 pixels wide: dust. The corner of a piece stays."""
    picture = glass(40, 40)
    picture[5:7, 5:20] = picture[30, 30] = (180, 80, 160)
    picture[20:26, 8:18] = (180, 80, 160)
    wanted = np.zeros((40, 40), bool)
    wanted[20:26, 8:18] = True
    np.testing.assert_array_equal(tissue_in(picture, None), wanted)


def test_otsu_is_the_split_of_least_variance_within():
    """The slow twin tries every threshold."""
    values = (
        np.random.default_rng(1).choice([3, 4, 9, 60, 80, 90], 500).astype(np.uint8)
    )

    def within(t):
        low, high = values[values <= t].astype(float), values[values > t].astype(float)
        if not low.size or not high.size:
            return np.inf
        return low.size * low.var() + high.size * high.var()

    assert otsu(values) == int(np.argmin([within(t) for t in range(256)]))
    assert threshold_of(values) <= 12
