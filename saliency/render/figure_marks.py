"""What a viewer draws around an image: how long a millimetre is, and which side is which."""

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

#: The bar is the longest round length within this share of the width.
_SHARE = 0.3

_OPPOSITE = str.maketrans("LRPAHF", "RLAPFH")


def draw_millimetres(
    panel: Axes, size: tuple[int, int], spacing: tuple[float, float]
) -> None:
    """Draw a bar of a round number of millimetres, lower left in the panel."""
    rows, columns = size
    length = round_length(_SHARE * columns * spacing[1])
    start, level = 0.04 * columns, 0.95 * rows
    end = start + length / spacing[1]
    edges = _edged(3)
    panel.plot(
        [start, end], [level, level], color="white", linewidth=2, path_effects=edges
    )
    words = f"{length / 10:g} cm" if length >= 10 else f"{length:g} mm"
    middle = (start + end) / 2
    panel.text(middle, level - 0.02 * rows, words, ha="center", va="bottom", **_style())
    panel.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))


def round_length(most: float) -> float:
    """Return the greatest of 1, 2, 5 times a power of ten that is no more than ``most``."""
    power = 10.0 ** math.floor(math.log10(most))
    return max(step * power for step in (1, 2, 5) if step * power <= most * (1 + 1e-9))


def draw_letters(panel: Axes, orientation: tuple[str, str]) -> None:
    """Write at each edge which side of the patient lies there; opposite letters face each other."""
    right, bottom = orientation
    style = {**_style(), "transform": panel.transAxes}
    panel.text(0.98, 0.5, right, ha="right", va="center", **style)
    panel.text(0.02, 0.5, right.translate(_OPPOSITE), ha="left", va="center", **style)
    panel.text(0.5, 0.02, bottom, ha="center", va="bottom", **style)
    panel.text(0.5, 0.98, bottom.translate(_OPPOSITE), ha="center", va="top", **style)


def _style() -> dict[str, Any]:
    return {"color": "white", "fontsize": "medium", "path_effects": _edged(2)}


def _edged(width: float) -> list[Any]:
    """Return a black edge: white is seen on any grey then."""
    return [withStroke(linewidth=width + 1, foreground="black")]
