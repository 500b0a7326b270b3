"""What DCMTK shows of a frame, by its programs on the path, GDCM's where DCMTK cannot decode.

The rule: window 1 of the file, else its VOI LUT 1, else least to greatest value; no overlays, no
shutters, no scaling. DCMTK 3.6.7 reads no window of functional groups, truncates modality values to
integers, takes LINEAR_EXACT for LINEAR and padding for a value: ``told`` hands it the window in
stored units that the standard leads to.
"""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset

PLAIN = ("-O", "-S", "-il", "+on")
JPEG_LS = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")
SECONDS = 120
_ANGIOGRAPHY = ("XA", "RF")  # shown without their Modality LUT (PS3.3 C.8.7.1.1.2)


class NotShownError(Exception):
    """No program shows the frame."""


@dataclass(frozen=True)
class Grey:
    """What turns stored values grey, as the header says it of one frame."""

    slope: float
    intercept: float
    window: tuple[float, float] | None
    exact: bool


def installed() -> bool:
    """Whether DCMTK's programs are on the path."""
    return shutil.which("dcm2pnm") is not None


def header(path: Path) -> Dataset:
    """Return the data set, its pixels unread, whatever it is that it breaks."""
    return pydicom.dcmread(path, force=True, defer_size=2**16)


def shown(
    path: Path, dataset: Dataset, frame: int, *, told: bool = False
) -> np.ndarray:
    """Return frame ``frame`` (from 0), uint8 (rows, columns) or (rows, columns, 3).

    Raises
    ------
    NotShownError
        No program shows it, or ``told`` has nothing to tell.
    """
    options = told_options(dataset, frame) if told else options_of(dataset)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "shown.png"
        raw = Path(folder) / "raw.dcm"
        if rendered(path, target, frame, options, syntax(dataset)):
            return read(target)
        if run("gdcmconv", "--raw", "-i", path, "-o", raw) and rendered(
            raw, target, frame, options, ""
        ):
            return read(target)
    raise NotShownError


def read(target: Path) -> np.ndarray:
    """Return a picture; one of over 2**27 pixels was made of a header that claims too much."""
    try:
        return np.asarray(Image.open(target))
    except (OSError, Image.DecompressionBombError) as error:
        raise NotShownError from error


def rendered(
    path: Path, target: Path, frame: int, options: list[str], uid: str
) -> bool:
    """Let DCMTK write a PNG; whether it did."""
    program = "dcml2pnm" if uid in JPEG_LS else "dcmj2pnm"
    done = run(program, *PLAIN, "+F", str(frame + 1), *options, path, target)
    return done and target.exists()


def run(program: str, *arguments: str | Path) -> bool:
    """Run a program; whether it ended well."""
    found = shutil.which(program)
    if found is None:
        return False
    try:
        subprocess.run(
            [found, *map(str, arguments)],
            check=True,
            capture_output=True,
            timeout=SECONDS,
        )
    except subprocess.SubprocessError:
        return False
    return True


def syntax(dataset: Dataset) -> str:
    """Return the Transfer Syntax UID, ``""`` where there is none."""
    return str(getattr(dataset, "file_meta", {}).get("TransferSyntaxUID", ""))


def options_of(dataset: Dataset) -> list[str]:
    """Return how DCMTK is asked for the VOI transform that it reads by itself."""
    if dataset.get("SamplesPerPixel", 1) != 1 or "PALETTE" in coloured(dataset):
        return []
    if usable(dataset):
        return ["+Wi", "1"]
    return ["+Wl", "1"] if dataset.get("VOILUTSequence") else ["+Wm"]


def coloured(dataset: Dataset) -> str:
    """Return the Photometric Interpretation."""
    return str(dataset.get("PhotometricInterpretation", ""))


def usable(item: Dataset) -> tuple[float, float] | None:
    """Return the first window of an item, where it has one."""
    try:
        center, width = first(item.get("WindowCenter")), first(item.get("WindowWidth"))
    except (TypeError, ValueError):
        return None
    return (center, width) if width > 0 else None


def first(value: object) -> float:
    """Return the first of one number or several."""
    return float(
        value[0] if isinstance(value, (list, pydicom.multival.MultiValue)) else value
    )


def told_options(dataset: Dataset, frame: int) -> list[str]:
    """Return a window in stored units, and no Modality LUT."""
    if options_of(dataset) in ([], ["+Wl", "1"]):
        raise NotShownError
    grey = grey_of(dataset, frame)
    if grey.slope <= 0:
        raise NotShownError
    center, width = grey.window or there(dataset, frame, grey)
    if grey.exact:
        center, width = center + 0.5, width + 1
    stored = (
        (center - 0.5 - grey.intercept) / grey.slope + 0.5,
        (width - 1) / grey.slope + 1,
    )
    return ["-M", "+Ww", *map(repr, stored)]


def grey_of(dataset: Dataset, frame: int) -> Grey:
    """Read slope, intercept and window: of the frame, shared, or at the top."""
    transform = macro(
        dataset, frame, "PixelValueTransformationSequence", "RescaleSlope"
    )
    voi = macro(dataset, frame, "FrameVOILUTSequence", "WindowCenter")
    plain = dataset.get("Modality") in _ANGIOGRAPHY
    return Grey(
        1.0 if plain else float(transform.get("RescaleSlope") or 1),
        0.0 if plain else float(transform.get("RescaleIntercept") or 0),
        usable(voi),
        voi.get("VOILUTFunction") == "LINEAR_EXACT",
    )


def macro(dataset: Dataset, frame: int, sequence: str, keyword: str) -> Dataset:
    """Return the item of a functional group that has a keyword; the data set where none has."""
    groups = list(
        dataset.get("PerFrameFunctionalGroupsSequence", [])[frame : frame + 1]
    )
    for group in (*groups, *dataset.get("SharedFunctionalGroupsSequence", [])):
        for item in group.get(sequence, []):
            if keyword in item:
                return item
    return dataset


def there(dataset: Dataset, frame: int, grey: Grey) -> tuple[float, float]:
    """Return the window from the least to the greatest modality value that is no padding."""
    try:
        stored = dataset.pixel_array
    except Exception as error:
        raise NotShownError from error
    values = stored[frame] if stored.ndim == 3 else stored
    padding = dataset.get("PixelPaddingValue")
    if padding is not None:
        ends = sorted((padding, dataset.get("PixelPaddingRangeLimit", padding)))
        values = values[(values < ends[0]) | (values > ends[1])]
    if not values.size:
        raise NotShownError
    low, high = (
        float(end) * grey.slope + grey.intercept for end in (values.min(), values.max())
    )
    return (low + high) / 2 + 0.5, high - low + 1
