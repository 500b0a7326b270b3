"""Burned-in text, found in the pixels themselves."""

from collections.abc import Iterator

import numpy as np

from saliency.values.arrays import Array
from saliency.values.placement import Box
from saliency.values.zone import Zone
from saliency.zones.pyramid import InkLevel, ink_levels, scaled
from saliency.zones.text_boxes import around, settled, zone_of
from saliency.zones.text_classifier import score
from saliency.zones.text_lines import ENDS, Line, beside, going_on, lines

#: Pixels of the picture that one of a level may be: larger letters are lone ones at most.
LARGEST = 4
#: What the evidence calls text.
WRITING = "writing"
#: Log odds from which a line is called writing.
SURE = 3.25
#: Log odds from which a line is writing beside a line that is.
NEARLY = 0.0


def text_zone(display: Array) -> Zone | None:
    """Return the boxes of :func:`text_boxes` as the zone ``"text"``, None where there are none."""
    return zone_of("text", text_boxes(display), display.shape, WRITING)


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
    found = [box for level in ink_levels(display) for box in text_on(level)]
    return settled(found, display.shape)


def text_on(level: InkLevel) -> Iterator[Box]:
    """Yield the boxes of the lines of a level that are writing, and of what lies between two."""
    for found in _both_ways(level):
        boxes, words = _written(found)
        yield from boxes
        for one, other in beside(words, ENDS):
            yield around((boxes[one], boxes[other]))


def _written(found: list[tuple[Box, Line]]) -> tuple[list[Box], list[Line]]:
    """Return the lines that are writing: those that are sure, and likely ones that go on them."""
    scores = np.array([score(line) for _, line in found])
    likely = np.flatnonzero(scores > NEARLY)
    words = [found[index][1] for index in likely]
    written = likely[going_on(words, scores[likely] > SURE)]
    return [found[index][0] for index in written], [found[index][1] for index in written]


def candidates(level: InkLevel) -> Iterator[tuple[Box, Line]]:
    """Yield every line of strokes, horizontal and upright, with its box in the picture."""
    for found in _both_ways(level):
        yield from found


def _both_ways(level: InkLevel) -> Iterator[list[tuple[Box, Line]]]:
    """Yield the horizontal lines of a level, then the upright ones."""
    if level.scale > LARGEST:
        return
    turned = level.turned()
    yield [(scaled(line[:4], level.scale), line) for line in lines(level.ridges, level.components)]
    boxes = (
        (scaled(line[:4], level.scale), line) for line in lines(turned.ridges, turned.components)
    )
    yield [(Box(box.left, box.top, box.columns, box.rows), line) for box, line in boxes]
