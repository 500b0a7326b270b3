"""VOI: modality values to the grey levels of interest, 0..1 (PS3.3 C.11.2)."""

import math
import unicodedata
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from saliency.dicom.display.lut import Lut, read_lut
from saliency.dicom.file.elements import code
from saliency.dicom.file.groups import Groups
from saliency.dicom.file.tags import TAGS
from saliency.errors import InputError
from saliency.values.arrays import Array
from saliency.values.window import Window

_LINEAR: Final = "LINEAR"


class Voi(Protocol):
    """Modality values -> float64 in 0..1, black to white."""

    def __call__(self, values: Array) -> Array:
        """Transform an array of any shape."""


def linear(values: Array, window: Window) -> Array:
    """Return LINEAR (C.11.2.1.2.1).

    c = 2048, w = 4096 maps 0 to 0 and 4095 to 1. The standard forbids w < 1; files with it exist
    and are shown by LINEAR_EXACT.
    """
    if window.width < 1:
        return linear_exact(values, window)
    center, width = window.center - 0.5, window.width - 1
    if width == 0:
        return (values > center).astype(np.float64)
    return np.clip((values - center) / width + 0.5, 0, 1)


def linear_exact(values: Array, window: Window) -> Array:
    """Return LINEAR_EXACT (C.11.2.1.3.2)."""
    return np.clip((values - window.center) / window.width + 0.5, 0, 1)


def sigmoid(values: Array, window: Window) -> Array:
    """Return SIGMOID (C.11.2.1.3.1): 1 / (1 + exp(-4 (x - c) / w))."""
    exponent = np.clip(-4 * (values - window.center) / window.width, -700, 700)
    unit: Array = 1 / (1 + np.exp(exponent))
    return unit


_FUNCTIONS: Final = {_LINEAR: linear, "LINEAR_EXACT": linear_exact, "SIGMOID": sigmoid}


@dataclass(frozen=True)
class Windowed:
    """A window with its VOI LUT Function (0028,1056)."""

    window: Window
    function: str = _LINEAR

    def __call__(self, values: Array) -> Array:
        """Apply the function."""
        return _FUNCTIONS.get(self.function, linear)(values, self.window)


@dataclass(frozen=True)
class Looked:
    """The first item of the VOI LUT Sequence (C.11.2.1.1)."""

    lut: Lut

    def __call__(self, values: Array) -> Array:
        """Look up."""
        return self.lut.unit(values)


@dataclass(frozen=True)
class Spread:
    """From the smallest to the largest value of a frame; black where they are the same."""

    low: float
    high: float

    def __call__(self, values: Array) -> Array:
        """Spread."""
        if not self.high > self.low:
            return np.zeros(np.shape(values))
        return np.clip((values - self.low) / (self.high - self.low), 0, 1)


def read_windows(groups: Groups) -> tuple[Window, ...]:
    """Return the windows of a frame that can be used; they are alternatives (C.11.2.1.2)."""
    return tuple(window for window, _ in named_windows(groups))


def named_windows(groups: Groups) -> tuple[tuple[Window, str], ...]:
    """Return each usable window with its explanation (0028,1055), ``""`` where it has none."""
    item = groups.macro("FrameVOILUTSequence", "WindowCenter")
    names = list(item.labels(TAGS["WindowCenterWidthExplanation"]))
    centers, widths = item.numbers(TAGS["WindowCenter"]), item.numbers(TAGS["WindowWidth"])
    names += [""] * (len(centers) - len(names))
    return tuple(
        (Window(center, width), name)
        for center, width, name in zip(centers, widths, names, strict=False)
        if math.isfinite(center) and math.isfinite(width) and width > 0
    )


def read_voi(groups: Groups, window: Window | int | str | None, *, signed: bool) -> Voi | None:
    """Return the transform asked for, else the first window, else the first VOI LUT.

    None where the data set has neither.

    Raises
    ------
    InputError
        The data set has no window of that index or explanation.
    """
    if isinstance(window, Window):
        return Windowed(window)
    windows = named_windows(groups)
    function = code(groups.macro("FrameVOILUTSequence", "VOILUTFunction"), TAGS["VOILUTFunction"])
    if window is not None:
        return Windowed(_chosen(windows, window), function)
    if windows:
        return Windowed(windows[0][0], function)
    lut = _first_lut(groups, signed=signed)
    return None if lut is None else Looked(lut)


def _chosen(windows: tuple[tuple[Window, str], ...], choice: int | str) -> Window:
    if isinstance(choice, str):
        found = [window for window, name in windows if _folded(name) == _folded(choice)]
        if found:
            return found[0]
        msg = f"window: none of the {len(windows)} windows of the file has that explanation."
        raise InputError(msg)
    if not 0 <= choice < len(windows):
        msg = f"window: expected an index below {len(windows)} (windows of the file), got {choice}."
        raise InputError(msg)
    return windows[choice][0]


def _folded(name: str) -> str:
    """Return a name without regard to case, and to how its accents and widths are coded."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


def _first_lut(groups: Groups, *, signed: bool) -> Lut | None:
    """Return the first usable table: of the frame (C.7.6.16.2.10b), shared, or at the top."""
    macro = groups.macro("FrameVOILUTSequence", "VOILUTSequence")
    for item in macro.items(TAGS["VOILUTSequence"]):
        lut = read_lut(item, signed=signed)
        if lut is not None:
            return lut
    return None
