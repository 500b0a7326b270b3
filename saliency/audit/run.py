"""The verb: many pictures, one verdict for each zone."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from os import PathLike
from typing import Any, NamedTuple

import numpy as np

from saliency.audit.attention.zone_heat import zone_heat
from saliency.audit.beyond_zones import FrameQuestion, beyond_zones
from saliency.audit.cases.first_pass import (
    AuditPlan,
    check_repeatable,
    failure,
    first_pass,
    picture,
)
from saliency.audit.cases.records import ImageRecord, Trial, trial_of, trial_row
from saliency.audit.cases.sources import (
    Label,
    labels_of,
    refuse_model_of_volumes,
    sources_of,
    strata_of,
)
from saliency.audit.exchange.control import search_control, share_told
from saliency.audit.exchange.effects import (
    Evidence,
    ExchangeEffect,
    exchange_effect,
    ignorance_of,
    removal_effect,
    transplant_effect,
    with_greatest_pair,
)
from saliency.audit.exchange.exchange import (
    Experiment,
    Recipient,
    interventions_of,
    recipient_of,
)
from saliency.audit.exchange.groups import (
    ScoreQuestion,
    classes_of,
    decisions,
    groupings,
    label_class,
    members_of,
    names_of,
    question,
)
from saliency.audit.judgement.beyond import tone_hint
from saliency.audit.judgement.performance import Performance, performance_of
from saliency.audit.judgement.results import Verdict
from saliency.audit.judgement.verdict import ZoneEvidence, judge, judge_tone
from saliency.audit.report.examples import DecisionWords, examples
from saliency.audit.report.facts import AuditContext, facts
from saliency.audit.report.overview import audited_files, divisions_of, pictures_of
from saliency.audit.report.report import AuditReport
from saliency.audit.report.strategies import strategies
from saliency.errors import InputError, SaliencyError
from saliency.interventions.canvas import Zones
from saliency.interventions.scoring import Scorer, check_rows_of_held_inputs
from saliency.interventions.tone import TONE
from saliency.pipeline.checkpoint import State, kept
from saliency.pipeline.explain import probe_of
from saliency.pipeline.files import AllFailedError
from saliency.pipeline.fingerprint import of_model, of_pictures, of_settings
from saliency.pipeline.patients import patients_of, with_equal_images
from saliency.pipeline.prefetch import ahead
from saliency.pipeline.prepare import Prepare
from saliency.probe.protocol import Target
from saliency.values.arrays import Array
from saliency.values.failure import Failure
from saliency.zones.detect import detectors

SAMPLE = 128
"""Pictures that zones are taken out of and exchanged between, at most."""
FEW = 0.25
"""A zone in fewer of the pictures is judged by those that show it."""
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
    groups: Sequence[Any] | Mapping[Any, Any] | None = None,
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
        As for ``explain``. A probe may hold a row of its other inputs for each image, in the order
        of ``images``; an exchanged image keeps the row of the image that content is put into.
    images
        A folder, or a sequence of paths, DicomImages, or anything that ``read_dicom`` takes. Read
        one after the other, several times; of a file with many frames the first. Burned-in text is
        looked for where an image has no zone ``"text"``.
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
    groups
        The patient of each image, as ``labels``: patients are the unit of every p-value and
        interval, and no image is exchanged with another of its patient. None: Patient ID of DICOM
        files, else their Study Instance UID, both hashed; other images count as a patient each,
        those of equal pixel data as one.
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
        No image can be read or tested, the labels do not belong to the images, or ``resume``
        cannot tell what was asked for from other questions; or volumes, which cannot be audited
        yet; or other inputs are held at another number of rows.
    ModelError
        The model gives one image two scores in two equal calls.
    SaliencyError
        The model or the target is wrong for all images.
    """
    sources = sources_of(images)
    probe = probe_of(model)
    refuse_model_of_volumes(probe)
    check_rows_of_held_inputs(probe, len(sources), "audit")
    image_labels = labels_of(labels, sources)
    stratum_values = strata_of(strata, sources)
    patients = patients_of(groups, sources, "audit")
    # Patients count by who told them: equal images are merged unless groups were given.
    cases = [image_labels, patients.numbers, patients.by, sorted(detectors())]
    key = () if resume is None else (
        of_model(model),
        of_pictures(sources),
        of_settings(prepare, target, zones, seed, cases),
    )  # fmt: skip
    scorer = Scorer(probe, prepare)
    plan = AuditPlan(
        scorer, target, sources, image_labels, seed, zones, model, patients
    )
    check_repeatable(plan)
    with kept(resume, key) as state:
        rows = list(first_pass(plan, state))
        records = [row for row in rows if isinstance(row, ImageRecord)]
        failures = [row for row in rows if isinstance(row, Failure)]
        if not records:
            first = f" The first: {failures[0].message}" if failures else ""
            msg = f"audit: none of {len(sources)} images could be audited.{first}"
            raise AllFailedError(msg)
        digests = {record.index: record.digest for record in records}
        plan = replace(plan, patients=with_equal_images(patients, digests))
        return _judged_report(plan, state, records, failures, stratum_values)


def _judged_report(
    plan: AuditPlan,
    state: State,
    records: list[ImageRecord],
    failures: list[Failure],
    strata: Mapping[str, Sequence[Label | None]],
) -> AuditReport:
    """Judge what interventions on some of the images changed."""
    tested = _tested(plan, state, records)
    experiment, trials = tested.experiment, tested.trials
    evidence = _evidence_of(plan, tested)
    by_decision = evidence[0]

    names = names_of(tested.asked, plan.scorer)
    classes = classes_of(tested.asked, plan.scorer)
    words = DecisionWords(by_decision.grouping, names, classes)
    divisions = divisions_of(plan, records, by_decision, strata)
    zones, shares = experiment.zones, [record.maps.shares for record in records]
    known = ignorance_of(evidence, plan.seed)
    question = FrameQuestion(plan, state, experiment, evidence, records, known)
    beyond = beyond_zones(question).named(zones)
    by_zone = {
        zone: _zone_evidence(zone, records, evidence, experiment) for zone in zones
    }
    verdicts = judge(
        {zone: replace(found, known=known or 0.0) for zone, found in by_zone.items()}
    )
    failures = [*failures, *tested.failed]
    return AuditReport(
        verdicts | dict(beyond.verdicts),
        facts(AuditContext(plan, names), records, evidence),
        tuple(sorted(failures, key=lambda failure: failure.index)),
        {zone: zone_heat(shares, zone) for zone in zones},
        examples(beyond.shown_in(experiment), words, plan.target),
        _performance(plan, tested, by_decision),
        divisions,
        strategies(plan, records, divisions),
        pictures_of(by_decision, words, records),
        _tone(question, len(trials)),
        audited_files(plan, records),
        beyond.masks,
    )


def _tone(question: FrameQuestion, tested: int) -> Verdict:
    """Return what is to be said of brightness."""
    effects = _exchange_effects(TONE, question.learned, question.plan.seed)
    patients = len(np.unique(question.evidence[0].units))
    tone = judge_tone(effects, tested, patients)
    return tone_hint(tone, labelled=question.labelled)


class _Tested(NamedTuple):
    """What was asked about, on which hosts, and what came of the images drawn."""

    asked: ScoreQuestion
    experiment: Experiment
    trials: list[Trial]
    failed: list[Failure]

    @property
    def scores(self) -> Array:
        """Of the images as they are, float (n, columns)."""
        return np.stack([trial.scores for trial in self.trials])


def _evidence_of(plan: AuditPlan, tested: _Tested) -> list[Evidence]:
    """Return the evidence by decision, then by each division that has groups."""
    truth = [plan.labels[trial.index] for trial in tested.trials]
    by_decision = decisions(tested.asked, tested.scores)
    by_division = groupings(tested.asked, truth, tested.scores, plan.scorer)
    hosts, patients = tested.experiment.hosts, plan.patients.numbers
    return [
        Evidence(way, tested.scores, tested.trials, hosts, patients)
        for way in (by_decision, *by_division)
    ]


def _performance(
    plan: AuditPlan, tested: _Tested, by_decision: Evidence
) -> Performance:
    """Compare decisions with and without zones."""
    truth = [plan.labels[trial.index] for trial in tested.trials]
    labelled = truth[0] is not None
    return performance_of(
        by_decision.grouping,
        tested.scores,
        np.stack([trial.cleaned for trial in tested.trials]),
        members_of(truth, tested.asked, plan.scorer) if labelled else None,
        plan.seed,
        units=by_decision.units,
    )


def _tested(plan: AuditPlan, state: State, records: list[ImageRecord]) -> _Tested:
    """Draw the images to test and the hosts, and intervene on them.

    Raises
    ------
    InputError
        No image drawn could be tested.
    """
    generator = np.random.default_rng(plan.seed)
    keys, patients = _balance_keys(plan, records), plan.patients.numbers
    units = [patients[record.index] for record in records]
    drawn = [records[row] for row in balanced(keys, SAMPLE, generator, units)]
    hosts = [records[row] for row in balanced(keys, HOSTS, generator, units)]
    asked = _question_of(plan, records)
    experiment = _experiment(plan, asked, records, hosts)
    outcomes = list(_trials(plan, state, experiment, drawn))
    trials = [outcome for outcome in outcomes if isinstance(outcome, Trial)]
    failed = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    if not trials:
        msg = (
            f"audit: none of the {len(drawn)} images drawn could be tested, though they could be "
            f"explained. The first: {failed[0].message}"
        )
        raise InputError(msg)
    return _Tested(asked, experiment, trials, failed)


def balanced(
    keys: Sequence[object],
    count: int,
    generator: np.random.Generator,
    units: Sequence[int] | None = None,
) -> list[int]:
    """Return at most so many rows, drawn from each key in turn, in their order.

    Rows of one of the ``units`` are drawn again only when each unit had its turn.
    """
    order = generator.permutation(len(keys)).tolist()
    if units is not None:
        order = _in_turn(order, units)
    chosen = _in_turn(order, keys)[:count]
    return sorted(chosen)


def _in_turn(order: Sequence[int], keys: Sequence[object]) -> list[int]:
    """Return rows in another order: the first of each key, the second of each, ..."""
    turns: Counter[object] = Counter()
    ranked = []
    for row in order:
        ranked.append((turns[keys[row]], row))
        turns[keys[row]] += 1
    ranked.sort(key=lambda pair: pair[0])
    return [row for _, row in ranked]


def _balance_keys(plan: AuditPlan, records: list[ImageRecord]) -> list[object]:
    """Return what hosts and samples are balanced by: label, predicted class, or half of scores."""
    labels = [plan.labels[record.index] for record in records]
    if all(label is not None for label in labels):
        return labels
    if plan.target is None and plan.scorer.classes is not None:
        return [record.said for record in records]
    middle = float(np.median([record.said for record in records]))
    return [record.said > middle for record in records]


def _question_of(plan: AuditPlan, records: list[ImageRecord]) -> ScoreQuestion:
    """Return what to ask; the classes that count are those of labels and of predictions."""
    classes: list[int] = []
    if plan.target is None and plan.scorer.classes is not None:
        labels = (plan.labels[record.index] for record in records)
        classes += [
            label_class(label, plan.scorer) for label in labels if label is not None
        ]
        classes += [int(record.said) for record in records]
    return question(plan.scorer, plan.target, classes)


def _experiment(
    plan: AuditPlan,
    asked: ScoreQuestion,
    records: list[ImageRecord],
    host_records: list[ImageRecord],
) -> Experiment:
    """Return the experiment with its hosts; a host that cannot be read again is left out."""
    zones = tuple(sorted({"text"}.union(*(record.zones for record in records))))
    experiment = Experiment(
        plan.scorer, asked.targets, zones, plan.target, seed=plan.seed
    )
    hosts: list[Recipient] = []
    for record in host_records:
        # Where it fails, the trial of the same picture says why.
        with suppress(SaliencyError):
            hosts.append(
                recipient_of(experiment, plan.read(record.index), record.index)
            )
    return replace(experiment, hosts=tuple(hosts))


def _trials(
    plan: AuditPlan, state: State, experiment: Experiment, tested: list[ImageRecord]
) -> Iterator[Trial | Failure]:
    """Yield the trial of each picture; what the state has is not asked again."""
    stage = experiment.stage("trial")
    done = state.rows(stage)
    todo = [record.index for record in tested if record.index not in done]
    pictures = ahead(lambda index: picture(plan, index), todo, window=2)
    for record in tested:
        if record.index in done:
            yield trial_of(done[record.index])
            continue
        image = next(pictures)
        if isinstance(image, Failure):
            yield image
            continue
        try:
            trial = interventions_of(experiment, image, record.index)
        except SaliencyError as error:
            yield failure(record.index, error)
            continue
        state.keep(stage, record.index, trial_row(trial))
        yield trial


def _zone_evidence(
    zone: str,
    records: list[ImageRecord],
    evidence: list[Evidence],
    experiment: Experiment,
) -> ZoneEvidence:
    """Return the numbers about a zone; ``evidence`` is by decision first."""
    by_decision, *by_division = evidence
    seed = experiment.seed
    search = search_control(experiment.hosts) if zone == "text" else None
    showing = {record.index for record in records if zone in record.zones}
    if not showing:
        return ZoneEvidence(0, len(records), search=search)
    exchanges = _zone_effects(zone, by_division, seed, showing, len(records))
    swing = by_decision.grouping.swing(by_decision.scores)
    told = share_told(experiment, by_decision.grouping, zone, swing)
    if told is not None:
        exchanges = [effect.calibrated(told) for effect in exchanges]
    removal = removal_effect(by_decision, zone, np.random.default_rng(seed))
    transplant = transplant_effect(by_decision, zone, showing)
    patients = len(np.unique(by_decision.patients_of(sorted(showing))))
    return ZoneEvidence(
        len(showing),
        len(records),
        exchanges,
        removal,
        transplant,
        patients,
        told,
        search,
    )


def _zone_effects(
    zone: str,
    by_division: list[Evidence],
    seed: int,
    showing: set[int],
    images: int,
) -> list[ExchangeEffect]:
    """Return the effect for each division: of all images, or of those ``showing`` the zone.

    Images without the zone dilute what its content does, and those that show it do not tell what
    its presence does: the greater counts; where few show it, theirs does. The p-value is that of
    all images: which content belongs to whom is permuted among all.
    """
    effects = _exchange_effects(zone, by_division, seed)
    if len(showing) == images:
        return effects
    few = len(showing) < FEW * images
    among = [evidence.among(showing) for evidence in by_division]
    of_some = {
        effect.by: effect
        for effect in _exchange_effects(zone, among, seed, pairs=False)
    }
    return [
        effect.sized_as(of_some[effect.by])
        if effect.by in of_some and (few or of_some[effect.by].effect > effect.effect)
        else effect
        for effect in effects
    ]


def _exchange_effects(
    zone: str, by_division: list[Evidence], seed: int, *, pairs: bool = True
) -> list[ExchangeEffect]:
    """Return the effect for each division that allows one; with its greatest pair of groups."""
    generator = np.random.default_rng(seed)
    effects = []
    for evidence in by_division:
        effect = exchange_effect(evidence, zone, generator)
        if effect is not None and pairs:
            effect = with_greatest_pair(effect, evidence, zone, generator)
        if effect is not None:
            effects.append(effect)
    return effects
