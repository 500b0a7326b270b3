"""The answer about a slide: a class for each tile, and heat on one coarse grid in millimetres."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypeAlias, final

import numpy as np

from saliency.errors import InputError
from saliency.pipeline.answer import Answer
from saliency.pipeline.prepare import Prepare
from saliency.render.palettes import AUTO, Palette
from saliency.render.scale import full
from saliency.slides.result_grid import cells_at
from saliency.slides.result_painting import painted_classes, painted_heat
from saliency.slides.result_words import doubt_of, slide_caption_of
from saliency.slides.stitch import TileGrid
from saliency.values.arrays import Array
from saliency.values.heatmap import Heatmap
from saliency.values.image import DicomImage
from saliency.values.overlay import Overlay

Kind: TypeAlias = Literal["heat", "classes"]


@final
@dataclass(frozen=True, eq=False)
class AskedSlide:
    """What of a slide was asked about, and how it looks.

    Parameters
    ----------
    size
        (row, column) mm of the whole slide.
    spacing
        (row, column) mm of a pixel of the model.
    assumed
        Nobody said at which spacing the model was trained: it is that of level 0.
    pixels
        (rows, columns) of level 0.
    affine
        float64 (3, 3) from (row mm, column mm, 1) to (x, y, 1) mm of the slide's coordinates; None
        where they are not known.
    tissue
        bool (rows, columns) of the whole slide on a grid of its own; None: all was asked about.
    digest
        Of what was looked at, hexadecimal: sizes, spacing and thumbnail.
    thumbnail
        pixels of the longer side -> the whole slide so small.
    """

    size: tuple[float, float]
    spacing: tuple[float, float]
    assumed: bool
    pixels: tuple[int, int]
    affine: Array | None
    tissue: Array | None
    digest: str
    thumbnail: Callable[[int], DicomImage] = field(repr=False)


@final
@dataclass(frozen=True, eq=False)
class BagTiles:
    """What a model of multiple instances was given of a slide, and the heat of each tile.

    Parameters
    ----------
    method
        ``"single"``, ``"integrated_gradients"``, ``"lrp"`` or ``"attention"``.
    features
        float32 (n, d) of the tiles asked about, row by row.
    heat
        float32 (n,), as :func:`saliency.slides.bags.bag_heat` gives it.
    """

    method: str
    features: Array
    heat: Array


@final
@dataclass(frozen=True, eq=False, repr=False)
class SlideExplanation:
    """The explanation of one slide for one target by one recipe.

    Parameters
    ----------
    heatmap
        float32 (rows, columns), one value a cell, in the method's unit times the probability of
        the class in each tile (where the model gives one); 0 where no tile was asked. Cells are the
        same length in pixels of the model down and across; ``placement`` says where they lie.
    explained
        bool (rows, columns), True where a tile has a say about a cell.
    scores
        float32 (tile rows, tile columns, classes): the scores of all classes (logits where the
        model has some); of a callable target its score alone. NaN where no tile was asked.
    probabilities
        float32 (tile rows, tile columns): of the target; NaN where no tile was asked, or the model
        gives none.
    grid
        Where tiles and cells lie.
    slide
        What was asked about.
    answer
        Of the tile in which the target has its greatest score.
    vmax
        Heat of full colour, in the method's unit: the same on any slide.
    labels
        Names of all classes; None where they have none.
    indifferent
        The model gives the class to all tissue, and to tiles without content: see ``veiled``.
    prepare
        How a tile became the model's input.
    cutoff
        A class below this probability is not predicted.
    seconds
        How long the whole took, and the model's part of it.
    bag
        Of a model of multiple instances: ``answer`` is then that of the slide as one bag, and
        ``scores`` are those of each tile as a bag of its own. Else None.

    Raises
    ------
    InputError
        Arrays are not on the grid.
    """

    heatmap: Heatmap
    explained: Array
    scores: Array
    probabilities: Array
    grid: TileGrid
    slide: AskedSlide
    answer: Answer
    vmax: float = 1.0
    labels: tuple[str, ...] | None = None
    indifferent: bool = False
    prepare: Prepare | None = None
    cutoff: float = 0.5
    seconds: Mapping[str, float] = field(default_factory=dict)
    bag: BagTiles | None = None

    def __post_init__(self) -> None:
        wanted = self.grid.cells, self.grid.tiles
        got = self.heatmap.values.shape, self.scores.shape[:2]
        if wanted != got:
            msg = f"SlideExplanation: expected cells and tiles of {wanted}, got {got}."
            raise InputError(msg)

    @property
    def score(self) -> float:
        """The target's greatest score among the tiles."""
        return self.answer.score

    @property
    def probability(self) -> float | None:
        """The model's own output that belongs to ``score``; None where it is no probability."""
        return self.answer.probability

    @property
    def target(self) -> int | str:
        """The class index, the label asked for, or the name of the callable."""
        return self.answer.target

    @property
    def label(self) -> str | None:
        """Name of the class; None where the model's classes have no names."""
        return self.answer.label

    @property
    def recipe(self) -> str:
        """``repr`` of the explainer."""
        return self.answer.recipe

    @property
    def model(self) -> Any:
        """Name, sha256 and tapped layers of the model; None where it is no Keras model."""
        return self.answer.model

    @property
    def asked(self) -> Array:
        """Bool (tile rows, tile columns), True where the model was asked about a tile."""
        found: Array = np.isfinite(self.scores[..., 0])
        return found

    @cached_property
    def classes(self) -> Array:
        """int16 (tile rows, tile columns): the class of greatest score, -1 of no tile."""
        scores = np.where(self.asked[..., None], self.scores, 0)
        found: Array = np.where(self.asked, scores.argmax(axis=-1), -1).astype(np.int16)
        return found

    @property
    def dropped(self) -> float:
        """Share of the slide's area that holds no tissue and was not asked about, 0..1."""
        tissue = self.slide.tissue
        return 0.0 if tissue is None else 1 - float(tissue.mean())

    @cached_property
    def placement(self) -> Array:
        """float64 (3, 3): (row, column, 1) on the heat's grid to (row mm, column mm, 1).

        Cell (r, c) is centred at (r + 0.5, c + 0.5); mm are counted from the upper left corner of
        the slide's matrix.
        """
        down, across = (self.grid.cell * mm for mm in self.slide.spacing)
        return np.diag([down, across, 1.0])

    @cached_property
    def affine(self) -> Array | None:
        """float64 (3, 3): (row, column, 1) on the heat's grid to (x, y, 1) mm on the slide.

        In the slide's own coordinates (PS3.3 C.8.12.2); None where its origin is not known.
        """
        own = self.slide.affine
        return None if own is None else own @ self.placement

    @property
    def signed(self) -> bool:
        """Whether there is heat against the target, enough to be seen when painted."""
        return float(self.heatmap.values.min(initial=0)) < -self.vmax / 510

    @property
    def veiled(self) -> bool:
        """Whether the map should not be believed: ``veil_reason`` says why."""
        return bool(self.veil_reason)

    @cached_property
    def veil_reason(self) -> str:
        """Why the map is veiled, in plain words; "" where it is not.

        No tile is of the class; the model gives the class to all tissue alike, and to tiles without
        content as well; its output is saturated; or the map is blank.
        """
        return doubt_of(self)

    @property
    def caption(self) -> str:
        """One line of plain words: class, probability, tiles, method, tissue, doubts."""
        return slide_caption_of(self)

    def share(self, index: int) -> float:
        """Return the share of the tiles asked about whose class is the one of an index."""
        return float((self.classes[self.asked] == index).mean())

    def overlay(
        self,
        kind: Kind = "heat",
        pixels: int = 2048,
        *,
        vmax: float | None = None,
        palette: str | Palette = "green",
        strength: float | None = None,
    ) -> Overlay:
        """Paint heat or classes on a thumbnail of the slide.

        What holds no tissue, and what no tile has a say about, is the thumbnail bit for bit. Heat
        of a veiled explanation is hatched in grey; so are the classes of a model whose answer
        hardly depends on the tissue.

        Parameters
        ----------
        kind
            ``"heat"``; or ``"classes"``: each tile in the colour of its class of greatest score, on
            the brightness of the tissue.
        pixels
            Of the longer side; level 0 is never enlarged.
        vmax
            Heat of full colour, in the method's unit. None: :attr:`vmax`, the same on any slide.
        palette
            Of heat; ``"green"`` is read as ``"diverging"`` where there is heat against the target.
        strength
            Opacity of full heat, or of classes, 0..1; None: 0.65, or 0.5 of classes.

        Returns
        -------
        Overlay
            Of heat with the share of |heat| that lies on glass (``outside``).

        Raises
        ------
        InputError
            An argument is out of range, or more pixels than were kept are asked of a slide that
            was closed.
        """
        if kind not in ("heat", "classes"):
            msg = f"overlay: expected kind 'heat' or 'classes', got {kind!r}."
            raise InputError(msg)
        shown = self.slide.thumbnail(pixels).display
        if kind == "classes":
            return painted_classes(self, shown, 0.5 if strength is None else strength)
        opacity = 0.65 if strength is None else strength
        scale = self.vmax if vmax is None else vmax
        return painted_heat(self, shown, self.palette_for(palette), scale, opacity)

    def palette_for(self, palette: str | Palette) -> Palette:
        """Return the palette that is painted with: a signed map is never painted green."""
        given = (
            palette
            if isinstance(palette, Palette)
            else Palette(palette if palette != AUTO else "green")
        )
        return (
            Palette("diverging") if given.source == "green" and self.signed else given
        )

    def tissue_on(self, size: tuple[int, int]) -> Array:
        """Return bool of a size (rows, columns) of the whole slide: tissue, nearest pixel."""
        tissue = self.slide.tissue
        if tissue is None:
            return np.ones(size, np.bool_)
        return cells_at(tissue, tissue.shape, size)

    def hottest(self) -> tuple[float, float]:
        """Return (row mm, column mm) of the cell with the greatest heat for the target."""
        row, column = np.unravel_index(self.heatmap.values.argmax(), self.grid.cells)
        place = self.placement @ (row + 0.5, column + 0.5, 1)
        return float(place[0]), float(place[1])

    @property
    def peak(self) -> float:
        """The 99.5th percentile of |heat| where there is some, in the method's unit."""
        return full(np.abs(self.heatmap.values))

    def save(
        self,
        folder: str | PathLike[str],
        *,
        palette: str | Palette = "green",
        pixels: int = 2048,
    ) -> Path:
        """Write the answer into a folder.

        ``heat.png`` and ``classes.png``: thumbnails with caption, colours, and a bar of mm below.
        ``heat.npz``: ``values``, ``explained``, ``scores``, ``probabilities``, ``classes``,
        ``placement``, ``affine`` and ``record``. ``heat.geojson``: outlines of half of full heat
        and more, in pixels of level 0 (x, y), as QuPath opens them. ``record.json``: all else.

        Parameters
        ----------
        folder
            There already, or new in one that exists; files of these names are replaced.
        palette, pixels
            As for :meth:`overlay`.

        Raises
        ------
        InputError
            The parent is missing, or it is a file.
        """
        from saliency.slides.result_writers import (  # noqa: PLC0415 - matplotlib is slow to load
            save_slide,
        )

        return save_slide(self, folder, palette=palette, pixels=pixels)

    def __repr__(self) -> str:
        sure = (
            "" if self.probability is None else f", probability={self.probability:.3f}"
        )
        down, across = self.slide.size
        veil = f", veiled: {self.veil_reason}" if self.veiled else ""
        return (
            f"SlideExplanation({self.recipe}, target={self.target!r}, score={self.score:.4g}"
            f"{sure}, {int(self.asked.sum())} of {self.asked.size} tiles, "
            f"{down:.3g} x {across:.3g} mm{veil})"
        )

    def _repr_png_(self) -> bytes:
        return self.overlay(pixels=1024).png()
