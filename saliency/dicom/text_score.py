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
            -0.0945,
            -0.0888,
            0.344,
            -0.641,
            1.22,
            1.08,
            -0.348,
            0.723,
            -0.0119,
            0.102,
            -0.0443,
            0.0939,
        ],  # letters
        [
            0.0558,
            0.353,
            -0.983,
            0.721,
            -2.33,
            -1.54,
            2.17,
            0.603,
            0.535,
            1.33,
            -0.0781,
            -0.258,
        ],  # crossings
        [
            -0.0811,
            0.555,
            0.725,
            0.734,
            0.355,
            0.505,
            -1.21,
            0.549,
            -0.132,
            -1.1,
            -0.202,
            -0.0869,
        ],  # pieces
        [
            0.161,
            -0.202,
            0.118,
            -0.0685,
            0.0507,
            0.0251,
            0.0186,
            0.0585,
            -0.172,
            -0.277,
            -0.0684,
            0.102,
        ],  # height
        [
            0.325,
            -4.08,
            -0.0804,
            -1.45,
            2.08,
            -0.645,
            0.0377,
            -0.846,
            0.585,
            -1.95,
            1.65,
            1.41,
        ],  # uneven
        [
            1.71,
            -11.9,
            -2.57,
            -2.2,
            7.13,
            -1.64,
            2.31,
            -1.26,
            0.123,
            -0.0772,
            1.92,
            4.84,
        ],  # misaligned
        [
            -3.59,
            -1.25,
            -2.34,
            1.26,
            4.49,
            -0.572,
            -1.68,
            -7.14,
            -5.58,
            5.7,
            -0.538,
            20.2,
        ],  # discoloured
        [
            -0.523,
            -0.196,
            -1.02,
            4.07,
            0.462,
            3.92,
            0.586,
            -0.525,
            1.16,
            -0.229,
            0.399,
            -0.0645,
        ],  # exact
        [
            -1.13,
            -1.43,
            -0.772,
            0.0277,
            1.08,
            0.0744,
            0.855,
            -2.19,
            -0.382,
            -0.307,
            0.0305,
            0.943,
        ],  # outside
        [
            -0.0556,
            0.554,
            -0.294,
            0.351,
            -0.524,
            -0.651,
            1.56,
            1.59,
            0.629,
            0.688,
            0.689,
            0.724,
        ],  # inside
        [
            -2.58,
            0.613,
            0.172,
            -3.85,
            3.27,
            0.694,
            0.246,
            0.661,
            -4.49,
            -2.94,
            -3.66,
            -2.72,
        ],  # rough
        [-4.18, 5.39, -1.03, -0.725, 0.472, 0.551, -6.18, 3.13, 0.419, 0.322, 0.24, -1.33],  # fill
        [
            -0.163,
            -0.0132,
            -4.41,
            1.4,
            -0.515,
            -2.52,
            0.0182,
            -0.216,
            0.221,
            0.459,
            1.05,
            0.579,
        ],  # sharp
        [
            0.114,
            0.408,
            -0.773,
            0.3,
            1.19,
            -0.864,
            -0.0798,
            0.0909,
            1.64,
            0.0513,
            -2.75,
            -0.322,
        ],  # ridge
        [13.8, -7.15, 5.71, 0.291, -1.04, -3.81, 4.69, 4.65, -4.77, -2.53, -0.105, -2.11],  # stroke
        [
            2.08,
            0.506,
            0.461,
            1.32,
            0.646,
            -0.173,
            -0.335,
            3.7,
            1.21,
            -0.243,
            1.54,
            -2.81,
        ],  # strokes uneven
    ]
)
HIDDEN_BIAS = np.array(
    [-1.51, 1.3, 1.87, -1.98, -0.972, 3.14, -2.19, -4.75, -0.099, 3.14, 3.04, 1.46]
)
OUTPUT = np.array([1.58, 1.48, -2.56, 2.27, -2.4, -2.51, -2.3, 1.32, -2.23, -1.66, -1.41, 2.12])
OUTPUT_BIAS = -2.33


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
