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
        terms = re.split(r"[\s/,;:]+", self.text.strip().upper())
        return all(_MARKER.fullmatch(term.strip(".()[]")) for term in terms)

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
        return _mask_of_words(self.read(image), image.size)

    def text(self, image: DicomImage) -> Array:
        """Return the mask of writing that is more than a marker: names, dates, numbers."""
        return _mask_of_words(
            (words for words in self.read(image) if not words.marker), image.size
        )

    def markers(self, image: DicomImage) -> Array:
        """Return the mask of side, view and position markers."""
        return _mask_of_words(
            (words for words in self.read(image) if words.marker), image.size
        )

    def read(self, image: DicomImage) -> tuple[Words, ...]:
        """Read all writing on the display of a picture, in no particular order."""
        display = np.atleast_3d(image.display)
        rgb = np.broadcast_to(display, (*display.shape[:2], 3))
        # The engine takes what OpenCV loads: blue first.
        page = np.ascontiguousarray(rgb[..., ::-1])
        lines: list[Words] = []
        for tile in _overlapping_tiles(image.size):
            for words in self._read(page[tile.slices]):
                of_tile = words.box
                top, left = tile.top + of_tile.top, tile.left + of_tile.left
                box = Box(top, left, of_tile.rows, of_tile.columns)
                # A line of the overlap is read in two tiles.
                known = any(_half_common(box, line.box) for line in lines)
                if _plausible(box, image.size) and not known:
                    lines.append(Words(box, words.text, words.confidence))
        return tuple(lines)


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
        output = engine(page)
        if output.boxes is None:
            return []
        lines = zip(output.boxes, output.txts, output.scores, strict=True)
        return [
            Words(_box_of_corners(corners, page.shape), str(text), float(score))
            for corners, text, score in lines
        ]

    return read


def _box_of_corners(corners: Array, size: tuple[int, ...]) -> Box:
    """Return the whole pixels around the corners (x, y) of a quadrangle."""
    limit = np.array([size[1], size[0]])
    # Floored and ceiled, then kept on the page: the box holds a pixel even at its end.
    least = np.clip(np.floor(corners.min(axis=0)), 0, limit - 1)
    greatest = np.clip(np.ceil(corners.max(axis=0)), 1, limit)
    left, top = (int(edge) for edge in least)
    right, bottom = (int(edge) for edge in greatest)
    return Box(top, left, max(1, bottom - top), max(1, right - left))


def _overlapping_tiles(size: tuple[int, int]) -> Iterable[Box]:
    """Cover a picture with overlapping tiles of at most ``MOST`` pixels a side."""
    tops, lefts = (range(0, max(1, side - OVERLAP), MOST - OVERLAP) for side in size)
    for top in tops:
        for left in lefts:
            yield Box(top, left, min(MOST, size[0] - top), min(MOST, size[1] - left))


def _plausible(box: Box, size: tuple[int, int]) -> bool:
    """Tell whether a box is as small as writing; 40 rows and 2000 pixels pass in any picture."""
    rows, columns = size
    tall = min(box.rows, box.columns) > max(TALLEST * min(rows, columns), 40)
    return not tall and box.rows * box.columns <= max(LARGEST * rows * columns, 2000)


def _half_common(box: Box, other: Box) -> bool:
    """Tell whether more than half of the smaller of two boxes lies in the other."""
    bottom = min(box.top + box.rows, other.top + other.rows)
    right = min(box.left + box.columns, other.left + other.columns)
    rows = bottom - max(box.top, other.top)
    columns = right - max(box.left, other.left)
    smaller = min(box.rows * box.columns, other.rows * other.columns)
    return min(rows, columns) > 0 and 2 * rows * columns > smaller


def _mask_of_words(lines: Iterable[Words], size: tuple[int, int]) -> Array:
    mask = np.zeros(size, np.bool_)
    for words in lines:
        mask[words.box.slices] = True
    return mask
