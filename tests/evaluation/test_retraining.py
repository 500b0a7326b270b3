"""ROAR and KAR, with a learner of closed form and evidence that was planted."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from saliency.errors import InputError
from saliency.evaluation import kar, roar

SIDE, COUNT = 8, 160
EVIDENCE = np.zeros((SIDE, SIDE), bool)
EVIDENCE[2:4, 3:7] = True
SHARE = EVIDENCE.mean()  # an eighth


def fit(inputs, labels, seed):
    """Ridge regression of the label: answers (N, 1), above 0.5 for class 1."""
    del seed
    flat = np.c_[inputs.reshape(len(inputs), -1), np.ones(len(inputs))]
    inverse = np.linalg.inv(flat.T @ flat + np.eye(flat.shape[1]))
    weights = inverse @ flat.T @ labels
    return lambda some: np.c_[some.reshape(len(some), -1), np.ones(len(some))] @ weights


@pytest.fixture(scope="module")
def pictures():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, COUNT)
    inputs = generator.uniform(0, 1, (COUNT, SIDE, SIDE, 1)).astype(np.float32)
    inputs[:, EVIDENCE, 0] += labels[:, np.newaxis]
    return inputs, labels


TRUE = np.broadcast_to(EVIDENCE.astype(np.float32), (COUNT, SIDE, SIDE))


def test_without_the_evidence_nothing_is_learnt(pictures):
    found = roar(fit, *pictures, TRUE, shares=(SHARE,), fill=0.5)
    assert found.accuracy[0] < 0.7  # guessing, of 40 images
    assert found.baseline[0] == 1  # a random eighth takes a pixel of the evidence away
    assert found.gain > 0.3


def test_the_evidence_alone_is_enough(pictures):
    few = (SHARE / 8,)  # one pixel
    found = kar(fit, *pictures, TRUE, shares=few, fill=0.5, seeds=(0, 1))
    assert found.accuracy[0] > 0.8
    assert_allclose(found.gain, found.accuracy[0] - found.baseline[0])
    assert found.gain > 0.2


def test_maps_that_know_nothing_gain_nothing(pictures):
    noise = np.random.default_rng(1).random(TRUE.shape)
    assert abs(roar(fit, *pictures, noise, shares=(0.3, 0.6)).gain) < 0.1


def test_answers_may_be_classes(pictures):
    """Two columns, the greatest wins: the same accuracy as one column above a half."""

    def of_classes(*given):
        one = fit(*given)
        return lambda some: np.c_[1 - one(some), one(some)]

    one = roar(fit, *pictures, TRUE, shares=(0.2,))
    two = roar(of_classes, *pictures, TRUE, shares=(0.2,))
    assert_allclose(one.accuracy, two.accuracy)


@pytest.mark.parametrize("asked", [roar, kar])
@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"shares": (0.5, 1.0)}, "shares in"),
        ({"shares": ()}, "shares in"),
        ({"held_out": 0.0}, "both sides"),
        ({"labels": np.ones(3, int)}, "whole numbers"),
        ({"labels": np.ones(COUNT)}, "whole numbers"),
        ({"seeds": ()}, "one seed"),
    ],
)
def test_refusals(pictures, asked, more, words):
    inputs, labels = pictures
    with pytest.raises(InputError, match=f"^{asked.__name__}: .*{words}"):
        asked(fit, inputs, **{"labels": labels, "attribution": TRUE, **more})
