"""How much a line looks like writing: a small network on what was measured on it."""

from math import log

import numpy as np

from saliency.dicom.text_lines import Line
from saliency.values.arrays import Array

#: Weights of the hidden units (columns) on each feature (rows). Fitted on lines of drawn words and
#: of anatomy, on the tune half of the pictures alone; ``benchmarks/text_fit.py`` prints them again.
HIDDEN = np.array(
    [
        [
            0.00356,
            -0.854,
            0.341,
            -0.877,
            1.02,
            0.79,
            0.912,
            0.361,
            0.64,
            -0.795,
            0.00171,
            -0.0558,
        ],  # letters
        [
            0.239,
            0.939,
            -2.1,
            1.15,
            -2.05,
            -0.734,
            0.947,
            0.793,
            -1.07,
            2.39,
            0.0936,
            0.44,
        ],  # crossings
        [
            0.115,
            -0.802,
            1.02,
            0.286,
            0.452,
            -0.504,
            -1.2,
            1.41,
            0.832,
            -1.2,
            -0.791,
            -0.477,
        ],  # pieces
        [
            0.149,
            -0.0252,
            0.152,
            -0.0359,
            0.0326,
            0.0621,
            -0.00838,
            0.16,
            -0.0937,
            -0.128,
            0.13,
            0.266,
        ],  # height
        [
            0.747,
            2.01,
            -0.00387,
            -2.08,
            1.2,
            3.86,
            0.24,
            4.84,
            -0.798,
            -0.262,
            2.97,
            -1.08,
        ],  # uneven
        [
            -2.6,
            4.6,
            -0.612,
            -4.02,
            2.12,
            3.9,
            5.96,
            0.0758,
            -0.658,
            -2.66,
            7.03,
            3.31,
        ],  # misaligned
        [
            5.5,
            -0.853,
            -7.49,
            3.3,
            6.76,
            -0.806,
            -7.79,
            3.01,
            6.15,
            7.11,
            5.95,
            -2.38,
        ],  # discoloured
        [
            -0.639,
            -5.72,
            -2.14,
            3.02,
            0.507,
            3.97,
            -0.000163,
            0.577,
            -0.145,
            -0.539,
            0.667,
            -0.562,
        ],  # exact
        [
            -1.37,
            -0.00447,
            -0.851,
            -0.428,
            0.98,
            0.99,
            0.733,
            -0.625,
            -0.816,
            -0.241,
            0.899,
            0.019,
        ],  # outside
        [
            0.0899,
            -0.137,
            -1.67,
            0.222,
            -0.388,
            -1.02,
            1.36,
            -0.502,
            -0.0936,
            0.388,
            -0.251,
            -0.203,
        ],  # inside
        [-1.36, 0.857, 3.86, -2.98, 3.66, 0.965, 0.173, 0.78, -3.71, -2.92, -1.1, -1.28],  # rough
        [-2.25, 0.28, 0.908, -0.0805, 0.997, -1.92, -2.86, 4.83, 0.55, 0.695, -3.53, -1.17],  # fill
        [1.27, 1.23, -1.16, 3.13, -0.466, -1.61, -0.5, -0.201, -3.13, 0.954, 0.265, -2.37],  # sharp
        [
            0.0787,
            0.865,
            -1.27,
            -0.141,
            1.37,
            -1.48,
            0.434,
            -0.222,
            -0.0177,
            0.575,
            -2.39,
            -0.525,
        ],  # ridge
        [13.9, 1.53, 3.42, 2.06, -0.624, 1.84, -0.774, 5.77, -0.164, -1.64, 4.43, -4.22],  # stroke
        [
            -2.62,
            0.534,
            0.499,
            0.114,
            -0.369,
            -0.198,
            -1.59,
            5.19,
            0.533,
            -0.0885,
            -2.7,
            -1.31,
        ],  # strokes uneven
    ]
)
HIDDEN_BIAS = np.array(
    [-3.73, -1.85, -0.109, -2.53, -1.29, 0.865, -0.683, -9.31, 3.45, 0.784, 0.355, 3.04]
)
OUTPUT = np.array([1.58, 2.35, -2.45, 2.02, -1.94, -1.59, -2.28, 1.1, -2.42, -2.54, -1.7, 1.73])
OUTPUT_BIAS = -0.947


def features(line: Line) -> Array:
    """Return the numbers that are weighed, float (16,); long tails are cut off."""
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
            min(line.stroke, 1),
            min(line.strokes_uneven, 1),
        ]
    )


def score(line: Line) -> float:
    """Return the log odds (natural) that a line is writing, as of the pictures fitted on."""
    return float(np.tanh(features(line) @ HIDDEN + HIDDEN_BIAS) @ OUTPUT) + OUTPUT_BIAS
