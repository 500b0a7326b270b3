"""The same question to the same network with shuffled weights."""

import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import tensorflow as tf

from saliency.explainers.controls import RandomisedModel
from saliency.pipeline.checks import collapsed
from saliency.pipeline.place_back import place_back
from saliency.pipeline.prepare import Prepare
from saliency.probe.batch_probe import About
from saliency.probe.cache import probe_for
from saliency.probe.model.plan import Choice
from saliency.statistics.correlation import spearman
from saliency.values.heatmap import Heatmap
from saliency.values.image import DicomImage


@final
@dataclass(frozen=True, eq=False)
class Asked:
    """What was asked, so that it can be asked again while the model is alive.

    Parameters
    ----------
    model
        A weak reference: an explanation keeps no model in memory.
    choice
        What of the model was looked at.
    held
        Values of the inputs that were not explained, by index.
    target
        The class that was explained, or the callable.
    recipe
        The explainer.
    """

    model: "weakref.ref[Any]"
    choice: Choice
    held: Mapping[str | int, Any]
    target: Any
    recipe: Any

    def control(self, image: DicomImage, prepare: Prepare) -> Heatmap | None:
        """Return the map of the network with shuffled weights; None where the model is gone."""
        model = self.model()
        if model is None:
            return None
        choice = self.choice
        probe = probe_for(
            model,
            layers=choice.layers,
            output=choice.output,
            part=choice.part,
            input=choice.explained,
            held=self.held,
        )
        given = prepare(image)
        batch = tf.constant(given.array)
        control = RandomisedModel(self.recipe)
        found = control(About(probe.at(self.target), batch), batch)
        return place_back(
            collapsed(found, tuple(batch.shape), repr(control))[0], given.placement
        )


def asked_of(probe: Any, sample: int, recipe: Any) -> Asked | None:
    """Return what to ask again about a sample of a batch; None where it is no Keras model."""
    if not isinstance(probe, About):
        return None
    source = probe.bound.source
    choice = source.core.choice
    target = probe.target
    if not callable(target):
        classes = np.asarray(probe.targets)
        target = int(classes[sample % len(classes)])
    indices = (i for i in range(len(source.held) + 1) if i != choice.explained)
    rows: dict[str | int, Any] = {
        i: _held_row(each, sample)
        for i, each in zip(indices, source.held, strict=False)
    }
    return Asked(weakref.ref(source.model), choice, rows, target, recipe)


def rank_correlation(one: Heatmap, other: Heatmap) -> float | None:
    """Return Spearman's correlation of two maps, -1..1; None where one of them is of one value."""
    found = spearman(one.values, other.values)
    return None if np.isnan(found) else found


def _held_row(held: Any, sample: int) -> Any:
    count = int(held.shape[0])
    return held[sample % count : sample % count + 1]
