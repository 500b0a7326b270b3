"""How much a line looks like writing: a small network on what was measured on it."""

from math import log

import numpy as np

from saliency.values.arrays import Array
from saliency.zones.text_lines import Line

#: Weights of the hidden units (columns) on each feature (rows). Fitted on lines of drawn words and
#: of anatomy, on the tune half of the pictures alone; ``benchmarks/text_fit.py`` prints them again.
HIDDEN = np.array(
    [
        [
            0.98,
            -0.59,
            0.267,
            -0.947,
            1.57,
            0.773,
            -0.216,
            -0.422,
            0.975,
            -0.539,
            -0.843,
            0.294,
        ],  # letters
        [
            -0.248,
            0.588,
            -1.65,
            0.0573,
            -1.97,
            -1.17,
            2.1,
            0.963,
            -0.541,
            2.34,
            -0.113,
            0.752,
        ],  # crossings
        [
            0.0477,
            0.948,
            0.573,
            0.891,
            -0.0826,
            1.5,
            -1.13,
            0.121,
            0.574,
            -1.38,
            -0.353,
            -0.981,
        ],  # pieces
        [
            0.189,
            -0.00356,
            0.162,
            -0.0636,
            -0.0986,
            0.111,
            -0.0388,
            -0.0606,
            -0.159,
            -0.176,
            0.204,
            0.223,
        ],  # height
        [
            -1.52,
            -4.06,
            2.1,
            -1.08,
            -0.972,
            -2.24,
            2.1,
            -1.24,
            -1.05,
            -1.82,
            1.61,
            -0.0855,
        ],  # uneven
        [
            -4.25,
            -5.05,
            -0.773,
            -5.37,
            -0.214,
            -6.03,
            2.86,
            0.687,
            0.876,
            -1.4,
            7.13,
            3.13,
        ],  # misaligned
        [
            3.19,
            -2.27,
            7.36,
            -0.793,
            1.79,
            -5.55,
            -0.732,
            -5.49,
            -13.9,
            -0.357,
            4.37,
            2.5,
        ],  # discoloured
        [
            0.00247,
            -3.89,
            -0.771,
            -0.0306,
            1.82,
            3.52,
            1.16,
            3.51,
            -0.454,
            -0.842,
            1.05,
            -0.421,
        ],  # exact
        [
            -0.308,
            -0.609,
            -0.526,
            -1.85,
            1.18,
            -0.604,
            1.13,
            0.236,
            -0.589,
            -0.548,
            1.11,
            1.01,
        ],  # outside
        [
            0.228,
            1.04,
            -0.496,
            -0.42,
            -0.467,
            0.342,
            1.28,
            -0.0307,
            0.245,
            0.411,
            -0.719,
            1.14,
        ],  # inside
        [
            -0.596,
            -1.43,
            -0.454,
            -1.56,
            3.27,
            -0.928,
            -0.758,
            -3.5,
            -4.53,
            -3.5,
            -1.87,
            -1.82,
        ],  # rough
        [
            -0.0341,
            1.34,
            -0.816,
            0.992,
            2.02,
            0.632,
            -2.38,
            -0.785,
            0.604,
            0.0734,
            -3.61,
            -1.22,
        ],  # fill
        [2.02, 2.2, -2.92, 2.39, -2.66, 0.104, 0.782, 0.572, -2.15, 1.29, 1.15, -0.984],  # sharp
        [
            0.105,
            1.23,
            -1.29,
            -0.34,
            0.116,
            -1.35,
            0.0207,
            0.473,
            1.18,
            0.0171,
            -1.07,
            -0.618,
        ],  # ridge
        [14.3, -1.35, 8.88, 4.39, -8.6, -0.925, 3.72, -0.883, -4.03, -3.08, 5.12, -3.8],  # stroke
        [
            -6.57,
            1.07,
            -0.722,
            1.75,
            -0.95,
            0.328,
            -1.64,
            -0.0328,
            0.862,
            -0.608,
            -0.763,
            -0.795,
        ],  # strokes uneven
    ]
)
HIDDEN_BIAS = np.array(
    [-6.43, -2.05, 0.191, -0.947, 3.65, 1.02, -3.87, -0.86, 2.18, 2.9, -0.909, 1.56]
)
OUTPUT = np.array([0.977, 1.5, -2.09, 1.61, -2.31, -2.31, -2.01, 2.68, -2.49, -1.85, -1.44, 1.88])
OUTPUT_BIAS = -1.58


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
