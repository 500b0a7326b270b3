"""Pictures in rows with a line of text above each, as one PNG."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

Row = Sequence[tuple[str, Any]]


def save_sheet(rows: Sequence[Row], path: Path) -> Path:
    """Draw (text, picture) pairs; a picture is uint8, (rows, columns) or RGB."""
    across = max(len(row) for row in rows)
    height, width = rows[0][0][1].shape[:2]
    size = (2.6 * across, (2.6 * height / width + 0.25) * len(rows))
    sheet = Figure(figsize=size, layout="constrained", dpi=120)
    grid = sheet.subplots(len(rows), across, squeeze=False)
    for place in grid.flat:
        place.set_axis_off()
    for places, row in zip(grid, rows, strict=True):
        for place, (text, picture) in zip(places, row, strict=False):
            place.imshow(
                picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest"
            )
            place.set_title(text, fontsize=8)
    sheet.savefig(path)
    return path
