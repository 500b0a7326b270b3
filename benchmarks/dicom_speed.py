"""Time from a file to its display, against the decoder alone and against other readers.

``python benchmarks/dicom_speed.py`` prints milliseconds of processor time, the least of several
rounds taken in turns, for a frame of 2048 x 2048 of 16 bits in each transfer syntax. The goal is
1.3 times the fastest decoder's own time. ``--write`` puts the table into benchmarks/dicom.md.

Others are timed where they are there: ``pip install --requirement benchmarks/dicom_peers.txt`` in
an environment of its own, and DCMTK's programs on the path (their start included: about 8 ms).
"""

import importlib
import io
import re
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import warnings
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import ExplicitVRLittleEndian

from saliency.dicom import read_dicom

SIDE = 2048
ROUNDS = 7
GOAL = 1.3
ROOT = "1.2.840.10008.1.2"
PAGE = Path(__file__).with_name("dicom.md")
PROGRAMS = {"80": "dcml2pnm", "51": "dcmj2pnm", "70": "dcmj2pnm"}
_NOT_THERE = (
    AttributeError, ImportError, KeyError, NotImplementedError, OSError, RuntimeError, ValueError,
    subprocess.CalledProcessError,
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One transfer syntax: what is decoded, and by which decoders."""

    name: str
    syntax: str
    stream: bytes | None
    decoders: Mapping[str, Callable[[], object]]


def picture() -> np.ndarray:
    """Return a smooth 12-bit picture with noise, as a radiograph compresses."""
    down, across = np.mgrid[:SIDE, :SIDE] / SIDE
    smooth = 2000 + 1500 * np.sin(7 * down) * np.cos(5 * across)
    noise = np.random.default_rng(0).normal(0, 12, (SIDE, SIDE))
    return np.clip(smooth + noise, 0, 4095).astype(np.uint16)


def file(values: np.ndarray, syntax: str, stream: bytes | None) -> bytes:
    """Return a CT of the picture in a transfer syntax."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = syntax
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = (
        "1.2.840.10008.5.1.4.1.1.2"
    )
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = "1.2.3"
    made.Modality, made.PhotometricInterpretation, made.SamplesPerPixel = (
        "CT",
        "MONOCHROME2",
        1,
    )
    made.Rows, made.Columns = values.shape
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = (
        16,
        12,
        11,
        0,
    )
    made.RescaleSlope, made.RescaleIntercept = 1, -1024
    made.WindowCenter, made.WindowWidth = 900, 3000
    made.StudyInstanceUID, made.SeriesInstanceUID, made.PatientID = (
        "1.2.4",
        "1.2.5",
        "nobody",
    )
    made.PixelData = values.tobytes() if stream is None else encapsulate([stream])
    made["PixelData"].VR = "OW" if stream is None else "OB"
    made["PixelData"].is_undefined_length = stream is not None
    target = io.BytesIO()
    if syntax in (f"{ROOT}.4.110", f"{ROOT}.8.1"):  # not known to pydicom 3.0
        made.preamble = bytes(128)
        explicit = {"implicit_vr": False, "little_endian": True, "force_encoding": True}
        pydicom.dcmwrite(target, made, **explicit)
    else:
        pydicom.dcmwrite(target, made, enforce_file_format=True)
    return target.getvalue()


def rle(values: np.ndarray) -> bytes:
    """Return an RLE frame, each row packed by itself (PS3.5 G)."""
    planes = (values >> 8).astype("u1"), values.astype("u1")
    packed = [
        b"".join(imagecodecs.packbits_encode(row.tobytes()) for row in p)
        for p in planes
    ]
    first, second = (each + b"\0" * (len(each) % 2) for each in packed)
    return struct.pack("<16I", 2, 64, 64 + len(first), *[0] * 13) + first + second


def cases(values: np.ndarray) -> list[Case]:
    """Return the picture in every transfer syntax that an encoder is at hand for."""
    raw = values.tobytes()
    deflated = zlib.compress(raw, wbits=-15)
    whole = zlib.compress(file(values, ExplicitVRLittleEndian, None), wbits=-15)
    made = [
        Case("native", ExplicitVRLittleEndian, None, {"copy": lambda: bytearray(raw)}),
        Case(
            "deflated data set",
            f"{ROOT}.1.99",
            None,
            _inflaters(whole, len(raw) + 4096),
        ),
        Case("deflated frame", f"{ROOT}.8.1", deflated, _inflaters(deflated, len(raw))),
    ]
    packed = rle(values)
    unpack = {"imagecodecs": lambda: imagecodecs.dicomrle_decode(packed, "<u2")}
    made.append(Case("RLE", f"{ROOT}.5", packed, unpack))
    for name, uid, stream, codecs in (
        ("JPEG 12 bits", "51", _jpeg12(values), ("jpeg8",)),
        ("JPEG lossless", "70", imagecodecs.ljpeg_encode(values), ("jpeg8", "ljpeg")),
        ("JPEG-LS", "80", imagecodecs.jpegls_encode(values), ("jpegls",)),
        (
            "JPEG 2000",
            "90",
            imagecodecs.jpeg2k_encode(values, level=0, reversible=True),
            ("jpeg2k",),
        ),
        (
            "HTJ2K",
            "201",
            imagecodecs.htj2k_encode(values, reversible=True),
            ("jpeg2k", "htj2k"),
        ),
        (
            "JPEG XL",
            "110",
            imagecodecs.jpegxl_encode(values, lossless=True),
            ("jpegxl",),
        ),
    ):
        made.append(
            Case(
                name,
                f"{ROOT}.4.{uid}",
                stream,
                {c: _decoder(c, stream) for c in codecs},
            )
        )
    return made


def _jpeg12(values: np.ndarray) -> bytes:
    stream: bytes = imagecodecs.jpeg_encode(values, level=90, bitspersample=12)
    return stream


def _decoder(codec: str, stream: bytes) -> Callable[[], object]:
    decode = getattr(imagecodecs, f"{codec}_decode")
    return lambda: decode(stream)


def _inflaters(stream: bytes, size: int) -> dict[str, Callable[[], object]]:
    return {
        "zlib": lambda: zlib.decompress(stream, -15, size),
        "libdeflate": lambda: imagecodecs.deflate_decode(stream, raw=True, out=size),
    }


def by_saliency(path: Path) -> object:
    """Return the display."""
    return read_dicom(path).display


def with_pixels(path: Path) -> object:
    """Return display and modality values."""
    image = read_dicom(path)
    return image.display, image.pixels


def by_pydicom(path: Path) -> object:
    """Return the display that pydicom's functions make."""
    dataset = pydicom.dcmread(path)
    values = apply_voi_lut(apply_modality_lut(pixel_array(dataset), dataset), dataset)
    low, high = values.min(), values.max()
    return ((values - low) / (high - low) * 255).astype(np.uint8)


def by_highdicom(path: Path) -> object:
    """Return the display that highdicom makes."""
    image = importlib.import_module("highdicom").imread(path)
    return np.rint(image.get_frame(1, apply_voi_transform=True) * 255).astype(np.uint8)


def by_simpleitk(path: Path) -> object:
    """Return the display that SimpleITK makes; it reads no window, so it is told."""
    sitk = importlib.import_module("SimpleITK")
    image = sitk.IntensityWindowing(
        sitk.ReadImage(str(path)), -600.0, 2400.0, 0.0, 255.0
    )
    return sitk.GetArrayFromImage(sitk.Cast(image, sitk.sitkUInt8))


def by_dcmtk(path: Path) -> object:
    """Let DCMTK write the display beside the file."""
    program = shutil.which(PROGRAMS.get(path.suffix[1:], "dcm2pnm"))
    if program is None:
        raise OSError
    command = [program, "+Wi", "1", str(path), str(path.with_suffix(".pgm"))]
    return subprocess.run(command, check=True, capture_output=True)


CLOCK = "... by the clock"
READERS: dict[str, Callable[[Path], object]] = {
    "saliency": by_saliency,
    CLOCK: by_saliency,
    "... and pixels": with_pixels,
    "pydicom": by_pydicom,
    "highdicom": by_highdicom,
    "SimpleITK": by_simpleitk,
    "DCMTK": by_dcmtk,
}


def spent() -> float:
    """Return seconds of processor time, of programs that were started too."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def timed(jobs: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Return the least milliseconds of each job that can be done, taken in turns.

    Each is done twice and timed the second time: the first pays for memory that others gave back.
    """
    best: dict[str, float] = {}
    able = dict(jobs)
    for _ in range(ROUNDS):
        for name, job in list(able.items()):
            now = time.perf_counter if name == CLOCK else spent
            try:
                job()
                begin = now()
                job()
            except _NOT_THERE:
                del able[name]
                continue
            best[name] = min(best.get(name, 1e9), (now() - begin) * 1000)
    return best


def row(case: Case, values: np.ndarray, folder: Path) -> str:
    """Time one transfer syntax."""
    path = folder / f"a.{case.syntax.rsplit('.', 1)[-1]}"
    path.write_bytes(file(values, case.syntax, case.stream))
    jobs = {name: (lambda read=read: read(path)) for name, read in READERS.items()}
    times = timed({**case.decoders, **jobs})
    decoder = min(case.decoders, key=lambda name: times[name])
    ratio = times["saliency"] / times[decoder]
    goal = "met" if ratio <= GOAL else "**missed**"
    shown = (f"{times[name]:.0f}" if name in times else "" for name in READERS)
    start = (
        f"| {case.name} | {times[decoder]:.1f} ({decoder}) | {ratio:.2f} x | {goal} | "
    )
    return start + " | ".join(shown) + " |"


def main() -> None:
    """Print the table, and write it where asked."""
    warnings.simplefilter("ignore")
    values = picture()
    others = " | ".join(READERS)
    head = f"| 2048 x 2048, 16 bits | fastest decoder | ours | <= {GOAL} x | {others} |"
    lines = [head, "|---" * (4 + len(READERS)) + "|"]
    with tempfile.TemporaryDirectory() as folder:
        lines += [row(case, values, Path(folder)) for case in cases(values)]
    print("\n".join(lines))
    if "--write" in sys.argv:
        text = PAGE.read_text(encoding="utf-8")
        made = "<!-- speed -->\n" + "\n".join(lines) + "\n<!-- end -->"
        PAGE.write_text(
            re.sub("(?s)<!-- speed -->.*?<!-- end -->", made, text), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
