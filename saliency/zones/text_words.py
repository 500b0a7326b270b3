"""Words of one line of writing: the sure ones, those that go on them, and what lies between."""

from collections.abc import Sequence
from math import inf
from typing import Final

import numpy as np

from saliency.values.arrays import Array
from saliency.zones.components import Places, Reach, side_by_side, unite
from saliency.zones.text_lines import HEIGHT, Line

#: A sure word and one that goes on it, such as "kVp" before "110".
NEXT: Final = Reach(alike=0.75, apart=3.0, overlap=inf, off=0.25)
#: Two words whose middle is read as well: a name that is faint there.
ENDS: Final = NEXT._replace(apart=4.0)


def going_on(lines: Sequence[Line], sure: Array) -> Array:
    """Return bool (lines,): those that are sure, and those that go on one that is."""
    group = unite(len(lines), *beside(lines, NEXT).T)
    return np.isin(group, group[sure])


def beside(lines: Sequence[Line], reach: Reach) -> Array:
    """Return the pairs of lines that stand side by side, each once: (pairs, 2)."""
    places = [(line.top, line.bottom, line.left, line.right, line.height) for line in lines]
    words = Places(*np.array(places, np.float64).reshape(-1, 5).T)
    pairs = np.stack(side_by_side(words, reach, HEIGHT[1]), axis=1)
    return np.unique(np.sort(pairs, axis=1), axis=0)
