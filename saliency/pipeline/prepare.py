"""From an image to a model's input, with the place of every pixel."""

import math
import operator
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, Final, Literal, TypeAlias, final

import numpy as np

from saliency.errors import InputError
from saliency.pipeline.intensities import (
    GREYS,
    OF_GREY_LEVELS,
    Grey,
    Scale,
    check_scale,
    grey_of,
    scaled,
    standardised,
    windowed,
)
from saliency.pipeline.resize import resized
from saliency.values.arrays import Array
from saliency.values.image import DicomImage
from saliency.values.model_input import ModelInput
from saliency.values.placement import (
    Box,
    Placement,
    crop,
    letterbox,
    spaced,
    stretch,
    whole,
)
from saliency.values.window import Window

Intensity: TypeAlias = Literal["display", "modality", "stored"]
Fit: TypeAlias = Literal["stretch", "letterbox", "crop", "sliding"]
Numbers: TypeAlias = float | tuple[float, ...]

FITS: Final = {"stretch": stretch, "letterbox": letterbox, "crop": crop}
SLIDING: Final = "sliding"


@final
@dataclass(frozen=True)
class Prepare:
    """Turn an image into a model's input.

    The steps, in this order: intensity or windows, region, size or spacing, channels, scale, mean
    and std. Sizes change bilinearly, rows first and then columns, so that a record made today
    gives the same input under another version of Pillow.

    Parameters
    ----------
    size
        (H, W) of the input, or one number for both; None: the model's own, or the image's where
        the model leaves it free. (D, H, W) for a model that sees a volume at once.
    intensity
        ``"display"``: what a viewer shows, 0..255; ``"modality"``: modality units (HU);
        ``"stored"``: stored values.
    fit
        ``"stretch"`` to the size, ``"letterbox"`` between bars, or ``"crop"`` to the centre. For a
        model that sees a volume at once also ``"sliding"``: a window of the size moves over the
        volume, which keeps its own voxels or those of ``spacing``.
    channels
        1 or 3; None: the model's own. Grey becomes 3 by repetition.
    scale
        ``"unit"`` 0..1, ``"pixel"`` 0..255, ``"symmetric"`` -1..1, ``"imagenet"`` and ``"caffe"``
        (modes "torch" and "caffe" of keras.applications, 3 channels): these need 0..255 to begin
        with, display, windows or colour. ``"zscore"``: mean 0 and deviation 1 of each image;
        ``"percentile"``: its 1st to 99th percentile to 0..1, clipped; ``"none"`` as it is. A
        number divides: 4095 for stored values of 12 bits. Or a callable on float32 (1, H, W, C):
        ``preprocess_input`` of keras.applications works.
    mean, std
        Subtracted, and divided by, after the scale: a number, or one for each channel.
    grey
        How colour becomes one channel: ``"luminance"`` (0.299 R + 0.587 G + 0.114 B), ``"mean"``,
        ``"red"``, ``"green"`` or ``"blue"``. None: a model of grey images refuses colour.
    windows
        Windows or pairs (center, width) in modality units, each shown as one channel, 0..255:
        three of them for CT make the input of a colour model. They take the place of intensity.
    region
        (top, left, rows, columns) of the image: the model sees nothing else.
    spacing
        (row mm, column mm) of the model's pixels. The image is resampled to it, then cropped or
        padded around its centre to the size. Without a size, the result has its own. For a model
        that sees a volume at once: (slice mm, row mm, column mm).
    neighbours
        Slices below, and as many above, that a model of images sees as channels beside a slice of
        a volume: 2 makes five channels, the lowest slice first. The end slice repeats.
    overlap
        Of a sliding window: the part of it that the next one covers too, 0 <= overlap < 1.
    halo
        Of a sliding window: voxels at each of its sides whose heat is left out, since the model
        saw less around them; the model's receptive field, divided by two, makes the map that of
        the whole volume. None: a quarter of the overlap.

    Raises
    ------
    InputError
        An unknown word; or, when called, an image that cannot be prepared in this way.
    """

    size: tuple[int, ...] | None = None
    _: KW_ONLY
    intensity: Intensity = "display"
    fit: Fit = "stretch"
    channels: int | None = None
    scale: Scale = "unit"
    mean: Numbers = 0.0
    std: Numbers = 1.0
    grey: Grey | None = None
    windows: tuple[Window, ...] = ()
    region: Box | None = None
    spacing: tuple[float, ...] | None = None
    neighbours: int = 0
    overlap: float = 0.5
    halo: int | None = None

    def __post_init__(self) -> None:
        _one_of("intensity", self.intensity, ("display", "modality", "stored"))
        _one_of("fit", self.fit, (*FITS, SLIDING))
        _one_of("grey", self.grey, (None, *GREYS))
        check_scale(self.scale)
        for name, checked in {
            "size": _size(self.size),
            "mean": _one_or_per_channel("mean", self.mean),
            "std": _one_or_per_channel("std", self.std),
            "windows": tuple(map(_as_window, self.windows)),
            "region": _region(self.region),
            "spacing": _checked_spacing(self.spacing),
            "neighbours": _neighbours(self.neighbours),
            "overlap": _overlap(self.overlap),
            "halo": _halo(self.halo),
        }.items():
            object.__setattr__(self, name, checked)
        _one_of("channels", self.channels, (None, 1, 3, len(self.windows) or 1))
        self._check_together()

    def _check_together(self) -> None:
        if self.windows and self.intensity != "display":
            msg = (
                "Prepare: windows are of modality units already; leave intensity open."
            )
            raise InputError(msg)
        if self.spacing and self.fit not in ("stretch", SLIDING):
            msg = f"Prepare: spacing crops or pads around the centre; leave fit={self.fit!r} out."
            raise InputError(msg)
        if 0 in np.asarray(self.std):
            msg = "Prepare: expected std to be other than 0."
            raise InputError(msg)

    def __call__(self, image: DicomImage) -> ModelInput:
        """Prepare one picture."""
        if self.neighbours:
            msg = "Prepare: neighbours are slices of a volume, and this is a single image."
            raise InputError(msg)
        placement = self.placement(image)
        placed = _placed_on_model(
            self._levels(image), placement, black=self._of_grey_levels(image)
        )
        tensor = _with_channels(placed, self.channels, self.grey)[np.newaxis]
        self._check_range(image)
        ranged = scaled(tensor, self.scale, placement.model_box)
        if (self.mean, self.std) != (0.0, 1.0):
            ranged = standardised(ranged, self.mean, self.std)
        return ModelInput(ranged, placement, self)

    @property
    def reads(self) -> Intensity:
        """Which values of a picture are read."""
        return "modality" if self.windows else self.intensity

    @property
    def in_place(self) -> bool:
        """Whether the picture's own grid decides, so that no coarser one may take its place."""
        return self.region is not None or self.spacing is not None

    def placement(self, image: DicomImage) -> Placement:
        """Return where a picture comes to lie on the model's grid."""
        box = whole(image.size) if self.region is None else self.region
        part = (box.rows, box.columns)
        size = _flat("size", self.size)
        if self.fit == SLIDING:
            msg = (
                "Prepare: fit='sliding' moves a window over a volume, for a model that sees "
                "volumes; this is a single image, or a model of images."
            )
            raise InputError(msg)
        if self.spacing is None:
            inner = FITS[self.fit](part, size or part)
        else:
            inner = spaced(
                part, _pixel_scale(image, _flat("spacing", self.spacing)), size
            )
        return inner.within(image.size, box)

    def filled(self, input_shape: tuple[int | None, ...]) -> "Prepare":
        """Take from a model's (H, W, C) what is not given; None there means free.

        Raises
        ------
        InputError
            The model takes no (H, W, C), or a number of channels that a picture cannot give.
        """
        if len(input_shape) != 3:
            raise _no_input_for(input_shape)
        rows, columns, channels = input_shape
        own = self.channels or len(self.windows) or None
        if channels not in (None, 1, 3, own):
            raise _no_input_for(input_shape)
        size = None if rows is None or columns is None else (rows, columns)
        return replace(self, size=self.size or size, channels=own or channels)

    def _levels(self, image: DicomImage) -> Array:
        if self.windows:
            return _through_windows(image, self.windows)
        if self.intensity == "display":
            return image.display
        if self.intensity == "modality":
            return image.pixels
        if image.stored is None:
            msg = (
                "Prepare: this picture has no stored values; use intensity='modality'."
            )
            raise InputError(msg)
        return image.stored

    def _of_grey_levels(self, image: DicomImage) -> bool:
        """Whether values are in 0..255 before the scale: display, windows, or colour."""
        return self.intensity == "display" or image.display.ndim == 3

    def _check_range(self, image: DicomImage) -> None:
        needs = isinstance(self.scale, str) and self.scale in OF_GREY_LEVELS
        if needs and not self._of_grey_levels(image):
            msg = (
                f"Prepare: scale={self.scale!r} needs values in 0..255, and {self.intensity} values"
                " have no such range. Use scale='none', 'zscore', 'percentile', a number to divide "
                "by, or a callable with your own range."
            )
            raise InputError(msg)


def _placed_on_model(pixels: Array, placement: Placement, *, black: bool) -> Array:
    """Resize the image box onto the model box; bars are black, or the least value there is."""
    inner = resized(pixels[placement.image_box.slices], placement.model_box[2:])
    if inner.shape[:2] == placement.model_size:
        return inner
    fill = 0 if black else pixels.min()
    outer = np.full((*placement.model_size, *inner.shape[2:]), fill, np.float32)
    outer[placement.model_box.slices] = inner
    return outer


def _with_channels(pixels: Array, channels: int | None, grey: str | None) -> Array:
    given = 1 if pixels.ndim == 2 else pixels.shape[2]
    if channels in (None, given):
        return pixels.reshape(*pixels.shape[:2], given)
    if given == 1:
        return np.repeat(pixels.reshape(*pixels.shape[:2], 1), channels, axis=2)
    if (given, channels) == (3, 1) and grey is not None:
        return grey_of(pixels, grey)[..., np.newaxis]
    msg = (
        f"Prepare: the model takes {channels} channel(s), the picture is colour with {given}. "
        "Say how colour becomes grey: Prepare(grey='luminance'), 'mean', 'red', 'green' or 'blue' "
        "(in a shell: --grey luminance); or use a model for colour."
    )
    raise InputError(msg)


def _through_windows(image: DicomImage, windows: Sequence[Window]) -> Array:
    if image.pixels.ndim == 3:
        msg = "Prepare: windows are of grey pictures in modality units; this one is colour."
        raise InputError(msg)
    return windowed(image.pixels, windows)


def _pixel_scale(image: DicomImage, wanted: tuple[float, float]) -> tuple[float, float]:
    """Return model pixels per image pixel, down and across."""
    if image.spacing is None:
        msg = "Prepare: spacing needs to know the picture's own, and the file does not say it."
        raise InputError(msg)
    down, across = (
        have / want for have, want in zip(image.spacing, wanted, strict=True)
    )
    return down, across


def _no_input_for(shape: tuple[int | None, ...]) -> InputError:
    names = {1: "(n,)", 2: "(H, W)", 3: "(H, W, C)", 4: "(D, H, W, C)"}
    msg = (
        f"The model takes an input of {names.get(len(shape), 'shape')} = {shape}, and a picture "
        "makes (H, W, 1) or (H, W, 3). Hand over prepare=f, a function from a DicomImage to an "
        "array (H, W, C) of as many channels; or put layers before the model that make its input "
        "of (H, W, 1); or ask the explainer itself: sal.Gradient()(sal.KerasProbe(model).at(0), "
        "inputs)."
    )
    return InputError(msg)


def _one_of(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        msg = f"Prepare: expected {name} to be one of {allowed}, got {value!r}."
        raise InputError(msg)


def _size(size: Any) -> tuple[int, ...] | None:
    """Return (H, W) or (D, H, W); one number stands for H and W."""
    if size is None:
        return None
    try:
        axes = (size, size) if isinstance(size, int | np.integer) else tuple(size)
        whole_numbers = tuple(map(operator.index, axes))
    except (TypeError, ValueError):
        whole_numbers = ()
    if len(whole_numbers) not in (2, 3) or min(whole_numbers) < 1:
        msg = (
            f"Prepare: expected size (H, W) or (D, H, W), all 1 or more, got {size!r}."
        )
        raise InputError(msg)
    return whole_numbers


def _flat(name: str, axes: tuple[Any, ...] | None) -> Any:
    """Return what is said of rows and columns; refuse what is said of a volume."""
    if axes is not None and len(axes) == 3:
        msg = (
            f"Prepare: {name}={axes} is for a model that sees a volume at once; this one sees "
            "images, and takes two numbers."
        )
        raise InputError(msg)
    return axes


def _one_or_per_channel(name: str, value: Any) -> Numbers:
    try:
        numbers = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        numbers = np.array(np.nan)
    if numbers.ndim > 1 or not np.isfinite(numbers).all() or not numbers.size:
        msg = f"Prepare: expected {name} to be a number, or one for each channel, got {value!r}."
        raise InputError(msg)
    return float(numbers) if numbers.ndim == 0 else tuple(map(float, numbers))


def _as_window(window: Any) -> Window:
    if isinstance(window, Window):
        return window
    try:
        center, width = window
        return Window(float(center), float(width))
    except (TypeError, ValueError) as error:
        msg = f"Prepare: expected windows to be pairs (center, width), got {window!r}."
        raise InputError(msg) from error


def _region(region: Any) -> Box | None:
    if region is None:
        return None
    try:
        box = Box(*map(operator.index, region))
    except TypeError:
        box = Box(0, 0, 0, 0)
    if min(box.rows, box.columns) < 1 or min(box.top, box.left) < 0:
        msg = f"Prepare: expected region (top, left, rows, columns) in pixels, got {region!r}."
        raise InputError(msg)
    return box


def _checked_spacing(spacing: Any) -> tuple[float, ...] | None:
    if spacing is None:
        return None
    try:
        axes = (
            (spacing, spacing) if isinstance(spacing, int | float) else tuple(spacing)
        )
        lengths = tuple(map(float, axes))
    except (TypeError, ValueError):
        lengths = ()
    usable = len(lengths) in (2, 3) and all(
        math.isfinite(mm) and mm > 0 for mm in lengths
    )
    if not usable:
        msg = (
            "Prepare: expected spacing (row mm, column mm) or (slice mm, row mm, column mm), all "
            f"above 0, got {spacing!r}."
        )
        raise InputError(msg)
    return lengths


def _neighbours(count: Any) -> int:
    try:
        whole_number = operator.index(count)
    except TypeError:
        whole_number = -1
    if whole_number < 0:
        msg = f"Prepare: expected neighbours to be 0 or more, got {count!r}."
        raise InputError(msg)
    return whole_number


def _overlap(part: Any) -> float:
    usable = isinstance(part, int | float | np.number) and 0 <= float(part) < 1
    if not usable:
        msg = f"Prepare: expected overlap to be 0 or more and below 1, got {part!r}."
        raise InputError(msg)
    return float(part)


def _halo(voxels: Any) -> int | None:
    if voxels is None:
        return None
    try:
        whole_number = operator.index(voxels)
    except TypeError:
        whole_number = -1
    if whole_number < 0:
        msg = f"Prepare: expected halo to be None, 0 or more voxels, got {voxels!r}."
        raise InputError(msg)
    return whole_number
