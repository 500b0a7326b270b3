"""Words of one line of writing: the sure ones, those that go on them, and what lies between."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from saliency.dicom.text_lines import HEIGHT, Line
from saliency.dicom.text_pieces import near, unite
from saliency.values.arrays import Array

#: Two words of a line: the lower height in the higher, and heights out of level.
ALIKE, OFF = 0.75, 0.25
#: Heights between a sure word and one that goes on it, such as "kVp" before "110".
APART: Final = 3.0
#: Heights between two words whose middle is read as well: a name that is faint there.
SPAN: Final = 4.0


def going_on(lines: Sequence[Line], sure: Array) -> Array:
    """Return bool (lines,): those that are sure, and those that go on one that is."""
    here, there = beside(lines, APART)
    group = unite(len(lines), here, there)
    return np.isin(group, group[sure])


def beside(lines: Sequence[Line], most: float) -> tuple[Array, Array]:
    """Pair lines of one height and level that are at most so many heights apart."""
    places = [(line.top, line.left, line.bottom, line.right, line.height) for line in lines]
    top, left, bottom, right, height = np.array(places, np.float64).reshape(-1, 5).T
    levels = [near(edge, OFF * HEIGHT[1]) for edge in (top, bottom)]
    here, there = (np.concatenate(parts) for parts in zip(*levels, strict=True))
    low = np.minimum(height[here], height[there])
    high = np.maximum(height[here], height[there])
    apart = np.maximum(left[here], left[there]) - np.minimum(right[here], right[there])
    off = np.minimum(abs(top[here] - top[there]), abs(bottom[here] - bottom[there]))
    pairs = (low >= ALIKE * high) & (apart <= most * high) & (off <= OFF * high)
    return here[pairs], there[pairs]
