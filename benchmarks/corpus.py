"""Read real files, and compare every display with what an independent renderer shows.

``python benchmarks/corpus.py [folder]`` prints a table of right, different, refused and crashed
for this library and for plain pydicom, then every file that is not right.
"""

import csv
import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut
from pydicom.pixels.utils import pixel_array

from saliency.dicom import read_dicom
from saliency.errors import SaliencyError

TOLERANCE = 2  # grey levels
SHARE = 0.001  # of the samples may differ by more


def rows(folder: Path) -> Iterator[dict[str, str]]:
    """Yield references that rest on no judgement."""
    with (folder / "refs" / "refs.csv").open() as file:
        yield from (row for row in csv.DictReader(file) if row["trust"] == "yes")


def by_saliency(path: Path, frame: int) -> np.ndarray:
    """Return what this library shows."""
    return read_dicom(path, frame=frame).display


def by_pydicom(path: Path, frame: int) -> np.ndarray:
    """Return what the functions of pydicom show, chained as its documentation does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path, force=True)
        array = pixel_array(dataset, index=frame)
        if dataset.PhotometricInterpretation == "PALETTE COLOR":
            array = apply_color_lut(array, dataset)
            return (array >> 8).astype(np.uint8) if array.dtype == np.uint16 else array
        if array.ndim == 3:
            return array.astype(np.uint8)
        array = apply_voi_lut(apply_modality_lut(array, dataset), dataset).astype(float)
        low, high = array.min(), array.max()
        grey = (array - low) / max(high - low, 1e-9) * 255
        if dataset.PhotometricInterpretation == "MONOCHROME1":
            grey = 255 - grey
        return grey.astype(np.uint8)


def verdict(
    show: Callable[[Path, int], np.ndarray], path: Path, row: dict[str, str]
) -> str:
    """Return right, differs, refused or crashed, with a word on it."""
    expected = np.asarray(Image.open(path.parents[1] / "refs" / row["ref"]))
    try:
        shown = show(path, int(row["frame"]) - 1)
    except SaliencyError as error:
        return f"refused: {error}"
    except Exception as error:  # noqa: BLE001
        return f"crashed: {type(error).__name__}: {error}"
    return compared(shown, expected)


def compared(shown: np.ndarray, expected: np.ndarray) -> str:
    """Compare two displays."""
    if shown.ndim == 3 and expected.ndim == 2:
        expected = np.repeat(expected[..., None], 3, axis=2)
    if shown.ndim == 2 and expected.ndim == 3:
        shown = np.repeat(shown[..., None], 3, axis=2)
    if shown.shape != expected.shape:
        return f"differs: shape {shown.shape}, expected {expected.shape}"
    apart = np.abs(shown.astype(int) - expected.astype(int))
    share = float((apart > TOLERANCE).mean())
    return (
        "right"
        if share <= SHARE
        else f"differs: {share:.2%} of the samples, by {apart.max()}"
    )


def main() -> int:
    """Print the tables."""
    default = Path(
        os.environ.get("SALIENCY_SHARED", Path(__file__).parents[2] / "shared")
    )
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default / "corpus"
    if not folder.exists():
        print(f"No corpus at {folder}: set SALIENCY_SHARED.")
        return 0
    table = {}
    for name, show in (("saliency", by_saliency), ("pydicom", by_pydicom)):
        table[name] = {
            (row["file"], row["frame"]): verdict(
                show, folder / "corpus" / row["file"], row
            )
            for row in rows(folder)
        }
    words = ("right", "differs", "refused", "crashed")
    print(f"{'':12}" + "".join(f"{word:>10}" for word in words))
    for name, verdicts in table.items():
        counts = Counter(text.split(":")[0] for text in verdicts.values())
        print(f"{name:12}" + "".join(f"{counts[word]:10}" for word in words))
    for (file, frame), text in table["saliency"].items():
        if text != "right":
            print(f"{file} frame {frame}: {text}")
    wrong = sum(text != "right" for text in table["saliency"].values())
    return int(wrong > len(table["saliency"]) / 100)


if __name__ == "__main__":
    sys.exit(main())
