"""Ranges of intensity that models are trained on: from grey levels to the model's numbers."""

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol, TypeAlias

import numpy as np

from saliency.errors import InputError
from saliency.values.arrays import Array
from saliency.values.window import Window, ends_of

Named: TypeAlias = Literal[
    "unit", "pixel", "symmetric", "none", "zscore", "percentile", "imagenet", "caffe"
]
Scale: TypeAlias = Named | float | Callable[[Array], Array]
Grey: TypeAlias = Literal["luminance", "mean", "red", "green", "blue"]


class Part(Protocol):
    """A part of a grid, as an index of its axes."""

    @property
    def slices(self) -> tuple[slice, ...]:
        """One for each axis."""


#: Mean and standard deviation of ImageNet in RGB, 0..1: mode "torch" of keras.applications.
IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
IMAGENET_STD: Final = (0.229, 0.224, 0.225)
#: Mean of ImageNet in BGR, 0..255: mode "caffe" of keras.applications.
CAFFE_MEAN: Final = (103.939, 116.779, 123.68)
#: Ends of the range that "percentile" brings to 0 and 1.
LOW, HIGH = 1, 99

#: Weights of red, green and blue. Luminance as in PS3.3 C.7.6.3.1.2 (YBR_FULL, ITU-R BT.601).
GREYS: Final[Mapping[str, tuple[float, float, float]]] = MappingProxyType(
    {
        "luminance": (0.299, 0.587, 0.114),
        "mean": (1 / 3, 1 / 3, 1 / 3),
        "red": (1, 0, 0),
        "green": (0, 1, 0),
        "blue": (0, 0, 1),
    }
)


def grey_of(rgb: Array, how: str) -> Array:
    """Return float32 (rows, columns) of RGB (rows, columns, 3), by the weights of :data:`GREYS`."""
    weighted: Array = rgb.astype(np.float32) @ np.asarray(GREYS[how], np.float32)
    return weighted


def windowed(pixels: Array, windows: Sequence[Window]) -> Array:
    """Show modality values (rows, columns) through windows: float32 (rows, columns, K), 0..255.

    LINEAR, PS3.3 C.11.2.1.2.1, without rounding: ``((x - (c - 0.5)) / (w - 1) + 0.5) * 255``; of a
    width below 1 LINEAR_EXACT, ``((x - c) / w + 0.5) * 255``.
    """
    return np.stack([_windowed(pixels, window) for window in windows], axis=2)


def _windowed(pixels: Array, window: Window) -> Array:
    black, white = ends_of(window)
    if white <= black:  # a threshold, as the standard has it
        return np.where(pixels > black, 255, 0).astype(np.float32)
    unit = (pixels - black) / (white - black)
    return np.clip(unit * 255, 0, 255).astype(np.float32)


def scaled(tensor: Array, scale: Scale, picture: Part) -> Array:
    """Bring a tensor (1, H, W, C) to a range.

    Parameters
    ----------
    tensor
        float32.
    scale
        A name, a number to divide by, or a function on the tensor.
    picture
        Where the picture lies in (H, W), or in (D, H, W): statistics leave out the bars around it.
    """
    if callable(scale):
        return _called(scale, tensor)
    if not isinstance(scale, str):
        divided: Array = tensor / np.float32(scale)
        return divided
    named: Callable[[Array, Array], Array] = _NAMED[scale]
    return named(tensor, tensor[:, *picture.slices])


def standardised(tensor: Array, mean: object, std: object) -> Array:
    """Subtract the mean and divide by the deviation, each a number or one for each channel."""
    channels = tensor.shape[-1]
    centre, spread = (_per_channel(value, channels) for value in (mean, std))
    standard: Array = (tensor - centre) / spread
    return standard


def check_scale(scale: Any) -> None:
    """Refuse what is no scale.

    Raises
    ------
    InputError
        It is neither a name, nor a number above 0, nor a function.
    """
    if callable(scale) or (isinstance(scale, str) and scale in _NAMED):
        return
    number = isinstance(scale, int | float | np.number) and not isinstance(scale, bool)
    if number and math.isfinite(float(scale)) and float(scale) > 0:
        return
    msg = (
        f"Prepare: expected scale to be one of {', '.join(_NAMED)}, a number above 0 to divide by, "
        f"or a function of float32 (1, H, W, C); got {scale!r}."
    )
    raise InputError(msg)


#: Scales that need grey levels in 0..255 to begin with.
OF_GREY_LEVELS: Final = frozenset({"unit", "pixel", "symmetric", "imagenet", "caffe"})


def _zscore(tensor: Array, picture: Array) -> Array:
    """Bring the mean of the picture to 0 and its deviation to 1; an even picture becomes 0."""
    centre, spread = picture.mean(dtype=np.float64), picture.std(dtype=np.float64)
    standard: Array = ((tensor - centre) / (spread or 1)).astype(np.float32)
    return standard


def _percentile(tensor: Array, picture: Array) -> Array:
    """Bring the 1st percentile to 0, the 99th to 1, and clip; an even picture becomes 0."""
    low, high = np.percentile(picture, (LOW, HIGH))
    unit: Array = np.clip((tensor - low) / ((high - low) or 1), 0, 1)
    return unit.astype(np.float32)


def _imagenet(tensor: Array, picture: Array) -> Array:  # noqa: ARG001 - fixed statistics
    _check_colour(tensor, "imagenet")
    return standardised(tensor / np.float32(255), IMAGENET_MEAN, IMAGENET_STD)


def _caffe(tensor: Array, picture: Array) -> Array:  # noqa: ARG001 - fixed statistics
    _check_colour(tensor, "caffe")
    return tensor[..., ::-1] - np.asarray(CAFFE_MEAN, np.float32)


_NAMED: Final[Mapping[str, Callable[[Array, Array], Array]]] = MappingProxyType(
    {
        "unit": lambda grey, _: grey / 255,
        "pixel": lambda grey, _: grey,
        "symmetric": lambda grey, _: grey / 127.5 - 1,
        "none": lambda grey, _: grey,
        "zscore": _zscore,
        "percentile": _percentile,
        "imagenet": _imagenet,
        "caffe": _caffe,
    }
)
SCALES: Final = tuple(_NAMED)


def _check_colour(tensor: Array, name: str) -> None:
    if tensor.shape[-1] != 3:
        msg = (
            f"Prepare: scale={name!r} is of three colours, the input has {tensor.shape[-1]} "
            "channel(s). Use channels=3, or mean= and std= of your own."
        )
        raise InputError(msg)


def _called(scale: Callable[[Array], Any], tensor: Array) -> Array:
    """Call the user's function on a copy: some of keras.applications write into their input."""
    result = np.asarray(scale(tensor.copy()), np.float32)
    if result.shape != tensor.shape:
        msg = f"Prepare: expected scale to keep the shape {tensor.shape}, it gave {result.shape}."
        raise InputError(msg)
    return result


def _per_channel(value: object, channels: int) -> Array:
    numbers = np.asarray(value, np.float32).reshape(-1)
    if len(numbers) not in (1, channels):
        msg = (
            f"Prepare: expected mean and std to be one number, or one for each of {channels} "
            f"channel(s), got {len(numbers)}."
        )
        raise InputError(msg)
    return numbers
