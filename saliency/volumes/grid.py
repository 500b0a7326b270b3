"""From the grid of a volume to the grid of a model and back: trilinear, half-pixel centres."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from saliency.errors import InputError
from saliency.values.arrays import Array

Triple = tuple[float, float, float]
Size = tuple[int, int, int]


@final
@dataclass(frozen=True)
class Cuboid:
    """A part of a grid, as an index of its axes."""

    slices: tuple[slice, ...]


@final
@dataclass(frozen=True)
class VolumePlacement:
    """An axis-parallel affine map between the grid of a volume and that of a model.

    A point p of the volume lies at ``origin + p * scale`` on the model grid, axis by axis.
    Coordinates are continuous: voxel k covers [k, k + 1), its centre is k + 0.5. Model voxels whose
    centre lies outside the volume hold no image; voxels of the volume outside the model grid get
    no heat.

    Parameters
    ----------
    image_size, model_size
        (slices, rows, columns) and (D, H, W).
    scale
        Model voxels per voxel, on each axis; above 0.
    origin
        Where the corner of the volume lies on the model grid.

    Raises
    ------
    InputError
        An empty grid, a scale that is not above 0, or grids that do not overlap.
    """

    image_size: Size
    model_size: Size
    scale: Triple
    origin: Triple = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        if min(*self.image_size, *self.model_size) < 1 or not min(self.scale) > 0:
            msg = f"VolumePlacement: expected grids of 1 or more and a scale above 0, got {self}."
            raise InputError(msg)
        ends = [
            o + n * s
            for o, n, s in zip(self.origin, self.image_size, self.scale, strict=True)
        ]
        starts_inside = all(
            o < m for o, m in zip(self.origin, self.model_size, strict=True)
        )
        if not starts_inside or min(ends) <= 0:
            msg = "VolumePlacement: expected grids that overlap, got none in common."
            raise InputError(msg)

    def forward(self, point: Triple) -> Triple:
        """Volume point (slice, row, column) -> model point."""
        a, b, c = (
            o + p * s for o, p, s in zip(self.origin, point, self.scale, strict=True)
        )
        return a, b, c

    def back(self, point: Triple) -> Triple:
        """Model point -> volume point (slice, row, column)."""
        a, b, c = (
            (p - o) / s for o, p, s in zip(self.origin, point, self.scale, strict=True)
        )
        return a, b, c

    @property
    def model_box(self) -> "Cuboid":
        """The model voxels whose centres lie in the volume."""
        return Cuboid(tuple(slice(*self._seen(axis)) for axis in range(3)))

    def to_model(self, voxels: Array, *, fill: float) -> Array:
        """Resample (slices, rows, columns) onto the model grid, float32; ``fill`` beside it."""
        result = voxels.astype(np.float32, copy=False)
        inside = np.ones((1, 1, 1), np.bool_)
        for axis in range(3):
            count, length = self.model_size[axis], self.image_size[axis]
            weights = _resampling_matrix(
                count, length, self.scale[axis], self.origin[axis], (0, length)
            )
            result = _along(result, weights, axis)
            inside = inside & _lifted(weights.max(axis=1) > 0, axis)
        return np.where(inside, result, np.float32(fill)).astype(np.float32, copy=False)

    def to_image(self, heat: Array) -> Array:
        """Carry a map (D, H, W) to the volume's grid, float32; 0 where the model saw nothing."""
        if heat.shape != self.model_size:
            msg = f"VolumePlacement: expected a map of {self.model_size}, got {heat.shape}."
            raise InputError(msg)
        result = heat.astype(np.float32, copy=False)
        for axis in range(3):
            scale, origin = self.scale[axis], self.origin[axis]
            seen = self._seen(axis)
            weights = _resampling_matrix(
                self.image_size[axis],
                self.model_size[axis],
                1 / scale,
                -origin / scale,
                seen,
            )
            result = _along(result, weights, axis)
        return result

    def _seen(self, axis: int) -> tuple[int, int]:
        """Return the model voxels of an axis, first and end, whose centres lie in the volume.

        The bars beside the volume are left out, so that their heat never bleeds into it.
        """
        origin, count = self.origin[axis], self.model_size[axis]
        end = origin + self.image_size[axis] * self.scale[axis]
        first = max(0, int(np.ceil(origin - 0.5)))
        last = min(count, int(np.floor(end - 0.5)) + 1)
        if last > first:
            return first, last
        nearest = min(
            count - 1, max(0, int((origin + end) / 2))
        )  # thinner than one voxel
        return nearest, nearest + 1


def stretched(image_size: Size, model_size: Size) -> VolumePlacement:
    """Fill the model grid; each axis scales by itself."""
    a, b, c = (m / n for m, n in zip(model_size, image_size, strict=True))
    return VolumePlacement(image_size, model_size, (a, b, c))


def centred(image_size: Size, model_size: Size, scale: Triple) -> VolumePlacement:
    """Put the middle of the volume on the middle of the model grid: what is too long is cut."""
    sizes = zip(image_size, model_size, scale, strict=True)
    a, b, c = ((m - n * s) / 2 for n, m, s in sizes)
    return VolumePlacement(image_size, model_size, scale, (a, b, c))


def surrounded(image_size: Size, model_size: Size, scale: Triple) -> VolumePlacement:
    """Put the volume amid a grid that is no smaller, whole voxels from its sides.

    So voxels that keep their size are not interpolated, where the grid is larger by an odd number.
    """

    def start(voxels: int, cells: int, factor: float) -> float:
        exact = voxels * factor
        whole = max(1, round(exact))
        # Half of what rounding added, behind whole cells of the margin.
        return (whole - exact) / 2 + (cells - whole) // 2

    a, b, c = map(start, image_size, model_size, scale)
    return VolumePlacement(image_size, model_size, scale, (a, b, c))


def letterboxed(image_size: Size, model_size: Size, spacing: Triple) -> VolumePlacement:
    """Fit the whole volume, keep its proportions in mm, centre it."""
    return centred(
        image_size, model_size, _one_scale_per_mm(image_size, model_size, spacing, min)
    )


def cropped(image_size: Size, model_size: Size, spacing: Triple) -> VolumePlacement:
    """Fill the model grid, keep the proportions in mm, cut what is too long."""
    return centred(
        image_size, model_size, _one_scale_per_mm(image_size, model_size, spacing, max)
    )


def _one_scale_per_mm(
    image_size: Size,
    model_size: Size,
    spacing: Triple,
    choose: Callable[[list[float]], float],
) -> Triple:
    """Return the scale on each axis that gives model voxels one length in mm on all."""
    per_mm = [
        m / (n * mm) for m, n, mm in zip(model_size, image_size, spacing, strict=True)
    ]
    density = choose(per_mm)
    a, b, c = (density * mm for mm in spacing)
    return a, b, c


def _resampling_matrix(
    count: int, length: int, scale: float, origin: float, usable: tuple[int, int]
) -> Array:
    """Return the matrix (count, length) that resamples one axis.

    The centre of target k lies at x = (k + 0.5 - origin) / scale among the source's voxels. A
    triangle of half width max(1, 1 / scale) around it weighs them: linear interpolation where the
    grid gets finer, an average where it gets coarser, as Pillow's BILINEAR in two dimensions. A
    target whose centre lies outside the source has weights of 0.
    """
    first, end = usable
    places = (np.arange(count) + 0.5 - origin) / scale
    centres = np.arange(length) + 0.5
    half = max(1.0, 1 / scale)
    weights = np.maximum(0, 1 - np.abs(centres - places[:, None]) / half)
    weights[:, :first] = 0
    weights[:, end:] = 0
    weights[(places < first) | (places > end)] = 0
    total = weights.sum(axis=1, keepdims=True)
    normalised: Array = np.divide(
        weights, total, out=np.zeros_like(weights), where=total > 0
    )
    return normalised.astype(np.float32)


def _along(array: Array, weights: Array, axis: int) -> Array:
    """Apply a matrix to one axis."""
    if weights.shape[0] == weights.shape[1] and np.array_equal(
        weights, np.eye(len(weights))
    ):
        return array
    return np.moveaxis(np.tensordot(weights, array, axes=(1, axis)), 0, axis)


def _lifted(flags: Array, axis: int) -> Array:
    """Return flags of one axis as an array of rank 3."""
    shape = [1, 1, 1]
    shape[axis] = len(flags)
    return flags.reshape(shape)
