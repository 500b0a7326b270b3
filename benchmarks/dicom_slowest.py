"""The most that a small file can cost: each kind of header and codec at its limit.

``python benchmarks/dicom_slowest.py`` prints seconds of processor time for frames of
8,192 x 8,192, the most that a few bytes may claim, and for headers at their greatest number.
"""

import io
import struct
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import imagecodecs
import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from dicom.build import dataset, encoded, written

from saliency.dicom import read_dicom
from saliency.errors import SaliencyError

ROOT = "1.2.840.10008.1.2"
SIDE = 8192
ITEM, ITEM_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0\0\0\0\0"
SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"
ELEMENT = b"\x08\x00\x08\x00CS\0\0"
MOST = 1_950_000


def framed(stream: bytes, syntax: str, **attributes: object) -> bytes:
    """Return a file of one frame of 8 bits."""
    made = dataset(np.zeros((2, 2), "u1"), Rows=SIDE, Columns=SIDE, **attributes)
    return written(
        encoded(made, [stream + b"\0" * (len(stream) % 2)], f"{ROOT}.{syntax}")
    )


def grouped(content: bytes) -> bytes:
    """Return a file of 4,000 frames with so much in its functional groups."""
    made = dataset(np.zeros((2, 8, 9), "u1"), frames=2)
    made.NumberOfFrames = 4000
    head = written(made).split(b"\xe0\x7f\x10\x00")[0]
    pixels = b"\xe0\x7f\x10\x00OW\0\0" + struct.pack("<I", 4000 * 72) + bytes(4000 * 72)
    return (
        head
        + b"\x00\x52\x30\x92SQ\0\0\xff\xff\xff\xff"
        + content
        + SEQUENCE_END
        + pixels
    )


def fragmented() -> bytes:
    """Return a file of many empty fragments without a table."""
    made = encoded(dataset(np.zeros((37, 53), "u1")), [b"ab"], f"{ROOT}.4.50")
    head = written(made).split(b"\xe0\x7f\x10\x00")[0]
    return head + b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff" + (ITEM + bytes(4)) * MOST


def progressive() -> bytes:
    """Return a progressive JPEG of 63 scans."""
    file = io.BytesIO()
    Image.fromarray(np.zeros((SIDE, SIDE), "u1")).save(file, "jpeg", progressive=True)
    data = file.getvalue()
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * (63 - data.count(b"\xff\xda")) + b"\xff\xd9"


def rle() -> bytes:
    """Return a blank RLE frame (PS3.5 G)."""
    segment = b"\x81\0" * (SIDE * SIDE // 128)
    return struct.pack("<16I", 1, 64, *[0] * 14) + segment


def cases() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Yield what costs most, each made when its turn comes."""
    blank = np.zeros((SIDE, SIDE), "u1")
    item = ITEM + b"\xff\xff\xff\xff"
    yield "items in functional groups", lambda: grouped((ITEM + bytes(4)) * MOST)
    yield (
        "elements in functional groups",
        lambda: grouped((item + ELEMENT * 480 + ITEM_END) * 4000),
    )
    yield "elements of one frame", lambda: grouped(item + ELEMENT * MOST + ITEM_END)
    yield "empty fragments", fragmented
    yield "JPEG, 63 progressive scans", lambda: framed(progressive(), "4.55")
    yield "JPEG-LS", lambda: framed(imagecodecs.jpegls_encode(blank), "4.80")
    yield "JPEG 2000", lambda: framed(imagecodecs.jpeg2k_encode(blank, level=0), "4.90")
    yield (
        "HTJ2K",
        lambda: framed(imagecodecs.htj2k_encode(blank, reversible=True), "4.201"),
    )
    yield (
        "JPEG XL",
        lambda: framed(imagecodecs.jpegxl_encode(blank, lossless=True), "4.110"),
    )
    yield "RLE", lambda: framed(rle(), "5")
    yield (
        "deflated frame",
        lambda: framed(zlib.compress(blank.tobytes(), wbits=-15), "8.1"),
    )
    corners = [each for k in range(2040) for each in (1 + 8191 * (k % 2), 1 + 4 * k)]
    shutter = {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": corners}
    stream = zlib.compress(blank.tobytes(), wbits=-15)
    yield "... and a shutter of 2,040 corners", lambda: framed(stream, "8.1", **shutter)


def main() -> None:
    """Print the table."""
    print("| what | bytes | outcome | seconds |\n|---|---|---|---|")
    for name, make in cases():
        data = make()
        begin = time.process_time()
        try:
            read_dicom(data)
            outcome = "shown"
        except SaliencyError as error:
            outcome = getattr(error, "reason", type(error).__name__)
        spent = time.process_time() - begin
        print(f"| {name} | {len(data):,} | {outcome} | {spent:.2f} |", flush=True)


if __name__ == "__main__":
    main()
