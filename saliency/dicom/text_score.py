"""How much a line looks like writing: a weighted sum of what was measured on it."""

from math import log

import numpy as np

from saliency.dicom.text_lines import Line
from saliency.values.arrays import Array

#: Name, weight of each feature; fitted by ``benchmarks/text_detection.py fit`` on its tune half.
WEIGHTS: tuple[tuple[str, float], ...] = (
    ("letters", -2.16),
    ("crossings", 2.22),
    ("crossings^2", 0.357),
    ("pieces", 1.09),
    ("one_piece", 0.364),
    ("per_letter", 4.07),
    ("per_letter^2", -1.39),
    ("height", 0.0193),
    ("uneven", -5.36),
    ("misaligned", -16.7),
    ("discoloured", 1.25),
    ("exact", -2.34),
    ("exact^2", 4.69),
    ("outside", -3.47),
    ("inside", 0.87),
    ("rough", -0.315),
    ("fill", 27.3),
    ("fill^2", -17.6),
)
OFFSET = -11.759


def features(line: Line) -> Array:
    """Return the numbers that are weighed, float (18,)."""
    letters, crossings = log(line.letters), log(line.crossings)
    per_letter = line.crossings / line.letters
    return np.array(
        [
            letters,
            crossings,
            crossings**2,
            log(line.pieces),
            line.pieces == 1,
            per_letter,
            per_letter**2,
            line.height,
            min(line.uneven, 1),
            line.misaligned,
            min(line.discoloured, 1),
            line.exact,
            line.exact**2,
            min(line.outside, 3),
            line.inside,
            min(line.rough, 2),
            line.fill,
            line.fill**2,
        ]
    )


def score(line: Line) -> float:
    """Return the log odds (natural) that a line is writing."""
    return float(features(line) @ np.array([w for _, w in WEIGHTS])) + OFFSET
