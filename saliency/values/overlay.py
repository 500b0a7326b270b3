"""The image with the heat painted on it."""

import math
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, final

import numpy as np

from saliency import png
from saliency.errors import InputError
from saliency.values.arrays import Array, frozen
from saliency.values.files import place_of, write_whole
from saliency.values.notebook import bundle, preview


@final
@dataclass(frozen=True, eq=False)
class Overlay:
    """A painted image on the grid of the original.

    Parameters
    ----------
    rgb
        uint8 (rows, columns, 3).
    outside
        Share of |heat|, 0..1, that lies outside the diagnostic pixels, whether painted or not;
        None where nobody looked for what is not diagnostic.
    palette
        The source of the ``Palette``; "" where the colours do not show heat.
    full
        Heat of full colour, in the method's unit; None where there is no such scale.

    Raises
    ------
    InputError
        The array is not RGB, or the share is outside 0..1.
    """

    rgb: Array
    outside: float | None = None
    palette: str = ""
    full: float | None = None

    def __post_init__(self) -> None:
        rgb = frozen(self.rgb, np.uint8, "Overlay.rgb", ranks=(3,))
        if rgb.shape[2] != 3:
            msg = f"Overlay.rgb: expected shape (rows, columns, 3), got {rgb.shape}."
            raise InputError(msg)
        if self.outside is not None and not 0 <= self.outside <= 1:
            msg = f"Overlay.outside: expected a share in 0..1, got {self.outside}."
            raise InputError(msg)
        object.__setattr__(self, "rgb", rgb)

    def png(self) -> bytes:
        """Return a PNG file of every pixel, without any text in it."""
        return png.encode(self.rgb)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write a PNG file whole or not at all.

        Parameters
        ----------
        path
            Ends in ``.png``; its folder exists. A file of that name is replaced.

        Returns
        -------
        Path
            Where the file lies.

        Raises
        ------
        InputError
            The name has another ending, or the folder is missing.
        """
        return write_whole(place_of(path, ".png", "Overlay"), self.png())

    def square(self, spacing: tuple[float, float]) -> "Overlay":
        """Return the picture with square millimetres, for looking at; heat keeps its own grid.

        Parameters
        ----------
        spacing
            (row mm, column mm) of the picture as it is, both above 0. The side with the larger
            pixels is stretched, so that no pixel is lost; each new one shows its nearest.

        Raises
        ------
        InputError
            A spacing is not above 0.
        """
        if not all(math.isfinite(each) and each > 0 for each in spacing):
            msg = f"Overlay.square: expected a spacing (row mm, column mm) above 0, got {spacing}."
            raise InputError(msg)
        down, across = (
            _nearest_indices(size, side / min(spacing))
            for size, side in zip(self.rgb.shape, spacing, strict=False)
        )
        return replace(self, rgb=self.rgb[down][:, across])

    def __reduce__(self) -> tuple[object, ...]:
        return Overlay, (self.rgb, self.outside, self.palette, self.full)

    def __repr__(self) -> str:
        rows, columns, _ = self.rgb.shape
        if self.outside is None:
            return f"Overlay({rows} x {columns})"
        where = f"{self.outside:.1%} of the heat outside the diagnostic pixels"
        return f"Overlay({rows} x {columns}, {where})"

    def _repr_png_(self) -> bytes:
        return preview(self.rgb)

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, Any]:
        del include, exclude  # the notebook filters by itself
        return bundle(repr(self), self.rgb)


def _nearest_indices(size: int, factor: float) -> Array:
    """Return for each of ``size * factor`` pixels the index of the one that it shows."""
    count = max(1, round(size * factor))
    where: Array = ((np.arange(count) + 0.5) * size / count).astype(np.intp)
    return where
