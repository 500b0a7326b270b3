"""Burned-in text that is read, not only found: slower and surer (extra ``ocr``).

The words may name a patient. They live in the value that :meth:`TextReader.read` returns and
nowhere else: masks and boxes are what travels, and nothing here is logged.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np

from saliency.errors import InputError, MissingExtraError
from saliency.values.arrays import Array
from saliency.values.image import DicomImage
from saliency.values.placement import Box

#: Longer side of what is read at once: the engine shrinks anything beyond, and small letters go.
MOST, OVERLAP = 1600, 200
#: A box higher than this share of the picture, or larger than that, is a slice of anatomy.
TALLEST, LARGEST = 0.12, 0.15
#: Side, view, projection and position, alone or joined: what a technologist puts on a picture.
_SIDE: Final = "L|R|LT|RT|LEFT|RIGHT"
_VIEW: Final = (
    "A|P|H|F|S|I|AP|PA|LAT|LATERAL|LL|RL|OBL|OBLIQUE|LAO|RAO|LPO|RPO|CC|MLO|ML|LM|XCCL"
    "|SUPINE|PRONE|ERECT|SEMI-?ERECT|UPRIGHT|SEMI-?UPRIGHT|STANDING|SITTING|DECUB(ITUS)?"
    "|PORTABLE|MOBILE|BEDSIDE|INSP|EXP|WB|SCOUT"
)
_MARKER: Final = re.compile(f"({_SIDE})?[ .-]?({_SIDE}|{_VIEW})|[LR](CC|MLO|ML|LM)")


@final
@dataclass(frozen=True, eq=False)
class Words:
    """A line of writing that was read.

    Parameters
    ----------
    box
        Where it stands; the rectangle around it where it is slanted.
    text
        What it says: possibly a patient's name. It is not part of the ``repr``.
    confidence
        Of the engine, 0..1.
    """

    box: Box
    text: str
    confidence: float

    @property
    def marker(self) -> bool:
        """Whether it says side, view or position and nothing else, so that it names nobody."""
        parts = re.split(r"[\s/,;:]+", self.text.strip().upper())
        said = [part.strip(".()[]") for part in parts]
        return all(_MARKER.fullmatch(part) for part in said)

    def __repr__(self) -> str:
        kind = "marker" if self.marker else "text"
        return f"Words({kind}, {self.box}, {len(self.text)} characters, {self.confidence:.2f})"


@final
class TextReader:
    """Reads the writing in pictures; its own methods are callables for ``with_zone``.

    ``image.with_zone("text", reader.text)``. Works without a network: the weights come with the
    package. Loading takes about a second, a picture about one too.

    Parameters
    ----------
    confidence
        Lines read with less, 0..1, are dropped.

    Raises
    ------
    MissingExtraError
        The extra ``ocr`` is not installed.
    InputError
        ``confidence`` outside 0..1.
    """

    def __init__(self, *, confidence: float = 0.5) -> None:
        if not 0 <= confidence <= 1:
            msg = f"TextReader: expected a confidence in 0..1, got {confidence:g}."
            raise InputError(msg)
        self._read = _engine(confidence)

    def __call__(self, image: DicomImage) -> Array:
        """Return bool (rows, columns), True in the boxes of all writing."""
        return _mask(self.read(image), image.size)

    def text(self, image: DicomImage) -> Array:
        """Return the mask of writing that is more than a marker: names, dates, numbers."""
        return _mask((each for each in self.read(image) if not each.marker), image.size)

    def markers(self, image: DicomImage) -> Array:
        """Return the mask of side, view and position markers."""
        return _mask((each for each in self.read(image) if each.marker), image.size)

    def read(self, image: DicomImage) -> tuple[Words, ...]:
        """Read all writing on the display of a picture, in no particular order."""
        shown = np.atleast_3d(image.display)
        # The engine takes what OpenCV loads: blue first.
        page = np.ascontiguousarray(np.broadcast_to(shown, (*shown.shape[:2], 3))[..., ::-1])
        found: list[Words] = []
        for tile in _tiles(image.size):
            lines = (_moved(words, tile) for words in self._read(page[tile.slices]))
            for words in lines:
                if _plausible(words.box, image.size) and not _known(words, found):
                    found.append(words)
        return tuple(found)


def _engine(confidence: float) -> Callable[[Array], list[Words]]:
    try:
        from rapidocr import RapidOCR  # noqa: PLC0415 - half a second, and an extra
    except ImportError as error:
        msg = (
            "TextReader: expected the extra 'ocr', which is not installed. "
            "Install it: pip install 'dicom-saliency[ocr]'."
        )
        raise MissingExtraError(msg) from error
    settings = {"Global.log_level": "critical", "Global.text_score": confidence}
    engine: Any = RapidOCR(params=settings)

    def read(page: Array) -> list[Words]:
        found = engine(page)
        if found.boxes is None:
            return []
        rows = zip(found.boxes, found.txts, found.scores, strict=True)
        return [Words(_around(corners, page.shape), str(t), float(s)) for corners, t, s in rows]

    return read


def _around(corners: Array, size: tuple[int, ...]) -> Box:
    """Return the whole pixels around the corners (x, y) of a quadrangle."""
    limit = np.array([size[1], size[0]])
    left, top = (int(edge) for edge in np.clip(np.floor(corners.min(axis=0)), 0, limit - 1))
    right, bottom = (int(edge) for edge in np.clip(np.ceil(corners.max(axis=0)), 1, limit))
    return Box(top, left, max(1, bottom - top), max(1, right - left))


def _tiles(size: tuple[int, int]) -> Iterable[Box]:
    """Cover a picture with overlapping tiles of at most ``MOST`` pixels a side."""
    starts = [range(0, max(1, side - OVERLAP), MOST - OVERLAP) for side in size]
    for top in starts[0]:
        for left in starts[1]:
            yield Box(top, left, min(MOST, size[0] - top), min(MOST, size[1] - left))


def _moved(words: Words, tile: Box) -> Words:
    box = words.box
    placed = Box(tile.top + box.top, tile.left + box.left, box.rows, box.columns)
    return Words(placed, words.text, words.confidence)


def _plausible(box: Box, size: tuple[int, int]) -> bool:
    rows, columns = size
    tall = min(box.rows, box.columns) > max(TALLEST * min(rows, columns), 40)
    return not tall and box.rows * box.columns <= max(LARGEST * rows * columns, 2000)


def _known(words: Words, found: list[Words]) -> bool:
    """Tell whether a line of an overlapping tile has been read: half of it is covered."""
    return any(_common(words.box, other.box) for other in found)


def _common(one: Box, other: Box) -> bool:
    rows = min(one.top + one.rows, other.top + other.rows) - max(one.top, other.top)
    columns = min(one.left + one.columns, other.left + other.columns) - max(one.left, other.left)
    area = min(one.rows * one.columns, other.rows * other.columns)
    return min(rows, columns) > 0 and 2 * rows * columns > area


def _mask(words: Iterable[Words], size: tuple[int, int]) -> Array:
    mask = np.zeros(size, np.bool_)
    for each in words:
        mask[each.box.slices] = True
    return mask
