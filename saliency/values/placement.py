"""Where the image lies on the model's grid, and back."""

from dataclasses import dataclass
from typing import NamedTuple, final

from saliency.errors import InputError


@final
class Box(NamedTuple):
    """A rectangle of whole pixels: first row, first column, rows, columns."""

    top: int
    left: int
    rows: int
    columns: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """The rectangle as an index of an array (rows, columns, ...)."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def bottom(self) -> int:
        """The row behind the last."""
        return self.top + self.rows

    @property
    def right(self) -> int:
        """The column behind the last."""
        return self.left + self.columns

    def cut(self, other: "Box") -> "Box":
        """Return the part that both have; its rows or columns are 0 where there is none."""
        top = max(self.top, other.top)
        left = max(self.left, other.left)
        rows = min(self.bottom, other.bottom) - top
        columns = min(self.right, other.right) - left
        return Box(top, left, max(0, rows), max(0, columns))

    def within(self, other: "Box") -> "Box":
        """Return this rectangle as another one counts its pixels."""
        top, left = self.top - other.top, self.left - other.left
        return Box(top, left, self.rows, self.columns)


@final
@dataclass(frozen=True)
class Placement:
    """An axis-parallel affine map between the image grid and the model grid.

    ``image_box`` is stretched onto ``model_box``; what lies outside either has no counterpart
    (the bars of a letterbox, the margin that a crop cut off). Coordinates are continuous: pixel k
    covers [k, k + 1), its centre is k + 0.5, so no half-pixel convention is left to guess.

    Parameters
    ----------
    image_size, model_size
        Whole grids, (rows, columns).
    image_box, model_box
        The parts that correspond, each inside its grid.

    Raises
    ------
    InputError
        A box is empty or leaves its grid.
    """

    image_size: tuple[int, int]
    model_size: tuple[int, int]
    image_box: Box
    model_box: Box

    def __post_init__(self) -> None:
        _inside(self.image_box, self.image_size, "image")
        _inside(self.model_box, self.model_size, "model")

    @property
    def scale(self) -> tuple[float, float]:
        """Model pixels per image pixel, down and across."""
        rows = self.model_box.rows / self.image_box.rows
        return rows, self.model_box.columns / self.image_box.columns

    def forward(self, point: tuple[float, float]) -> tuple[float, float]:
        """Image point (row, column) -> model point (row, column)."""
        (row, column), (down, across) = point, self.scale
        return (
            self.model_box.top + (row - self.image_box.top) * down,
            self.model_box.left + (column - self.image_box.left) * across,
        )

    def back(self, point: tuple[float, float]) -> tuple[float, float]:
        """Model point (row, column) -> image point (row, column)."""
        (row, column), (down, across) = point, self.scale
        return (
            self.image_box.top + (row - self.model_box.top) / down,
            self.image_box.left + (column - self.model_box.left) / across,
        )

    def within(self, image_size: tuple[int, int], part: Box) -> "Placement":
        """Return the same map for a whole image, of which this one's image grid is a part.

        Raises
        ------
        InputError
            The part leaves the image.
        """
        _inside(part, image_size, "image")
        top, left, rows, columns = self.image_box
        box = Box(part.top + top, part.left + left, rows, columns)
        return Placement(image_size, self.model_size, box, self.model_box)


def whole(size: tuple[int, int]) -> Box:
    """Return the box that covers a grid of ``size`` (rows, columns)."""
    return Box(0, 0, *size)


def stretch(image_size: tuple[int, int], model_size: tuple[int, int]) -> Placement:
    """Fill the model grid; rows and columns may scale differently."""
    return Placement(image_size, model_size, whole(image_size), whole(model_size))


def letterbox(image_size: tuple[int, int], model_size: tuple[int, int]) -> Placement:
    """Fit the whole image, keep its aspect ratio, centre it between bars."""
    return Placement(
        image_size,
        model_size,
        whole(image_size),
        _centred(image_size, inside=model_size),
    )


def crop(image_size: tuple[int, int], model_size: tuple[int, int]) -> Placement:
    """Fill the model grid with the largest centred part of the image that has its aspect ratio."""
    return Placement(
        image_size,
        model_size,
        _centred(model_size, inside=image_size),
        whole(model_size),
    )


def spaced(
    image_size: tuple[int, int],
    scale: tuple[float, float],
    model_size: tuple[int, int] | None,
) -> Placement:
    """Resample by a scale, then crop or pad around the centre.

    Parameters
    ----------
    scale
        Model pixels per image pixel, down and across. Boxes are of whole pixels, so it is kept to
        the nearest pixel of the picture.
    model_size
        None: what the image becomes.
    """
    became = tuple(max(1, round(n * s)) for n, s in zip(image_size, scale, strict=True))
    size = model_size or (became[0], became[1])
    shown, kept = zip(
        *map(_pixels_along_axis, image_size, scale, became, size), strict=True
    )
    image_box, model_box = _middle(kept, image_size), _middle(shown, size)
    return Placement(image_size, size, image_box, model_box)


def _pixels_along_axis(
    image: int, scale: float, became: int, model: int
) -> tuple[int, int]:
    """Return how many pixels of the model, and of the image, correspond along one axis."""
    if became <= model:
        return became, image
    return model, min(image, max(1, round(model / scale)))


def _middle(shape: tuple[int, ...], inside: tuple[int, int]) -> Box:
    rows, columns = shape
    return Box((inside[0] - rows) // 2, (inside[1] - columns) // 2, rows, columns)


def _centred(shape: tuple[int, int], *, inside: tuple[int, int]) -> Box:
    """Return the largest box of the aspect ratio of ``shape`` inside a grid, centred."""
    rows, columns = shape
    scale = min(inside[0] / rows, inside[1] / columns)
    # A long, thin shape keeps one pixel of its shorter side.
    down = max(1, round(rows * scale))
    across = max(1, round(columns * scale))
    return _middle((min(down, inside[0]), min(across, inside[1])), inside)


def _inside(box: Box, size: tuple[int, int], name: str) -> None:
    starts = box.top >= 0 and box.left >= 0 and box.rows > 0 and box.columns > 0
    ends = box.top + box.rows <= size[0] and box.left + box.columns <= size[1]
    if not (starts and ends):
        msg = f"Placement: expected a box inside the {name} grid {size}, got {box}."
        raise InputError(msg)
