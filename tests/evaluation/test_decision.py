"""Who is named best, and how often a wrong one is: draws from known truths."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from saliency.evaluation.decision import decide, interval_of, per_group

PATIENTS, IMAGES, DRAWS = 10, 12, 60
GROUPS = np.repeat(np.arange(PATIENTS), IMAGES)
ALONE = np.arange(len(GROUPS))


def drawn(generator, better=0.0):
    """Return values of five explainers that differ by chance, patient by patient; a first lead."""
    noise = generator.normal(size=(5, PATIENTS)).repeat(IMAGES, axis=1)
    noise += 0.2 * generator.normal(size=noise.shape)
    noise[0] += better
    return {f"e{i}": row for i, row in enumerate(noise)}


LOW = {"random": np.full(len(GROUPS), -9.0)}


def named(groups, better=0.0):
    """Return how often somebody, and how often the first is named."""
    generator = np.random.default_rng(0)
    found = [
        decide(drawn(generator, better), LOW, groups, generator).best
        for _ in range(DRAWS)
    ]
    return np.mean([best is not None for best in found]), np.mean(
        [best == "e0" for best in found]
    )


def test_where_none_is_better_one_is_named_in_five_percent_at_most():
    assert named(GROUPS)[0] <= 0.05


def test_images_of_a_patient_are_no_witnesses_of_their_own():
    """Whoever counts images instead of patients names a wrong one far too often."""
    assert named(ALONE)[0] > 0.1


def test_who_is_better_is_named():
    assert named(GROUPS, better=2.5)[1] > 0.9


def test_nobody_is_named_who_is_no_better_than_a_blob():
    generator = np.random.default_rng(0)
    values = drawn(generator, better=3.0)
    decision = decide(values, {"centre": values["e0"] + 0.0}, GROUPS, generator)
    assert (decision.best, decision.leader, decision.rival) == (None, "e0", "centre")


def test_equal_explainers_cannot_be_told_apart():
    values = {name: np.arange(float(len(GROUPS))) for name in "ab"}
    assert decide(values, LOW, ALONE, np.random.default_rng(0)).best is None


@pytest.mark.parametrize(("step", "best"), [(1e-6, None), (1e-3, "a")])
def test_rounding_names_nobody(step, best):
    """Values that are the same but for float32's rounding, which always goes one way."""
    other = np.linspace(0.2, 0.8, len(GROUPS))
    values = {"a": other * (1 + step), "b": other}
    decision = decide(values, LOW, ALONE, np.random.default_rng(0))
    assert (decision.leader, decision.best) == ("a", best)


def test_what_has_no_value_is_left_out():
    values = np.array([1.0, np.nan, 3.0, np.nan])
    groups = np.array([0, 0, 1, 2])
    assert_allclose(per_group(values, groups), [1, 3])
    assert np.isnan(
        interval_of(values[1:2], groups[1:2], np.random.default_rng(0))
    ).all()


@pytest.mark.parametrize("size", [1, 3])
def test_a_few_images_name_nobody(size):
    values = {"a": np.full(size, 9.0), "b": np.zeros(size)}
    decision = decide(values, {}, np.arange(size), np.random.default_rng(0))
    assert decision.best is None


@pytest.mark.parametrize(("patients", "best"), [(6, None), (7, "e0")])
def test_the_level_is_shared_among_explainers(patients, best):
    """By hand: all signs alike have p = 2^-n, and five explainers ask for 5 % / 5 at most."""
    values = {f"e{i}": np.full(patients, -float(i)) for i in range(5)}
    decision = decide(values, {}, np.arange(patients), np.random.default_rng(0))
    assert_allclose(decision.p_value, 5 / 2**patients)
    assert decision.best == best
