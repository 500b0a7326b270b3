"""Burned-in text, found in the pixels themselves."""

from collections.abc import Iterator

from saliency.dicom.text_boxes import settled, zone_of
from saliency.dicom.text_lines import Line, lines
from saliency.dicom.text_pages import Page, pages, scaled
from saliency.dicom.text_score import score
from saliency.values.arrays import Array
from saliency.values.placement import Box
from saliency.values.zone import Zone

#: Pixels of the picture that one of a page may be: larger letters are lone ones at most.
LARGEST = 4
#: What the evidence calls text.
WRITING = "writing"
#: Log odds from which a line is called writing.
SURE = 3.25


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
    found = [box for page in pages(display) for box in text_on(page)]
    return settled(found, display.shape)


def text_on(page: Page) -> Iterator[Box]:
    """Yield the boxes of the lines of a page that are writing."""
    for box, line in candidates(page):
        if score(line) > SURE:
            yield box


def candidates(page: Page) -> Iterator[tuple[Box, Line]]:
    """Yield every line of strokes on a page, level and upright, with its box in the picture."""
    if page.scale > LARGEST:
        return
    turned = page.turned()
    for line in lines(page.sheet, page.pieces):
        yield scaled(line[:4], page.scale), line
    for line in lines(turned.sheet, turned.pieces):
        box = scaled(line[:4], page.scale)
        yield Box(box.left, box.top, box.columns, box.rows), line
