"""How much a line looks like writing: a small network on what was measured on it."""

from math import log
from typing import Final

import numpy as np

from saliency.values.arrays import Array
from saliency.zones.network import load_network
from saliency.zones.text_lines import TextLine

#: Fitted on lines of drawn words and of anatomy, on the tune half of the pictures alone, by
#: ``benchmarks/text_fit.py``.
NETWORK: Final = load_network("text_classifier")


def features(line: TextLine) -> Array:
    """Return the numbers that are weighed, float (16,); long tails are cut off."""
    return np.array(
        [
            log(line.letters),
            log(line.crossings),
            log(line.components),
            line.height,
            min(line.uneven, 1),
            min(line.misaligned, 1),
            min(line.discoloured, 1),
            line.exact,
            min(line.outside, 3),
            min(line.inside, 3),
            min(line.rough, 2),
            line.fill,
            min(line.sharp, 2),
            log(line.ridge),
            min(line.stroke, 1),
            min(line.strokes_uneven, 1),
        ]
    )


def score(line: TextLine) -> float:
    """Return the log odds (natural) that a line is writing, as of the pictures fitted on."""
    return float(NETWORK(features(line)))
