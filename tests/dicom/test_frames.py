"""Frames: found by table or by walk, read one at a time."""

import io
import tracemalloc
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from dicom.build import SIZE, dataset, encoded, item, ramp, written
from pydicom.encaps import encapsulate_extended
from pydicom.uid import ExplicitVRBigEndian

from saliency.dicom import read_dicom, read_frames
from saliency.errors import DicomError, InputError

J2K = "1.2.840.10008.1.2.4.90"


@pytest.fixture
def cine() -> np.ndarray:
    """Five frames that are all different."""
    return np.stack([ramp() + 100 * k for k in range(5)])


@pytest.fixture
def streams(cine: np.ndarray) -> list[bytes]:
    """Return the frames as JPEG 2000."""
    return [
        imagecodecs.jpeg2k_encode(frame, level=0, reversible=True) for frame in cine
    ]


def test_one_frame_in_many_fragments(cine: np.ndarray, streams: list[bytes]) -> None:
    """Without a table, all fragments of a single frame are that frame."""
    made = encoded(dataset(cine[0]), streams[:1], J2K)
    made.PixelData = pydicom.encaps.encapsulate(
        streams[:1], fragments_per_frame=4, has_bot=False
    )
    made["PixelData"].is_undefined_length = True

    np.testing.assert_array_equal(read_dicom(written(made)).stored, cine[0])


class Watched(io.BytesIO):
    """A file that remembers which bytes were read."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.seen: list[tuple[int, int]] = []

    def read(self, size: int | None = -1) -> bytes:
        """Read, and remember."""
        start = self.tell()
        data = super().read(size)
        self.seen.append((start, start + len(data)))
        return data


def test_native_frames_come_in_order(cine: np.ndarray) -> None:
    """Frame k holds the values of frame k, and knows its place."""
    images = list(read_frames(written(dataset(cine, frames=5))))

    for k, image in enumerate(images):
        np.testing.assert_array_equal(image.stored, cine[k])
        assert (image.frame, image.frames) == (k, 5)


def with_basic(cine: np.ndarray, streams: list[bytes]) -> bytes:
    """Write a Basic Offset Table."""
    return written(encoded(dataset(cine, frames=5), streams, J2K))


def without_table(cine: np.ndarray, streams: list[bytes]) -> bytes:
    """Write an empty table, one fragment a frame."""
    made = encoded(dataset(cine, frames=5), streams, J2K)
    made.PixelData = pydicom.encaps.encapsulate(streams, has_bot=False)
    made["PixelData"].is_undefined_length = True
    return written(made)


def in_fragments(cine: np.ndarray, streams: list[bytes]) -> bytes:
    """Write an empty table, three fragments a frame."""
    made = encoded(dataset(cine, frames=5), streams, J2K)
    made.PixelData = pydicom.encaps.encapsulate(
        streams, fragments_per_frame=3, has_bot=False
    )
    made["PixelData"].is_undefined_length = True
    return written(made)


def with_extended(cine: np.ndarray, streams: list[bytes]) -> bytes:
    """Write an Extended Offset Table."""
    made = encoded(dataset(cine, frames=5), streams, J2K)
    data, made.ExtendedOffsetTable, made.ExtendedOffsetTableLengths = (
        encapsulate_extended(streams)
    )
    made.PixelData = data
    made["PixelData"].is_undefined_length = True
    return written(made)


def with_wild_table(cine: np.ndarray, streams: list[bytes]) -> bytes:
    """Write a Basic Offset Table that points nowhere."""
    made = encoded(dataset(cine, frames=5), streams, J2K)
    data = bytearray(made.PixelData)
    data[12:28] = np.array([3, 77777777, 88888888, 99999999], "<u4").tobytes()
    made.PixelData = bytes(data)
    return written(made)


@pytest.mark.parametrize(
    "write", [with_basic, without_table, in_fragments, with_extended, with_wild_table]
)
def test_encapsulated_frames_are_found(
    write, cine: np.ndarray, streams: list[bytes]
) -> None:
    """With any table, a wrong one or none, frame 3 is frame 3."""
    file = write(cine, streams)

    np.testing.assert_array_equal(read_dicom(file, frame=3).stored, cine[3])
    assert len(list(read_frames(file))) == 5


def laid_out(table: str, frames: np.ndarray) -> bytes:
    """Forty frames, native or as JPEG-LS with one table or another."""
    made, count = dataset(frames, frames=len(frames)), len(frames)
    if table == "native":
        return written(made)
    streams = [imagecodecs.jpegls_encode(frame) for frame in frames]
    made = encoded(made, streams, J2K[:-2] + "80")
    if table == "extended":
        made.PixelData, *tables = encapsulate_extended(streams)
        made.ExtendedOffsetTable, made.ExtendedOffsetTableLengths = tables
    if table in ("none", "fragments"):
        many = 3 if table == "fragments" else 1
        made.PixelData = pydicom.encaps.encapsulate(
            streams, fragments_per_frame=many, has_bot=False
        )
    made["PixelData"].is_undefined_length = True
    assert made.NumberOfFrames == count
    return written(made)


@pytest.mark.parametrize("table", ["native", "basic", "extended", "none", "fragments"])
def test_reading_a_frame_touches_that_frame_only(table: str) -> None:
    """Of 40 frames, reading one reads the bytes of one, the header, and headers of fragments."""
    frames = np.random.default_rng(0).integers(0, 4096, (40, 211, 307)).astype("u2")
    file = Watched(laid_out(table, frames))

    found = read_dicom(file, frame=31)

    np.testing.assert_array_equal(found.stored, frames[31])
    touched = sum(stop - start for start, stop in file.seen)
    assert touched < len(file.getvalue()) / 40 + 3 * 2**16
    # However large the other frames: outside the frame only headers of 8 bytes, or a peek of 12.
    large = [stop - start for start, stop in file.seen if stop - start > 12]
    assert len(large) <= (6 if table == "fragments" else 4)


def test_a_file_object_is_left_where_it_was() -> None:
    """Reading neither closes a file object nor moves it."""
    file = io.BytesIO(written(dataset(ramp())))
    file.seek(17)

    read_dicom(file)

    assert file.tell() == 17
    assert not file.closed


def test_all_kinds_of_source_agree(tmp_path: Path) -> None:
    """Path, string, bytes, file object and Dataset give the same picture and digest."""
    data = written(dataset(ramp(), WindowCenter=5, WindowWidth=700))
    path = tmp_path / "a.dcm"
    path.write_bytes(data)
    sources = [
        path,
        str(path),
        data,
        bytearray(data),
        io.BytesIO(data),
        pydicom.dcmread(path),
    ]

    images = [read_dicom(source) for source in sources]

    assert len({image.digest for image in images}) == 1
    assert len({image.display.tobytes() for image in images}) == 1


def test_deferred_dataset(tmp_path: Path) -> None:
    """A Dataset whose pixels still lie in the file is read, and stays deferred."""
    path = tmp_path / "a.dcm"
    path.write_bytes(written(dataset(ramp())))
    deferred = pydicom.dcmread(path, defer_size=100)

    np.testing.assert_array_equal(read_dicom(deferred).stored, ramp())
    assert deferred.get_item("PixelData", keep_deferred=True).value is None


@pytest.mark.parametrize("source", [7, None, ["a"], io.StringIO("a")])
def test_other_sources_are_refused(source: object) -> None:
    """What is no source is an InputError that names the types that are."""
    with pytest.raises(InputError, match=r"(path|binary)"):
        read_dicom(source)


@pytest.mark.parametrize("frame", [-1, 5, 10**9])
def test_frame_out_of_range(frame: int, cine: np.ndarray) -> None:
    """A frame that is not there is refused with the range that is."""
    with pytest.raises(DicomError, match=r"0\.\.4") as caught:
        read_dicom(written(dataset(cine, frames=5)), frame=frame)
    assert caught.value.reason == "frame-out-of-range"


def test_a_frame_of_another_size_is_refused(
    cine: np.ndarray, streams: list[bytes]
) -> None:
    """A codestream that is not Rows x Columns is refused before it is decoded."""
    streams[2] = imagecodecs.jpeg2k_encode(cine[2][:30], level=0)
    file = written(encoded(dataset(cine, frames=5), streams, J2K))

    assert read_dicom(file, frame=1).frame == 1
    with pytest.raises(DicomError) as caught:
        read_dicom(file, frame=2)
    assert caught.value.reason == "size-mismatch"


@pytest.mark.parametrize("table", ["native", "extended", "none"])
def test_memory_is_flat_over_many_frames(table: str, tmp_path: Path) -> None:
    """A thousand frames need no more memory at once than ten."""
    path = tmp_path / "long.dcm"
    path.write_bytes(laid_out(table, np.zeros((1000, *SIZE), "u2") + 1))
    peaks = []
    for count in (10, 1000):
        tracemalloc.start()
        for image, _ in zip(read_frames(path), range(count), strict=False):
            assert image.frames == 1000
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[1] < peaks[0] + 1_000_000  # 990 frames that stayed would be 12 MB


def test_a_file_of_two_gigabytes_opens_at_once(tmp_path: Path) -> None:
    """Frame 1 of a sparse file of 2 GB is read with less than 20 MB of memory."""
    path = tmp_path / "sparse.dcm"
    frames = 2**31 // (2 * 512 * 512) - 1
    made = dataset(np.zeros((2, 512, 512), "u2"), frames=2)
    made.NumberOfFrames = frames
    data = bytearray(written(made))
    at = data.rindex(b"\xe0\x7f\x10\x00OW\0\0")
    data[at + 8 : at + 12] = (frames * 2 * 512 * 512).to_bytes(4, "little")
    with path.open("wb") as file:
        file.write(data)
        file.truncate(at + 12 + frames * 2 * 512 * 512)

    tracemalloc.start()
    image = read_dicom(path, frame=frames - 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert image.frames == frames
    assert peak < 20e6


def test_functional_groups_of_one_frame_are_read_alone() -> None:
    """Of 300 frames, the spacing of frame 200 is read without reading the others."""
    made = dataset(np.zeros((300, 8, 9), "u1"), frames=300)
    made.PerFrameFunctionalGroupsSequence = [
        item(PixelMeasuresSequence=[item(PixelSpacing=[k + 1, 2 * (k + 1)])])
        for k in range(300)
    ]

    assert read_dicom(written(made), frame=200).spacing == (201, 402)


def test_a_frame_without_groups_of_its_own_leaves_a_note(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Three items for four frames: the values of the fourth may be off, and nobody else says it."""
    made = dataset(np.zeros((4, 5, 7), "u1"), frames=4)
    made.PerFrameFunctionalGroupsSequence = [
        item(PixelValueTransformationSequence=[item(RescaleSlope=2)]) for _ in range(3)
    ]
    file = written(made)

    read_dicom(file, frame=2)
    assert not caplog.text
    read_dicom(file, frame=3)
    assert "no item of this frame" in caplog.text


@pytest.mark.parametrize("frame", [0, 1, 2])
def test_frames_of_odd_bytes_share_a_big_endian_word(frame: int) -> None:
    """8-bit frames of 35 pixels in OW: every other one starts in the middle of a word."""
    frames = np.random.default_rng(0).integers(0, 256, (3, 5, 7)).astype("u1")
    raw = frames.tobytes() + b"\0"
    made = dataset(frames, frames=3)
    made.PixelData = np.frombuffer(raw, "<u2").byteswap().tobytes()
    made.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    made.preamble = bytes(128)
    file = io.BytesIO()
    pydicom.dcmwrite(file, made)

    np.testing.assert_array_equal(
        read_dicom(file.getvalue(), frame=frame).stored, frames[frame]
    )


def test_a_long_cine_with_regions_is_read_to_its_end() -> None:
    """Limits hold for a frame, not for the sum over all of them."""
    box = {"RegionSpatialFormat": 1, "RegionLocationMinX0": 0, "RegionLocationMinY0": 0}
    corner = {
        "RegionLocationMaxX1": 5,
        "RegionLocationMaxY1": 4,
        "PhysicalUnitsXDirection": 3,
    }
    regions = [item(**box, **corner, RegionDataType=k) for k in range(40)]
    made = dataset(
        np.zeros((400, 8, 9), "u1"), frames=400, SequenceOfUltrasoundRegions=regions
    )

    assert sum(1 for _ in read_frames(written(made))) == 400
