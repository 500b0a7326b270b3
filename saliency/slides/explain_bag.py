"""A slide as one bag: features of tiles with tissue, then the head over all of them."""

from typing import Any, Final

import numpy as np
import tensorflow as tf

from saliency.errors import ModelError
from saliency.pipeline.answer import Answer
from saliency.pipeline.checkpoint import Row
from saliency.pipeline.explain import probe_of, versions
from saliency.pipeline.prepare import Prepare
from saliency.probe.batch_probe import About
from saliency.probe.class_targets import target_name
from saliency.probe.keras_probe import KerasProbe
from saliency.probe.model.digest import model_digest
from saliency.slides.bags import METHODS, Bag, bag_heat, single_scores
from saliency.slides.explain_keep import SlideRequest
from saliency.slides.explain_run import Place
from saliency.slides.explain_setup import Setting, setting
from saliency.slides.explain_tiles import packed, unpacked
from saliency.slides.result import BagTiles, SlideExplanation
from saliency.slides.stitch import SlideCanvas
from saliency.values.arrays import Array
from saliency.values.heatmap import Heatmap
from saliency.values.model_input import ModelInput
from saliency.values.model_record import ModelRecord

#: Heat of full colour: a probability; scores if all tiles were alike; times even attention.
FULL: Final = {"single": 1.0, "attention": 10.0}
SCORES: Final = 10.0


class FeatureQuestion:
    """The features of each tile."""

    def __init__(self, probe: Any) -> None:
        self._probe = probe
        self.features: dict[Place, Array] = {}

    def ask(self, inputs: list[ModelInput]) -> Array:
        """Return float32 (N, d)."""
        batch = tf.constant(np.concatenate([made.array for made in inputs]))
        found = np.asarray(self._probe.predict(batch), np.float32)
        if found.ndim != 2:
            msg = (
                f"bag: expected a network of tiles that gives features (N, d), got {found.shape}. "
                "End it in a global pooling."
            )
            raise ModelError(msg)
        return found

    def rows(
        self, places: list[Place], inputs: list[ModelInput], answer: Array
    ) -> list[Row]:
        """Return the features of each tile."""
        del places, inputs
        return [{"features": packed(each)} for each in answer]

    def take(self, place: Place, row: Row) -> None:
        """Note the features of a tile."""
        self.features[place] = unpacked(row["features"])


def explain_as_bag(
    bag: Bag, slide: object, method: Any, request: SlideRequest
) -> SlideExplanation:
    """Explain a slide by a model of multiple instances; see :func:`explain_slide`."""
    if method not in METHODS:  # before any tile is asked about
        bag_heat(bag, np.zeros((1, 1), np.float32), method)
    probe = probe_of(bag.tiles)
    question = FeatureQuestion(probe)
    with setting(probe, slide, request.tiling) as given:
        seconds = request.running.ask(question, given, (probe, "features"))
        return _result(bag, method, request, given, question.features, seconds)


def _result(
    bag: Bag,
    method: str,
    request: SlideRequest,
    given: Setting,
    of_tiles: dict[Place, Array],
    seconds: dict[str, float],
) -> SlideExplanation:
    target, cutoff = request.target, request.cutoff
    places = sorted(of_tiles)
    features = np.stack([of_tiles[place] for place in places])
    head = KerasProbe(bag.head, labels=bag.labels)
    whole = About(head.at(target), tf.constant(features[None]))
    sure = whole.probability
    probability = None if sure is None else float(sure[0])
    heat = bag_heat(bag, features, method, target=target)
    weighed = heat if method == "single" or probability is None else heat * probability
    canvas = SlideCanvas(given.grid)
    for place, value in zip(places, weighed, strict=True):
        block = canvas.block(place, np.full(given.grid.tile, value, np.float32))
        canvas.add(place, block)
    stitched, explained = canvas.stitched()
    settled = whole.bound.settled(whole.batch)
    of_all, _, alone = single_scores(settled, features)
    down, across = np.array(places).T
    scores = np.full((*given.grid.tiles, of_all.shape[1]), np.nan, np.float32)
    probabilities = np.full(given.grid.tiles, np.nan, np.float32)
    scores[down, across] = of_all
    if alone is not None:
        probabilities[down, across] = alone
    return SlideExplanation(
        Heatmap(stitched),
        explained,
        scores,
        probabilities,
        given.grid,
        given.slide,
        _answer(head, whole, method, probability),
        vmax=FULL.get(method, SCORES),
        labels=head.labels,
        prepare=given.made_by if isinstance(given.made_by, Prepare) else None,
        cutoff=cutoff,
        seconds=seconds,
        bag=BagTiles(method, features, heat),
    )


def _answer(
    head: KerasProbe, whole: About, method: str, probability: float | None
) -> Answer:
    """Return what the head says of the whole bag."""
    asked = whole.target
    told: int | str
    label = None
    if callable(asked):
        told = target_name(asked)
    else:
        index = int(whole.targets[0])
        told = asked if isinstance(asked, str) else index
        label = None if head.labels is None else head.labels[index]
    return Answer(
        score=float(whole.score(whole.batch)[0]),
        target=told,
        gap=None,
        recipe=f"bag({method})",
        versions=versions(),
        probability=probability,
        label=label,
        model=ModelRecord(head.model.name, model_digest(head.model), ()),
        explains=head.output,
    )
