"""From the pixels of a level to a grid in mm: bilinear, an average where it gets coarser."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from PIL import Image

from saliency.errors import InputError
from saliency.slides.level import Level
from saliency.slides.matrix import Painted
from saliency.values.arrays import Array
from saliency.values.placement import Box

#: Pixels: what arithmetic in mm leaves of a whole number.
_ROUNDING: Final = 1e-6
_BILINEAR: Final = Image.Resampling.BILINEAR


@final
@dataclass(frozen=True)
class Axis:
    """One axis of a grid over a level.

    Parameters
    ----------
    start
        Where the grid starts, in pixels of the level; pixel k covers k to k + 1.
    scale
        Pixels of the level that one of the grid is as long as.
    count
        Pixels of the grid.
    length
        Pixels of the level.
    """

    start: float
    scale: float
    count: int
    length: int

    @property
    def first(self) -> int:
        """The first pixel of the level that is needed: of a triangle around the first centre."""
        reach = max(1.0, self.scale)
        return min(
            self.length - 1, max(0, math.floor(self.start + self.scale / 2 - reach))
        )

    @property
    def end(self) -> int:
        """The pixel behind the last that is needed."""
        reach = max(1.0, self.scale)
        last = self.start + (self.count - 0.5) * self.scale + reach
        return max(self.first + 1, min(self.length, math.ceil(last)))

    @property
    def beyond(self) -> Array:
        """Bool (count,), True where the centre of a pixel lies beyond the level."""
        centres = self.start + (np.arange(self.count) + 0.5) * self.scale
        return (centres < 0) | (centres > self.length)

    def part(self, first: int, count: int) -> "Axis":
        """Return some pixels of the grid."""
        return Axis(self.start + first * self.scale, self.scale, count, self.length)


@final
@dataclass(frozen=True)
class Band:
    """Some rows of a grid, and what they need of the level."""

    first_row: int
    down: Axis
    across: Axis

    @property
    def rows(self) -> int:
        """How many."""
        return self.down.count

    @property
    def source(self) -> Box:
        """The part of the level that is needed."""
        return Box(
            self.down.first,
            self.across.first,
            self.down.end - self.down.first,
            self.across.end - self.across.first,
        )

    def resample(self, painted: Painted, blank: Array) -> Painted:
        """Return the pixels of the grid; those beyond the level are blank and absent."""
        rgb = _resized(painted.pixels, self.down, self.across)
        absent = self.down.beyond[:, np.newaxis] | self.across.beyond
        if painted.absent is not None:
            holes = painted.absent.astype(np.uint8) * 255
            absent |= _resized(holes, self.down, self.across) > 127
        rgb[absent] = blank
        return Painted(rgb, absent)


@final
@dataclass(frozen=True)
class ResampleGrid:
    """A grid of pixels over a level."""

    down: Axis
    across: Axis

    @staticmethod
    def of(
        level: Level,
        corner: tuple[float, float],
        size: tuple[int, int],
        spacing: tuple[float, float],
    ) -> "ResampleGrid":
        """Lay a grid over a level.

        Parameters
        ----------
        level
            That is read.
        corner
            (row, column) mm from the upper left corner of level 0.
        size
            (rows, columns).
        spacing
            (row, column) mm.

        Raises
        ------
        InputError
            A size or the spacing is not above 0, or the grid lies outside the level.
        """
        sides = zip(
            corner, size, spacing, level.spacing, level.corner, (level.rows, level.columns),
            strict=True,
        )  # fmt: skip
        axes = []
        for place, count, step, own, own_corner, length in sides:
            if not (count >= 1 and 0 < step < math.inf and math.isfinite(place)):
                msg = (
                    "read_at: expected a finite place, 1 or more pixels and a spacing above 0 mm, "
                    f"got {place} mm, {count} pixels of {step} mm."
                )
                raise InputError(msg)
            start = (place - own_corner) / own
            whole = round(start)
            start = whole if abs(start - whole) < _ROUNDING else start
            axis = Axis(start, step / own, count, length)
            if axis.beyond.all():
                msg = (
                    f"read_at: expected a region that meets the slide (0..{length * own:g} mm), "
                    f"got {place:g}..{place + count * step:g} mm."
                )
                raise InputError(msg)
            axes.append(axis)
        return ResampleGrid(axes[0], axes[1])

    def bands(self, samples: int) -> Iterator[Band]:
        """Cut the grid into bands of rows that need about so many samples of the level."""
        samples_of_row = (self.across.end - self.across.first) * 3  # three colours
        rows_of_level = samples / samples_of_row
        # The triangle reaches a pixel of the grid beyond the band on each side.
        rows = max(1, int(rows_of_level / self.down.scale - 2))
        for first in range(0, self.down.count, rows):
            count = min(rows, self.down.count - first)
            yield Band(first, self.down.part(first, count), self.across)


def _resized(pixels: Array, down: Axis, across: Axis) -> Array:
    """Resample by a triangle of half width max(1, scale), as Pillow's BILINEAR does.

    Rows first, in a call of their own, as ``pipeline.resize`` does: Pillow 13 chooses by the size.
    """
    before_rows, after_rows = _margins(down)
    before_columns, after_columns = _margins(across)
    edges: Any = [(before_rows, after_rows), (before_columns, after_columns)]
    edges += [(0, 0)] * (pixels.ndim - 2)
    if before_rows or after_rows or before_columns or after_columns:
        pixels = np.pad(pixels, edges, mode="edge")
    top = down.start - down.first + before_rows
    left = across.start - across.first + before_columns
    right, bottom = left + across.count * across.scale, top + down.count * down.scale
    rows, columns = len(pixels), across.count
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    wide = picture.resize((columns, rows), _BILINEAR, box=(left, 0, right, rows))
    box = (0, top, columns, bottom)
    return np.array(wide.resize((columns, down.count), _BILINEAR, box=box))


def _margins(axis: Axis) -> tuple[int, int]:
    """Return the pixels before and behind the level that the grid covers."""
    before = max(0, math.ceil(axis.first - axis.start))
    end = axis.start + axis.count * axis.scale
    return before, max(0, math.ceil(end - axis.end - _ROUNDING))
