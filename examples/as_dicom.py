"""Pictures written as DICOM files, for examples that begin with files."""

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
    generate_uid,
)


def written(folder: Path, pictures: Any) -> list[Path]:
    """Write pictures (N, 128, 128, 1) in 0..1 as 0000.dcm, 0001.dcm, ...; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:04d}.dcm" for number in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        _dataset(np.rint(picture[..., 0] * 255).astype(np.uint8)).save_as(
            path, enforce_file_format=True
        )
    return paths


def _dataset(pixels: Any) -> Dataset:
    found = Dataset()
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found.SOPClassUID, found.SOPInstanceUID = (
        SecondaryCaptureImageStorage,
        generate_uid(),
    )
    found.Modality, found.PhotometricInterpretation = "OT", "MONOCHROME2"
    found.Rows, found.Columns = pixels.shape
    found.SamplesPerPixel, found.PixelRepresentation = 1, 0
    found.BitsAllocated, found.BitsStored, found.HighBit = 8, 8, 7
    found.WindowCenter, found.WindowWidth = 128, 256
    found.PixelData = pixels.tobytes()
    return found
