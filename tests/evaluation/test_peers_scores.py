"""Quantus and xplique say the same of the same maps; their answers were written down.

``benchmarks/agreement/scores.py --write`` asks them, where they are installed.
"""

from pathlib import Path

import numpy as np
import peer_scores
import pytest

ANSWERS = np.load(Path(__file__).parent / "peers.npz")


@pytest.fixture(scope="module")
def ours():
    return peer_scores.ours()


@pytest.mark.parametrize("key", sorted(ANSWERS.files))
def test_numbers_agree(key, ours):
    _, metric = key.split("/")
    np.testing.assert_allclose(ours[metric], ANSWERS[key], rtol=2e-6, atol=2e-7)


def test_every_metric_was_compared(ours):
    assert {key.split("/")[1] for key in ANSWERS.files} == set(ours)
