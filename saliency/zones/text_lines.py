"""Lines of writing: components of equal height on a common baseline, and words that go on them."""

from collections.abc import Sequence
from math import inf
from typing import Final, NamedTuple

import numpy as np

from saliency.values.arrays import Array
from saliency.zones.components import Components, Places, Reach, side_by_side, unite
from saliency.zones.ridges import Ridges

#: Rows of a letter on its level of the pyramid, and of the least one beside it: "a" in "Mary".
HEIGHT, SMALL = (6, 22), 5
#: Letters of a line.
LETTERS = Reach(alike=0.6, apart=1.3, overlap=0.3, off=0.15)
#: A sure word and one that goes on it, such as "kVp" before "110".
NEXT: Final = Reach(alike=0.75, apart=3.0, overlap=inf, off=0.25)
#: Two words whose middle is read as well: a name that is faint there.
ENDS: Final = NEXT._replace(apart=4.0)
#: So many sure lines of one height, within so many pixels, are a page in one typeface.
PAGE, ONE_HEIGHT = 6, 0.5
#: A picture with more components like letters than this is texture: nothing is read in it.
MOST = 4000
#: Grey levels by which the peaks of two letters of a line differ at most.
BRIGHTNESS = 25
#: Strokes that a mean row of a line crosses at least: two letters of about one each, such as "St".
CROSSED = 1.9


class TextLine(NamedTuple):
    """Components that stand like letters, and what tells writing from anatomy.

    ``letters`` and ``crossings`` are counts: letters by width, strokes crossed by a mean row. All
    others are ratios, to the height, the contrast or the area of the strokes; ``stroke`` is their
    mean width, ``strokes_uneven`` its deviation from letter to letter.
    """

    top: int
    left: int
    bottom: int
    right: int
    components: int
    height: float
    letters: float
    crossings: float
    uneven: float
    misaligned: float
    discoloured: float
    exact: float
    outside: float
    inside: float
    rough: float
    fill: float
    sharp: float
    ridge: float
    stroke: float
    strokes_uneven: float


def horizontal_lines(ridges: Ridges, components: Components) -> tuple[TextLine, ...]:
    """Join components of ink like letters to horizontal lines, and measure each line."""
    letters = components[_letter_like(components)]
    if not 0 < len(letters) <= MOST:
        return ()
    here, there = side_by_side(letters.places, LETTERS, HEIGHT[1])
    # Letters of a line are of one brightness, too.
    alike = np.abs(letters.peak[here] - letters.peak[there]) <= BRIGHTNESS
    line = unite(len(letters), here[alike], there[alike])
    order = np.argsort(line, kind="stable")
    starts = np.flatnonzero(np.diff(line[order], prepend=-1))
    ends = np.append(starts[1:], len(order))
    # Most groups are single specks: those go before anything is measured on them.
    crossed = np.add.reduceat(letters.runs[order], starts)
    busy = crossed >= CROSSED * np.minimum.reduceat(letters.height[order], starts)
    groups = [
        letters[order[a:b]] for a, b in zip(starts[busy], ends[busy], strict=True)
    ]
    return tuple(
        _measured_line(group, ridges) for group in groups if _as_two_letters(group)
    )


def going_on(lines: Sequence[TextLine], sure: Array) -> Array:
    """Return bool (lines,): those that are sure, and those that go on one that is."""
    group = unite(len(lines), *side_by_side_lines(lines, NEXT).T)
    return np.isin(group, group[sure])


def of_a_page(lines: Sequence[TextLine], sure: Array) -> Array:
    """Return bool (lines,): those of one height with several sure ones, as a screen's words are."""
    heights = np.array([line.height for line in lines], np.float64)
    alike = np.abs(heights[:, None] - heights[sure]) <= ONE_HEIGHT
    found: Array = alike.sum(axis=1) >= PAGE
    return found


def side_by_side_lines(lines: Sequence[TextLine], reach: Reach) -> Array:
    """Return the pairs of lines that stand side by side, each once: (pairs, 2)."""
    places = [
        (line.top, line.bottom, line.left, line.right, line.height) for line in lines
    ]
    words = Places(*np.array(places, np.float64).reshape(-1, 5).T)
    pairs = np.stack(side_by_side(words, reach, HEIGHT[1]), axis=1)
    return np.unique(np.sort(pairs, axis=1), axis=0)


def _letter_like(components: Components) -> Array:
    """Return the indices of components with the size, the ink and the strokes of letters."""
    height, width = components.height, components.width
    tall = (height >= SMALL) & (height <= HEIGHT[1])
    # A stroke of one pixel from top to bottom at least.
    solid = (components.area >= height) & (components.runs >= height)
    # Wide ones are letters that touch: they cross many strokes, a line of anatomy does not.
    busy = (width <= 1.6 * height) | (components.runs >= 0.8 * width)
    return np.flatnonzero(tall & solid & busy)


def _as_two_letters(group: Components) -> bool:
    """Tell whether a group has a letter, and crosses as many strokes as two simple ones do."""
    if group.height.max() < HEIGHT[0]:
        return False
    height = _median(group.height)
    wide = _letters_by_width(group, height) >= 2
    return bool(wide and group.runs.sum() >= CROSSED * height)


def _letters_by_width(group: Components, height: float) -> float:
    """Count letters: a letter and the space behind it are 0.9 of their height wide."""
    return float(np.maximum(1, group.width / (0.9 * height)).sum())


def _measured_line(letters: Components, ridges: Ridges) -> TextLine:
    height = letters.height
    middle = _median(height)
    top, bottom = int(letters.top.min()), int(letters.bottom.max())
    left, right = int(letters.left.min()), int(letters.right.max())
    area, runs = int(letters.area.sum()), int(letters.runs.sum())
    peak = np.sort(letters.peak)
    tint = float(peak[len(peak) // 2])

    window = ridges.grey[top:bottom, left:right]
    strength = ridges.strength[top:bottom, left:right]
    inner = strength >= ridges.contrast
    ink, ridge = int(inner.sum()), float(strength[inner].mean())
    # The ground is the third decile of the box: letters cover less than seven tenths of it.
    decile = int(0.3 * window.size)
    ground = float(np.partition(window, decile, axis=None)[decile])
    contrast = max(tint - ground, 1.0)
    between = window[~inner]
    rough = float(np.abs(between - np.float32(ground)).mean()) if between.size else 0.0

    # A third of the height and rounded up: no ink of the same line, but of what it touches.
    margin = round(0.35 * middle + 0.49)
    down = slice(max(0, top - margin), bottom + margin)
    across = slice(max(0, left - margin), right + margin)
    ink_and_around = int((ridges.strength[down, across] >= ridges.contrast).sum())
    return TextLine(
        top=top,
        left=left,
        bottom=bottom,
        right=right,
        components=len(letters),
        height=middle,
        letters=_letters_by_width(letters, middle),
        crossings=runs / middle,
        uneven=float(height.std()) / middle,
        misaligned=min(_scatter(letters.top), _scatter(letters.bottom)) / middle,
        discoloured=float(peak.std()) / contrast,
        exact=float((window[inner] >= tint - 3).mean()),
        outside=(ink_and_around - ink) / area,
        inside=(ink - area) / area,
        rough=rough / contrast,
        fill=area / float((height * letters.width).sum()),
        sharp=ridge / contrast,
        ridge=ridge / ridges.contrast,
        stroke=area / runs / middle,
        strokes_uneven=float((letters.area / letters.runs).std()) * runs / area,
    )


def _scatter(edges: Array) -> float:
    """Return the mean distance to the median."""
    return float(np.abs(edges - _median(edges)).mean())


def _median(values: Array) -> float:
    """Return the median; of so few values ten times as fast as numpy's."""
    ordered = np.sort(values)
    # The two middle values, which are one and the same where the count is odd.
    return float(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
