"""From the picture to what the model was trained on, remembering where every pixel went."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, replace
from typing import Literal, TypeAlias, final

import numpy as np

from saliency.errors import InputError
from saliency.pipeline.resize import resized
from saliency.values.arrays import Array
from saliency.values.image import DicomImage
from saliency.values.model_input import ModelInput
from saliency.values.placement import Placement, crop, letterbox, stretch

Intensity: TypeAlias = Literal["display", "modality", "stored"]
Fit: TypeAlias = Literal["stretch", "letterbox", "crop"]
Scale: TypeAlias = Literal["unit", "pixel", "symmetric", "none"] | Callable[[Array], Array]

FITS = {"stretch": stretch, "letterbox": letterbox, "crop": crop}
SCALES = {
    "unit": lambda grey: grey / 255,
    "pixel": lambda grey: grey,
    "symmetric": lambda grey: grey / 127.5 - 1,
    "none": lambda grey: grey,
}


@final
@dataclass(frozen=True)
class Prepare:
    """Make a model's input of a picture.

    Parameters
    ----------
    size
        (H, W) of the input; None: the model's own, or the picture's where the model leaves it free.
    intensity
        ``"display"``: what a viewer shows, 0..255; ``"modality"``: modality units (HU);
        ``"stored"``: stored values.
    fit
        ``"stretch"`` to the size, ``"letterbox"`` between bars, or ``"crop"`` to the centre.
    channels
        1 or 3; None: the model's own. Grey becomes 3 by repetition; colour never becomes 1.
    scale
        ``"unit"`` 0..1, ``"pixel"`` 0..255, ``"symmetric"`` -1..1 (these need 0..255 to begin
        with: display, or colour), ``"none"`` as it is, or a callable on float32 (1, H, W, C):
        ``preprocess_input`` of keras.applications works.

    Raises
    ------
    InputError
        An unknown word; or, when called, a picture that cannot be prepared so.
    """

    size: tuple[int, int] | None = None
    _: KW_ONLY
    intensity: Intensity = "display"
    fit: Fit = "stretch"
    channels: int | None = None
    scale: Scale = "unit"

    def __post_init__(self) -> None:
        _one_of("intensity", self.intensity, ("display", "modality", "stored"))
        _one_of("fit", self.fit, tuple(FITS))
        _one_of("channels", self.channels, (None, 1, 3))
        if not callable(self.scale):
            _one_of("scale", self.scale, tuple(SCALES))
        if self.size is not None and (len(self.size) != 2 or min(self.size) < 1):
            msg = f"Prepare: expected size (H, W), both 1 or more, got {self.size}."
            raise InputError(msg)

    def __call__(self, image: DicomImage) -> ModelInput:
        """Prepare one picture."""
        placement = FITS[self.fit](image.size, self.size or image.size)
        placed = _place(self._grey_or_colour(image), placement, self.intensity)
        tensor = self._scaled(_with_channels(placed, self.channels)[np.newaxis], image)
        return ModelInput(tensor, placement, self)

    def filled(self, input_shape: tuple[int | None, ...]) -> "Prepare":
        """Take from a model's (H, W, C) what is not given; None there means free."""
        rows, columns, channels = input_shape
        size = None if rows is None or columns is None else (rows, columns)
        return replace(self, size=self.size or size, channels=self.channels or channels)

    def _grey_or_colour(self, image: DicomImage) -> Array:
        if self.intensity == "display":
            return image.display
        if self.intensity == "modality":
            return image.pixels
        if image.stored is None:
            msg = "Prepare: this picture has no stored values; use intensity='modality'."
            raise InputError(msg)
        return image.stored

    def _scaled(self, tensor: Array, image: DicomImage) -> Array:
        if callable(self.scale):
            return _called(self.scale, tensor)
        if self.intensity != "display" and self.scale != "none" and image.display.ndim == 2:
            msg = (
                f"Prepare: scale={self.scale!r} needs values in 0..255, and {self.intensity} values"
                " have no such range. Use scale='none', or a callable with your own range."
            )
            raise InputError(msg)
        scaled: Array = SCALES[self.scale](tensor)
        return scaled


def _called(scale: Callable[[Array], Array], tensor: Array) -> Array:
    """Call the user's function on a copy: some of keras.applications write into their input."""
    result = np.asarray(scale(tensor.copy()), np.float32)
    if result.shape != tensor.shape:
        msg = f"Prepare: expected scale to keep the shape {tensor.shape}, it gave {result.shape}."
        raise InputError(msg)
    return result


def _place(pixels: Array, placement: Placement, intensity: Intensity) -> Array:
    """Resize the image box onto the model box; bars are black, or the least value there is."""
    inner = resized(pixels[placement.image_box.slices], placement.model_box[2:])
    if inner.shape[:2] == placement.model_size:
        return inner
    fill = 0 if intensity == "display" else pixels.min()
    outer = np.full((*placement.model_size, *inner.shape[2:]), fill, np.float32)
    outer[placement.model_box.slices] = inner
    return outer


def _with_channels(pixels: Array, channels: int | None) -> Array:
    given = 1 if pixels.ndim == 2 else pixels.shape[2]
    if channels in (None, given):
        return pixels.reshape(*pixels.shape[:2], given)
    if given == 1:
        return np.repeat(pixels[..., np.newaxis], channels, axis=2)
    msg = (
        f"Prepare: the model takes {channels} channel(s), the picture is colour with {given}. "
        "Turn it to grey yourself (DicomImage.from_array), or use a model for colour."
    )
    raise InputError(msg)


def _one_of(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        msg = f"Prepare: expected {name} to be one of {allowed}, got {value!r}."
        raise InputError(msg)
