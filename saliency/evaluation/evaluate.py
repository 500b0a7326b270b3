"""The verb: find out which explainer tells the truth about a model, on a user's images."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, Final

import numpy as np

from saliency.errors import InputError
from saliency.evaluation.baselines import BASELINES, CONTROLS, controls
from saliency.evaluation.budget import budget_of
from saliency.evaluation.cases import (
    listed,
    numbers_of,
    read,
    refuse_volumes,
    truths_of,
    with_donors,
)
from saliency.evaluation.curves import Curve, mean_curve
from saliency.evaluation.decision import Decision, decide, interval_of, per_group
from saliency.evaluation.measuring import Case
from saliency.evaluation.metrics import METRICS, chosen
from saliency.evaluation.report import EvaluationReport, Measure
from saliency.evaluation.study import FORM, Measured, Measurement, Values, measure
from saliency.explainers.catalogue import resolve
from saliency.explainers.queries import check_whole
from saliency.interventions.scoring import check_rows_of_held_inputs
from saliency.pipeline.checkpoint import kept
from saliency.pipeline.explain import (
    Explainer,
    bound,
    filled,
    name_of,
    probe_of,
    versions,
)
from saliency.pipeline.files import AllFailedError
from saliency.pipeline.fingerprint import of_model, of_pictures, of_settings
from saliency.pipeline.label_matching import aligned, plain_label
from saliency.pipeline.patients import Patients, patients_of
from saliency.pipeline.plain import portable
from saliency.pipeline.prepare import Prepare
from saliency.probe.model.digest import model_digest
from saliency.probe.protocol import Target
from saliency.values.arrays import Array
from saliency.values.failure import Failure

_LOG = logging.getLogger("saliency.evaluation")
FAST: Final = ("fastcam", "gradcam", "gradient", "gradient_times_input", "lrp")


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
    resume: str | PathLike[str] | None = None,
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
        Names or recipes; two or more can be compared. One that refuses the model is an error. Of
        the five that are asked without being named, those that refuse the model are left out, and
        the report and the logger say which and why.
    labels
        The class of each image, an index or a name: it is what is explained, unless a target is
        given. A sequence in the order of the images, or a mapping by path or file name.
    truth
        What the heat should lie on: for each image a Mask or bool (rows, columns) of its grid,
        boxes (top, left, rows, columns), or a DICOM Segmentation or RT Structure Set (path or
        Dataset) that refers to it; None for an image without. As ``labels``. Or one such object, or
        a folder of them: each image takes what refers to it by SOP Instance UID, or lies in its
        plane.
    target
        As for ``explain``, the same for all images. None: the label, else the predicted class.
    metrics
        Names of ``saliency.evaluation.metrics.METRICS``; the first ranks the explainers. None:
        with a truth how the heat lies on it, and always what the model's score does when the
        hottest pixels are exchanged or deleted.
    groups
        The patient of each image, as ``labels``. None: Patient ID of DICOM files, or where there
        is none their Study Instance UID; without either each image is a patient of its own. Then
        images of the same pixel data are of one patient, too. ``range(n)``: all are of others.
    resume
        A file that keeps what was measured so far: an evaluation that was stopped goes on from
        there, and removes it at the end. Made for another model, other images or settings, it is
        begun anew, and the logger ``saliency.evaluation`` says so.
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
        The model, an explainer or the target is wrong, or no explainer is left.

    Notes
    -----
    Curves cost 2,000 forward passes at most, however many explainers: the more there are, the
    fewer scores a curve has; below two, fewer images are asked about, as many patients as there
    can be. Curves of mean maps are asked about a quarter of them. The maps themselves cost what
    docs/explainers says. The logger ``saliency.evaluation`` says how far it is.

    Where an explainer fails at an image, or its map has one value, a random map is measured in its
    place, and the report says of how many images: left out, it would count where it works.
    """
    check_whole("evaluate", least=0, seed=seed)
    recipes = _recipes(explainers)
    names = chosen(metrics, truth=truth is not None)
    probe, generator = probe_of(model), np.random.default_rng(seed)
    refuse_volumes(probe)
    sources = listed(images)
    check_rows_of_held_inputs(probe, len(sources), "evaluate")
    by_source = _patients(groups, sources)
    targets = _targets(probe, sources, labels, target)
    found = read(probe, sources, prepare, targets)
    cases = [each for each in found if isinstance(each, Case)]
    failures = tuple(each for each in found if isinstance(each, Failure))
    if not cases:
        msg = f"evaluate: none of {len(sources)} images can be asked about: {failures[0].message}"
        raise AllFailedError(msg)
    cases = cases if truth is None else truths_of(truth, cases, sources, names[0])
    patients = numbers_of(by_source, cases)
    if "exchange" in names:
        cases = with_donors(probe, cases, patients, generator)
        _check_donors(cases, names[0])
    budget = budget_of(names, len(cases), len(recipes))
    key = () if resume is None else (
        of_model(model),
        of_pictures(sources),
        of_settings(
            prepare, targets, recipes, seed,
            # Rows are kept by place among the images that could be read: which those are counts.
            (FORM, names, budget, [(each.number, each.truth) for each in cases], patients),
        ),
    )  # fmt: skip
    with kept(resume, key, "evaluation") as state:
        study = Measurement(
            probe,
            cases,
            {**recipes, **controls(seed)},
            tuple(recipes),
            names,
            patients,
            budget,
            state,
            may_leave_out=explainers is FAST,
        )
        values = measure(study)
        asked = [who for who in recipes if who not in values.left_out]
        scores = _measures(values, asked, patients, generator)
        decision = _decision(values.own, asked, names[0], patients, generator)
        facts = {
            **_facts(study, recipes, prepare, seed),
            **_counts_ranked(values.own[decision.leader, names[0]], patients),
            "patients_by": by_source.by,
            "patients_warning": by_source.warning,
        }
        return EvaluationReport(
            scores,
            decision,
            facts,
            failures,
            values.examples,
            _mean_curves(values, patients),
            values.left_out,
            values.missing,
        )


def _patients(groups: object, sources: Sequence[Any]) -> Patients:
    """Return the patient of each image; say what is doubtful about it."""
    found = patients_of(groups, sources, "evaluate")
    if found.warning:
        _LOG.warning("%s", found.warning)
    return found


def _targets(
    probe: Any, sources: Sequence[Any], labels: Any, target: Target
) -> list[Target]:
    """Return what is explained of each image; a wrong one is refused before hours of work."""
    told = aligned(labels, sources, owner="evaluate", name="labels")
    classes = [plain_label(label) for label in told]
    targets = classes if target is None else [target] * len(sources)
    unlabelled = sum(each is None for each in targets)
    if labels is not None and unlabelled:
        _LOG.warning(
            "%d of %d images have no label: their predicted class is explained.",
            *(unlabelled, len(sources)),
        )
    for each in targets:
        bound(probe, each)
    return targets


def _check_donors(cases: Sequence[Case], ranking: str) -> None:
    """Refuse to rank by exchange where no image can lend another its pixels."""
    if ranking == "exchange" and not any(case.donor is not None for case in cases):
        msg = (
            "evaluate: exchange expects two images or more of one size, that lend each other "
            f"their pixels, got {len(cases)} of which none has the size of another. Give more "
            "images, a size (Prepare), or another metric first."
        )
        raise InputError(msg)


def _facts(
    study: Measurement, recipes: Mapping[str, Any], prepare: object, seed: int
) -> dict[str, Any]:
    """Return what a report tells of its evaluation: no names of files."""
    return {
        "images": len(study.cases),
        "patients": len(np.unique(study.patients)),
        "metric": study.metrics[0],
        "curve_images": study.budget.images,
        "mean_curve_images": study.budget.mean_images,
        "curve_shares": list(study.budget.shares),
        "seed": seed,
        "prepare": portable(filled(study.probe, prepare)),
        "model": _model_record(study.probe),
        "recipes": {name: name_of(recipe) for name, recipe in recipes.items()},
        "versions": versions(),
    }


def _counts_ranked(values: Array, patients: Array) -> dict[str, int]:
    """Count images and patients in which the leader has a value: what the verdict rests on."""
    known = np.isfinite(values)
    return {
        "ranked_images": int(known.sum()),
        "ranked_patients": len(np.unique(patients[known])),
    }


def _model_record(probe: Any) -> dict[str, Any] | None:
    """Return name, digest and layers of a Keras model; None for a probe that is no such model."""
    source = getattr(probe, "source", probe)
    model = getattr(source, "model", None)
    if model is None:
        return None
    layers = list(source.layers)
    return {"name": model.name, "sha256": model_digest(model), "layers": layers}


def _recipes(explainers: Sequence[Explainer] | Explainer) -> dict[str, Any]:
    """Return recipes by name as given, or by their repr."""
    several = isinstance(explainers, Iterable) and not isinstance(explainers, str)
    # One that is none of these is refused by its type where it is resolved.
    given: list[Any] = list(explainers) if several else [explainers]  # type: ignore[arg-type]
    if not given:
        msg = "evaluate: expected one explainer or more, got none."
        raise InputError(msg)
    names = [each if isinstance(each, str) else name_of(each) for each in given]
    recipes = [resolve(each) for each in given]
    if len({name_of(recipe) for recipe in recipes}) < len(recipes):
        msg = f"evaluate: expected explainers that differ, got {', '.join(names)}."
        raise InputError(msg)
    _check_names(given)
    return dict(zip(names, recipes, strict=True))


def _check_names(explainers: Sequence[Explainer]) -> None:
    """Refuse a function called as a baseline is, which would be measured in its place."""
    for each in explainers:
        if not isinstance(each, str) and name_of(each) in BASELINES:
            msg = (
                f"evaluate: expected a function of another name than {name_of(each)!r}, which is "
                "that of a baseline."
            )
            raise InputError(msg)


def _mean_curves(values: Measured, patients: Array) -> dict[tuple[str, str], Curve]:
    """Return the mean over patients of each curve of an explainer that was measured, or control."""
    return {
        (who, name): mean_curve(each, patients)
        for (who, name), each in values.curves.items()
        if who not in values.left_out
    }


def _measures(
    values: Measured,
    explainers: Sequence[str],
    patients: Array,
    generator: np.random.Generator,
) -> dict[tuple[str, str], Measure]:
    def mean(found: Array) -> float:
        means = per_group(found, patients)
        return float(means.mean()) if means.size else float("nan")

    scores = {}
    for (who, name), found in values.own.items():
        if who in explainers:
            beside = {each: mean(values.own[each, name]) for each in CONTROLS}
            beside["mean"] = mean(values.means[who, name])
            interval = interval_of(found, patients, generator)
            scores[who, name] = Measure(mean(found), interval, beside)
    return scores


def _decision(
    values: Values,
    asked: Sequence[str],
    metric: str,
    patients: Array,
    generator: np.random.Generator,
) -> Decision:
    sign = 1 if METRICS[metric].greater else -1
    of = {who: sign * found for (who, name), found in values.items() if name == metric}
    explainers = {who: of[who] for who in asked}
    baselines = {who: of[who] for who in CONTROLS}
    return decide(explainers, baselines, patients, generator)
