"""From a volume to what a model was trained on: all of it at once, or slice by slice."""

from dataclasses import dataclass, replace
from typing import Any, Final, final

import numpy as np

from saliency.errors import InputError
from saliency.pipeline.intensities import OF_GREY_LEVELS, scaled, standardised
from saliency.pipeline.prepare import SLIDING, Prepare
from saliency.values.arrays import Array, finite, frozen
from saliency.values.model_input import ModelInput
from saliency.volumes.grid import (
    Size,
    Triple,
    VolumePlacement,
    centred,
    cropped,
    letterboxed,
    stretched,
    surrounded,
)
from saliency.volumes.volume import DicomVolume

FITS: Final = {
    "stretch": lambda size, model, spacing: stretched(size, model),  # noqa: ARG005 - any length
    "letterbox": letterboxed,
    "crop": cropped,
}


@final
@dataclass(frozen=True, eq=False)
class VolumeInput:
    """One prepared volume.

    Parameters
    ----------
    array
        float32 (1, D, H, W, C), finite, in the range that the model was trained on.
    placement
        The map between the volume's grid and (D, H, W).
    made_by
        The Prepare that made it, with all that was left open filled in.
    """

    array: Array
    placement: VolumePlacement
    made_by: Prepare


def prepare_volume(
    prepare: Prepare, volume: DicomVolume, input_shape: tuple[int | None, ...] | None
) -> VolumeInput:
    """Prepare a volume as a whole.

    Parameters
    ----------
    prepare
        Its size is (D, H, W), its spacing (slice mm, row mm, column mm).
    volume
        What is prepared.
    input_shape
        (D, H, W, C) of the model, None where an axis is free; None where nothing is known.

    Raises
    ------
    InputError
        Something of the Prepare makes no sense for a volume, or it does not fit the model.
    """
    filled = _filled_from_model(prepare, input_shape)
    _check_for_volume(filled)
    placement = _placement(filled, volume)
    voxels = volume.display if filled.intensity == "display" else volume.pixels
    fill = 0.0 if filled.intensity == "display" else float(voxels.min())
    placed = placement.to_model(voxels, fill=fill)
    tensor = np.repeat(
        placed[np.newaxis, ..., np.newaxis], filled.channels or 1, axis=-1
    )
    ranged = scaled(tensor, filled.scale, placement.model_box)
    if (filled.mean, filled.std) != (0.0, 1.0):
        ranged = standardised(ranged, filled.mean, filled.std)
    array = finite(
        frozen(ranged, np.float32, "VolumeInput.array", ranks=(5,)), "VolumeInput"
    )
    return VolumeInput(array, placement, filled)


def prepare_slice(
    prepare: Prepare,
    volume: DicomVolume,
    index: int,
    input_shape: tuple[int | None, ...] | None,
) -> ModelInput:
    """Prepare one slice with its neighbours as channels: (1, H, W, 2 n + 1).

    Beyond the ends of the volume the end slice repeats.
    """
    around = prepare.neighbours
    one = replace(
        prepare, neighbours=0, channels=prepare.channels if around == 0 else 1
    )
    if input_shape is not None:
        rows, columns, channels = input_shape
        one = one.filled((rows, columns, 1 if around else channels))
    if around == 0:
        return one(volume[index])
    last = len(volume) - 1
    wanted = (min(max(index + step, 0), last) for step in range(-around, around + 1))
    prepared = [one(volume[k]) for k in wanted]
    tensor = np.concatenate([each.array for each in prepared], axis=-1)
    made_by = replace(one, neighbours=around, channels=None)
    return ModelInput(tensor, prepared[around].placement, made_by)


def _filled_from_model(
    prepare: Prepare, input_shape: tuple[int | None, ...] | None
) -> Prepare:
    """Take from a model's (D, H, W, C) what is not given."""
    if input_shape is None:
        return prepare
    *grid, channels = input_shape
    free = any(each is None for each in grid)
    size: Any = prepare.size or (None if free else tuple(grid))
    return replace(prepare, size=size, channels=prepare.channels or channels)


def _check_for_volume(prepare: Prepare) -> None:
    size: Any = prepare.size
    refused = {
        "neighbours": prepare.neighbours > 0,
        "windows": bool(prepare.windows),
        "region": prepare.region is not None,
        "grey": prepare.grey is not None,
        "intensity='stored'": prepare.intensity == "stored",
    }
    named = [name for name, given in refused.items() if given]
    if named:
        msg = f"Prepare: {', '.join(named)} cannot be had for a model that sees a volume at once."
        raise InputError(msg)
    if size is not None and len(size) != 3:
        msg = f"Prepare: expected size (D, H, W) for a model of volumes, got {size}."
        raise InputError(msg)
    if (
        isinstance(prepare.scale, str)
        and prepare.scale in OF_GREY_LEVELS
        and prepare.intensity != "display"
    ):
        msg = (
            f"Prepare: scale={prepare.scale!r} needs values in 0..255, and {prepare.intensity} "
            "values have no such range. Use scale='none', 'zscore', 'percentile', a number, or a "
            "callable with your own range."
        )
        raise InputError(msg)


def _placement(prepare: Prepare, volume: DicomVolume) -> VolumePlacement:
    size: Any = prepare.size
    if prepare.fit == SLIDING:
        return _for_windows(prepare, volume)
    if prepare.spacing is None:
        model: Size = size or volume.size
        return FITS[prepare.fit](volume.size, model, volume.spacing)
    scale = _voxel_scale(prepare.spacing, volume)
    return centred(volume.size, size or _scaled_size(volume.size, scale), scale)


def _for_windows(prepare: Prepare, volume: DicomVolume) -> VolumePlacement:
    """Keep the voxels, or those of a spacing; surround a volume that is smaller than the window."""
    size: Any = prepare.size
    if size is None:
        msg = (
            "Prepare: fit='sliding' needs size=(D, H, W) of the window, since the model leaves it "
            "open."
        )
        raise InputError(msg)
    scale = (
        (1.0, 1.0, 1.0)
        if prepare.spacing is None
        else _voxel_scale(prepare.spacing, volume)
    )
    deep, down, across = map(max, _scaled_size(volume.size, scale), size)
    return surrounded(volume.size, (deep, down, across), scale)


def _voxel_scale(spacing: Any, volume: DicomVolume) -> Triple:
    """Return model voxels per voxel on each axis."""
    if len(spacing) != 3:
        msg = f"Prepare: expected spacing (slice, row, column) mm for a volume, got {spacing}."
        raise InputError(msg)
    a, b, c = (have / want for have, want in zip(volume.spacing, spacing, strict=True))
    return a, b, c


def _scaled_size(size: Size, scale: Triple) -> Size:
    a, b, c = (max(1, round(n * s)) for n, s in zip(size, scale, strict=True))
    return a, b, c
