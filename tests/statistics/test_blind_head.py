"""A head that does not see what an exchange moves: closed forms, and answers held out."""

import numpy as np
import pytest

from saliency.statistics.blind_head import (
    FOLDS,
    Answers,
    ExchangedFeatures,
    Head,
    blind_head,
    fitted_head,
    nearest_head,
)


def exchanged(count=64, width=6, *, body=1.5, seed=0):
    """Feature 0 is the mark, which exchange sets; feature 1 the body; others are noise."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    signs = 2 * labels - 1
    rows = np.repeat(generator.normal(size=(1, count, width)), 3, axis=0)
    rows[..., 1] += body * signs
    rows[..., 0] = 3 * signs
    rows[2, :, 0] *= -1
    return ExchangedFeatures(rows, labels, np.arange(count))


OLD = Head(np.array([[0.0, 2], [0, 0.5]] + [[0, 0]] * 4), np.zeros(2))


def test_a_head_becomes_blind_and_keeps_what_it_knew():
    """The exchanged feature gets no weight, the body does: exchanges change nothing."""
    features = exchanged()
    before = Answers(OLD.logits(features.rows), features.labels)
    choice = blind_head(features, OLD)

    assert before.unlinked == pytest.approx(0.5, abs=0.1)
    assert before.effects[0] > 0.8
    assert choice.held_out.effects[0] < 0.05
    assert choice.held_out.unlinked > 0.85
    assert np.abs(choice.head.kernel[0]).max() < 1e-9
    assert choice.head.kernel[1] @ [-1, 1] > 0.3


def test_no_image_is_answered_by_a_head_that_saw_its_patient():
    """Features of pure noise, as many as images: seen, they tell each label; held out, none."""
    features = exchanged(64, 200, body=0)
    old = Head(np.zeros((200, 2)), np.zeros(2))
    own = fitted_head(features, old, 1, 0.01).logits(features.rows)
    held_out = blind_head(features, old).held_out

    assert Answers(own, features.labels).unlinked == 1
    assert held_out.unlinked == pytest.approx(0.5, abs=0.15)
    assert held_out.unlinked_recall == pytest.approx(held_out.unlinked)


def test_patients_lie_in_one_fold_and_each_image_is_held_out_once():
    """Folds of ten patients with three images each."""
    features = exchanged(30)
    features = ExchangedFeatures(features.rows, features.labels, np.arange(30) // 3)
    folds = list(features.folds())

    assert len(folds) == FOLDS
    assert (np.sum(folds, axis=0) == 1).all()
    for held in folds:
        assert not set(features.units[held]) & set(features.units[~held])


def test_the_nearest_head_is_the_minimum_that_it_says():
    """No small step lowers the loss, written out in a loop; a strong pull keeps the kernel."""
    generator = np.random.default_rng(1)
    rows, labels = generator.normal(size=(40, 3)), generator.integers(0, 3, 40)
    old = Head(generator.normal(size=(3, 3)), generator.normal(size=3))

    def loss(kernel, bias, pull):
        entropy = 0.0
        for row, label in zip(rows, labels, strict=True):
            chances = np.exp(row @ kernel + bias)
            entropy -= np.log(chances[label] / chances.sum()) / len(rows)
        return entropy + pull * ((kernel - old.kernel) ** 2).sum()

    head = nearest_head(rows, labels, old, 0.1)
    least = loss(head.kernel, head.bias, 0.1)
    for _ in range(20):
        step, lift = generator.normal(size=(3, 3)), generator.normal(size=3)
        moved = loss(head.kernel + 0.01 * step, head.bias + 0.01 * lift, 0.1)
        assert moved > least
    kept = nearest_head(rows, labels, old, 1e4)
    assert np.abs(kept.kernel - old.kernel).max() < 1e-3


def test_effects_are_moves_over_the_swing():
    """Leads of 2 as they are, 3 with content for the class, 1 against it: (3 - 1) / 4."""
    labels = np.array([0, 1])
    leads = np.array([[2.0, 2], [3, 3], [1, 1]])
    logits = np.zeros((3, 2, 2))
    logits[:, [0, 1], labels] = leads
    answers = Answers(logits, labels)
    assert answers.effects.tolist() == [0.5]
    assert answers.accuracy == answers.unlinked == 1
