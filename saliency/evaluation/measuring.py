"""Maps of every explainer on every image, and what each metric says of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
import tensorflow as tf

from saliency.evaluation.curves import Curve
from saliency.evaluation.metrics import METRICS, Metric
from saliency.explainers.gradients import Gradient
from saliency.explainers.guided import BetaSmooth, DeconvNet, GuidedBackprop
from saliency.explainers.queries import settled
from saliency.explainers.smooth import SmoothGrad, SmoothGradSquared, VarGrad
from saliency.pipeline.checks import collapsed
from saliency.pipeline.explain import bound, name_of
from saliency.pipeline.place_back import place_back
from saliency.probe.protocol import Target
from saliency.values.arrays import Array
from saliency.values.image import DicomImage
from saliency.values.model_input import ModelInput

BATCH: Final = 8
_RATES: Final = (
    *(
        Gradient,
        SmoothGrad,
        SmoothGradSquared,
        VarGrad,
        GuidedBackprop,
        DeconvNet,
        BetaSmooth,
    ),
)
"""Maps of rates of change: their size says how much a pixel matters, their sign which way."""


@final
@dataclass(frozen=True, eq=False)
class Case:
    """An image that is asked about.

    Parameters
    ----------
    number
        Position among the images that can be asked about.
    image, given
        The image, and the model's input.
    target
        As for ``explain``.
    truth
        bool (rows, columns), or None.
    donor
        float32 (1, H, W, C): an input of another image.
    """

    number: int
    image: DicomImage
    given: ModelInput
    target: Target
    truth: Array | None = None
    donor: Array | None = None


@final
@dataclass(frozen=True, eq=False)
class Batch:
    """Cases of one input shape and target, with a probe that is bound to their classes."""

    cases: Sequence[Case]
    probe: Any
    inputs: Any

    @property
    def donors(self) -> Any:
        """float32 like inputs, or None where no other image has their shape."""
        found = [case.donor for case in self.cases if case.donor is not None]
        return (
            tf.constant(np.concatenate(found))
            if len(found) == len(self.cases)
            else None
        )


def batches(probe: Any, cases: Sequence[Case]) -> Iterator[Batch]:
    """Yield cases in batches of one target and one input shape."""
    by_target: dict[Any, list[Case]] = {}
    for case in cases:
        by_target.setdefault(case.target, []).append(case)
    for target, of_target in by_target.items():
        question = bound(probe, target)
        for some, inputs in of_one_shape(of_target):
            yield Batch(some, settled(question, inputs), inputs)


def of_one_shape(cases: Sequence[Case]) -> Iterator[tuple[Sequence[Case], Any]]:
    """Yield cases whose inputs have one shape, ``BATCH`` at most, and these inputs."""
    by_shape: dict[Any, list[Case]] = {}
    for case in cases:
        by_shape.setdefault(case.given.array.shape, []).append(case)
    for alike in by_shape.values():
        for start in range(0, len(alike), BATCH):
            some = alike[start : start + BATCH]
            yield some, tf.constant(np.concatenate([case.given.array for case in some]))


def maps(batch: Batch, recipe: Any) -> Array:
    """Return a recipe's maps, float32 (N, H, W): the greater, the more important.

    Of rates of change (gradients and their kin) the absolute value is taken.
    """
    raw = recipe(batch.probe, batch.inputs)
    found = collapsed(raw, tuple(batch.inputs.shape), name_of(recipe))
    return np.abs(found) if isinstance(recipe, _RATES) else found


def measured(
    name: str, batch: Batch, heat: Array, recipe: Any, shares: Sequence[float]
) -> Array | Curve:
    """Return a metric's value of each case of a batch, float64 (N,); NaN where there is none.

    Of a metric that is the area of a curve, the curve.
    """
    metric = METRICS[name]
    if metric.kind in ("truth", "curve", "removal"):
        heat = _in_some_order(heat)
    if metric.kind == "truth":
        pairs = zip(batch.cases, heat, strict=True)
        return np.array([_against_truth(metric, *pair) for pair in pairs])
    if metric.kind == "map":
        return np.array([metric.function(each) for each in heat])
    if metric.kind == "recipe":
        if recipe is None:
            return np.full(len(heat), np.nan)
        return np.asarray(metric.function(batch.probe, batch.inputs, recipe))
    more: Mapping[str, Any] = {"shares": shares} if metric.kind == "curve" else {}
    if name == "exchange":
        if batch.donors is None:
            nothing = np.full((len(heat), len(shares)), np.nan)
            return Curve(np.asarray(shares), nothing)
        more = {**more, "donors": batch.donors}
    answer = metric.function(batch.probe, batch.inputs, heat, **more)
    return answer if isinstance(answer, Curve) else np.asarray(answer, np.float64)


def _in_some_order(heat: Array) -> Array:
    """Return maps (N, ...), a random one in place of each that has one value.

    Such a map puts no pixel before another. In row order it would point to the upper left, where
    marks are burned in.
    """
    blank = np.ptp(heat.reshape(len(heat), -1), axis=1) == 0
    found = heat.copy()
    found[blank] = np.random.default_rng(0).random(heat.shape[1:], np.float32)
    return found


def _against_truth(metric: Metric, case: Case, heat: Array) -> float:
    """Return a metric's value, NaN where the truth is empty.

    A map of which nothing is left above a threshold scores 0. Without a value, it would count in
    the images alone where it does well.
    """
    if case.truth is None or not case.truth.any():
        return float("nan")
    found = metric.function(place_back(heat, case.given.placement), case.truth)
    return float(np.nan_to_num(found))
