"""Whether the explainer that an evaluation names is one that tells the truth.

An evaluation sees pictures and a network, and no truth: it ranks by exchange. Here the truth is
known, so that the named one can be looked up among the true ranks.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from measure import CONTROLS, Asked, recipe_of
from networks import drawn
from scenes import SCENARIOS, Array, Scenario, Scene
from truth import importance, regions

import saliency as sal
from saliency.evaluation import Curve, exchange
from saliency.evaluation.budget import budget_of
from saliency.evaluation.decision import Decision, decide
from saliency.evaluation.measuring import Batch, maps
from saliency.statistics.correlation import pearson

NAMES = (
    *("fastcam", "gradcam", "hirescam", "gradient", "gradient_x_input", "smoothgrad"),
    *("lrp", "occlusion"),
)
IMAGES = 96
SHARES = (1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2)
"""Of cells exchanged, which scores are kept for; ``budget`` chooses two or three of them."""
BEST = 3
"""So many true ranks count as right."""


def curves(scenario: str, asked: Asked, path: Path) -> Mapping[str, Array]:
    """Return scores float32 (images, shares) by explainer, out of the file where it exists."""
    if not path.is_file():
        np.savez_compressed(path, **_asked_curves(scenario, asked))
    with np.load(path) as found:
        return dict(found)


def named(scores: Mapping[str, Array], given: int) -> Decision:
    """Return what an evaluation of so many images decides, which asks what it can pay for."""
    rivals = [name for name in scores if name not in CONTROLS]
    budget = budget_of(("exchange",), given, len(rivals))
    columns = [
        int(np.abs(np.subtract(SHARES, share)).argmin()) for share in budget.shares
    ]
    asked = slice(budget.images)
    areas = {
        who: -Curve(budget.shares, each[asked, columns]).area
        for who, each in scores.items()
    }
    explainers = {who: areas[who] for who in rivals}
    controls = {who: each for who, each in areas.items() if who in CONTROLS}
    alone = np.arange(budget.images)
    return decide(explainers, controls, alone, np.random.default_rng(0))


def true_rank(truths: Mapping[str, Array], name: str) -> int:
    """Return the place of an explainer among those that compete, 1 the truest."""
    means = {who: float(np.nanmean(each)) for who, each in truths.items()}
    return 1 + sum(mean > means[name] for mean in means.values())


def _asked_curves(scenario: str, asked: Asked) -> dict[str, Array]:
    """Return scores by explainer, and by ``"truth of NAME"`` how true it is of each image."""
    generator = np.random.default_rng(7)
    planted = SCENARIOS[scenario]
    scenes = [planted.asked_scene(generator) for _ in range(IMAGES)]
    others = [_other_scene(planted, generator) for _ in range(IMAGES)]
    inputs, donors = tf.constant(drawn(scenes)), tf.constant(drawn(others))

    def score(some: Array) -> Array:
        return np.asarray(asked.probe.score(tf.constant(some, tf.float32)))

    worths = [
        np.array(list(importance(scene, score, generator).values())) for scene in scenes
    ]
    areas = [np.stack(list(regions(scene).values())) for scene in scenes]
    found = {}
    for name in (*NAMES, *CONTROLS):
        try:
            heats = maps(Batch((), asked.probe, inputs), recipe_of(name))
        except sal.SaliencyError:
            continue
        curve = exchange(asked.probe, inputs, heats, donors=donors, shares=SHARES)
        found[name] = curve.scores
        triples = zip(areas, worths, heats, strict=True)
        found[f"truth of {name}"] = np.array([_truth(*each) for each in triples])
    return found


def _other_scene(planted: Scenario, generator: np.random.Generator) -> Scene:
    """Draw lots for a picture that lacks the class: ``evaluate`` lends of another decision."""
    while True:
        scene = planted.scene(generator)
        if planted.label(scene.states()) == 0:
            return scene


def _truth(areas: Array, worth: Array, heat: Array) -> float:
    """Correlate the heat of each region, a part or a square of tissue, with what it is worth."""
    return pearson((areas * heat).sum(axis=(1, 2)), worth)
