"""The verb: find out which explainer tells the truth about a model, on a user's images."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from saliency.errors import InputError
from saliency.evaluation.baselines import BASELINES, controls
from saliency.evaluation.cases import (
    groups_of,
    listed,
    read,
    truth_of,
    with_donors,
)
from saliency.evaluation.decision import Decision, decide, interval_of, per_group
from saliency.evaluation.measuring import Batch, Case, batches, maps, measured
from saliency.evaluation.metrics import METRICS, chosen
from saliency.evaluation.report import EvaluationReport, Example, Measure
from saliency.explainers.catalogue import resolve
from saliency.pipeline.explain import Explainer, name_of, probe_of, versions
from saliency.pipeline.label_matching import aligned, plain_label
from saliency.pipeline.place_back import place_back
from saliency.pipeline.prepare import Prepare
from saliency.probe.protocol import Target
from saliency.values.arrays import Array
from saliency.values.failure import Failure

PASSES: Final = 2000
"""Forward passes, an image each, that the curves of an evaluation may cost."""
_STEPS: Final = (2, 16)
"""Least and greatest number of steps of a curve."""
_EXAMPLES: Final = 4
"""Images whose maps the report shows."""
FAST: Final = ("fastcam", "gradcam", "gradient", "gradient_times_input", "lrp")

_LOG = logging.getLogger("saliency.evaluation")


def evaluate(  # noqa: PLR0913 - fixed in the design
    model: object,
    images: object,
    explainers: Sequence[Explainer] | Explainer = FAST,
    *,
    labels: Any = None,
    truth: Any = None,
    prepare: Prepare | Callable[..., Any] | None = None,
    target: Target = None,
    metrics: Sequence[str] | None = None,
    groups: Any = None,
    seed: int = 0,
) -> EvaluationReport:
    """Measure explainers on a user's own images, and name the best, or say "cannot tell".

    Parameters
    ----------
    model, prepare
        As for :func:`saliency.explain`.
    images
        As for :func:`saliency.explain_many`.
    explainers
        Names or recipes; two or more can be compared.
    labels
        The class of each image, an index or a name: it is what is explained, unless a target is
        given. A sequence in the order of the images, or a mapping by path or file name.
    truth
        What the heat should lie on: for each image a Mask or bool (rows, columns) of its grid, or
        boxes (top, left, rows, columns); None for an image without. As ``labels``.
    target
        As for ``explain``, the same for all images. None: the label, else the predicted class.
    metrics
        Names of ``saliency.evaluation.metrics.METRICS``; the first ranks the explainers. None:
        with a truth how the heat lies on it, and always what the model's score does when the
        hottest pixels are exchanged or deleted.
    groups
        The patient of each image, as ``labels``. None: each image is a patient of its own.
    seed
        Of donors, baselines, intervals and signs.

    Returns
    -------
    EvaluationReport

    Raises
    ------
    InputError
        No image can be read, or what was given for images does not belong to them.
    SaliencyError
        The model, an explainer or the target is wrong.

    Notes
    -----
    Curves cost 2,000 forward passes at most, however many explainers: the more there are, the
    fewer steps they have. The maps themselves cost what docs/explainers says.
    """
    recipes = _recipes(explainers)
    names = chosen(metrics, truth=truth is not None)
    probe, generator = probe_of(model), np.random.default_rng(seed)
    sources = listed(images)
    classes = [plain_label(label) for label in _aligned(labels, sources, "labels")]
    targets = classes if target is None else [target] * len(sources)
    found = read(probe, sources, prepare, targets)
    cases = [each for each in found if isinstance(each, Case)]
    failures = tuple(each for each in found if isinstance(each, Failure))
    if not cases:
        msg = f"evaluate: none of {len(sources)} images can be asked about: {failures[0].message}"
        raise InputError(msg)
    told = _aligned(truth, sources, "truths")
    cases = _with_truths(cases, told)
    patients = groups_of(_those(_aligned(groups, sources, "groups"), cases))
    if "exchange" in names:
        cases = with_donors(probe, cases, generator)
    steps = steps_of(names, len(cases), len(recipes))
    values, examples = _measure(
        probe, cases, {**recipes, **controls(seed)}, names, steps
    )
    scores = _scores(values, recipes, patients, generator)
    decision = _decision(values, recipes, names[0], patients, generator)
    facts = {
        "images": len(cases),
        "patients": len(np.unique(patients)),
        "metric": names[0],
        "steps": steps,
        "seed": seed,
        "versions": versions(),
    }
    return EvaluationReport(scores, decision, facts, failures, examples)


def steps_of(metrics: Sequence[str], images: int, explainers: int) -> int:
    """Return how many steps a curve may have, so that all cost ``PASSES`` at most."""
    count = sum(METRICS[name].kind == "curve" for name in metrics)
    curves = count * images * (explainers + len(BASELINES))
    # A curve of s steps asks about s + 1 images.
    least, greatest = _STEPS
    return int(np.clip(PASSES // max(1, curves) - 1, least, greatest))


def _recipes(explainers: Sequence[Explainer] | Explainer) -> dict[str, Any]:
    """Return recipes by name as given, or by their repr."""
    one = isinstance(explainers, str) or callable(explainers)
    given = [explainers] if one else list(explainers)  # type: ignore[arg-type]
    if not given:
        msg = "evaluate: expected one explainer or more, got none."
        raise InputError(msg)
    names = [each if isinstance(each, str) else name_of(each) for each in given]
    if len(set(names)) < len(names):
        msg = f"evaluate: expected explainers that differ, got {', '.join(map(str, names))}."
        raise InputError(msg)
    return {str(name): resolve(each) for name, each in zip(names, given, strict=True)}


def _aligned(values: Any, sources: Sequence[Any], name: str) -> list[Any]:
    return aligned(values, sources, owner="evaluate", name=name)


def _those(values: Sequence[Any], cases: Sequence[Case]) -> list[Any]:
    return [values[case.number] for case in cases]


def _with_truths(cases: Sequence[Case], truths: Sequence[Any]) -> list[Case]:
    return [
        replace(case, truth=truth_of(truths[case.number], case.image)) for case in cases
    ]


Values = dict[tuple[str, str], Array]
"""(explainer or baseline, metric) -> float64 (n,), in the order of the cases."""


def _measure(
    probe: Any,
    cases: Sequence[Case],
    recipes: Mapping[str, Any],
    names: Sequence[str],
    steps: int,
) -> tuple[Values, tuple[Example, ...]]:
    """Return every metric of every recipe on every case, and maps to look at."""
    places = {case.number: place for place, case in enumerate(cases)}
    values: Values = {
        (who, name): np.full(len(cases), np.nan) for who in recipes for name in names
    }
    examples: list[Example] = []
    for count, batch in enumerate(batches(probe, cases), 1):
        rows = [places[case.number] for case in batch.cases]
        heats = {who: maps(batch, recipe) for who, recipe in recipes.items()}
        for who, heat in heats.items():
            for name in names:
                values[who, name][rows] = measured(
                    name, batch, heat, recipes[who], steps
                )
        examples += _examples(batch, heats, _EXAMPLES - len(examples))
        _LOG.info("batch %d: %d of %d images", count, rows[-1] + 1, len(cases))
    return values, tuple(examples)


def _examples(batch: Batch, heats: Mapping[str, Array], count: int) -> list[Example]:
    return [
        Example(
            case.image,
            {
                who: place_back(heat[i], case.given.placement)
                for who, heat in heats.items()
            },
        )
        for i, case in enumerate(batch.cases[: max(0, count)])
    ]


def _scores(
    values: Values,
    recipes: Mapping[str, Any],
    patients: Array,
    generator: np.random.Generator,
) -> dict[tuple[str, str], Measure]:
    def mean(who: str, name: str) -> float:
        means = per_group(values[who, name], patients)
        return float(means.mean()) if means.size else float("nan")

    return {
        (who, name): Measure(
            mean(who, name),
            interval_of(found, patients, generator),
            {control: mean(control, name) for control in BASELINES},
        )
        for (who, name), found in values.items()
        if who in recipes
    }


def _decision(
    values: Values,
    recipes: Mapping[str, Any],
    metric: str,
    patients: Array,
    generator: np.random.Generator,
) -> Decision:
    sign = 1 if METRICS[metric].greater else -1
    of = {who: sign * found for (who, name), found in values.items() if name == metric}
    explainers = {who: of[who] for who in recipes}
    baselines = {who: of[who] for who in BASELINES}
    return decide(explainers, baselines, patients, generator)
