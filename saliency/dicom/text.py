"""Burned-in text, found in the pixels themselves."""

from collections.abc import Iterator

import numpy as np

from saliency.dicom.text_lines import Line, lines
from saliency.dicom.text_pieces import near, unite
from saliency.dicom.text_score import score
from saliency.dicom.text_strokes import FAINT, halve, sheet
from saliency.errors import InputError
from saliency.values.arrays import Array
from saliency.values.placement import Box
from saliency.values.zone import Zone

#: Grey levels of contrast, each looked for on its own: letters may touch fainter ridges.
CONTRASTS = (FAINT, 64, 128)
#: Where more of the picture is ink, in share or in pixels, it is texture, and only stronger ink is
#: followed.
MOST_INK = (0.2, 200_000)
#: Times that the picture is halved to meet larger letters, and the shortest side of what is left.
HALVINGS, SHORTEST = 2, 40
#: Log odds from which a line is called writing.
SURE = 3.0


def text_zone(display: Array) -> Zone | None:
    """Return the boxes of :func:`text_boxes` as the zone ``"text"``, None where there are none."""
    boxes = text_boxes(display)
    if not boxes:
        return None
    mask = np.zeros(display.shape[:2], np.bool_)
    for box in boxes:
        mask[box.slices] = True
    sizes = sorted(min(box.rows, box.columns) for box in boxes)
    count = f"{len(boxes)} box" + "es" * (len(boxes) > 1)
    return Zone("text", mask, f"{count} of writing, {sizes[0]}..{sizes[-1]} px high")


def text_boxes(display: Array) -> tuple[Box, ...]:
    """Find drawn text.

    Parameters
    ----------
    display
        uint8 (rows, columns) or RGB (rows, columns, 3).

    Returns
    -------
    tuple of Box
        One box a line of writing or so, padded by a quarter of its height.

    Raises
    ------
    InputError
        Another shape or dtype.
    """
    found = [box for grey in polarities(display) for box in _boxes(grey)]
    return _merged([_padded(box, display.shape) for box in found])


def candidates(grey: Array) -> Iterator[tuple[Box, Line]]:
    """Yield every line of bright strokes, with the box of it in uint8 (rows, columns)."""
    scale = 1
    yield from _on_level(grey, scale)
    while scale < 2**HALVINGS and min(grey.shape) >= 2 * SHORTEST:
        grey, scale = halve(grey), 2 * scale
        yield from _on_level(grey, scale)


def _on_level(grey: Array, scale: int) -> Iterator[tuple[Box, Line]]:
    page, most = sheet(grey), min(MOST_INK[0] * grey.size, MOST_INK[1])
    for contrast in CONTRASTS:
        page = page.above(contrast)
        if len(page.ink) <= most:
            yield from ((_box(line, scale), line) for line in lines(page))
            yield from ((_flipped(_box(line, scale)), line) for line in lines(page.turned()))


def _boxes(grey: Array) -> Iterator[Box]:
    for box, line in candidates(grey):
        if score(line) > SURE:
            yield box


def polarities(display: Array) -> tuple[Array, Array]:
    """Return the picture so that bright, then dark writing of any hue is bright."""
    given = np.asarray(display)
    if given.dtype != np.uint8 or given.ndim not in (2, 3) or given.shape[2:] not in ((), (3,)):
        msg = (
            "text: expected the display, uint8 (rows, columns) or (rows, columns, 3), "
            f"got {given.dtype} {given.shape}."
        )
        raise InputError(msg)
    if given.ndim == 2:
        return given, ~given
    red, green, blue = (given[..., channel] for channel in range(3))
    brightest = np.maximum(np.maximum(red, green), blue)
    return brightest, ~np.minimum(np.minimum(red, green), blue)


def _box(line: Line, scale: int) -> Box:
    rows, columns = line.bottom - line.top, line.right - line.left
    return Box(line.top * scale, line.left * scale, rows * scale, columns * scale)


def _flipped(box: Box) -> Box:
    return Box(box.left, box.top, box.columns, box.rows)


def _padded(box: Box, size: tuple[int, ...]) -> Box:
    margin = max(2, round(min(box.rows, box.columns) / 4))
    top, left = max(0, box.top - margin), max(0, box.left - margin)
    bottom = min(size[0], box.top + box.rows + margin)
    right = min(size[1], box.left + box.columns + margin)
    return Box(top, left, bottom - top, right - left)


def _merged(boxes: list[Box]) -> tuple[Box, ...]:
    """Join boxes of which one covers half of the other, until none does."""
    while True:
        joined = _joined(boxes)
        if len(joined) == len(boxes):
            return tuple(sorted(joined))
        boxes = joined


def _joined(boxes: list[Box]) -> list[Box]:
    if not boxes:
        return []
    corners = np.array([(b.top, b.left, b.top + b.rows, b.left + b.columns) for b in boxes])
    here, there = near(np.zeros(len(boxes)), 0)
    low = np.maximum(corners[here, :2], corners[there, :2])
    high = np.minimum(corners[here, 2:], corners[there, 2:])
    common = np.maximum(high - low, 0).prod(axis=1)
    areas = (corners[:, 2:] - corners[:, :2]).prod(axis=1)
    half = 2 * common >= np.minimum(areas[here], areas[there])
    group = unite(len(boxes), here[half], there[half])
    return [_around(corners[group == number]) for number in range(group.max() + 1)]


def _around(corners: Array) -> Box:
    top, left = (int(edge) for edge in corners[:, :2].min(axis=0))
    bottom, right = (int(edge) for edge in corners[:, 2:].max(axis=0))
    return Box(top, left, bottom - top, right - left)
