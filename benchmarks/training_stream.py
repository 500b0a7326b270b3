"""Images a second that ``tf_dataset`` streams, against the decoder alone on the same cores.

Rates are by the clock; ``--processor`` counts processor time, which others on the machine do not
change.

``python benchmarks/training_stream.py`` writes 2048 x 2048 files of 12 bits in four transfer
syntaxes, decodes each codestream in as many threads as there are cores, and streams the files
through ``tf_dataset`` to 224 x 224 in turns with it. The decoders are those of the library
(OpenJPEG for HTJ2K too). The goal is 0.9 of the decoder's rate.
``--read`` adds the rate of ``read_dicom`` alone.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate

import saliency as sal

SIDE, FILES, ROUNDS = 2048, 96, 3
ROOT = "1.2.840.10008.1.2.4."
CODECS: dict[str, tuple[str, Callable[..., Any], Callable[..., Any]]] = {
    "JPEG lossless": ("70", lambda p: imagecodecs.ljpeg_encode(p, bitspersample=12),
                      imagecodecs.ljpeg_decode),
    "JPEG-LS": ("80", imagecodecs.jpegls_encode, imagecodecs.jpegls_decode),
    "JPEG 2000": ("90", lambda p: imagecodecs.jpeg2k_encode(p, codecformat="J2K", reversible=True),
                  lambda stream: imagecodecs.jpeg2k_decode(stream, numthreads=1)),
    "HTJ2K": ("201", lambda p: imagecodecs.htj2k_encode(p, reversible=True),
              lambda stream: imagecodecs.jpeg2k_decode(stream, numthreads=1)),
}  # fmt: skip


def main() -> None:
    """Print a row for each transfer syntax."""
    prepare = sal.Prepare((224, 224), channels=1)
    cores = os.cpu_count() or 1
    print(
        f"{FILES} files of {SIDE} x {SIDE}, {cores} cores, images a second, best of {ROUNDS}"
    )
    for name, (syntax, encode, decode) in CODECS.items():
        stream = encode(picture())
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(cores) as pool:
            files = [
                written(Path(folder) / f"{k}.dcm", stream, syntax) for k in range(FILES)
            ]
            dataset = sal.tf_dataset(files, prepare=prepare).batch(8)
            ways = {
                "decoder": lambda decode=decode, stream=stream: list(
                    pool.map(decode, [stream] * FILES)
                ),
                "tf_dataset": lambda dataset=dataset: list(dataset),
            }
            if "--read" in sys.argv:
                ways["read_dicom"] = lambda files=files: list(
                    pool.map(sal.read_dicom, files)
                )
            rates = dict.fromkeys(ways, 0.0)
            for _ in range(ROUNDS):
                rates = {way: max(rates[way], rate(ways[way])) for way in ways}
        told = ", ".join(f"{way} {value:.1f}" for way, value in rates.items())
        print(
            f"{name}: {told}; ratio {rates['tf_dataset'] / rates['decoder']:.2f}",
            flush=True,
        )


def rate(work: Callable[[], object]) -> float:
    """Return images a second."""
    clock = time.process_time if "--processor" in sys.argv else time.perf_counter
    start = clock()
    work()
    return FILES / (clock() - start)


def picture() -> np.ndarray:
    """Return smooth anatomy-like values of 12 bits with the noise of a detector."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:SIDE, :SIDE] / SIDE
    smooth = 2000 + 1200 * np.sin(7 * rows) * np.cos(5 * columns)
    return np.clip(smooth + rng.normal(0, 12, (SIDE, SIDE)), 0, 4095).astype(np.uint16)


def written(path: Path, stream: bytes, syntax: str) -> Path:
    """Write a grey file of one frame around a codestream."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ROOT + syntax
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset = Dataset()
    dataset.file_meta = meta
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, "1.2.3"
    dataset.Rows = dataset.Columns = SIDE
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation, dataset.Modality = 0, "DX"
    dataset.WindowCenter, dataset.WindowWidth = 2048, 4096
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path, enforce_file_format=True)
    return path


if __name__ == "__main__":
    main()
