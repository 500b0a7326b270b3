"""Mean curves as lines of a picture, for a page without scripts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np

from saliency.evaluation.curves import Curve
from saliency.values.arrays import Array

WIDTH, HEIGHT = 640, 220
"""Of the plot itself, in units of the picture."""


@final
@dataclass(frozen=True)
class DrawnCurve:
    """A curve.

    Parameters
    ----------
    name
        Of the explainer or baseline.
    kind
        ``"leads"``, ``"last"``, ``"other"``; ``"control"``, a baseline.
    points
        As SVG writes them.
    """

    name: str
    kind: str
    points: str


@final
@dataclass(frozen=True)
class Plot:
    """Lines, and what their axes show.

    Parameters
    ----------
    lines
        The last are painted over the first.
    low, high
        Least and greatest score.
    first, last
        Least and greatest share of changed pixels.
    """

    lines: Sequence[DrawnCurve]
    low: float
    high: float
    first: float
    last: float

    @property
    def legend(self) -> list[tuple[str, str]]:
        """(text, kind): who is painted in which colour."""
        told = [(f"{line.name}: {line.kind}", line.kind) for line in self.lines[:-3:-1]]
        others = sum(line.kind == "other" for line in self.lines)
        plural = "s" if others > 1 else ""
        thin = [(f"thin: {others} other explainer{plural}", "other")] if others else []
        dashed = [("dashed: maps that know nothing", "control")]
        ends = [each for each in told if each[1] in ("leads", "last")]
        return [*ends, *thin, *dashed]


_PAINTED: Final = ("control", "other", "last", "leads")


def plot_of(curves: Mapping[str, Curve], ranked: Sequence[str]) -> Plot:
    """Return a plot of mean curves by name; ``ranked`` are the explainers, the best mean first."""
    scores = np.concatenate([curve.scores[0] for curve in curves.values()])
    low, high = float(scores.min()), float(scores.max())
    shares = next(iter(curves.values())).shares
    first, last = float(shares[0]), float(shares[-1])
    lines = [
        DrawnCurve(
            name,
            _kind_of_curve(name, ranked),
            _points(
                _within_ends(curve.shares, first, last),
                _within_ends(curve.scores[0], low, high),
            ),
        )
        for name, curve in curves.items()
    ]
    lines.sort(key=lambda line: _PAINTED.index(line.kind))
    return Plot(lines, low, high, first, last)


def _kind_of_curve(name: str, ranked: Sequence[str]) -> str:
    if name not in ranked:
        return "control"
    ends = {ranked[-1]: "last", ranked[0]: "leads"}
    return ends.get(name, "other")


def _within_ends(values: Array, low: float, high: float) -> Array:
    """Scale to 0..1; 0.5 where all are equal."""
    if high == low:
        return np.full(len(values), 0.5)
    scaled: Any = (values.astype(np.float64) - low) / (high - low)
    return np.asarray(scaled)


def _points(across: Array, up: Array) -> str:
    """Return points of a polyline; an SVG's rows count downwards."""
    places = zip(WIDTH * across, HEIGHT * (1 - up), strict=True)
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
