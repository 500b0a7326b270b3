"""What a picture of a slide shows that is no specimen (PS3.3 C.8.12.4)."""

from typing import Final

import numpy as np

from saliency.dicom.file.elements import Elements, code, codes, number
from saliency.dicom.file.groups import Groups
from saliency.dicom.file.tags import TAGS
from saliency.dicom.pixels.image_pixel import Layout
from saliency.values.zone import Zone

#: VL Whole Slide Microscopy Image Storage.
_SLIDE: Final = "1.2.840.10008.5.1.4.1.1.77.1.6"


def is_slide(elements: Elements) -> bool:
    """Whether the data set is a whole slide image."""
    return elements.text(TAGS["SOPClassUID"]) == _SLIDE


def shows_label_alone(elements: Elements) -> bool:
    """Whether the picture is one of a slide's label: Image Type (0008,0008), value 3."""
    kinds = codes(elements, TAGS["ImageType"])
    return is_slide(elements) and kinds[2:3] == ("LABEL",)


def label_in_image(elements: Elements) -> str:
    """Return Specimen Label in Image (0048,0010): ``"YES"``, ``"NO"``, ``""`` where not said."""
    term = code(elements, TAGS["SpecimenLabelInImage"])
    return term if term in ("YES", "NO") else ""


def label_zone(elements: Elements, size: tuple[int, int]) -> Zone | None:
    """Return the whole picture where it shows a slide's label and nothing else."""
    if not shows_label_alone(elements):
        return None
    evidence = "Image Type (0008,0008) value 3 is LABEL, PS3.3 C.8.12.4.1.1"
    return Zone("label", np.ones(size, np.bool_), evidence)


def filling_zone(groups: Groups, layout: Layout, frame: int) -> Zone | None:
    """Return the part of a tile that lies beyond the slide's matrix: something fills it up there.

    The last tiles of a row and of a column are as large as all others.
    """
    if not is_slide(groups.top):
        return None
    sides = ("TotalPixelMatrixRows", "TotalPixelMatrixColumns")
    matrix = [number(groups.top, TAGS[side], np.nan) for side in sides]
    first = _first_pixel(groups, layout, frame, matrix)
    if first is None or not np.isfinite([*matrix, *first]).all():
        return None
    rows = np.arange(layout.rows) + first[0]
    columns = np.arange(layout.columns) + first[1]
    beyond_rows = (rows < 0) | (rows >= matrix[0])
    beyond_columns = (columns < 0) | (columns >= matrix[1])
    mask = beyond_rows[:, np.newaxis] | beyond_columns
    evidence = "beyond Total Pixel Matrix Rows, Columns (0048,0007), (0048,0006), PS3.3 C.8.12.4"
    return Zone("padding", mask, evidence) if mask.any() else None


def _first_pixel(
    groups: Groups, layout: Layout, frame: int, matrix: list[float]
) -> tuple[float, float] | None:
    """Return (row, column) from 0 of a tile's first pixel in the matrix; None if it is not said."""
    place = groups.macro(
        "PlanePositionSlideSequence", "RowPositionInTotalImagePixelMatrix"
    )
    if place is not groups.top:
        row = number(place, TAGS["RowPositionInTotalImagePixelMatrix"], np.nan)
        column = number(place, TAGS["ColumnPositionInTotalImagePixelMatrix"], np.nan)
        return row - 1, column - 1
    organization = code(groups.top, TAGS["DimensionOrganizationType"])
    if organization != "TILED_FULL" or not np.isfinite(matrix).all() or min(matrix) < 1:
        return None
    # Tiles follow each other along rows, then down, then through planes and paths (C.7.6.17.3).
    # -(-a // b) rounds up: the last tile of a row may be cut.
    down, across = (
        -(-int(side) // tile) for side, tile in zip(matrix, layout.size, strict=True)
    )
    row, column = divmod(frame % (down * across), across)
    return row * layout.rows, column * layout.columns
