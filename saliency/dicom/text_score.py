"""How much a line looks like writing: a small network on what was measured on it."""

from math import log

import numpy as np

from saliency.dicom.text_lines import Line
from saliency.values.arrays import Array

#: Weights of the hidden units (columns) on each feature (rows). Fitted on lines of drawn words and
#: of anatomy, on the tune half of the pictures alone; ``benchmarks/text_fit.py`` does it again.
HIDDEN = np.array(
    [
        [0.962, 0.312, 0.146, -0.571, -0.813, -0.564, -0.062, -0.418],  # letters
        [-1.82, -1.1, -0.949, 0.686, 1.48, 0.94, -0.02, 0.92],  # crossings
        [0.881, 1.18, 1.49, 1.55, 0.225, -0.843, 0.421, 1.22],  # pieces
        [-0.118, 0.004, -0.006, -0.107, -0.037, -0.07, -0.058, 0.021],  # height
        [-4.86, 1.65, -3.97, -0.772, -4.01, 1.04, -1.5, -5.18],  # uneven
        [7.55, 2.49, 1.84, -2.94, -5.98, 4.62, -2.32, -6.04],  # misaligned
        [-4.65, 18.2, 4.92, 6.34, -0.63, 2.41, -4.96, -2.31],  # discoloured
        [0.047, 0.776, 4.12, 0.238, -2.67, -4.82, 1.38, -2.5],  # exact
        [-0.313, -1.25, -1, 0.039, -1.43, 0.248, -1.03, -0.363],  # outside
        [-0.375, 0.658, -1.01, 0.183, 0.626, -0.643, 0.248, 0.42],  # inside
        [-0.457, -0.768, -2.55, -4.25, -3.38, 0.045, -4.2, 1.5],  # rough
        [4.51, 6.42, -1.18, -0.693, -1.1, 0.003, 2.7, 6.53],  # fill
        [-0.175, 0.048, -0.584, -2.69, 2.8, 2.44, 0.921, 0.086],  # sharp
        [0.482, -0.117, 0.15, -0.035, -0.472, 1.14, 2.04, 0.576],  # ridge
    ]
)
HIDDEN_BIAS = np.array([-0.969, -1.94, 0.016, 2.31, -0.292, -1.88, -0.769, -4.54])
OUTPUT = np.array([-2.48, 1.97, 2.23, -2.44, 2.65, 2.3, 2.45, 1.61])
OUTPUT_BIAS = -0.217


def features(line: Line) -> Array:
    """Return the numbers that are weighed, float (14,); long tails are cut off."""
    return np.array(
        [
            log(line.letters),
            log(line.crossings),
            log(line.pieces),
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
        ]
    )


def score(line: Line) -> float:
    """Return the log odds (natural) that a line is writing, as of the pictures fitted on."""
    return float(np.tanh(features(line) @ HIDDEN + HIDDEN_BIAS) @ OUTPUT) + OUTPUT_BIAS
