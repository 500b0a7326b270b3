"""Sections of tissue drawn in the colours of haematoxylin and eosin, and written as DICOM."""

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

SIZE, MM, TILE = 2048, 0.0005, 256
SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
#: Optical density of haematoxylin and of eosin in red, green, blue (Ruifrok and Johnston 2001).
STAINS = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11]])


def drawn(seed: int, centre: Any, radius: float = 300) -> Any:
    """Return a round section, uint8 RGB: where the tumour is, nuclei are many and large."""
    rng = np.random.default_rng(seed)
    down, across = np.indices((SIZE, SIZE))
    inside = np.hypot(down - SIZE / 2, across - SIZE / 2) < 900 + 60 * np.sin(
        across / 90
    )
    eosin = inside * (0.45 + 0.1 * np.sin(down / 37 + 3 * np.sin(across / 61)))
    nuclei = np.zeros((SIZE, SIZE))
    for row, column in rng.integers(30, SIZE - 30, (9000, 2)):
        sick = np.hypot(row - centre[0], column - centre[1]) < radius
        if inside[row, column] and (sick or rng.random() < 0.2):
            reach = int(rng.integers(8, 13) if sick else rng.integers(4, 7))
            disc = np.hypot(*np.indices((2 * reach + 1,) * 2) - reach) < reach
            part = (
                slice(row - reach, row + reach + 1),
                slice(column - reach, column + reach + 1),
            )
            nuclei[part] = np.maximum(nuclei[part], disc * rng.uniform(0.7, 1.1))
    density = np.stack([nuclei, eosin], -1) @ STAINS + rng.normal(
        0.02, 0.01, (SIZE, SIZE, 1)
    )
    return np.clip(245 * np.exp(-density), 0, 255).astype(np.uint8)


def write(scene: Any, path: Path) -> None:
    """Write a scene as one level of a VL Whole Slide Microscopy image, row by row of tiles."""
    down, across = scene.shape[0] // TILE, scene.shape[1] // TILE
    tiles = scene.reshape(down, TILE, across, TILE, 3).swapaxes(1, 2)
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID, made.Modality = SLIDE, "SM"
    made.SOPInstanceUID, made.SeriesInstanceUID = generate_uid(), generate_uid()
    made.file_meta.MediaStorageSOPClassUID = SLIDE
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    made.Rows = made.Columns = TILE
    made.NumberOfFrames = down * across
    made.TotalPixelMatrixRows, made.TotalPixelMatrixColumns = scene.shape[:2]
    made.DimensionOrganizationType = "TILED_FULL"
    made.ImageOrientationSlide = [0, -1, 0, -1, 0, 0]
    origin = item(
        XOffsetInSlideCoordinateSystem=20.0, YOffsetInSlideCoordinateSystem=40.0
    )
    made.TotalPixelMatrixOriginSequence = [origin]
    made.OpticalPathSequence = [item(OpticalPathIdentifier="1")]
    measures = item(PixelSpacing=[MM, MM])
    made.SharedFunctionalGroupsSequence = [item(PixelMeasuresSequence=[measures])]
    made.SamplesPerPixel, made.PhotometricInterpretation = 3, "RGB"
    made.PlanarConfiguration, made.PixelRepresentation = 0, 0
    made.BitsAllocated, made.BitsStored, made.HighBit = 8, 8, 7
    made.PixelData = tiles.tobytes()
    made.save_as(path, enforce_file_format=True)


def item(**attributes: Any) -> Dataset:
    """Return an item of a sequence."""
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made
