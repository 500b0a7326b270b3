"""Compare the display of every file of a folder with what DCMTK shows of it.

``python benchmarks/own_files.py FOLDER [--without FOLDER ...]`` prints a table by subfolder, then
every file that is not right, with the reason. Files whose pixel data is in a folder of
``--without``, or came before, are left out. It needs DCMTK's programs on the path, and likes to
have GDCM's.
"""

import argparse
import hashlib
import logging
import sys
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import dcmtk
import pydicom
from corpus import compared
from pydicom.dataset import Dataset

from saliency.dicom import read_dicom
from saliency.errors import DicomError, SaliencyError

WORDS = (
    "right",
    "right when told",
    "differs",
    "not rendered",
    "refused",
    "no picture",
    "crashed",
)


def verdict(path: Path) -> str:
    """Return one of ``WORDS``, with a reason where it is not right."""
    try:
        dataset = dcmtk.header(path)
        last = max(0, int(dataset.get("NumberOfFrames") or 1) - 1)
    except Exception:  # noqa: BLE001  pydicom raises anything
        dataset, last = Dataset(), 0
    verdicts = [of_frame(path, dataset, frame) for frame in sorted({0, last})]
    return max(verdicts, key=lambda text: WORDS.index(text.split(":")[0]))


def of_frame(path: Path, dataset: Dataset, frame: int) -> str:
    """Return the verdict on one frame."""
    try:
        ours = read_dicom(path, frame=frame).display
    except DicomError as error:
        return f"{refusal(path, dataset, frame)}: {error.reason}: {error}"
    except SaliencyError as error:
        return f"refused: {error}"
    except Exception as error:  # noqa: BLE001
        return f"crashed: {type(error).__name__}: {error}"
    try:
        found = compared(ours, dcmtk.shown(path, dataset, frame))
        if found != "right" and compared_when_told(path, dataset, frame) == "right":
            return f"right when told: {found}"
    except (dcmtk.NotShownError, AttributeError, TypeError, ValueError):
        return f"not rendered: {dcmtk.syntax(dataset)} {dcmtk.coloured(dataset)}"
    return found


def compared_when_told(path: Path, dataset: Dataset, frame: int) -> str:
    """Compare with the window that the header leads to."""
    try:
        shown = dcmtk.shown(path, dataset, frame, told=True)
    except (dcmtk.NotShownError, AttributeError, TypeError, ValueError) as error:
        return str(error)
    return compared(read_dicom(path, frame=frame).display, shown)


def refusal(path: Path, dataset: Dataset, frame: int) -> str:
    """Tell a file that nobody shows from one that DCMTK shows."""
    try:
        dcmtk.shown(path, dataset, frame)
    except (dcmtk.NotShownError, AttributeError, TypeError, ValueError):
        return "no picture"
    return "refused"


def fingerprint(path: Path) -> str:
    """Return a hash of the pixel data, or of the file where there is none."""
    try:
        dataset = pydicom.dcmread(path, force=True)
        pixels = (
            dataset.get("PixelData")
            or dataset.get("FloatPixelData")
            or path.read_bytes()
        )
    except Exception:  # noqa: BLE001  pydicom raises anything
        pixels = path.read_bytes()
    return hashlib.sha256(pixels).hexdigest()


def files(folder: Path) -> Iterator[Path]:
    """Yield every file below a folder."""
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def table(folder: Path, known: set[str]) -> dict[Path, str]:
    """Return the verdict on each file that is not known."""
    verdicts = {}
    for path in files(folder):
        mark = fingerprint(path)
        if mark not in known:
            known.add(mark)
            verdicts[path.relative_to(folder)] = verdict(path)
    return verdicts


def main() -> int:
    """Print the table, and the reasons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--without", type=Path, nargs="*", default=[])
    asked = parser.parse_args()
    if not dcmtk.installed():
        sys.exit(
            "Expected dcm2pnm on the path, found none: install DCMTK (apt install dcmtk)."
        )
    known = {fingerprint(path) for folder in asked.without for path in files(folder)}
    verdicts = table(asked.folder, known)
    by_source = defaultdict[str, Counter[str]](Counter)
    for path, text in verdicts.items():
        for source in (path.parts[0] if len(path.parts) > 1 else ".", "all"):
            by_source[source][text.split(":")[0]] += 1
    print(
        "| source | files | "
        + " | ".join(WORDS)
        + " |\n"
        + "|---" * (len(WORDS) + 2)
        + "|"
    )
    for source, counts in by_source.items():
        cells = (str(counts[word]) for word in WORDS)
        print(f"| {source} | {counts.total()} | " + " | ".join(cells) + " |")
    for path, text in verdicts.items():
        if text != "right":
            print(f"{path}: {text}")
    return int(by_source["all"]["crashed"] > 0)


if __name__ == "__main__":
    logging.disable()
    warnings.simplefilter("ignore")
    sys.exit(main())
