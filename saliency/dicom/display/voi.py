"""VOI: modality values to the grey levels of interest, 0..1 (PS3.3 C.11.2)."""

import math
import unicodedata
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, TypeAlias

import numpy as np

from saliency.dicom.display.lut import Lut, read_lut
from saliency.dicom.display.modality import dose_scaling, is_dose
from saliency.dicom.file.elements import code
from saliency.dicom.file.groups import Groups
from saliency.dicom.file.guard import warn
from saliency.dicom.file.tags import TAGS
from saliency.errors import InputError
from saliency.values.arrays import Array
from saliency.values.window import Window

_LINEAR: Final = "LINEAR"


def linear(values: Array, window: Window) -> Array:
    """Return LINEAR (C.11.2.1.2.1).

    c = 2048, w = 4096 maps 0 to 0 and 4095 to 1. The standard forbids w < 1; files with it exist
    and are shown by LINEAR_EXACT.
    """
    if window.width < 1:
        return linear_exact(values, window)
    # The standard's c - 0.5 and w - 1; with w = 1 it is a step at c - 0.5.
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
class WindowVoi:
    """A window with its VOI LUT Function (0028,1056), applied to values in ``unit``.

    LINEAR has half a grey value and one grey value in its formula, so the unit matters.
    """

    window: Window
    function: str = _LINEAR
    unit: float = 1.0

    def __call__(self, values: Array) -> Array:
        """Apply the function."""
        function = _FUNCTIONS.get(self.function, linear)
        if self.unit == 1:
            return function(values, self.window)
        # Times the unit and back may miss a whole number by its last bits: nine digits are enough.
        center = float(f"{self.window.center / self.unit:.9g}")
        width = float(f"{self.window.width / self.unit:.9g}")
        return function(np.round(values / self.unit, 6), Window(center, width))


@dataclass(frozen=True)
class LutVoi:
    """The first item of the VOI LUT Sequence (C.11.2.1.1), of values in ``unit``."""

    lut: Lut
    unit: float = 1.0

    def __call__(self, values: Array) -> Array:
        """Look up."""
        return self.lut.unit(values / self.unit)


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


#: Modality values of any shape -> float64 in 0..1, black to white.
Voi: TypeAlias = WindowVoi | LutVoi | Spread
#: What a caller may ask to be shown through: a Voi is that of another frame; None: the file's own.
Asked: TypeAlias = Window | int | str | Voi | None


@dataclass(frozen=True)
class NamedWindow:
    """A window of the file, in its place there.

    Parameters
    ----------
    window
        None where the center or the width is no number, or the width is not above 0.
    name
        Window Center & Width Explanation (0028,1055); ``""`` where there is none.
    """

    window: Window | None
    name: str


def read_windows(groups: Groups) -> tuple[NamedWindow, ...]:
    """Return the windows of a frame as the file counts them; they are alternatives (C.11.2.1.2)."""
    item = groups.macro("FrameVOILUTSequence", "WindowCenter")
    centers, widths = (
        item.numbers(TAGS["WindowCenter"]),
        item.numbers(TAGS["WindowWidth"]),
    )
    names = list(item.labels(TAGS["WindowCenterWidthExplanation"]))
    pairs = tuple(zip_longest(centers, widths, fillvalue=math.nan))
    names += [""] * len(pairs)
    unit = file_unit(groups)
    windows = []
    for (center, width), name in zip(pairs, names, strict=False):
        center, width = center * unit, width * unit  # noqa: PLW2901
        usable = math.isfinite(center) and math.isfinite(width) and width > 0
        windows.append(NamedWindow(Window(center, width) if usable else None, name))
    return tuple(windows)


def file_unit(groups: Groups) -> float:
    """Return what a value of 1 in the file's windows and VOI LUTs is in modality units.

    They apply to what comes out of the Modality LUT. A dose has none: its scaling comes on top.
    """
    return (dose_scaling(groups) or 1.0) if is_dose(groups) else 1.0


def read_voi(groups: Groups, window: Asked, *, signed: bool) -> Voi | None:
    """Return the transform asked for, else the first usable window, else the first VOI LUT.

    None where the data set has neither.

    Raises
    ------
    InputError
        The data set has no window of that index or explanation, or it cannot be used.
    """
    if isinstance(window, Voi):
        return window
    unit = file_unit(groups)
    if isinstance(window, Window):
        return WindowVoi(window, unit=unit)
    windows = read_windows(groups)
    if window is not None:
        chosen = _chosen_window(windows, window)
        return WindowVoi(chosen, _function_of(groups), unit)
    usable = [named.window for named in windows if named.window is not None]
    if len(usable) < len(windows):
        warn(
            "A Window Center (0028,1050) or Width (0028,1051) cannot be used: left out."
        )
    if usable:
        return WindowVoi(usable[0], _function_of(groups), unit)
    lut = _first_lut(groups, signed=signed)
    return None if lut is None else LutVoi(lut, unit)


def _function_of(groups: Groups) -> str:
    """Return VOI LUT Function (0028,1056); ``""`` stands for LINEAR."""
    item = groups.macro("FrameVOILUTSequence", "VOILUTFunction")
    return code(item, TAGS["VOILUTFunction"])


def _chosen_window(windows: tuple[NamedWindow, ...], choice: int | str) -> Window:
    """Return the window of an index of the file, or the first usable one of an explanation."""
    if isinstance(choice, str):
        meant = [named for named in windows if _folded(named.name) == _folded(choice)]
        if not meant:
            msg = f"window: none of the {len(windows)} windows of the file has that explanation."
            raise InputError(msg)
    elif not 0 <= choice < len(windows):
        msg = f"window: expected an index below {len(windows)} (windows of the file), got {choice}."
        raise InputError(msg)
    else:
        meant = [windows[choice]]
    usable = [named.window for named in meant if named.window is not None]
    if not usable:
        msg = (
            f"window: the window {choice!r} of the file cannot be used: its Window Center "
            "(0028,1050) or Width (0028,1051) is empty, no number or not above 0. Choose another."
        )
        raise InputError(msg)
    return usable[0]


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
