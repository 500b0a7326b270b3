"""Zones that the tags declare: padding, shutters, collimators, overlays, ultrasound regions."""

from io import BytesIO

import numpy as np
import pydicom
import pytest
from dicom.build import SIZE, dataset, item, ramp, written

from saliency.dicom import describe, read_dicom
from saliency.dicom.declared.overlays import placed
from saliency.dicom.declared.shapes import circle, polygon, rectangle
from saliency.values.zone import Zone


def zone_of(file: bytes, name: str, frame: int = 0) -> Zone | None:
    """Return the zone of a name, of a file."""
    return next((z for z in read_dicom(file, frame=frame).zones if z.name == name), None)


@pytest.mark.parametrize(
    ("value", "limit", "count"), [(5, None, 1), (5, 9, 5), (9, 5, 5), (-3, None, 0)]
)
def test_padding_is_a_value_or_a_range(value: int, limit: int | None, count: int) -> None:
    """Padding is the value alone, or all between it and the limit, in either order."""
    made = dataset(ramp("i2"), PixelPaddingValue=value)
    if limit is not None:
        made.PixelPaddingRangeLimit = limit

    assert read_dicom(written(made)).padding.sum() == count


def test_padding_outside_bits_stored_is_found() -> None:
    """GE writes -2000 = 0xF830 under 12 stored bits: the whole word is compared."""
    values = ramp()
    values[:, :7] = 0xF830
    made = dataset(values, BitsStored=12, HighBit=11, PixelPaddingValue=0xF830)

    assert read_dicom(written(made)).padding.sum() == 37 * 7


def test_padding_of_floats() -> None:
    """Float Pixel Padding Value marks floats that equal it."""
    values = ramp("f4")
    values[:4] = -1000.5
    made = dataset(values, FloatPixelPaddingValue=-1000.5)

    assert read_dicom(written(made)).padding.sum() == 4 * 53


def test_padding_names_its_tag() -> None:
    """The evidence of a zone is a tag and a clause, and no value of the file."""
    zone = zone_of(written(dataset(ramp("i2"), PixelPaddingValue=5)), "padding")

    assert zone is not None
    assert "(0028,0120)" in zone.evidence
    assert "C.7.5.1.1.2" in zone.evidence


def test_rectangle_includes_its_edges() -> None:
    """Rows 3..5 and columns 2..9, counted from 1, are 3 x 8 pixels."""
    mask = rectangle(SIZE, (3, 5), (2, 9))

    assert mask is not None
    assert mask.sum() == 24
    assert mask[2:5, 1:9].all()


@pytest.mark.parametrize("edges", [((900, 1300), (-184, 184)), ((np.nan, 5), (1, 2))])
def test_rectangle_of_another_picture_is_none(edges: tuple) -> None:
    """A rectangle that lies outside by more than a tenth says nothing about this picture."""
    assert rectangle(SIZE, *edges) is None


def test_circle_is_a_disc() -> None:
    """Radius 5 around (10, 20) from 1 holds the 81 lattice points with x^2 + y^2 <= 25."""
    mask = circle(SIZE, (10, 20), 5)

    assert mask is not None
    assert mask.sum() == 81
    assert mask[9, 19]
    assert mask[4, 19]
    assert not mask[3, 19]


def test_polygon_is_its_inside() -> None:
    """A triangle holds its corners and what lies between, row first."""
    mask = polygon(SIZE, [1, 1, 1, 21, 11, 11])

    assert mask is not None
    assert mask[0, 0]
    assert mask[0, 20]
    assert mask[10, 10]
    assert not mask[10, 0]
    assert polygon(SIZE, [1, 1, 2, 2]) is None


def test_shutters_intersect() -> None:
    """What is shown lies inside every shutter; all else is the zone."""
    made = dataset(
        ramp(),
        ShutterShape=["RECTANGULAR", "CIRCULAR"],
        ShutterLeftVerticalEdge=11,
        ShutterRightVerticalEdge=30,
        ShutterUpperHorizontalEdge=5,
        ShutterLowerHorizontalEdge=20,
        CenterOfCircularShutter=[12, 20],
        RadiusOfCircularShutter=6,
    )
    zone = zone_of(written(made), "shutter")
    box, disc = rectangle(SIZE, (5, 20), (11, 30)), circle(SIZE, (12, 20), 6)

    assert zone is not None
    np.testing.assert_array_equal(~zone.mask, box & disc)


def test_shutter_over_everything_is_left_out() -> None:
    """A shutter that hides the whole frame is an error of the writer."""
    made = dataset(ramp(), ShutterShape="CIRCULAR", CenterOfCircularShutter=[900, 900])
    made.RadiusOfCircularShutter = 3

    assert zone_of(written(made), "shutter") is None


def test_collimator_is_a_zone_of_its_own() -> None:
    """The polygon of a collimator keeps its outside dark."""
    made = dataset(
        ramp(), CollimatorShape="POLYGONAL", VerticesOfThePolygonalCollimator=[1, 1, 1, 21, 11, 11]
    )
    zone = zone_of(written(made), "collimator")

    assert zone is not None
    np.testing.assert_array_equal(~zone.mask, polygon(SIZE, [1, 1, 1, 21, 11, 11]))


def overlaid(mask: np.ndarray, origin: tuple[int, int], **more: object) -> bytes:
    """Return a file with an overlay plane in group 6002."""
    made = dataset(ramp(), **more)
    rows, columns = mask.shape
    made.add_new(0x60020010, "US", rows)
    made.add_new(0x60020011, "US", columns)
    made.add_new(0x60020040, "CS", "G")
    made.add_new(0x60020050, "SS", list(origin))
    made.add_new(0x60020100, "US", 1)
    made.add_new(0x60020102, "US", 0)
    raw = np.packbits(mask.ravel(), bitorder="little").tobytes()
    made.add_new(0x60023000, "OW", raw + b"\0" * (len(raw) % 2))
    return written(made)


def test_overlay_lies_where_its_origin_says() -> None:
    """A plane at (3, 5) from 1 marks its pixels two rows down and four columns right."""
    drawn = np.random.default_rng(0).integers(0, 2, (10, 11)).astype(bool)
    zone = zone_of(overlaid(drawn, (3, 5)), "overlay")

    assert zone is not None
    np.testing.assert_array_equal(zone.mask[2:12, 4:15], drawn)
    assert zone.mask.sum() == drawn.sum()


def test_overlay_never_changes_pixels() -> None:
    """Pixels and display of a file are the same with an overlay and without."""
    plain, marked = (
        read_dicom(written(dataset(ramp()))),
        read_dicom(overlaid(np.ones((37, 53), bool), (1, 1))),
    )

    np.testing.assert_array_equal(plain.display, marked.display)
    np.testing.assert_array_equal(plain.pixels, marked.pixels)


@pytest.mark.parametrize("origin", [(-4, -6), (30, 50), (-9, 48), (900, 1), (-900, -900)])
def test_overlay_is_cut_at_the_frame(origin: tuple[int, int]) -> None:
    """A plane that leaves the frame keeps exactly the pixels that lie on it."""
    drawn = np.random.default_rng(1).integers(0, 2, (10, 11)).astype(bool)
    expected = np.zeros(SIZE, bool)
    for row, column in np.argwhere(drawn):
        at = (row + origin[0] - 1, column + origin[1] - 1)
        if 0 <= at[0] < SIZE[0] and 0 <= at[1] < SIZE[1]:
            expected[at] = True

    np.testing.assert_array_equal(placed(drawn, origin, SIZE), expected)


def test_overlay_of_some_frames() -> None:
    """A plane of 2 frames that starts at frame 2 lies on frames 2 and 3 alone (C.9.2)."""
    drawn = np.zeros((2, 5, 7), bool)
    drawn[0, 1, 2] = drawn[1, 3, 4] = drawn[1, 0, 0] = True
    made = dataset(np.zeros((4, *SIZE), "u2"), frames=4)
    made.add_new(0x60000010, "US", 5)
    made.add_new(0x60000011, "US", 7)
    made.add_new(0x60000015, "IS", 2)
    made.add_new(0x60000050, "SS", [1, 1])
    made.add_new(0x60000051, "US", 2)
    made.add_new(0x60003000, "OW", np.packbits(drawn.ravel(), bitorder="little").tobytes() + b"\0")
    file = written(made)

    for frame, plane in ((1, drawn[0]), (2, drawn[1])):
        zone = zone_of(file, "overlay", frame)
        assert zone is not None
        np.testing.assert_array_equal(zone.mask[:5, :7], plane)
    assert zone_of(file, "overlay", 0) is None
    assert zone_of(file, "overlay", 3) is None


def test_describe_names_the_zones() -> None:
    """The description names the zones of the header without decoding a pixel."""
    made = dataset(
        ramp("i2"), PixelPaddingValue=5, SequenceOfUltrasoundRegions=[region((0, 0, 9, 9))]
    )

    assert describe(written(made))["zones"] == ("padding", "screen")
    assert describe(overlaid(np.ones((4, 5), bool), (1, 1)))["zones"] == ("overlay",)


def test_overlay_in_a_bit_of_the_pixels() -> None:
    """A plane in bit 13 of 12-bit pixels is found, and the values are clean."""
    drawn = np.random.default_rng(2).integers(0, 2, SIZE).astype(bool)
    made = dataset(ramp() | drawn.astype("u2") << 13, BitsStored=12, HighBit=11)
    made.add_new(0x60000010, "US", SIZE[0])
    made.add_new(0x60000011, "US", SIZE[1])
    made.add_new(0x60000100, "US", 16)
    made.add_new(0x60000102, "US", 13)
    file = written(made)

    zone = zone_of(file, "overlay")

    assert zone is not None
    np.testing.assert_array_equal(zone.mask, drawn)
    np.testing.assert_array_equal(read_dicom(file).stored, ramp())


def test_bitmap_shutter_is_a_shutter() -> None:
    """The overlay that Shutter Overlay Group names is the shutter (C.7.6.15)."""
    file = overlaid(
        np.ones((4, 5), bool), (1, 1), ShutterShape="BITMAP", ShutterOverlayGroup=0x6002
    )

    zone = zone_of(file, "shutter")

    assert zone is not None
    assert zone.mask.sum() == 20
    assert zone_of(file, "overlay") is None


def region(box: tuple[int, int, int, int], spatial: int = 1, data: int = 1) -> object:
    """Return an ultrasound region: left, top, right, bottom from 0."""
    left, top, right, bottom = box
    return item(
        RegionSpatialFormat=spatial,
        RegionDataType=data,
        RegionLocationMinX0=left,
        RegionLocationMinY0=top,
        RegionLocationMaxX1=right,
        RegionLocationMaxY1=bottom,
        PhysicalUnitsXDirection=3,
        PhysicalUnitsYDirection=3,
        PhysicalDeltaX=-0.05,
        PhysicalDeltaY=0.04,
    )


def test_screen_is_what_no_region_shows() -> None:
    """The zone is the complement of all picture regions; decoration does not count."""
    none, ecg = region((0, 0, 52, 36), 0, 0), region((0, 30, 52, 36), 4, 10)
    regions = [none, region((5, 6, 20, 30)), region((30, 6, 40, 20), 2), ecg]
    zone = zone_of(written(dataset(ramp(), SequenceOfUltrasoundRegions=regions)), "screen")

    expected = np.ones(SIZE, bool)
    expected[6:31, 5:21] = False
    expected[6:21, 30:41] = False
    assert zone is not None
    np.testing.assert_array_equal(zone.mask, expected)


@pytest.mark.parametrize(
    ("box", "hidden"),
    [((0, 0, 52, 36), 0), ((0, 0, 51, 36), 37), ((0, 1, 52, 36), 53), ((7, 9, 7, 9), 37 * 53 - 1)],
)
def test_corners_of_a_region_are_its_pixels(box: tuple[int, int, int, int], hidden: int) -> None:
    """Counted from 0, the last pixel is (columns - 1, rows - 1), and both corners are inside.

    So PS3.3 C.8.5.5.1.14; no other program at hand paints regions.
    """
    zone = zone_of(written(dataset(ramp(), SequenceOfUltrasoundRegions=[region(box)])), "screen")

    assert (0 if zone is None else zone.mask.sum()) == hidden


def test_regions_of_another_grid_are_left_out() -> None:
    """A region that leaves the frame by more than a tenth was meant for another one."""
    made = dataset(ramp(), SequenceOfUltrasoundRegions=[region((20, 6, 200, 30))])

    assert zone_of(written(made), "screen") is None


def test_zones_make_the_diagnostic_pixels() -> None:
    """A pixel is diagnostic where no zone holds it."""
    values = ramp("i2")
    made = dataset(
        values, PixelPaddingValue=5, SequenceOfUltrasoundRegions=[region((0, 0, 20, 30))]
    )
    image = read_dicom(written(made))

    assert image.diagnostic.sum() == 21 * 31 - 1


def with_overlay(kind: str, subtype: str = "", **more: object) -> bytes:
    """Return a file whose overlay marks a block of 5 x 7 pixels, by type and subtype."""
    mask = np.zeros(SIZE, bool)
    mask[3:8, 4:11] = True
    made = pydicom.dcmread(BytesIO(overlaid(mask, (1, 1), **more)))
    made[0x60020040].value = kind
    if subtype:
        made.add_new(0x60020045, "LO", subtype)
    return written(made)


@pytest.mark.parametrize(("kind", "words"), [("G", "C.9.2"), ("R", "region of interest")])
def test_graphics_and_regions_are_overlays(kind: str, words: str) -> None:
    """Types G and R (C.9.2.1.1) were both drawn by somebody; the evidence tells them apart."""
    zone = zone_of(with_overlay(kind), "overlay")

    assert zone is not None
    assert zone.mask.sum() == 35
    assert zone.evidence.endswith(words)
    assert describe(with_overlay(kind))["zones"] == ("overlay",)


def test_the_active_area_leaves_the_screen() -> None:
    """Around the active area of an ultrasound screen (C.8.5.6.1.11) lies the zone screen."""
    file = with_overlay("R", "ACTIVE 2D/BMODE IMAGE AREA")
    zone = zone_of(file, "screen")

    assert zone is not None
    assert (~zone.mask).sum() == 35
    assert not zone.mask[3:8, 4:11].any()
    assert describe(file)["zones"] == ("screen",)


def test_a_bitmap_shutter_may_be_of_any_type() -> None:
    """(0018,1623) names the plane, whatever its type says."""
    zone = zone_of(with_overlay("R", ShutterOverlayGroup=0x6002), "shutter")

    assert zone is not None
    assert zone.mask.sum() == 35


def test_frames_have_shutters_of_their_own() -> None:
    """An enhanced image closes the shutter frame by frame (0018,9472)."""
    frames = [
        item(
            FrameDisplayShutterSequence=[
                item(
                    ShutterShape="RECTANGULAR",
                    ShutterLeftVerticalEdge=1,
                    ShutterRightVerticalEdge=edge,
                    ShutterUpperHorizontalEdge=1,
                    ShutterLowerHorizontalEdge=SIZE[0],
                )
            ]
        )
        for edge in (10, 20)
    ]
    made = dataset(np.stack([ramp(), ramp()]), frames=2, PerFrameFunctionalGroupsSequence=frames)
    open_columns = [
        (~zone_of(written(made), "shutter", frame).mask).all(axis=0).sum() for frame in (0, 1)
    ]

    assert open_columns == [10, 20]
    assert describe(written(made))["zones"] == ("shutter",)


@pytest.mark.parametrize(("kind", "count"), [("LABEL", 1), ("VOLUME", 0)])
def test_the_label_of_a_slide_is_no_tissue(kind: str, count: int) -> None:
    """Image Type value 3 LABEL of a whole slide image is writing throughout."""
    made = dataset(ramp(), SOPClassUID="1.2.840.10008.5.1.4.1.1.77.1.6")
    made.ImageType = ["ORIGINAL", "PRIMARY", kind, "NONE"]
    zones = [zone for zone in read_dicom(written(made)).zones if zone.name == "label"]

    assert len(zones) == count
    assert all(zone.mask.all() for zone in zones)


def test_borders_and_air_come_with_the_picture() -> None:
    """A letterbox bar is a zone of a file that says nothing of it, and so is air around a body."""
    values = np.zeros((97, 113), "u2")
    rows, columns = np.mgrid[:97, :113]
    values[np.hypot(rows - 48, columns - 56) < 30] = 200
    shown = read_dicom(written(dataset(values, Modality="CT", Rows=97, Columns=113)))
    found = {zone.name: zone for zone in shown.zones}

    assert set(found) == {"air", "border"}
    assert found["border"].mask[0].all()
    assert not found["border"].mask[48, 56]
    assert not shown.diagnostic[5, 5]
    assert shown.diagnostic[48, 56]
