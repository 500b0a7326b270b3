"""The pixels that the model's input is made of: read them, change them, find zones on them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias, final

import numpy as np

from saliency.errors import InputError
from saliency.interventions.framing import Ends, body_ends, grey_step
from saliency.pipeline.prepare import Intensity, Prepare
from saliency.pipeline.preparing import preparation
from saliency.pipeline.resize import resized
from saliency.values.arrays import Array
from saliency.values.image import DicomImage
from saliency.zones.detect import Hints, detectors, found_zones

ARRAY_OF = {"display": "display", "modality": "pixels", "stored": "stored"}
"""Which array of a DicomImage :class:`Prepare` reads, by its ``intensity``."""


@final
@dataclass(frozen=True, eq=False)
class Canvas:
    """A picture, and which of its arrays the model gets to see.

    Parameters
    ----------
    image
        The picture.
    intensity
        As in :class:`Prepare`.
    """

    image: DicomImage
    intensity: Intensity = "display"

    @property
    def values(self) -> Array:
        """What the model's input is made of, (rows, columns[, 3]).

        Raises
        ------
        InputError
            The picture has no such values.
        """
        values: Array | None = getattr(self.image, ARRAY_OF[self.intensity])
        if values is None:
            msg = (
                "Canvas.values: the picture has no stored values. "
                "Use Prepare(intensity='modality')."
            )
            raise InputError(msg)
        return values

    @cached_property
    def grey_step(self) -> float:
        """Distance of neighbouring grey levels of its diagnostic pixels; 0 without any."""
        return grey_step(self.values[self.image.diagnostic])

    @cached_property
    def body(self) -> tuple[Ends, Ends]:
        """Where its body begins and ends in the frame, down and across."""
        return body_ends(self.values, self.image.diagnostic)

    def with_values(self, values: Array) -> DicomImage:
        """Return the picture with other values; whole numbers are rounded and kept in range."""
        kind = self.values.dtype
        if np.issubdtype(kind, np.integer):
            ends = np.iinfo(kind)
            values = np.clip(np.rint(values), ends.min, ends.max)
        changed = np.ascontiguousarray(values).astype(kind)
        changed.flags.writeable = False
        named: dict[str, Any] = {ARRAY_OF[self.intensity]: changed}
        return replace(self.image, **named)


def canvas(image: DicomImage, prepare: object) -> Canvas:
    """Return what this way of preparing reads of a picture.

    Raises
    ------
    InputError
        It is a function, of which nobody knows what it reads.
    """
    recipe = preparation(prepare)
    if not isinstance(recipe, Prepare):
        msg = (
            "Expected a Prepare, got a function: what it reads of a picture is not known, so "
            "nothing can be exchanged there. Say the same with Prepare(scale=...)."
        )
        raise InputError(msg)
    return Canvas(image, recipe.reads)


def like(values: Array, wanted: Array) -> Array:
    """Bring values to the grid and the colours of others, float32."""
    placed = resized(values, (wanted.shape[0], wanted.shape[1]))
    if placed.ndim == wanted.ndim:
        return placed
    if placed.ndim == 3:
        return np.asarray(placed.mean(axis=2), np.float32)
    return np.repeat(placed[..., np.newaxis], 3, axis=2)


def mask_like(mask: Array, size: tuple[int, ...]) -> Array:
    """Bring a mask to a grid (rows, columns): True where any of it falls."""
    if mask.shape == size:
        return mask
    # Interpolated shares of a cell; what rounding leaves of 0 is below a thousandth.
    shares = resized(mask.astype(np.float32), (size[0], size[1]))
    return np.asarray(shares > 1e-3)


def with_found(image: DicomImage) -> DicomImage:
    """Add the zones that a display shows, each where no zone of its name was given."""
    named = {zone.name for zone in image.zones}
    if image.searched or named >= detectors().keys():
        return image
    detected = found_zones(image.display, Hints(image.modality))
    added = (zone for zone in detected if zone.name not in named)
    return replace(image, zones=(*image.zones, *added), searched=True)


Zones: TypeAlias = Mapping[str, Any] | Callable[[DicomImage], Mapping[str, Any] | None]
"""By name a mask or a function of the image; or a function of it that returns such a mapping."""


def with_zones(image: DicomImage, zones: Zones | None) -> DicomImage:
    """Add the user's zones, as ``DicomImage.with_zone`` does.

    Raises
    ------
    InputError
        They are no mapping, or one does not fit the image.
    """
    mask_by_name: Any = zones(image) if callable(zones) else zones
    if mask_by_name is None:
        return image
    if not isinstance(mask_by_name, Mapping):
        msg = (
            "with_zones: expected zones to be a mapping of names to masks, or a function of an "
            f"image that returns one; got {type(mask_by_name).__name__}."
        )
        raise InputError(msg)
    for name, mask in mask_by_name.items():
        image = image.with_zone(name, mask)
    return image


FINEST = 2
"""Picture pixels for each pixel of the model's input, along an axis, that are worth keeping."""


def reduced(image: DicomImage, wanted: tuple[int | None, ...] | None) -> DicomImage:
    """Return a picture on a coarser grid where the model would not see the difference.

    An exchange on a mammogram of 4000 x 3000 pixels costs a hundred times one at twice the grid of
    the model, and what is finer is averaged away before the model sees it. Zones are looked for
    before.

    Parameters
    ----------
    image
        Any picture.
    wanted
        (H, W, ...) of the model's input; None, or None in it: free.
    """
    if wanted is None or None in wanted[:2]:
        return image
    rows, columns = image.size
    factor = min(rows // (FINEST * wanted[0]), columns // (FINEST * wanted[1]))  # type: ignore[operator]
    if factor < 2:
        return image
    # -(-a // b) rounds up: the coarser grid is never finer than it may be.
    size = -(-rows // factor), -(-columns // factor)
    zones = tuple(
        replace(zone, mask=mask_like(zone.mask, size)) for zone in image.zones
    )
    return replace(
        image,
        pixels=resized(image.pixels, size),
        display=_regridded(image.display, size),
        stored=None if image.stored is None else _regridded(image.stored, size),
        zones=zones,
        spacing=None,
    )


def _regridded(values: Array, size: tuple[int, int]) -> Array:
    """Return values on another grid, of their own kind."""
    placed = resized(values, size)
    if np.issubdtype(values.dtype, np.integer):
        placed = np.rint(placed)
    regridded: Array = placed.astype(values.dtype)
    return regridded
