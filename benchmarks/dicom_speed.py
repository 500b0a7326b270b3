"""Time from the bytes of a file to its display, against the decoder alone and against pydicom.

``python benchmarks/dicom_speed.py`` prints milliseconds of CPU time, the best of seven, for a frame
of 2048 x 2048 of 16 bits in several transfer syntaxes: the fastest decoder alone, this library
(decode, modality values, zones, digest, display), and pydicom's functions (decode, modality,
VOI, 8 bits).
"""

import io
import time
from collections.abc import Callable

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
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = "1.2.3"
    made.Modality, made.PhotometricInterpretation, made.SamplesPerPixel = "CT", "MONOCHROME2", 1
    made.Rows, made.Columns = values.shape
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 12, 11, 0
    made.RescaleSlope, made.RescaleIntercept = 1, -1024
    made.WindowCenter, made.WindowWidth = 900, 3000
    made.PixelData = values.tobytes() if stream is None else encapsulate([stream])
    made["PixelData"].VR = "OW" if stream is None else "OB"
    made["PixelData"].is_undefined_length = stream is not None
    target = io.BytesIO()
    pydicom.dcmwrite(target, made, enforce_file_format=True)
    return target.getvalue()


def by_pydicom(data: bytes) -> np.ndarray:
    """Return the display that pydicom's functions make."""
    dataset = pydicom.dcmread(io.BytesIO(data))
    values = apply_voi_lut(apply_modality_lut(pixel_array(dataset), dataset), dataset)
    low, high = values.min(), values.max()
    return ((values - low) / (high - low) * 255).astype(np.uint8)


def milliseconds(act: Callable[[], object]) -> float:
    """Return the least CPU time of several rounds; NaN where it cannot be done."""
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.process_time()
        try:
            act()
        except RuntimeError:
            return float("nan")
        best = min(best, time.process_time() - begin)
    return best * 1000


def main() -> None:
    """Print the table."""
    values = picture()
    codecs: dict[str, tuple[str, bytes | None, Callable[[bytes], object]]] = {
        "native": (ExplicitVRLittleEndian, None, lambda raw: np.frombuffer(raw, "u2").copy()),
    }
    for name, uid, encode, decode in (
        ("JPEG lossless", "70", imagecodecs.ljpeg_encode, imagecodecs.jpeg8_decode),
        ("JPEG-LS", "80", imagecodecs.jpegls_encode, imagecodecs.jpegls_decode),
        ("JPEG 2000", "90", imagecodecs.jpeg2k_encode, imagecodecs.jpeg2k_decode),
        ("HTJ2K", "201", imagecodecs.htj2k_encode, imagecodecs.jpeg2k_decode),
    ):
        more = {"level": 0, "reversible": True} if uid == "90" else {}
        more = {"reversible": True} if uid == "201" else more
        codecs[name] = (f"1.2.840.10008.1.2.4.{uid}", encode(values, **more), decode)
    print(f"{'':16}{'decoder':>10}{'saliency':>10}{'pydicom':>10}  ms CPU")
    for name, (syntax, stream, decode) in codecs.items():
        data = file(values, syntax, stream)
        raw = stream or values.tobytes()
        times = (
            milliseconds(lambda raw=raw, decode=decode: decode(raw)),
            milliseconds(lambda data=data: read_dicom(data)),
            milliseconds(lambda data=data: by_pydicom(data)),
        )
        print(f"{name:16}" + "".join(f"{each:10.1f}" for each in times))


if __name__ == "__main__":
    main()
