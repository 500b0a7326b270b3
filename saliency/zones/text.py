"""Burned-in text, found in the pixels themselves."""

from collections.abc import Iterator

import numpy as np

from saliency.values.arrays import Array
from saliency.values.placement import Box
from saliency.values.zone import Zone
from saliency.zones.pyramid import InkLevel, ink_levels, picture_box
from saliency.zones.text_boxes import bounding_box, pad_and_join, zone_of
from saliency.zones.text_classifier import score
from saliency.zones.text_lines import (
    ENDS,
    TextLine,
    going_on,
    horizontal_lines,
    of_a_page,
    side_by_side_lines,
)

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
    boxes = [box for level in ink_levels(display) for box in text_on(level)]
    return pad_and_join(boxes, display.shape)


def text_on(level: InkLevel) -> Iterator[Box]:
    """Yield the boxes of the lines of a level that are writing, and of what lies between two."""
    for boxed_lines in _both_directions(level):
        scores = np.array([score(line) for _, line in boxed_lines])
        likely = np.flatnonzero(scores > NEARLY)
        likely_lines = [boxed_lines[index][1] for index in likely]
        # Sure lines are writing; so are likely ones that go on them, or are of a page with them.
        sure = scores[likely] > SURE
        written = likely[going_on(likely_lines, sure) | of_a_page(likely_lines, sure)]
        boxes = [boxed_lines[index][0] for index in written]
        yield from boxes
        for here, there in side_by_side_lines(
            [boxed_lines[index][1] for index in written], ENDS
        ):
            yield bounding_box((boxes[here], boxes[there]))


def candidates(level: InkLevel) -> Iterator[tuple[Box, TextLine]]:
    """Yield every line of strokes, horizontal and upright, with its box in the picture."""
    for boxed_lines in _both_directions(level):
        yield from boxed_lines


def _both_directions(level: InkLevel) -> Iterator[list[tuple[Box, TextLine]]]:
    """Yield the horizontal lines of a level, then the upright ones."""
    if level.scale > LARGEST:
        return
    turned = level.turned()
    horizontal = horizontal_lines(level.ridges, level.components)
    yield [(picture_box(line[:4], level.scale), line) for line in horizontal]
    upright = horizontal_lines(turned.ridges, turned.components)
    boxes = ((picture_box(line[:4], level.scale), line) for line in upright)
    # Back from the turned level: rows for columns.
    yield [(Box(box.left, box.top, box.columns, box.rows), line) for box, line in boxes]
