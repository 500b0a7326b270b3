"""The bench of planted truth: what is drawn, and what it is worth, by closed forms."""

import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

BENCH = Path(__file__).parents[2] / "benchmarks" / "explainers"


@pytest.fixture(scope="module")
def bench():
    """Import the bench's own files as it does itself."""
    sys.path.insert(0, str(BENCH))
    names = ("scenes", "truth")
    try:
        found = {name: __import__(name) for name in names}
    finally:
        sys.path.remove(str(BENCH))
    yield type("Bench", (), found)
    for name in names:
        sys.modules.pop(name, None)


def test_an_exchange_changes_its_region_alone(bench):
    generator = np.random.default_rng(0)
    for scenario in bench.scenes.SCENARIOS.values():
        scene = scenario.asked_scene(generator)
        for part in scene.parts:
            other = scene.switched(part.name)
            change = np.abs(scene.drawn() - other.drawn())
            region = scene.region(part.name)
            assert change[~region].max() < 0.1 * change.max()
            assert 0 < region.mean() < 0.1
            assert other.switched(part.name).states() == scene.states()


def test_regions_are_a_division(bench):
    scene = bench.scenes.SCENARIOS["against"].scene(np.random.default_rng(1))
    assert_allclose(sum(map(np.int64, bench.truth.regions(scene).values())), 1)


def test_classes_are_as_often(bench):
    generator = np.random.default_rng(2)
    for scenario in bench.scenes.SCENARIOS.values():
        if scenario.opposing:  # of which there are halves
            continue
        labels = [
            scenario.label(scenario.scene(generator).states()) for _ in range(300)
        ]
        assert 0.4 < np.mean(labels) < 0.6


def test_what_a_part_is_worth(bench):
    """A score that is a weighted sum of pixels loses by an exchange what the pixels change."""
    generator = np.random.default_rng(3)
    scene = bench.scenes.SCENARIOS["two parts"].asked_scene(generator)
    weights = generator.normal(size=(64, 64))
    worth = bench.truth.importance(
        scene, lambda some: (some[..., 0] * weights).sum((1, 2)), generator
    )
    for part in scene.parts:
        change = scene.drawn() - scene.switched(part.name).drawn()
        assert_allclose(worth[part.name], (change * weights).sum(), rtol=1e-4)
    assert set(worth) == set(bench.truth.regions(scene))


def test_only_pictures_of_planted_evidence_are_asked_about(bench):
    """A reader of the mark is asked about none of the pictures in which the lesion decides."""
    lesion = bench.scenes.SCENARIOS["lesion"]

    def reads(name):
        def score(some):
            # The first of a call is the picture itself: others differ from it in one region.
            change = np.abs(some - some[:1])[..., 0]
            return -change[:, scenes[-1].region(name)].sum(1)

        return score

    scenes = []
    importance = bench.truth.importance

    def noted(scene, score, generator):
        scenes.append(scene)
        return importance(scene, score, generator)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench.truth, "importance", noted)
        assert len(bench.truth.cases(lesion, reads("lesion"))) == bench.truth.COUNT
        assert not bench.truth.cases(lesion, reads("mark"))
