"""Datasets made in code: one frame or more of any array, with attributes on top."""

import io
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian

SIZE = (37, 53)


def ramp(dtype: str = "u2", size: tuple[int, int] = SIZE) -> np.ndarray:
    """Values 0, 1, 2, ... over a grid that is no square."""
    return np.arange(size[0] * size[1]).reshape(size).astype(dtype)


def htj2k(values: np.ndarray, **options: Any) -> bytes:
    """Return a High-Throughput JPEG 2000 stream; skip the test where no encoder is at hand."""
    if not hasattr(imagecodecs, "htj2k_encode"):
        pytest.skip(f"imagecodecs {imagecodecs.__version__} writes no HTJ2K")
    return imagecodecs.htj2k_encode(values, **options)


def dataset(pixels: np.ndarray, *, frames: int = 1, **attributes: Any) -> Dataset:
    """Return a Dataset of native pixels (frames, rows, columns, samples), minus axes that are 1."""
    shape = pixels.shape[1:] if frames > 1 else pixels.shape
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    made.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    made.Modality = "OT"
    made.Rows, made.Columns = shape[:2]
    made.SamplesPerPixel = 3 if len(shape) == 3 else 1
    made.PhotometricInterpretation = "RGB" if len(shape) == 3 else "MONOCHROME2"
    if len(shape) == 3:
        made.PlanarConfiguration = 0
    if frames > 1:
        made.NumberOfFrames = frames
    _pixels(made, pixels)
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def _pixels(made: Dataset, pixels: np.ndarray) -> None:
    if pixels.dtype.kind == "f":
        keyword = (
            "FloatPixelData" if pixels.dtype.itemsize == 4 else "DoubleFloatPixelData"
        )
        setattr(made, keyword, pixels.tobytes())
        made.BitsAllocated = 8 * pixels.dtype.itemsize
        return
    made.BitsAllocated = made.BitsStored = 8 * pixels.dtype.itemsize
    made.HighBit = made.BitsStored - 1
    made.PixelRepresentation = int(pixels.dtype.kind == "i")
    raw = pixels.tobytes()
    made.PixelData = raw + b"\0" * (len(raw) % 2)
    made["PixelData"].VR = "OW"


def encoded(
    made: Dataset, streams: list[bytes], syntax: str, **attributes: Any
) -> Dataset:
    """Return the same Dataset with its frames compressed to ``streams``."""
    made.file_meta.TransferSyntaxUID = syntax
    made.PixelData = encapsulate(streams)
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def written(made: Dataset, syntax: str | None = None) -> bytes:
    """Return the bytes of the file, in another native transfer syntax where one is given."""
    if syntax is not None:
        made.file_meta.TransferSyntaxUID = syntax
    file = io.BytesIO()
    uid = str(made.file_meta.TransferSyntaxUID)
    if uid in (
        "1.2.840.10008.1.2.4.110",
        "1.2.840.10008.1.2.8.1",
    ):  # not known to pydicom 3.0
        explicit = {"implicit_vr": False, "little_endian": True, "force_encoding": True}
        made.preamble = bytes(128)
        pydicom.dcmwrite(file, made, **explicit)
    else:
        pydicom.dcmwrite(file, made, enforce_file_format=True)
    return file.getvalue()


def item(**attributes: Any) -> Dataset:
    """Return an item of a sequence."""
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def segment(marker: int, content: bytes) -> bytes:
    """A marker segment of JPEG 2000: FF, marker, length, content."""
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


def with_tlm(stream: bytes, *, parts: int = 1, hidden: bool = False) -> bytes:
    """A stream of one tile-part with a TLM that counts one, and empty tile-parts after the first.

    ``hidden`` puts TLM into a segment of a marker that no standard knows.
    """
    start, end = stream.index(b"\xff\x90"), len(stream) - 2
    tlm = segment(0x55, bytes([0, 0x50, 0]) + (end - start).to_bytes(4, "big"))
    first = stream[start : start + 10] + b"\0\0" + stream[start + 12 : end]
    more = [
        segment(0x90, bytes([0, 0, 0, 0, 0, 14, k, 0])) + b"\xff\x93"
        for k in range(1, parts)
    ]
    before = segment(0x30, tlm) if hidden else tlm
    return b"".join([stream[:start], before, first, *more, stream[end:]])
