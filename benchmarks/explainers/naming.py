"""Whether the explainer that an evaluation names is one that tells the truth.

An evaluation sees pictures and a network, and no truth: it ranks by exchange. Here the truth is
known, so that the named one can be looked up among the true ranks.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from measure import CONTROLS, Asked, recipe_of
from scenes import SCENARIOS, Array, Scene
from truth import importance, regions

import saliency as sal
from saliency.evaluation import exchange
from saliency.evaluation.decision import Decision, decide
from saliency.evaluation.measuring import Batch, maps
from saliency.statistics.correlation import pearson

NAMES = (
    *("fastcam", "gradcam", "hirescam", "gradient", "gradient_x_input", "smoothgrad"),
    *("lrp", "occlusion"),
)
IMAGES = 32
SHARES = (1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2)
"""Of cells exchanged, which scores are kept for."""
BEST = 3
"""So many true ranks count as right."""


def curves(scenario: str, asked: Asked, path: Path) -> Mapping[str, Array]:
    """Return scores float32 (images, shares) by explainer, out of the file where it exists."""
    if not path.is_file():
        np.savez_compressed(path, **_asked_curves(scenario, asked))
    with np.load(path) as found:
        return dict(found)


def named(
    scores: Mapping[str, Array], shares: Sequence[int], images: int = IMAGES
) -> Decision:
    """Return what an evaluation decides from scores at some of the shares."""
    areas = {
        who: -each[:images, list(shares)].mean(axis=1) for who, each in scores.items()
    }
    explainers = {who: each for who, each in areas.items() if who not in CONTROLS}
    controls = {who: each for who, each in areas.items() if who in CONTROLS}
    alone = np.arange(images)
    return decide(explainers, controls, alone, np.random.default_rng(0))


def true_rank(truths: Mapping[str, Array], name: str) -> int:
    """Return the place of an explainer among those that compete, 1 the truest."""
    means = {who: float(np.nanmean(each)) for who, each in truths.items()}
    return 1 + sum(mean > means[name] for mean in means.values())


def _asked_curves(scenario: str, asked: Asked) -> dict[str, Array]:
    """Return scores by explainer, and by ``"truth of NAME"`` how true it is of each image."""
    generator = np.random.default_rng(7)
    scenes = [SCENARIOS[scenario].asked_scene(generator) for _ in range(IMAGES)]
    pixels = np.stack([scene.drawn() for scene in scenes])[..., np.newaxis]
    inputs = tf.constant(pixels, tf.float32)

    def score(some: Array) -> Array:
        return np.asarray(asked.probe.score(tf.constant(some, tf.float32)))

    worths = [importance(scene, score, generator) for scene in scenes]
    found = {}
    for name in (*NAMES, *CONTROLS):
        try:
            heats = maps(Batch((), asked.probe, inputs), recipe_of(name))
        except sal.SaliencyError:
            continue
        curve = exchange(asked.probe, inputs, heats, shares=SHARES)
        found[name] = curve.scores
        triples = zip(scenes, worths, heats, strict=True)
        found[f"truth of {name}"] = np.array([_truth(*each) for each in triples])
    return found


def _truth(scene: Scene, worth: Mapping[str, float], heat: Array) -> float:
    """Correlate the heat of each region, a part or a square of tissue, with what it is worth."""
    sums = [float(heat[region].sum()) for region in regions(scene).values()]
    return pearson(np.array(sums), np.array(list(worth.values())))
