"""Many pictures as one: tiles with a strip of words above each, never on it."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from saliency.errors import InputError
from saliency.render.letters import drawable, font
from saliency.values.arrays import Array

_PAPER: Final = 20
_INK: Final = (225, 225, 225)
_GAP: Final = 2
#: Letters of a strip are a twentieth of the tile's width, within these sizes in pixels.
_SMALLEST, _LARGEST = 10, 28


def tiled(pictures: Sequence[Array], words: Sequence[str], columns: int) -> Array:
    """Return one picture of many.

    Parameters
    ----------
    pictures
        uint8 (rows, columns, 3), all of one size.
    words
        One line for each, written above it.
    columns
        Tiles side by side, 1 or more.

    Returns
    -------
    Array
        uint8 RGB; each picture stands in it bit for bit.

    Raises
    ------
    InputError
        No picture, or fewer than one column.
    """
    if columns < 1 or not pictures:
        msg = f"montage: expected a picture and a column or more, got {len(pictures)}, {columns}."
        raise InputError(msg)
    height, width = pictures[0].shape[:2]
    strip = strip_height(width)
    across = min(columns, len(pictures))
    down = -(-len(pictures) // across)
    tile_height, tile_width = height + strip + _GAP, width + _GAP
    sheet = np.full((down * tile_height, across * tile_width, 3), _PAPER, np.uint8)
    for number, (picture, text) in enumerate(zip(pictures, words, strict=True)):
        top = number // across * tile_height
        left = number % across * tile_width
        sheet[top : top + strip, left : left + width] = _strip(text, width, strip)
        sheet[top + strip : top + strip + height, left : left + width] = picture
    return sheet


def strip_height(width: int) -> int:
    """Return the height of the strip above a tile of a width, in pixels."""
    return round(1.5 * _letters(width))


def _letters(width: int) -> int:
    return int(np.clip(width / 20, _SMALLEST, _LARGEST))


def _strip(text: str, width: int, height: int) -> Array:
    paper = Image.new("RGB", (width, height), (_PAPER,) * 3)
    letters = font(_letters(width))
    text = drawable(text)
    while text and letters.getlength(text) > width:
        text = text[:-1]
    ImageDraw.Draw(paper).text((1, 1), text, fill=_INK, font=letters)
    return np.asarray(paper)
