"""The verb: many pictures, one verdict for each zone."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np

from saliency.audit.attention.zone_heat import heat
from saliency.audit.cases.first_pass import AuditPlan, failure, first_pass, picture
from saliency.audit.cases.records import ImageRecord, Trial, trial_of, trial_row
from saliency.audit.cases.sources import Label, check_model, labels_of, sources_of, strata_of
from saliency.audit.exchange.effects import (
    Evidence,
    ExchangeEffect,
    exchange_effect,
    removal_effect,
    transplant_effect,
)
from saliency.audit.exchange.exchange import (
    Experiment,
    Recipient,
    interventions_of,
    recipient_of,
)
from saliency.audit.exchange.groups import (
    Question,
    class_of,
    classes_of,
    decisions,
    groupings,
    members_of,
    names_of,
    question,
)
from saliency.audit.judgement.performance import performance_of
from saliency.audit.judgement.verdict import ZoneEvidence, judge, judge_tone
from saliency.audit.report.examples import DecisionWords, examples
from saliency.audit.report.facts import AuditContext, facts
from saliency.audit.report.overview import divisions_of, files_of, pictures_of
from saliency.audit.report.report import AuditReport
from saliency.audit.report.strategies import strategies
from saliency.errors import InputError, SaliencyError
from saliency.interventions.canvas import Zones
from saliency.interventions.scoring import Scorer
from saliency.interventions.tone import TONE
from saliency.pipeline.checkpoint import State, kept
from saliency.pipeline.explain import probe_of
from saliency.pipeline.fingerprint import of_model, of_pictures, of_settings
from saliency.pipeline.prefetch import ahead
from saliency.pipeline.prepare import Prepare
from saliency.probe.protocol import Target
from saliency.values.failure import Failure
from saliency.values.image import DicomImage

SAMPLE = 128
"""Pictures that zones are taken out of and exchanged between, at most."""
HOSTS = 8
"""Pictures that others' zones are put into, at most."""


def audit(  # noqa: PLR0913 - what is fixed in the design, and two questions more
    model: object,
    images: object,
    *,
    labels: Sequence[Any] | Mapping[Any, Any] | None = None,
    prepare: Prepare | None = None,
    target: Target = None,
    zones: Zones | None = None,
    strata: Mapping[str, Any] | Sequence[str] | None = None,
    resume: str | PathLike[str] | None = None,
    seed: int = 0,
) -> AuditReport:
    """Find out what a model reads besides the patient.

    Each zone that is not diagnostic (burned-in text, borders, shutters, any zone given by hand)
    is exchanged between images of different classes and removed from them, and the model is asked
    again each time. The same exchange of as much tissue is the control. Heatmaps play no part in
    the verdict.

    Parameters
    ----------
    model
        As for ``explain``.
    images
        A folder, or a sequence of paths, DicomImages, or anything that ``read_dicom`` takes. Read
        one after the other, twice; of a file with many frames the first. Burned-in text is looked
        for where an image has no zone ``"text"``.
    labels
        What each image truly shows: a class index or name (with a ``target``: 0 or 1), as a
        sequence in the order of ``images``, or a mapping by path or file name. None: the
        model's predictions take their place.
    prepare, target
        As for ``explain``. With a target only its score is used.
    zones
        Zones of your own, added to each picture as ``DicomImage.with_zone`` does: names, each with
        a mask of the pictures' grid or a function of the image that returns one (or None); or a
        function of the image that returns such a mapping.
    strata
        What else divides the images: names, each with values as ``labels`` has them, or with
        None for an attribute of the files (``saliency.dicom.file.header_groups.STRATA``:
        Manufacturer, StationName, ...). A sequence of names means attributes; their values are
        numbered, and never leave the file.
    resume
        A file that keeps what was found so far: an audit that was stopped goes on from there, and
        removes it at the end. Made for another model, other pictures or settings, it is begun anew
        (the logger ``saliency.audit`` says so). Functions are told apart by their code and by what
        they use; an object that is neither a function, a partial nor a dataclass is refused.
    seed
        Of every draw: which images are tested, where controls lie, permutations, intervals, the
        random map.

    Returns
    -------
    AuditReport
        One verdict for each zone; images that cannot be read are its ``failures``.

    Raises
    ------
    InputError
        No image can be read, the labels do not belong to the images, or ``resume`` cannot tell
        what was asked for from other questions; or volumes, which cannot be audited yet.
    SaliencyError
        The model or the target is wrong for all images.
    """
    sources = sources_of(images)
    probe = probe_of(model)
    check_model(probe)
    told = labels_of(labels, sources)
    values = strata_of(strata, sources)
    key = () if resume is None else (
        of_model(model), of_pictures(sources), of_settings(prepare, target, zones, seed, told)
    )  # fmt: skip
    case = AuditPlan(Scorer(probe, prepare), target, sources, told, seed, zones, model)
    with kept(resume, key) as state:
        rows = list(first_pass(case, state))
        seen = [row for row in rows if isinstance(row, ImageRecord)]
        failures = [row for row in rows if isinstance(row, Failure)]
        if not seen:
            first = f" The first: {failures[0].message}" if failures else ""
            msg = f"audit: none of {len(sources)} images could be audited.{first}"
            raise InputError(msg)
        return _report(case, state, seen, failures, values)


def _report(
    case: AuditPlan,
    state: State,
    seen: list[ImageRecord],
    failures: list[Failure],
    strata: Mapping[str, Sequence[Label | None]],
) -> AuditReport:
    generator = np.random.default_rng(case.seed)
    keys = _keys(case, seen)
    chosen = [seen[row] for row in balanced(keys, SAMPLE, generator)]
    asked = _question(case, seen)
    experiment = _experiment(
        case, asked, seen, [seen[row] for row in balanced(keys, HOSTS, generator)]
    )
    tried = list(_trials(case, state, experiment, chosen))
    trials = [one for one in tried if isinstance(one, Trial)]
    failures = [*failures, *(one for one in tried if isinstance(one, Failure))]
    truth = [case.labels[one.index] for one in trials]
    found = _evidence(case, asked, experiment, trials, truth)
    plain, names = found[0], names_of(asked, case.scorer)
    words = DecisionWords(plain.grouping, names, classes_of(asked, case.scorer))
    cleaned = np.stack([one.cleaned for one in trials])
    true = members_of(truth, asked, case.scorer) if truth[0] is not None else None
    divisions = divisions_of(case, seen, plain, strata)
    return AuditReport(
        judge({zone: _zone_evidence(zone, seen, found, case.seed) for zone in experiment.zones}),
        facts(AuditContext(case, names), seen, found),
        tuple(sorted(failures, key=lambda row: row.index)),
        {zone: heat([one.maps.shares for one in seen], zone) for zone in experiment.zones},
        examples(experiment, words, case.target),
        performance_of(plain.grouping, plain.scores, cleaned, true, case.seed),
        divisions,
        strategies(case, seen, divisions),
        pictures_of(plain, words, seen),
        judge_tone(_exchange_effects(TONE, found[1:], case.seed), len(trials)),
        files_of(case, seen),
    )


def _evidence(
    case: AuditPlan,
    asked: Question,
    experiment: Experiment,
    trials: list[Trial],
    told: list[Label | None],
) -> list[Evidence]:
    """Return the pictures by decision, then by each division that has groups."""
    scores = np.stack([one.scores for one in trials])
    ways = [decisions(asked, scores), *groupings(asked, told, scores, case.scorer)]
    return [Evidence(way, scores, trials, experiment.hosts) for way in ways]


def balanced(keys: Sequence[object], count: int, generator: np.random.Generator) -> list[int]:
    """Return at most so many rows, drawn from each key in turn, in their order."""
    order = generator.permutation(len(keys)).tolist()
    turns: Counter[object] = Counter()
    ranked = []
    for row in order:
        ranked.append((turns[keys[row]], row))
        turns[keys[row]] += 1
    ranked.sort(key=lambda pair: pair[0])
    return sorted(row for _, row in ranked[:count])


def _keys(case: AuditPlan, seen: list[ImageRecord]) -> list[object]:
    """Return what hosts and samples are balanced by: label, predicted class, or half of scores."""
    labels = [case.labels[one.index] for one in seen]
    if all(label is not None for label in labels):
        return labels
    if case.target is None and case.scorer.classes is not None:
        return [one.said for one in seen]
    middle = float(np.median([one.said for one in seen]))
    return [one.said > middle for one in seen]


def _question(case: AuditPlan, seen: list[ImageRecord]) -> Question:
    classes: list[int] = []
    if case.target is None and case.scorer.classes is not None:
        labels = (case.labels[one.index] for one in seen)
        told = [class_of(label, case.scorer) for label in labels if label is not None]
        classes = [*told, *(int(one.said) for one in seen)]
    return question(case.scorer, case.target, classes)


def _experiment(
    case: AuditPlan, asked: Question, seen: list[ImageRecord], chosen: list[ImageRecord]
) -> Experiment:
    zones = tuple(sorted({"text"}.union(*(one.zones for one in seen))))
    experiment = Experiment(case.scorer, asked.targets, zones, case.target, seed=case.seed)
    found = [_host(case, experiment, one) for one in chosen]
    return replace(experiment, hosts=tuple(one for one in found if one is not None))


def _host(case: AuditPlan, experiment: Experiment, seen: ImageRecord) -> Recipient | None:
    """Return None where the picture cannot be read again; its trial will say why."""
    try:
        return recipient_of(experiment, case.read(seen.index), seen.index)
    except SaliencyError:
        return None


def _trials(
    case: AuditPlan, state: State, experiment: Experiment, chosen: list[ImageRecord]
) -> Iterator[Trial | Failure]:
    done = state.rows("trial")
    todo = [seen.index for seen in chosen if seen.index not in done]
    pictures = ahead(lambda index: picture(case, index), todo, window=2)
    for seen in chosen:
        if seen.index in done:
            yield trial_of(done[seen.index])
            continue
        found = _tried(experiment, next(pictures), seen.index)
        if isinstance(found, Trial):
            state.keep("trial", seen.index, trial_row(found))
        yield found


def _tried(experiment: Experiment, image: DicomImage | Failure, index: int) -> Trial | Failure:
    if isinstance(image, Failure):
        return image
    try:
        return interventions_of(experiment, image, index)
    except SaliencyError as error:
        return failure(index, error)


def _zone_evidence(
    zone: str, seen: list[ImageRecord], evidence: list[Evidence], seed: int
) -> ZoneEvidence:
    """Return the numbers about a zone; ``evidence`` is by decision first."""
    plain, *ways = evidence
    count = sum(zone in one.zones for one in seen)
    if not count:
        return ZoneEvidence(0, len(seen))
    gone = removal_effect(plain, zone, np.random.default_rng(seed))
    moved = transplant_effect(plain, zone, {one.index for one in seen if zone in one.zones})
    return ZoneEvidence(count, len(seen), _exchange_effects(zone, ways, seed), gone, moved)


def _exchange_effects(zone: str, ways: list[Evidence], seed: int) -> list[ExchangeEffect]:
    generator = np.random.default_rng(seed)
    effects = [exchange_effect(evidence, zone, generator) for evidence in ways]
    return [effect for effect in effects if effect is not None]
