"""An archive: DICOM files of 2048 x 2048 in, overlay PNGs out."""

import io
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import nets
import numpy as np
import psutil
import pydicom
from clock import Row, in_turns
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

import saliency as sal
from saliency.pipeline.place_back import place_back
from saliency.pipeline.prefetch import ahead

FILES = 500


def rows(name: str, side: int, rounds: int) -> Iterator[Row]:
    """Yield the whole, its parts alone, and how memory goes on."""
    case = nets.case(name, side)
    with tempfile.TemporaryDirectory() as folder:
        files = _written(Path(folder), FILES)
        jobs = {
            "all": lambda: _all(case, files, Path(folder)),
            "model": lambda: _model(case),
            "rest": lambda: _rest(files, Path(folder)),
        }
        found = in_turns(jobs, max(2, rounds // 5))
        wall = {what: found[what].milliseconds().wall.middle / 1000 for what in jobs}
        cpu = {what: found[what].milliseconds().cpu.middle / 1000 for what in jobs}
        for what in ("model", "rest"):
            text = f"{cpu[what] / FILES:.3f} s a file"
            yield Row(f"{what} alone", text, f"{wall[what] / FILES:.3f} s a file")
        share = wall["all"] / max(wall["model"], wall["rest"])
        text, clock = (
            f"{cpu['all'] / FILES:.3f} s a file",
            f"{wall['all'] / FILES:.3f} s a file",
        )
        yield Row("explain_many and save", text, clock)
        yield Row(
            "... of the longer part", "", f"{share:.2f} x", "<= 1.1 x", share <= 1.1
        )
        share = cpu["all"] / (cpu["model"] + cpu["rest"])
        yield Row("... processor time, of both parts", f"{share:.2f} x")
        yield _memory(case, files, Path(folder))


def _all(case: nets.Case, files: list[Path], folder: Path) -> None:
    results = sal.explain_many(case.model, files, "fastcam", target=3)
    for _ in ahead(partial(_save, folder), enumerate(results), window=8):
        pass


def _model(case: nets.Case) -> None:
    """Ask for what is the model's own: forward passes in batches of eight."""
    for _ in range(-(-FILES // 8)):
        case.forward(case.inputs)


def _rest(files: list[Path], folder: Path) -> None:
    """Do everything else: read, prepare, place back, paint, save; in two threads."""
    prepare = sal.Prepare((224, 224), channels=3)
    values = np.random.default_rng(0).random((224, 224)).astype(np.float32)

    def one(item: tuple[int, Path]) -> None:
        image = sal.read_dicom(item[1])
        heatmap = place_back(values, prepare(image).placement)
        _save(folder, (item[0], sal.Explanation(heatmap, 0.0, 0, None, "", image)))

    for _ in ahead(one, enumerate(files), window=8):
        pass


def _save(folder: Path, item: tuple[int, Any]) -> Path:
    index, result = item
    return result.overlay().save(folder / f"{index}.png")


def _memory(case: nets.Case, files: list[Path], folder: Path) -> Row:
    process, seen, half = psutil.Process(), list[float](), FILES // 2
    results = enumerate(sal.explain_many(case.model, files, "fastcam", target=3))
    for _ in ahead(partial(_save, folder), results, window=8):
        seen.append(process.memory_info().rss / 2**20)
    first, last = max(seen[:half]), max(seen[half:])
    text = f"{first:.0f} MiB in the first {half} files, {last:.0f} MiB in the others"
    return Row("highest resident memory", text, goal="flat", met=last <= 1.03 * first)


def _written(folder: Path, count: int) -> list[Path]:
    made = _file(nets.picture().pixels.astype(np.uint16))
    paths = [folder / f"{index}.dcm" for index in range(count)]
    for path in paths:
        path.write_bytes(made)
    return paths


def _file(values: Any) -> bytes:
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = (
        "1.2.840.10008.5.1.4.1.1.1.1"
    )
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = "1.2.3"
    made.Modality, made.PhotometricInterpretation, made.SamplesPerPixel = (
        "DX",
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
    made.WindowCenter, made.WindowWidth = 2048, 4096
    made.PixelData = values.tobytes()
    target = io.BytesIO()
    pydicom.dcmwrite(target, made, enforce_file_format=True)
    return target.getvalue()
