"""Files to start a fuzzer from: tiny ones of every kind, made here, and small real ones."""

from collections.abc import Iterator
from pathlib import Path

import imagecodecs
import numpy as np
from dicom.build import dataset, encoded, item, ramp, with_tlm, written
from dicom.test_reported_files import KINDS
from pydicom.dataset import Dataset

_SIZE = (12, 10)
_LARGEST = 60_000  # bytes of a real file
_ROOT = "1.2.840.10008.1.2"


def seeds(shared: str | None) -> Iterator[tuple[str, bytes]]:
    """Yield names and files."""
    for name, made in (*_native(), *_grey(), *_encoded()):
        yield name, written(made)
    yield "big", written(dataset(ramp(size=_SIZE)), f"{_ROOT}.2")
    yield "implicit", written(dataset(ramp(size=_SIZE)), _ROOT)
    yield "deflated", written(dataset(ramp(size=_SIZE)), f"{_ROOT}.1.99")
    yield from _odd()
    for name, kind in KINDS.items():
        yield name, kind().data
    for path in sorted(Path(shared or "absent").glob("corpus/corpus/*.dcm")):
        if path.stat().st_size < _LARGEST:
            yield path.name, path.read_bytes()


def _native() -> Iterator[tuple[str, Dataset]]:
    small = ramp("u1", _SIZE)
    yield "grey8", dataset(small)
    yield (
        "signed",
        dataset(ramp("i2", _SIZE), PixelPaddingValue=3, PixelPaddingRangeLimit=7),
    )
    yield "float", dataset(ramp("f4", _SIZE), FloatPixelPaddingValue=2.0)
    yield "double", dataset(ramp("f8", _SIZE))
    yield "wide", dataset(ramp("u4", _SIZE))
    yield "frames", dataset(np.stack([small, small, small]), frames=3)
    yield "bits", dataset(np.zeros((1, 15), "u1"), Rows=12, Columns=10, BitsAllocated=1,
                          BitsStored=1, HighBit=0)  # fmt: skip
    colour = np.stack([small, small, small], axis=-1)
    yield "rgb", dataset(colour)
    yield (
        "ybr",
        dataset(colour, PhotometricInterpretation="YBR_FULL", PlanarConfiguration=1),
    )
    half = dataset(colour, PhotometricInterpretation="YBR_FULL_422")
    half.PixelData = half.PixelData[: 12 * 10 * 2]
    yield "ybr422", half
    yield "palette", _palette(dataset(small, PhotometricInterpretation="PALETTE COLOR"))


def _palette(made: Dataset) -> Dataset:
    for colour in ("Red", "Green"):
        setattr(made, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(
            made, f"{colour}PaletteColorLookupTableData", ramp("u2", (16, 16)).tobytes()
        )
    made.BluePaletteColorLookupTableDescriptor = [256, 0, 16]
    words = [0, 2, 5, 6, 1, 127, 999, 2, 1, 4, 0, 1, 126, 4]
    made.SegmentedBluePaletteColorLookupTableData = np.array(words, "<u2").tobytes()
    return made


def _grey() -> Iterator[tuple[str, Dataset]]:
    table = item(LUTDescriptor=[8, 0, 16], LUTData=ramp("u2", (2, 4)).tobytes())
    yield (
        "luts",
        dataset(ramp(size=_SIZE), ModalityLUTSequence=[table], VOILUTSequence=[table]),
    )
    group = item(
        PixelValueTransformationSequence=[item(RescaleSlope=2, RescaleIntercept=-3)],
        FrameVOILUTSequence=[
            item(WindowCenter=5, WindowWidth=9, VOILUTFunction="SIGMOID")
        ],
        PixelMeasuresSequence=[item(PixelSpacing=[1, 2])],
    )
    many = dataset(np.stack([ramp(size=_SIZE)] * 2), frames=2)
    many.SharedFunctionalGroupsSequence = [group]
    many.PerFrameFunctionalGroupsSequence = [group, group]
    yield "groups", many
    yield (
        "zones",
        _zoned(dataset(ramp(size=_SIZE), PhotometricInterpretation="MONOCHROME1")),
    )


def _zoned(made: Dataset) -> Dataset:
    made.ShutterShape = ["RECTANGULAR", "CIRCULAR", "POLYGONAL"]
    made.ShutterLeftVerticalEdge, made.ShutterRightVerticalEdge = 2, 9
    made.ShutterUpperHorizontalEdge, made.ShutterLowerHorizontalEdge = 2, 9
    made.CenterOfCircularShutter, made.RadiusOfCircularShutter = [5, 5], 4
    made.VerticesOfThePolygonalShutter = [1, 1, 1, 9, 9, 9]
    made.CollimatorShape = "CIRCULAR"
    made.CenterOfCircularCollimator, made.RadiusOfCircularCollimator = [5, 5], 4
    plane = made.group_dataset(0x6000) if 0x60000010 in made else made
    plane.add_new(0x60000010, "US", 12)
    plane.add_new(0x60000011, "US", 10)
    plane.add_new(0x60000040, "CS", "G")
    plane.add_new(0x60000050, "SS", [1, -2])
    plane.add_new(0x60000100, "US", 1)
    plane.add_new(0x60000102, "US", 0)
    plane.add_new(0x60003000, "OW", bytes(range(16)))
    made.SequenceOfUltrasoundRegions = [
        item(RegionSpatialFormat=1, RegionLocationMinX0=0, RegionLocationMinY0=0,
             RegionLocationMaxX1=5, RegionLocationMaxY1=5, PhysicalUnitsXDirection=3,
             PhysicalUnitsYDirection=3, PhysicalDeltaX=0.1, PhysicalDeltaY=0.1)
    ]  # fmt: skip
    return made


def _encoded() -> Iterator[tuple[str, Dataset]]:
    grey, deep = ramp("u1", _SIZE), ramp("u2", _SIZE)
    colour = np.stack([grey, grey, grey], axis=-1)
    codecs = imagecodecs
    for name, pixels, number, stream in (
        ("jpeg", grey, "4.50", codecs.jpeg8_encode(grey)),
        ("jpegrgb", colour, "4.50", codecs.jpeg8_encode(colour)),
        ("lossless", deep, "4.70", codecs.ljpeg_encode(deep)),
        ("jpegls", deep, "4.80", codecs.jpegls_encode(deep)),
        ("j2k", deep, "4.90", codecs.jpeg2k_encode(deep, level=0, reversible=True)),
        ("j2ktlm", deep, "4.90", with_tlm(_bare_j2k(deep), parts=9)),
        ("j2krgb", colour, "4.91", codecs.jpeg2k_encode(colour, level=40)),
        ("htj2k", deep, "4.201", codecs.htj2k_encode(deep)),
        ("jxl", grey, "4.110", codecs.jpegxl_encode(grey)),
        ("rle", grey, "5", _rle(grey)),
    ):
        yield name, encoded(dataset(pixels), [stream], f"{_ROOT}.{number}")
    streams = [codecs.jpeg8_encode(grey)] * 3
    yield (
        "frames50",
        encoded(dataset(np.stack([grey] * 3), frames=3), streams, f"{_ROOT}.4.50"),
    )


def _odd() -> Iterator[tuple[str, bytes]]:
    """Files that break a rule and are read: odd VRs, codes, numbers, counts, fragments."""
    made = dataset(ramp(size=_SIZE), WindowCenter=[40, 50], WindowWidth=[400, 500])
    made.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    made.WindowCenterWidthExplanation = ["\u7e26\u9694", "\u80ba\u91ce"]
    plain = written(made)
    yield "charset", plain
    at = plain.index(b"\x28\x00\x02\x00US")
    for name, raw in (
        ("vr16", b"\x19\x00\x01\x10??\x08\x00abcdefgh"),
        ("vr32", b"\x19\x00\x01\x10ZZ\0\0\x08\0\0\0abcdefgh"),
        ("novr", b"\x19\x00\x01\x10\x08\0\0\0abcdefgh"),
        ("novrsq", b"\x19\x00\x01\x10ZZ\0\0\xff\xff\xff\xff\xfe\xff\xdd\xe0\0\0\0\0"),
    ):
        yield name, plain[:at] + raw + plain[at:]
    yield "comma", plain.replace(b"40\\50 ", b"\\40,5 ")
    yield "big overlay", written(_zoned(dataset(ramp(size=_SIZE))), f"{_ROOT}.2")
    grey = ramp("u1", _SIZE)
    for name, frame, number in (
        ("rle3", _rle(grey), "5"),
        ("raw3", grey.tobytes(), "4.90"),
    ):
        many = encoded(
            dataset(grey), [frame] * 3, f"{_ROOT}.{number}", NumberOfFrames=2
        )
        yield (
            name,
            written(many).replace(b"1.2.840.10008.1.2.4.90", b"1.2.840.10008.1.2.1.98"),
        )
    signed = np.stack([grey, grey, grey], axis=-1).view("i1")
    stream = imagecodecs.jpeg2k_encode(
        signed, level=0, reversible=True, codecformat="j2k"
    )
    colour = dataset(signed.view("u1"), PixelRepresentation=1)
    yield "j2ksigned", written(encoded(colour, [stream], f"{_ROOT}.4.90"))


def _bare_j2k(deep: np.ndarray) -> bytes:
    return imagecodecs.jpeg2k_encode(deep, level=0, reversible=True, codecformat="j2k")


def _rle(grey: np.ndarray) -> bytes:
    packed = bytes(codecs_packbits(grey))
    return b"\1\0\0\0\x40\0\0\0" + bytes(56) + packed + b"\0" * (len(packed) % 2)


def codecs_packbits(grey: np.ndarray) -> bytes:
    """Return PackBits of the rows."""
    return imagecodecs.packbits_encode(grey)
