"""How much a line looks like writing: a small network on what was measured on it."""

from math import log

import numpy as np

from saliency.dicom.text_lines import Line
from saliency.values.arrays import Array

#: Weights of the hidden units (columns) on each feature (rows). Fitted on lines of drawn words and
#: of anatomy, on the tune half of the pictures alone; ``benchmarks/text_fit.py`` does it again.
HIDDEN = np.array(
    [
        [0.922, -0.279, 0.915, 0.345, -0.983, 0.363, 0.753, -0.553],  # letters
        [-1.19, 0.637, -0.385, -0.796, 2.25, -0.622, -0.231, -2.39],  # crossings
        [0.511, 0.412, 1.07, 0.435, -0.336, 1.17, -0.0984, 1.15],  # pieces
        [0.159, 0.0844, 0.0548, 0.0376, 0.116, 0.0868, -0.121, 0.15],  # height
        [-0.979, 0.812, -1.17, 0.311, -4.3, -1.18, -1.67, 1.46],  # uneven
        [-1.09, -9.21, -4.93, -0.739, -5.59, -3.05, -2.16, 8.2],  # misaligned
        [-2.14, 13.1, 8.58, 6.13, -0.376, -2.74, -2.54, 0.713],  # discoloured
        [5.12, -0.385, 0.758, 0.184, 0.502, 0.857, 1.06, 0.598],  # exact
        [0.146, -1.06, -0.869, -0.113, -0.614, -3.01, -1.17, 0.699],  # outside
        [-0.135, 0.387, 0.0373, 0.271, -0.8, 1.63, -0.116, -0.176],  # inside
        [0.216, -1.01, 0.554, -2.63, -4.33, -1.63, -2.89, 1.65],  # rough
        [1.19, 9.69, 1.46, 0.54, 0.347, 0.456, -0.909, -0.717],  # fill
        [-2.26, 1.41, 0.484, -4.01, 0.426, 2.33, 0.101, -1.16],  # sharp
        [-1.16, -0.347, 1.08, -0.38, -0.726, -0.413, 2.61, 0.022],  # ridge
    ]
)
HIDDEN_BIAS = np.array([0.339, -5.24, -5.66, 2.25, -0.809, -2.83, 1.48, -0.113])
OUTPUT = np.array([-2.08, 2.05, 1.1, -2.95, 1.71, 2.26, 2.43, 1.69])
OUTPUT_BIAS = 0.284


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
