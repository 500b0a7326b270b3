"""Every metric of every explainer on every image: a batch at a time, kept in a file if wished."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, final

import numpy as np

from saliency.errors import ExplainerError, NotFiniteError
from saliency.evaluation.budget import Budget, spread_over_patients
from saliency.evaluation.curves import Curve
from saliency.evaluation.mean_maps import GRID, MeanMaps
from saliency.evaluation.measuring import (
    BLANK,
    OF_THE_MODEL,
    Batch,
    Case,
    batches,
    maps_or_reasons,
    measured,
)
from saliency.evaluation.metrics import METRICS
from saliency.evaluation.missing import MissingMaps, first_sentence
from saliency.evaluation.ranking import cells_of
from saliency.evaluation.report import Example
from saliency.pipeline.checkpoint import State
from saliency.pipeline.place_back import place_back
from saliency.values.arrays import Array

Values: TypeAlias = dict[tuple[str, str], Array]
"""(explainer or control, metric) -> float64 (n,), in the order of the cases."""

FORM: Final = 4
"""Of what is kept of a batch; work of another form is begun anew."""
_EXAMPLES: Final = 4
"""Images whose maps the report shows."""
_LOG = logging.getLogger("saliency.evaluation")


@final
@dataclass(frozen=True, eq=False)
class Measurement:
    """What is measured.

    Parameters
    ----------
    probe, cases
        The model, and the images.
    recipes
        Explainers and controls by name.
    explainers
        Names of the explainers among them, whose mean maps are measured as well.
    may_leave_out
        Whether an explainer that refuses the model is left out; else that is an error.
    metrics
        Names.
    patients
        int (n,): of each case.
    budget
        Of curves.
    state
        Keeps what was measured.
    """

    probe: Any
    cases: Sequence[Case]
    recipes: Mapping[str, Any]
    explainers: Sequence[str]
    metrics: Sequence[str]
    patients: Array
    budget: Budget
    state: State
    may_leave_out: bool = False


@final
@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured.

    Parameters
    ----------
    own, means
        Values of maps, and of mean maps by the explainer's name.
    curves
        Of the maps, a row a case; NaN where it was not asked.
    examples
        Maps to look at.
    left_out
        Why an explainer was not measured, by name; its values mean nothing.
    missing
        Images without a map by explainer, where there are any.
    """

    own: Values
    means: Values
    curves: Mapping[tuple[str, str], Curve]
    examples: tuple[Example, ...]
    left_out: Mapping[str, str]
    missing: Mapping[str, MissingMaps]


@final
class Findings:
    """What grows while explainers are measured.

    Parameters
    ----------
    study
        What is measured.
    """

    def __init__(self, study: Measurement) -> None:
        self.own = _blank(study, study.recipes)
        self.means = _blank(study, study.explainers)
        self.sums = {who: MeanMaps() for who in study.explainers}
        self.curves = Curves(len(study.cases))
        self.left_out: dict[str, str] = {}
        self.reasons: dict[str, list[str | None]] = {who: [] for who in study.recipes}

    def missing(self) -> dict[str, MissingMaps]:
        """Return images without a map by explainer, where there are any."""
        found = {}
        for who in self.sums:
            reasons = [reason for reason in self.reasons[who] if reason is not None]
            if reasons and who not in self.left_out:
                found[who] = MissingMaps(len(reasons), first_sentence(reasons[0]))
        return found


@final
class Curves:
    """Curves by (explainer or control, metric), entered a batch at a time.

    Parameters
    ----------
    count
        Of cases.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._found: dict[tuple[str, str], tuple[Array, Array]] = {}

    def enter(
        self, key: tuple[str, str], places: Sequence[int], curve: Mapping[str, Any]
    ) -> None:
        """Enter ``shares`` (S,) and ``scores``, a row (S,) for each place."""
        shares = np.asarray(curve["shares"])
        if key not in self._found:
            blank = np.full((self._count, len(shares)), np.nan)
            self._found[key] = shares, blank
        self._found[key][1][places] = curve["scores"]

    def of_all(self) -> dict[tuple[str, str], Curve]:
        """Return them."""
        return {key: Curve(*found) for key, found in self._found.items()}


@final
@dataclass(frozen=True, eq=False)
class _Turn:
    """A batch, its metrics, the places of its cases among all, and their patients."""

    number: int
    batch: Batch
    metrics: Sequence[str]
    places: Sequence[int]
    patients: Sequence[int]

    @property
    def size(self) -> tuple[int, ...]:
        """Of a map, (H, W)."""
        return tuple(self.batch.inputs.shape[1:-1])


def measure(study: Measurement) -> Measured:
    """Measure maps, then the mean maps of other patients."""
    found = Findings(study)
    examples: list[Example] = []
    done = 0
    for turn in _turns(study, study.budget.images):
        unseen = _EXAMPLES - len(examples)
        heats = _measure_maps(study, turn, found, look=unseen > 0)
        examples += _examples(turn.batch, heats, unseen)
        done += len(turn.places)
        _LOG.info("maps: %d of %d images", done, len(study.cases))
    _leave_out_failing(study, found)
    done = 0
    for turn in _turns(study, study.budget.mean_images):
        _measure_means(study, turn, found)
        done += len(turn.places)
        _LOG.info("mean maps: %d of %d images", done, len(study.cases))
    missing = found.missing()
    for who, images in missing.items():
        _LOG.warning("%s: %s", who, images.words)
    curves = found.curves.of_all()
    return Measured(
        found.own, found.means, curves, tuple(examples), found.left_out, missing
    )


def _leave_out_failing(study: Measurement, found: Findings) -> None:
    """Leave out explainers that failed at every image.

    Raises
    ------
    ExplainerError
        None is left.
    """
    for who in study.explainers:
        answers = found.reasons[who]
        if answers and not any(answer in (None, BLANK) for answer in answers):
            _leave_out(study, found, who, ExplainerError(answers[0]))
    if len(found.left_out) == len(study.explainers):
        reasons = [f"{who}: {reason}" for who, reason in found.left_out.items()]
        msg = f"evaluate: no explainer can explain this model. {' '.join(reasons)}"
        raise ExplainerError(msg)


def _leave_out(study: Measurement, found: Findings, who: str, error: Exception) -> None:
    """Note why an explainer cannot be measured; where it was asked for by name, refuse."""
    if not study.may_leave_out:
        msg = f"evaluate: {who} cannot explain this model; leave it out: {error}"
        raise ExplainerError(msg) from error
    found.left_out[who] = first_sentence(str(error))
    _LOG.warning("%s is left out: %s", who, found.left_out[who])


def _turns(study: Measurement, of_curves: int) -> Iterator[_Turn]:
    """Yield batches: those of the images that curves are asked about first, then the rest."""
    asked = spread_over_patients(study.patients, of_curves)
    places = {case.number: place for place, case in enumerate(study.cases)}
    cheap = [name for name in study.metrics if METRICS[name].kind != "curve"]
    number = 0
    for chosen, metrics in ((asked, study.metrics), (~asked, cheap)):
        cases = [case for case, yes in zip(study.cases, chosen, strict=True) if yes]
        for batch in batches(study.probe, cases):
            rows = [places[case.number] for case in batch.cases]
            patients = [int(study.patients[row]) for row in rows]
            yield _Turn(number, batch, metrics, rows, patients)
            number += 1


def _measure_maps(
    study: Measurement, turn: _Turn, found: Findings, *, look: bool
) -> dict[str, Array]:
    """Enter the values of a batch; return those maps that were made, all where ``look``."""
    heats: dict[str, Array] = {}
    for who in study.recipes:
        if who in found.left_out:
            continue
        try:
            heats |= _measure_maps_of(who, study, turn, found, look=look)
        except OF_THE_MODEL as error:
            _leave_out(study, found, who, error)
    return heats


def _measure_maps_of(
    who: str, study: Measurement, turn: _Turn, found: Findings, *, look: bool
) -> dict[str, Array]:
    heats: dict[str, Array] = {}
    recipe, stage = study.recipes[who], f"maps of {who}"
    kept = study.state.rows(stage).get(turn.number)
    if kept is None or look:
        made = maps_or_reasons(turn.batch, recipe)
        heats[who] = made.heat
    if kept is None:
        cells = cells_of(made.heat, GRID)[1].tolist() if who in found.sums else []
        figures = _figures(study, turn, made.heat, recipe)
        kept = {**figures, "cells": cells, "reasons": made.reasons}
        study.state.keep(stage, turn.number, kept)
    if who in found.sums:
        found.sums[who].add(kept["cells"], turn.size, turn.patients)
    found.reasons[who] += kept["reasons"]
    _enter(found.own, who, turn, kept["values"])
    for name, curve in kept["curves"].items():
        found.curves.enter((who, name), turn.places, curve)
    return heats


def _measure_means(study: Measurement, turn: _Turn, results: Findings) -> None:
    for who, of_others in results.sums.items():
        if who in results.left_out:
            continue
        stage = f"mean map of {who}"
        kept = study.state.rows(stage).get(turn.number)
        if kept is None:
            found = [of_others.beside(each, turn.size) for each in turn.patients]
            heat = np.stack([np.zeros(turn.size) if h is None else h for h in found])
            values = _figures(study, turn, heat.astype(np.float32), None)["values"]
            known = np.array([each is not None for each in found])
            kept = {
                "values": {
                    name: np.where(known, each, np.nan).tolist()
                    for name, each in values.items()
                }
            }
            study.state.keep(stage, turn.number, kept)
        _enter(results.means, who, turn, kept["values"])


def _figures(
    study: Measurement, turn: _Turn, heat: Array, recipe: Any
) -> dict[str, dict[str, Any]]:
    """Return the values and curves of a batch by metric, as plain lists."""
    values, curves = {}, {}
    for name in turn.metrics:
        try:
            found = measured(name, turn.batch, heat, recipe, study.budget.shares)
        except NotFiniteError as error:
            number = _first_failing(name, turn.batch, heat, recipe, study.budget.shares)
            msg = f"evaluate: {name} of image {number + 1}: {error} Or leave the image out."
            raise NotFiniteError(msg) from error
        if isinstance(found, Curve):
            values[name] = found.area.tolist()
            curves[name] = {
                "shares": found.shares.tolist(),
                "scores": found.scores.tolist(),
            }
        else:
            values[name] = found.tolist()
    return {"values": values, "curves": curves}


def _first_failing(
    name: str, batch: Batch, heat: Array, recipe: Any, shares: Sequence[float]
) -> int:
    """Return the number of the first image of a batch of which a metric is not finite."""
    for row, single in enumerate(batch.singles()):
        try:
            measured(name, single, heat[row : row + 1], recipe, shares)
        except NotFiniteError:
            return single.cases[0].number
    return batch.cases[0].number


def _enter(
    values: Values, who: str, turn: _Turn, figures: Mapping[str, Sequence[float]]
) -> None:
    for name, each in figures.items():
        values[who, name][turn.places] = each


def _blank(study: Measurement, names: Any) -> Values:
    count = len(study.cases)
    return {
        (who, metric): np.full(count, np.nan)
        for who in names
        for metric in study.metrics
    }


def _examples(batch: Batch, heats: Mapping[str, Array], count: int) -> list[Example]:
    return [
        Example(
            case.image,
            {
                who: place_back(heat[i], case.given.placement)
                for who, heat in heats.items()
            },
            case.truth,
        )
        for i, case in enumerate(batch.cases[: max(0, count)])
    ]
