"""Zones that the tags declare: padding, shutters, collimators, overlays, ultrasound regions."""

from io import BytesIO

import imagecodecs
import numpy as np
import pydicom
import pytest
from dicom.build import SIZE, dataset, encoded, item, ramp, written
from pydicom.uid import ExplicitVRBigEndian

from saliency.dicom import describe, read_dicom
from saliency.dicom.declared.overlays import on_frame
from saliency.dicom.declared.shapes import circle, polygon, rectangle
from saliency.values.zone import Zone


def zone_of(file: bytes, name: str, frame: int = 0) -> Zone | None:
    """Return the zone of a name, of a file."""
    return next(
        (z for z in read_dicom(file, frame=frame).zones if z.name == name), None
    )


@pytest.mark.parametrize(
    ("value", "limit", "count"), [(5, None, 1), (5, 9, 5), (9, 5, 5), (-3, None, 0)]
)
def test_padding_is_a_value_or_a_range(
    value: int, limit: int | None, count: int
) -> None:
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


def test_padding_of_floats_joins_what_is_no_number() -> None:
    """A row of the padding value and a row of NaN: there is no picture in both."""
    values = ramp("f4")
    values[0], values[1] = -1000.5, np.nan

    padding = read_dicom(written(dataset(values, FloatPixelPaddingValue=-1000.5)))

    assert np.array_equal(padding.padding.all(axis=1), np.arange(SIZE[0]) < 2)


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
        ramp(),
        CollimatorShape="POLYGONAL",
        VerticesOfThePolygonalCollimator=[1, 1, 1, 21, 11, 11],
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


@pytest.mark.parametrize(
    "origin", [(-4, -6), (30, 50), (-9, 48), (900, 1), (-900, -900)]
)
def test_overlay_is_cut_at_the_frame(origin: tuple[int, int]) -> None:
    """A plane that leaves the frame keeps exactly the pixels that lie on it."""
    drawn = np.random.default_rng(1).integers(0, 2, (10, 11)).astype(bool)
    expected = np.zeros(SIZE, bool)
    for row, column in np.argwhere(drawn):
        at = (row + origin[0] - 1, column + origin[1] - 1)
        if 0 <= at[0] < SIZE[0] and 0 <= at[1] < SIZE[1]:
            expected[at] = True

    np.testing.assert_array_equal(on_frame(drawn, origin, SIZE), expected)


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
    made.add_new(
        0x60003000,
        "OW",
        np.packbits(drawn.ravel(), bitorder="little").tobytes() + b"\0",
    )
    file = written(made)

    for frame, plane in ((1, drawn[0]), (2, drawn[1])):
        zone = zone_of(file, "overlay", frame)
        assert zone is not None
        np.testing.assert_array_equal(zone.mask[:5, :7], plane)
    assert zone_of(file, "overlay", 0) is None
    assert zone_of(file, "overlay", 3) is None


@pytest.mark.parametrize(
    ("count", "first", "frames"),
    [
        (None, None, [0, 1, 2, 3]),
        (1, 3, [2]),
        (1, None, [0]),
        (None, 3, [2]),
    ],
    ids=["a plane", "one of a cine", "the first", "an origin alone"],
)
def test_an_overlay_that_names_frames_lies_on_no_other(
    count: int | None, first: int | None, frames: list[int]
) -> None:
    """Number of Frames in Overlay 1 is one frame of a cine, as DCMTK has it; without it, all."""
    made = dataset(np.zeros((4, 8, 8), "u1"), frames=4)
    made.add_new(0x60000010, "US", 8)
    made.add_new(0x60000011, "US", 8)
    made.add_new(0x60000050, "SS", [1, 1])
    made.add_new(0x60003000, "OW", b"\xff" * 8)
    if count is not None:
        made.add_new(0x60000015, "IS", count)
    if first is not None:
        made.add_new(0x60000051, "US", first)
    file = written(made)

    found = [k for k in range(4) if zone_of(file, "overlay", k) is not None]

    assert found == frames


def test_an_overlay_of_a_frame_that_was_taken_out_stays() -> None:
    """A single frame saved from a cine keeps Image Frame Origin 57 of its plane."""
    made = dataset(np.zeros((8, 8), "u1"))
    made.add_new(0x60000010, "US", 8)
    made.add_new(0x60000011, "US", 8)
    made.add_new(0x60000015, "IS", 1)
    made.add_new(0x60000051, "US", 57)
    made.add_new(0x60003000, "OW", b"\xff" * 8)

    assert zone_of(written(made), "overlay", 0) is not None


def test_describe_names_the_zones() -> None:
    """The description names the zones of the header without decoding a pixel."""
    made = dataset(
        ramp("i2"),
        PixelPaddingValue=5,
        SequenceOfUltrasoundRegions=[region((0, 0, 9, 9))],
    )

    assert describe(written(made))["zones"] == ("padding", "screen")
    assert describe(overlaid(np.ones((4, 5), bool), (1, 1)))["zones"] == ("overlay",)


@pytest.mark.parametrize("bit", [12, 13, 15])
def test_overlay_in_a_bit_of_the_pixels(bit: int) -> None:
    """A plane above the values of 12-bit pixels is found, and the values are clean."""
    drawn = np.random.default_rng(2).integers(0, 2, SIZE).astype(bool)
    made = dataset(ramp() | drawn.astype("u2") << bit, BitsStored=12, HighBit=11)
    made.add_new(0x60000010, "US", SIZE[0])
    made.add_new(0x60000011, "US", SIZE[1])
    made.add_new(0x60000100, "US", 16)
    made.add_new(0x60000102, "US", bit)
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
    zone = zone_of(
        written(dataset(ramp(), SequenceOfUltrasoundRegions=regions)), "screen"
    )

    expected = np.ones(SIZE, bool)
    expected[6:31, 5:21] = False
    expected[6:21, 30:41] = False
    assert zone is not None
    np.testing.assert_array_equal(zone.mask, expected)


@pytest.mark.parametrize(
    ("box", "hidden"),
    [
        ((0, 0, 52, 36), 0),
        ((0, 0, 51, 36), 37),
        ((0, 1, 52, 36), 53),
        ((7, 9, 7, 9), 37 * 53 - 1),
    ],
)
def test_corners_of_a_region_are_its_pixels(
    box: tuple[int, int, int, int], hidden: int
) -> None:
    """Counted from 0, the last pixel is (columns - 1, rows - 1), and both corners are inside.

    So PS3.3 C.8.5.5.1.14; no other program at hand paints regions.
    """
    zone = zone_of(
        written(dataset(ramp(), SequenceOfUltrasoundRegions=[region(box)])), "screen"
    )

    assert (0 if zone is None else zone.mask.sum()) == hidden


def test_regions_of_another_grid_are_left_out() -> None:
    """A region that leaves the frame by more than a tenth was meant for another one."""
    made = dataset(ramp(), SequenceOfUltrasoundRegions=[region((20, 6, 200, 30))])

    assert zone_of(written(made), "screen") is None


def test_zones_make_the_diagnostic_pixels() -> None:
    """A pixel is diagnostic where no zone holds it."""
    values = ramp("i2")
    made = dataset(
        values,
        PixelPaddingValue=5,
        SequenceOfUltrasoundRegions=[region((0, 0, 20, 30))],
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


@pytest.mark.parametrize(
    ("kind", "words"), [("G", "C.9.2"), ("R", "region of interest")]
)
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
    made = dataset(
        np.stack([ramp(), ramp()]), frames=2, PerFrameFunctionalGroupsSequence=frames
    )
    open_columns = [
        (~zone_of(written(made), "shutter", frame).mask).all(axis=0).sum()
        for frame in (0, 1)
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


def planed(mask: np.ndarray, bit: int, values: np.ndarray, **bits: int) -> bytes:
    """Return a file with an overlay plane in one bit of its pixels (PS3.5-2004 8.1.2)."""
    words = values | mask.astype("u2") << bit
    made = dataset(words, **bits)
    for element, value in ((0x10, SIZE[0]), (0x11, SIZE[1]), (0x100, 16), (0x102, bit)):
        made.add_new(0x60000000 | element, "US", value)
    return written(made)


@pytest.mark.parametrize("most", [4095, 200])
@pytest.mark.parametrize("bit", [0, 1, 3])
def test_an_overlay_below_the_values_is_found(bit: int, most: int) -> None:
    """Values in bits 4..15 leave bits 0..3 to overlays; the values are clean, dark ones too."""
    drawn = np.random.default_rng(3).integers(0, 2, SIZE).astype(bool)
    values = ramp() % (most + 1)
    file = planed(drawn, bit, values << 4, BitsStored=12, HighBit=15)
    zone = zone_of(file, "overlay")

    assert zone is not None
    np.testing.assert_array_equal(zone.mask, drawn)
    np.testing.assert_array_equal(read_dicom(file).stored, values)
    assert describe(file)["zones"] == ("overlay",)


def test_an_overlay_in_a_bit_of_the_values_is_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A bit that belongs to the values is no overlay: a note, and no zone."""
    file = planed(np.zeros(SIZE, bool), 5, ramp(), BitsStored=12, HighBit=11)

    assert zone_of(file, "overlay") is None
    assert any("Overlay Bit Position" in each.message for each in caplog.records)


@pytest.mark.parametrize("vr", ["OW", "OB"])
@pytest.mark.parametrize("shutter", [False, True])
def test_overlays_of_a_big_endian_data_set(vr: str, *, shutter: bool) -> None:
    """Words lie the other way round, bytes do not (PS3.5 7.3), from a file and from a Dataset."""
    drawn = np.random.default_rng(4).integers(0, 2, (5, 7)).astype(bool)
    made = dataset(ramp().byteswap())
    raw = np.packbits(drawn.ravel(), bitorder="little").tobytes() + b"\0"
    swapped = np.frombuffer(raw, "<u2").byteswap().tobytes()
    for element, value in ((0x10, 5), (0x11, 7), (0x100, 1), (0x102, 0)):
        made.add_new(0x60020000 | element, "US", value)
    made.add_new(0x60023000, vr, swapped if vr == "OW" else raw)
    if shutter:
        made.ShutterOverlayGroup = 0x6002
    file = written(made, ExplicitVRBigEndian)

    for source in (file, pydicom.dcmread(BytesIO(file))):
        image = read_dicom(source)
        zone = next(
            z for z in image.zones if z.name == ("shutter" if shutter else "overlay")
        )
        np.testing.assert_array_equal(zone.mask[:5, :7], drawn)
        np.testing.assert_array_equal(image.stored, ramp())


def with_everything() -> pydicom.Dataset:
    """A data set with one of everything that lies beside its picture."""
    made = pydicom.dcmread(BytesIO(overlaid(np.ones((4, 5), bool), (1, 1))))
    made.ShutterShape = ["RECTANGULAR", "CIRCULAR", "POLYGONAL"]
    made.ShutterLeftVerticalEdge, made.ShutterRightVerticalEdge = 2, 50
    made.ShutterUpperHorizontalEdge, made.ShutterLowerHorizontalEdge = 2, 30
    made.CenterOfCircularShutter, made.RadiusOfCircularShutter = [12, 20], 15
    made.VerticesOfThePolygonalShutter = [1, 1, 1, 50, 30, 50, 30, 1]
    made.CollimatorShape = "CIRCULAR"
    made.CenterOfCircularCollimator, made.RadiusOfCircularCollimator = [12, 20], 15
    made.ShutterOverlayGroup = 0x6004
    made.SequenceOfUltrasoundRegions = [region((0, 0, 20, 30))]
    made.PixelSpacing, made.ImagerPixelSpacing = [1, 2], [1, 2]
    made.EstimatedRadiographicMagnificationFactor = "1.5"
    made.PixelAspectRatio, made.NominalScannedPixelSpacing = [1, 2], [3, 3]
    made.PixelPaddingValue, made.PixelPaddingRangeLimit = 5, 5
    made.ImageType = ["ORIGINAL", "PRIMARY", "LABEL"]
    made.SpecimenLabelInImage, made.SOPClassUID = (
        "YES",
        "1.2.840.10008.5.1.4.1.1.77.1.6",
    )
    made.TotalPixelMatrixRows, made.TotalPixelMatrixColumns = SIZE
    made.DimensionOrganizationType = "TILED_FULL"
    made.OpticalPathSequence = [item(OpticalPathIdentifier="1")]
    made.BurnedInAnnotation, made.RecognizableVisualFeatures = "YES", "NO"
    made.BodyPartExamined, made.ViewPosition = "CHEST", "PA"
    made.Laterality, made.ManufacturerModelName = "L", "X"
    made.ImageLaterality, made.LossyImageCompression = "L", "00"
    for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit"):
        made[keyword].VR = "US"
    made.add_new(0x60020015, "IS", 1)
    made.add_new(0x60020045, "LO", "USER")
    made.add_new(0x60020051, "US", 1)
    return made


def beside_the_picture() -> list[int]:
    """Return the tags of all that is not the picture itself."""
    kept = {
        "SOPClassUID",
        "Modality",
        "SamplesPerPixel",
        "PhotometricInterpretation",
        "Rows",
    }
    kept |= {"Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"}
    kept |= {"PixelData"}
    return [int(each.tag) for each in with_everything() if each.keyword not in kept]


BROKEN = [
    ("DS", b"a\\b "),
    ("OB", b"\xff\xfe\0\0"),
    ("UN", b"\xff" * 5 + b"\0"),
    ("FD", np.array([np.nan, np.inf]).tobytes()),
    ("FD", np.array([-1e300, 1e300]).tobytes()),
    ("FD", np.array([0.0, 0.5]).tobytes()),
    ("LO", b"\\ \\ "),
    ("US", b"\xff\xff"),
    ("SQ", b""),
    ("SQ", b"\xfe\xff\0\xe0\0\0\0\0"),
    ("SQ", b"no items"),
    ("IS", b""),
]


@pytest.mark.parametrize("tag", beside_the_picture(), ids=lambda tag: f"{tag:08X}")
def test_what_lies_beside_the_picture_never_costs_it(tag: int) -> None:
    """Any VR and any content, in any element of zones and geometry: the picture is shown."""
    made = with_everything()
    whole = read_dicom(written(made))
    long = ("OB", "UN", "SQ")
    for vr, value in BROKEN:
        file = replaced(written(made), tag, vr, value, long=vr in long)
        image = read_dicom(file, icc=True)
        np.testing.assert_array_equal(image.stored, whole.stored)
        assert image.spacing is None or min(image.spacing) > 0
        assert all(zone.mask.shape == SIZE for zone in image.zones)
        describe(file)


def replaced(file: bytes, tag: int, vr: str, value: bytes, *, long: bool) -> bytes:
    """Return the file with an element of its data set written anew, as Explicit VR."""
    element = next(each for each in pydicom.dcmread(BytesIO(file)) if each.tag == tag)
    alone = pydicom.Dataset()
    alone.add(element)
    raw = BytesIO()
    pydicom.dcmwrite(raw, alone, implicit_vr=False, little_endian=True)
    head = (
        (tag >> 16).to_bytes(2, "little")
        + (tag & 0xFFFF).to_bytes(2, "little")
        + vr.encode()
    )
    length = (
        b"\0\0" + len(value).to_bytes(4, "little")
        if long
        else len(value).to_bytes(2, "little")
    )
    assert file.count(raw.getvalue()) == 1
    return file.replace(raw.getvalue(), head + length + value)


@pytest.mark.parametrize(
    ("tag", "vr", "value", "lost"),
    [
        (0x60020050, "DS", b"a\\b ", "overlay"),
        (0x60020050, "SS", b"\1\0", "overlay"),
        (0x60020010, "DS", b"x ", "overlay"),
        (0x60020015, "DS", b"x ", "overlay"),
        (0x00181612, "DS", b"x ", None),
        (0x00280030, "LO", b"x\\y ", None),
    ],
)
def test_what_is_broken_is_lost_alone_and_noted(
    tag: int, vr: str, value: bytes, lost: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """The zone whose numbers are none is not made, all others are, and the log says so."""
    file = written(with_everything())
    before = {zone.name for zone in read_dicom(file).zones}
    caplog.clear()

    image = read_dicom(replaced(file, tag, vr, value, long=False))

    assert before - {zone.name for zone in image.zones} == ({lost} if lost else set())
    assert any("left out" in each.message for each in caplog.records)


def test_a_broken_region_makes_no_screen_of_what_it_shows() -> None:
    """Of two regions one has no corners: the zone would lie on its picture, so there is none."""
    good, bad = region((0, 0, 20, 30)), region((22, 0, 40, 30))
    del bad.RegionLocationMaxX1
    made = dataset(ramp(), SequenceOfUltrasoundRegions=[good, bad])

    assert zone_of(written(made), "screen") is None


SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"


@pytest.mark.parametrize(
    ("kind", "said", "notes"),
    [
        ("OVERVIEW", "YES", 1),
        ("VOLUME", "Yes", 1),
        ("OVERVIEW", "NO", 0),
        ("LABEL", "YES", 0),
    ],
)
def test_a_label_somewhere_in_the_picture_is_told(
    kind: str, said: str, notes: int, caplog: pytest.LogCaptureFixture
) -> None:
    """(0048,0010) says that there is one, nothing says where: a word in describe and in the log."""
    made = dataset(ramp(), SOPClassUID=SLIDE, SpecimenLabelInImage=said.upper())
    made.ImageType = ["ORIGINAL", "PRIMARY", kind, "NONE"]
    file = written(made).replace(b"YES", said.encode())
    zones = {zone.name for zone in read_dicom(file).zones}

    assert describe(file)["label_in_image"] == said.upper()
    assert ("label" in zones) == (kind == "LABEL")
    assert sum("(0048,0010)" in each.message for each in caplog.records) == notes


def tiled(**attributes: object) -> bytes:
    """Return a slide of 50 x 60 pixels in four tiles of 37 x 53."""
    made = dataset(
        np.stack([ramp("u1")] * 4), frames=4, SOPClassUID=SLIDE, **attributes
    )
    made.TotalPixelMatrixRows, made.TotalPixelMatrixColumns = 50, 60
    return written(made)


@pytest.mark.parametrize("organization", ["TILED_FULL", "TILED_SPARSE"])
def test_tiles_end_where_the_slide_ends(organization: str) -> None:
    """What lies beyond the matrix is filled with something: it is padding, not specimen."""
    corners = [(1, 1), (1, 54), (38, 1), (38, 54)]
    places = [
        item(
            PlanePositionSlideSequence=[
                item(
                    RowPositionInTotalImagePixelMatrix=row,
                    ColumnPositionInTotalImagePixelMatrix=column,
                )
            ]
        )
        for row, column in corners
    ]
    sparse = (
        {"PerFrameFunctionalGroupsSequence": places} if "SPARSE" in organization else {}
    )
    file = tiled(DimensionOrganizationType=organization, **sparse)
    inside = [(37, 53), (37, 7), (13, 53), (13, 7)]

    for frame, (rows, columns) in enumerate(inside):
        padding = read_dicom(file, frame=frame).padding
        assert not padding[:rows, :columns].any()
        assert padding.sum() == 37 * 53 - rows * columns


def test_tiles_of_a_full_slide_go_along_rows_first() -> None:
    """Three tiles across and two down: frame 2 is the last of the first row, and is cut there."""
    made = dataset(np.stack([ramp("u1")] * 6), frames=6, SOPClassUID=SLIDE)
    made.TotalPixelMatrixRows, made.TotalPixelMatrixColumns = 74, 2 * 53 + 7
    made.DimensionOrganizationType = "TILED_FULL"
    file = written(made)

    cut = [int(read_dicom(file, frame=k).padding.sum()) for k in range(6)]

    assert cut == [0, 0, 37 * 46, 0, 0, 37 * 46]


def test_other_objects_have_no_matrix() -> None:
    """The same numbers in an object that is no slide say nothing."""
    made = pydicom.dcmread(BytesIO(tiled(DimensionOrganizationType="TILED_FULL")))
    made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"

    assert not read_dicom(written(made), frame=3).padding.any()


@pytest.mark.parametrize("lossy", [False, True])
def test_lossy_padding_may_have_moved(*, lossy: bool) -> None:
    """A near-lossless codec moves the padding value by up to 3; an exact one moves nothing."""
    values = ramp() + 100
    values[:5] = np.array([8, 9, 10, 11, 12], "u2")[:, np.newaxis]
    values[5, :2] = 6, 14
    made = dataset(values, BitsStored=16, PixelPaddingValue=10)
    made["PixelPaddingValue"].VR = "US"
    if lossy:
        stream = imagecodecs.jpegls_encode(values, level=1)
        made = encoded(
            made, [stream], "1.2.840.10008.1.2.4.81", LossyImageCompression="01"
        )
    image = read_dicom(written(made))

    assert image.padding[:5].sum() == (5 * 53 if lossy else 53)
    assert not image.padding[6:].any()
