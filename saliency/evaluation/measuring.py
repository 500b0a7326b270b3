"""Maps of every explainer on every image, and what each metric says of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
import tensorflow as tf

from saliency.errors import (
    ExplainerError,
    MissingExtraError,
    ModelError,
    NotFiniteError,
)
from saliency.evaluation.curves import Curve
from saliency.evaluation.metrics import METRICS, Metric
from saliency.explainers.gradients import Gradient
from saliency.explainers.guided import BetaSmooth, DeconvNet, GuidedBackprop
from saliency.explainers.queries import settled
from saliency.explainers.smooth import SmoothGrad, SmoothGradSquared, VarGrad
from saliency.interventions.scoring import probe_of_rows
from saliency.pipeline.checks import collapsed
from saliency.pipeline.explain import bound, name_of
from saliency.pipeline.explain_many import failure_of
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
        Position among all images that were given.
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
class Maps:
    """Maps of a batch.

    Parameters
    ----------
    heat
        float32 (N, H, W), 0 where an image has none.
    reasons
        Of each image why it has none, or none that puts a pixel before another; None where it has.
    """

    heat: Array
    reasons: tuple[str | None, ...]


BLANK: Final = "all of its values are equal"
"""Why a map that was made tells nothing."""
OF_THE_MODEL: Final = (ModelError, MissingExtraError)
"""Refusals that hang on no image."""


@final
@dataclass(frozen=True, eq=False)
class Batch:
    """Cases of one input shape and target.

    Parameters
    ----------
    cases, inputs
        And float32 (N, H, W, C) of all of them.
    probe
        Bound to the class of each.
    question
        The probe bound to the target, before it was settled on these inputs.
    """

    cases: Sequence[Case]
    probe: Any
    inputs: Any
    question: Any = None

    def singles(self) -> Iterator["Batch"]:
        """Yield a batch of each case."""
        for row, case in enumerate(self.cases):
            yield _batch(self.question, (case,), self.inputs[row : row + 1])

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
            yield _batch(question, some, inputs)


def _batch(question: Any, cases: Sequence[Case], inputs: Any) -> Batch:
    """Settle a question on inputs; a model's other inputs may be held at a row an image."""
    own = probe_of_rows(question, [case.number for case in cases])
    return Batch(cases, settled(own, inputs), inputs, question)


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


def maps_or_reasons(batch: Batch, recipe: Any) -> Maps:
    """Return a recipe's maps; where it fails, those of each image, to find the one at fault.

    Raises
    ------
    ModelError, MissingExtraError
        The recipe refuses the model, whatever the image.
    """
    try:
        heat = maps(batch, recipe)
    except OF_THE_MODEL:
        raise
    except Exception as error:  # noqa: BLE001 - the edge of an image: plug-ins, memory
        if len(batch.cases) == 1:
            nothing = np.zeros(batch.inputs.shape[:-1], np.float32)
            return Maps(nothing, (failure_of(0, error).message,))
        found = [maps_or_reasons(single, recipe) for single in batch.singles()]
        heats = np.concatenate([each.heat for each in found])
        return Maps(heats, tuple(each.reasons[0] for each in found))
    return Maps(heat, tuple(BLANK if blank else None for blank in _is_blank(heat)))


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
        return _of_recipe(metric, batch, recipe)
    more: Mapping[str, Any] = {"shares": shares} if metric.kind == "curve" else {}
    if name == "exchange":
        if batch.donors is None:
            nothing = np.full((len(heat), len(shares)), np.nan)
            return Curve(np.asarray(shares), nothing)
        more = {**more, "donors": batch.donors}
    answer = metric.function(batch.probe, batch.inputs, heat, **more)
    return answer if isinstance(answer, Curve) else np.asarray(answer, np.float64)


def _of_recipe(metric: Metric, batch: Batch, recipe: Any) -> Array:
    """Return a metric's value of each case; NaN where the recipe fails at an image."""
    try:
        return np.asarray(metric.function(batch.probe, batch.inputs, recipe))
    except OF_THE_MODEL:
        raise
    except Exception as error:
        of_image = not isinstance(error, ExplainerError) or (
            isinstance(error, NotFiniteError)
        )
        if not of_image:  # the probe cannot be asked about other weights
            raise
        if len(batch.cases) == 1:
            return np.full(1, np.nan)
    singles = [_of_recipe(metric, single, recipe) for single in batch.singles()]
    return np.concatenate(singles)


def _is_blank(heat: Array) -> Array:
    """Say of each map (N, ...) whether it has one value: bool (N,)."""
    return np.asarray(np.ptp(heat.reshape(len(heat), -1), axis=1) == 0)


def _in_some_order(heat: Array) -> Array:
    """Return maps (N, ...), a random one in place of each that has one value.

    Such a map puts no pixel before another. In row order it would point to the upper left, where
    marks are burned in.
    """
    found = heat.copy()
    found[_is_blank(heat)] = np.random.default_rng(0).random(heat.shape[1:], np.float32)
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
