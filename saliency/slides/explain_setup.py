"""Before a slide is asked about: scale, tiles, tissue, and how a tile becomes an input."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, Final, final

import numpy as np

from saliency.errors import InputError
from saliency.pipeline.explain import prepared
from saliency.pipeline.prepare import Prepare
from saliency.pipeline.preparing import FromFunction, preparation
from saliency.slides.open import open_slide
from saliency.slides.result import AskedSlide
from saliency.slides.result_tissue import tiles_with_tissue, tissue_mask
from saliency.slides.slide import Slide
from saliency.slides.stitch import TileGrid, tile_grid
from saliency.values.arrays import Array
from saliency.values.image import DicomImage
from saliency.values.model_input import ModelInput

#: Pixels of a tile's side where neither the user nor the model says it.
TILE: Final = 512
#: Pixels of the thumbnail that is kept: what ``overlay`` paints on by default.
THUMBNAIL: Final = 2048
AUTO: Final = "auto"


@final
@dataclass(frozen=True, eq=False)
class TileReader:
    """From a place to a prepared tile; any thread may call it.

    Parameters
    ----------
    slide
        Open.
    grid
        Where tiles lie.
    spacing
        (row, column) mm of a pixel of a tile.
    prepare
        An image -> the model's input.
    """

    slide: Slide
    grid: TileGrid
    spacing: tuple[float, float]
    prepare: Callable[[DicomImage], ModelInput]

    def pixels(self, place: tuple[int, int]) -> Array:
        """Return uint8 (rows, columns, 3) of the tile at (tile row, tile column)."""
        down, across = self.grid.at(place)
        row_spacing, column_spacing = self.spacing
        row_mm = down.start * row_spacing
        column_mm = across.start * column_spacing
        rows, columns = self.grid.tile
        return self.slide.read_at(row_mm, column_mm, rows, columns, self.spacing)

    def __call__(self, place: tuple[int, int]) -> ModelInput:
        """Return the model's input of the tile at (tile row, tile column)."""
        return self.made(self.pixels(place))

    def made(self, pixels: Array) -> ModelInput:
        """Return the model's input of a tile's pixels."""
        return self.prepare(
            DicomImage(
                pixels.astype(np.float32),
                pixels,
                spacing=self.spacing,
                modality="SM",
            )
        )


@final
@dataclass(frozen=True, eq=False)
class Tiling:
    """How a slide is cut into tiles and which are asked about, as :func:`explain_slide` is told."""

    prepare: Any
    spacing: Any
    tile: Any
    overlap: float
    tissue: Any


@final
@dataclass(frozen=True, eq=False)
class Setting:
    """All that is settled before the first tile is asked about.

    Parameters
    ----------
    read
        From a place to a prepared tile.
    asked
        bool (tile rows, tile columns): tiles with tissue.
    slide
        What is told of the slide.
    made_by
        The preparation, with what it leaves open.
    """

    read: TileReader
    asked: Array
    slide: AskedSlide
    made_by: Prepare | FromFunction

    @property
    def grid(self) -> TileGrid:
        """Where tiles and cells lie."""
        return self.read.grid

    @property
    def places(self) -> list[tuple[int, int]]:
        """(tile row, tile column) of the tiles to ask about, row by row."""
        return [place for place in self.grid.places() if self.asked[place]]


@contextmanager
def setting(probe: Any, slide: object, tiling: Tiling) -> Iterator[Setting]:
    """Settle scale, tiles and tissue of a slide; it is open for the while.

    Raises
    ------
    InputError
        An argument is out of range, or there is no tissue.
    """
    with opened(slide) as held:
        yield _setting(probe, held, tiling, partial(thumbnail_of, slide))


def _setting(
    probe: Any, slide: Slide, tiling: Tiling, thumbnail: Callable[[int], DicomImage]
) -> Setting:
    made = preparation(tiling.prepare)
    if isinstance(made, Prepare) and made.spacing is not None:
        msg = (
            "explain_slide: expected the spacing in spacing=, where it decides how tiles are read, "
            "got Prepare(spacing=...). Leave it out of Prepare."
        )
        raise InputError(msg)
    if not 0 <= tiling.overlap < 1:
        msg = (
            "explain_slide: expected an overlap of 0 or more and below 1, "
            f"got {tiling.overlap!r}."
        )
        raise InputError(msg)
    scale = _spacing_of(tiling.spacing, slide)
    grid = _grid_of(probe, slide, made, tiling, scale)
    mask = _tissue_of(tiling.tissue, slide)
    asked = (
        np.ones(grid.tiles, np.bool_) if mask is None else tiles_with_tissue(grid, mask)
    )
    if not asked.any():
        msg = (
            "explain_slide: expected a slide with tissue, found none: no tile is asked about. "
            "tissue=None explains all of it, and tissue= also takes a mask of your own."
        )
        raise InputError(msg)
    shown = slide.thumbnail(THUMBNAIL)
    of_slide = AskedSlide(
        size=slide.size,
        spacing=scale,
        assumed=tiling.spacing is None,
        pixels=(slide.levels[0].rows, slide.levels[0].columns),
        affine=slide.affine,
        tissue=mask,
        digest=slide_digest(slide, shown),
        thumbnail=remembering_thumbnail(shown, thumbnail),
    )
    read = TileReader(slide, grid, scale, partial(_prepared, probe, made))
    return Setting(read, asked, of_slide, made)


def _grid_of(
    probe: Any, slide: Slide, made: Any, tiling: Tiling, scale: tuple[float, float]
) -> TileGrid:
    """Lay tiles over a slide, in step with the model's strides where it has some."""
    reach = getattr(probe, "reach", None)
    sides = _tile_of(tiling.tile, made, probe)
    halo = _halo_of(made, reach, sides)
    rows, columns = (
        max(1, round(mm / step)) for mm, step in zip(slide.size, scale, strict=True)
    )
    return tile_grid(
        (rows, columns),
        sides,
        tiling.overlap,
        halo=halo,
        # Only maps that are cut at a halo can equal the whole: those that are blended need no step.
        stride=1 if halo is None or reach is None else reach.stride,
    )


def _prepared(probe: Any, made: Any, image: DicomImage) -> ModelInput:
    return prepared(probe, image, made)


def _tile_of(tile: Any, made: Any, probe: Any) -> tuple[int, int]:
    """Return (rows, columns) of a tile: as told, as prepared, as the model takes it."""
    shape = getattr(probe, "input_shape", None) or (None, None, None)
    given = tile if tile is not None else getattr(made, "size", None)
    if given is None:
        given = tuple(TILE if side is None else side for side in shape[:2])
    try:
        sides = (given, given) if isinstance(given, int | np.integer) else tuple(given)
        rows, columns = (int(side) for side in sides)
    except (TypeError, ValueError):
        rows = columns = 0
    if min(rows, columns) < 1:
        msg = (
            "explain_slide: expected a tile of 1 pixel or more, or (rows, columns), "
            f"got {tile!r}."
        )
        raise InputError(msg)
    return rows, columns


def _spacing_of(spacing: Any, slide: Slide) -> tuple[float, float]:
    if spacing is None:
        own = slide.levels[0].spacing
        logging.getLogger("saliency.slides").info(
            "no spacing was given: the model is taken to be trained at that of level 0, "
            "%g x %g mm a pixel",
            *own,
        )
        return own
    try:
        pair = (
            (spacing, spacing)
            if isinstance(spacing, int | float | np.number)
            else tuple(spacing)
        )
        down, across = (float(mm) for mm in pair)
    except (TypeError, ValueError):
        down = across = 0.0
    if not (0 < down < np.inf and 0 < across < np.inf):
        msg = (
            "explain_slide: expected spacing in mm a pixel, above 0, as 0.0005, or (row, column), "
            f"got {spacing!r}."
        )
        raise InputError(msg)
    finest = slide.levels[0].spacing
    if down < 0.5 * finest[0] or across < 0.5 * finest[1] or down > max(slide.size):
        msg = (
            "explain_slide: expected a spacing between half that of level 0 "
            f"({finest[0]:g} mm) and the slide's length, got {spacing!r} mm. Spacings are in mm: "
            "0.5 um are 0.0005."
        )
        raise InputError(msg)
    return down, across


def _halo_of(made: Any, reach: Any, tile: tuple[int, int]) -> int | None:
    """Return the pixels at a tile's sides that do not count; None: weights rise from the sides.

    Those of a fully convolutional network are where it saw less than its receptive field.
    """
    told = getattr(made, "halo", None)
    if told is not None or reach is None:
        return told
    halo = reach.field - 1
    if 2 * halo + reach.stride > min(tile):
        logging.getLogger("saliency.slides").info(
            "the receptive field of %d pixels leaves less of a tile than a stride of %d: maps of "
            "neighbouring tiles are blended",
            reach.field,
            reach.stride,
        )
        return None
    return int(halo)


def _tissue_of(tissue: Any, slide: Slide) -> Array | None:
    if tissue is None:
        return None
    if isinstance(tissue, str):
        if tissue != AUTO:
            msg = f"explain_slide: expected tissue to be 'auto', None, or a mask, got {tissue!r}."
            raise InputError(msg)
        return tissue_mask(slide.tissue())
    return tissue_mask(tissue)


def slide_digest(slide: Slide, shown: DicomImage) -> str:
    """Return what tells a slide from others; its pixels would take minutes to read.

    Focal planes may share a thumbnail, so which frames are read is a part of it.
    """
    digest = sha256(shown.display.tobytes())
    for level in slide.levels:
        digest.update(repr((level.rows, level.columns, level.spacing)).encode())
    digest.update(slide.frames_read)
    return digest.hexdigest()


def remembering_thumbnail(
    shown: DicomImage, thumbnail: Callable[[int], DicomImage]
) -> Callable[[int], DicomImage]:
    """Return a thumbnail as kept, where it is of the usual size; else read it."""

    def of(pixels: int) -> DicomImage:
        return shown if pixels == THUMBNAIL else thumbnail(pixels)

    return of


def thumbnail_of(slide: object, pixels: int) -> DicomImage:
    """Read a thumbnail; a slide that was given as files is opened for it."""
    with opened(slide) as held:
        return held.thumbnail(pixels)


@contextmanager
def opened(slide: object) -> Iterator[Slide]:
    """Open what is no Slide yet, and close it in the end."""
    with nullcontext(slide) if isinstance(slide, Slide) else open_slide(slide) as held:
        yield held
