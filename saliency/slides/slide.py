"""A slide that is open: levels, regions, tiles at any scale."""

import logging
import operator
import os
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from importlib import import_module
from threading import Lock
from types import TracebackType
from typing import Any, Final, final

import numpy as np

from saliency.dicom.display.icc import through_profile
from saliency.errors import InputError
from saliency.slides.level import Level
from saliency.slides.matrix import Painted
from saliency.slides.pyramid import Layer
from saliency.slides.resample import ResampleGrid
from saliency.slides.tissue import SPACING, on_grid, tissue_in
from saliency.values.arrays import Array
from saliency.values.deferred import deferred
from saliency.values.image import DicomImage
from saliency.values.mask import Mask
from saliency.values.placement import Box
from saliency.values.zone import Zone
from saliency.zones.detect import Hints, found_zones

#: Bytes of decoded tiles that are kept, since neighbouring regions share them.
_KEPT: Final = 2**26
#: Samples of one region: as many as read_dicom takes of one frame.
_MOST: Final = 2**31
#: A level up to this much coarser than asked for is fine enough: makers round the spacing.
_SPACING_TOLERANCE: Final = 0.01
#: Samples of a level that are in memory at once while it is resampled.
_BAND: Final = 2**25
#: Pixels of a side at which tissue is told from glass: 130 mm of a slide.
_MOST_TISSUE: Final = 2**14
_ABSENT: Final = "no tile is stored here: not scanned (TILED_SPARSE, PS3.3 C.7.6.17.3)"


@final
class Slide:
    """A whole slide image, open for reading. :func:`open_slide` makes it; use it in ``with``.

    Any thread may read. Places are (row, column); pixels are counted from 0.
    """

    def __init__(
        self, layers: tuple[Layer, ...], *, label_present: bool, affine: Array | None
    ) -> None:
        self._layers = layers
        self._label_present = label_present
        self._affine = affine
        self._closed = False
        self._kept: OrderedDict[tuple[int, int], Array] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1, "saliency-tiles")

    @property
    def levels(self) -> tuple[Level, ...]:
        """The resolutions, the finest first."""
        return tuple(layer.level for layer in self._layers)

    @property
    def size(self) -> tuple[float, float]:
        """(row, column) mm of level 0."""
        return self.levels[0].size

    @property
    def label_present(self) -> bool:
        """Whether the source holds a picture of the slide's label, which may name a patient."""
        return self._label_present

    @property
    def frames_read(self) -> bytes:
        """Which frames of which files are read: those of one optical path and focal plane."""
        tiles = [layer.matrix.tiles for layer in self._layers]
        return b"".join(each.file.tobytes() + each.frame.tobytes() for each in tiles)

    @property
    def instances(self) -> frozenset[str]:
        """Hashes of the SOP Instance UIDs (0008,0018) of the files of level 0."""
        files = self._layers[0].matrix.tiles.files
        return frozenset(file.header.image for file in files)

    def read_region(
        self, row: int, column: int, rows: int, columns: int, *, level: int = 0
    ) -> DicomImage:
        """Read a region of a level, in that level's own pixels.

        Parameters
        ----------
        row, column
            First pixel.
        rows, columns
            Size of the region.
        level
            Index into :attr:`levels`.

        Returns
        -------
        DicomImage
            RGB. Places without a tile have the colour that the file recommends, else white, and
            are the zone ``"padding"``.

        Raises
        ------
        InputError
            There is no such level, or the region is empty or reaches beyond the level.
        DicomError
            A tile is damaged.
        """
        layer = self._layer_at(level)
        box = _box(layer.level, row, column, rows, columns)
        painted = self._paint(level, box)
        return _image_of_region(
            painted, self._shown(layer, painted), layer.level.spacing
        )

    def read_at(
        self,
        row_mm: float,
        column_mm: float,
        rows: int,
        columns: int,
        spacing: float | tuple[float, float],
    ) -> Array:
        """Read a region at any scale, from the nearest finer level.

        Parameters
        ----------
        row_mm, column_mm
            The region's upper left corner, in mm from that of level 0: outer edges of pixels.
        rows, columns
            Size of the region in pixels of ``spacing``.
        spacing
            (row, column) mm of a pixel, or one number for both.

        Returns
        -------
        Array
            uint8 (rows, columns, 3) RGB. What lies beyond the matrix has the colour of a missing
            tile.

        Raises
        ------
        InputError
            The region lies outside the slide, or a size or the spacing is not above 0.
        """
        both = spacing if isinstance(spacing, tuple) else (spacing, spacing)
        return self._resampled(row_mm, column_mm, rows, columns, both).pixels

    def thumbnail(self, pixels: int = 1024) -> DicomImage:
        """Read the whole slide so small that its longer side has ``pixels`` pixels.

        It is made from the smallest level that is no smaller; level 0 is never enlarged.

        Raises
        ------
        InputError
            ``pixels`` is less than 1.
        """
        rows, columns, spacing = self._thumbnail_grid(pixels)
        shown = self._resampled(0.0, 0.0, rows, columns, spacing)
        return _image_of_region(shown, shown.pixels, spacing)

    def tissue(self, *, pixels: int = 1024, spacing: float = SPACING) -> Mask:
        """Return where there is tissue, on the grid of ``thumbnail(pixels)``.

        Saturation above Otsu's threshold, specks left out; see docs/slides.md. What was not scanned
        is no tissue.

        Parameters
        ----------
        pixels
            As for :meth:`thumbnail`.
        spacing
            mm of a pixel at which tissue is told from glass.

        Raises
        ------
        InputError
            ``pixels`` is less than 1, or the spacing not above 0.
        """
        rows, columns, _ = self._thumbnail_grid(pixels)
        if not 0 < spacing < float("inf"):
            msg = f"tissue: expected a spacing above 0 mm, got {spacing}."
            raise InputError(msg)
        finest = self.levels[0]
        count = [
            max(1, min(own, _MOST_TISSUE, round(side / spacing)))
            for side, own in zip(self.size, (finest.rows, finest.columns), strict=True)
        ]
        own = self.size[0] / count[0], self.size[1] / count[1]
        painted = self._resampled(0.0, 0.0, count[0], count[1], own)
        if self._layers[0].window is not None:
            logging.getLogger("saliency.slides").warning(
                "Slide.tissue: grey pixels have no saturation: all that was scanned counts."
            )
            scanned = np.ones(count, np.bool_)
            if painted.absent is not None:
                scanned &= ~painted.absent
            return Mask(on_grid(scanned, (rows, columns)))
        return Mask(on_grid(tissue_in(painted.pixels, painted.absent), (rows, columns)))

    @property
    def affine(self) -> Array | None:
        """float64 (3, 3): (row mm, column mm, 1) from the upper left corner to (x, y, 1) mm.

        The latter are the slide's own coordinates (PS3.3 C.8.12.2). None where the file does not
        say them.
        """
        return self._affine

    def close(self) -> None:
        """Close the files."""
        self._closed = True
        self._pool.shutdown(cancel_futures=True)
        with self._lock:
            self._kept.clear()
            self._bytes = 0
        for layer in self._layers:
            for file in layer.matrix.tiles.files:
                file.close()

    def __enter__(self) -> "Slide":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def explained_by(self, model: object, explainer: Any, **asked: Any) -> Any:
        """Return the answer of a model about this slide; ``saliency.explain`` calls this."""
        # by name, since it imports this class
        room = import_module("saliency.slides.explain")
        return room.explain_slide(model, self, explainer, **asked)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{each.rows} x {each.columns}" for each in self.levels)
        down, across = self.size
        return f"Slide({down:.3g} x {across:.3g} mm; levels {sizes})"

    def _thumbnail_grid(self, pixels: int) -> tuple[int, int, tuple[float, float]]:
        if pixels < 1:
            msg = f"thumbnail: expected 1 or more pixels, got {pixels}."
            raise InputError(msg)
        finest = self.levels[0]
        factor = max(1.0, max(finest.rows, finest.columns) / pixels)
        rows = max(1, round(finest.rows / factor))
        columns = max(1, round(finest.columns / factor))
        return rows, columns, (self.size[0] / rows, self.size[1] / columns)

    def _nearest_finer(self, spacing: tuple[float, float]) -> int:
        """Return the coarsest level whose pixels are no larger; else level 0."""
        fit = [
            index
            for index, level in enumerate(self.levels)
            if all(
                own <= wanted * (1 + _SPACING_TOLERANCE)
                for own, wanted in zip(level.spacing, spacing, strict=True)
            )
        ]
        return max(fit, default=0)

    def _resampled(
        self,
        row_mm: float,
        column_mm: float,
        rows: int,
        columns: int,
        spacing: tuple[float, float],
    ) -> Painted:
        """Read a region in bands of rows, so that no large part of a level is in memory at once."""
        index = self._nearest_finer(spacing)
        layer = self._layers[index]
        grid = ResampleGrid.of(
            layer.level, (row_mm, column_mm), (rows, columns), spacing
        )
        rgb = np.empty((rows, columns, 3), np.uint8)
        absent = np.zeros((rows, columns), np.bool_)
        for band in grid.bands(_BAND):
            painted = self._paint(index, band.source)
            shown = Painted(self._shown(layer, painted), painted.absent)
            place = slice(band.first_row, band.first_row + band.rows)
            part = band.resample(shown, _as_shown(layer.matrix.blank))
            rgb[place], absent[place] = part.pixels, part.absent
        return Painted(rgb, absent if absent.any() else None)

    def _shown(self, layer: Layer, painted: Painted) -> Array:
        """Return the display of a region: uint8 (rows, columns, 3) RGB."""
        if painted.pixels.ndim == 2:
            image = DicomImage.from_array(painted.pixels, window=layer.window)
            return np.repeat(image.display[..., np.newaxis], 3, axis=-1)
        if not layer.profile:
            return painted.pixels
        shown = np.array(through_profile(painted.pixels, layer.profile))
        if painted.absent is not None:
            shown[painted.absent] = layer.matrix.blank
        return shown

    def _layer_at(self, level: int) -> Layer:
        if not 0 <= level < len(self._layers):
            msg = (
                f"level: expected an index in 0..{len(self._layers) - 1}, got {level}."
            )
            raise InputError(msg)
        return self._layers[level]

    def _paint(self, level: int, box: Box) -> Painted:
        if self._closed:
            msg = (
                "Slide: expected an open slide, got one that was closed. Open it again."
            )
            raise InputError(msg)
        if box.rows * box.columns * 3 > _MOST:
            msg = (
                f"Slide: expected at most {_MOST:,} samples of a level at once, got {box.rows:,} x "
                f"{box.columns:,} x 3. Read it in parts, or at a coarser level."
            )
            raise InputError(msg)
        return self._layers[level].matrix.paint(box, partial(self._decoded, level))

    def _decoded(self, level: int, indices: Array) -> Iterator[Array]:
        """Decode tiles side by side; they are yielded in the order asked for."""
        read = partial(self._tile, level)
        numbers = indices.tolist()
        return self._pool.map(read, numbers) if len(numbers) > 1 else map(read, numbers)

    def _tile(self, level: int, index: int) -> Array:
        """Return a tile, decoded now or lately."""
        key = level, index
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        pixels = self._layers[level].matrix.tiles.read(index)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = pixels
                self._bytes += pixels.nbytes
            while self._bytes > _KEPT:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return pixels


def _box(level: Level, row: int, column: int, rows: int, columns: int) -> Box:
    """Check a region.

    Raises
    ------
    InputError
        It is empty or reaches beyond the level.
    """
    numbers = [_whole_number(value) for value in (row, column, rows, columns)]
    if None in numbers:
        msg = f"read_region: expected whole numbers, got {(row, column, rows, columns)!r}."
        raise InputError(msg)
    box = Box(*(int(value) for value in numbers if value is not None))
    somewhere = min(box.rows, box.columns) >= 1
    if not somewhere or box.cut(Box(0, 0, level.rows, level.columns)) != box:
        msg = (
            f"read_region: expected a region within {level.rows:,} rows x {level.columns:,} "
            f"columns, got rows {box.top:,}..{box.bottom:,}, columns "
            f"{box.left:,}..{box.right:,}."
        )
        raise InputError(msg)
    return box


def _image_of_region(
    painted: Painted, rgb: Array, spacing: tuple[float, float]
) -> DicomImage:
    """Make the image of a region; zones are looked for when somebody asks for them."""
    grey = painted.pixels.ndim == 2
    display = np.ascontiguousarray(rgb[..., 0]) if grey else rgb
    display.flags.writeable = False
    pixels = painted.pixels
    absent = painted.absent
    padding = () if absent is None else (Zone("padding", absent, _ABSENT),)
    return DicomImage(
        pixels=deferred(lambda: pixels.astype(np.float32)),
        display=display,
        zones=deferred(lambda: (*padding, *found_zones(display, Hints("SM", "")))),
        spacing=spacing,
        modality="SM",
        digest=deferred(lambda: sha256(pixels.tobytes()).hexdigest()),
        searched=True,
    )


def _as_shown(blank: Array) -> Array:
    """Return the colour of a place without a tile as RGB: black among grey values."""
    return blank if blank.ndim else np.zeros(3, np.uint8)


def _whole_number(value: object) -> int | None:
    try:
        return None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return None
