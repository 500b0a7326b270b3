"""All pictures side by side: by label, by strata, and one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, final

import numpy as np

from saliency.audit.cases.first_pass import AuditPlan
from saliency.audit.cases.records import ImageRecord
from saliency.audit.cases.sources import HiddenValue
from saliency.audit.exchange.effects import Evidence
from saliency.audit.judgement.associations import (
    ImageFeatures,
    division_by,
    with_answers,
)
from saliency.audit.judgement.results import Division
from saliency.audit.report.examples import DecisionWords
from saliency.values.arrays import Array


@final
@dataclass(frozen=True)
class ChangedDecision:
    """A picture, and what removing every zone from it does.

    Parameters
    ----------
    number
        Position of the picture, from 1.
    digest
        First characters of the digest of its pixel data.
    before, after
        What the model says of it as it is, and without its zones.
    moved
        How much of its lead the decision loses, as a share of the mean lead; above 0 where it is
        lost.
    """

    number: int
    digest: str
    before: str
    after: str
    moved: float


@final
@dataclass(frozen=True)
class AuditedFile:
    """Which file a picture came from.

    Parameters
    ----------
    number
        Position of the picture, from 1.
    digest
        Of its pixel data, sha256.
    file
        As the user gave it; empty for what is no file.
    """

    number: int
    digest: str
    file: str


def audited_files(
    plan: AuditPlan, records: Sequence[ImageRecord]
) -> tuple[AuditedFile, ...]:
    """Return the file of each picture seen."""
    files = []
    for record in records:
        source = plan.sources[record.index]
        file = str(source) if isinstance(source, str | PathLike) else ""
        files.append(AuditedFile(record.index + 1, record.digest, file))
    return tuple(files)


def heat_features(records: Sequence[ImageRecord]) -> Array:
    """Return float (n, d): the coarse maps of all explainers that could be asked of all."""
    maps = [record.maps.coarse for record in records]
    names = sorted(set.intersection(*(set(by_explainer) for by_explainer in maps)))
    # (16, 16) of each explainer, laid end to end; (n, 0) where none could be asked of all.
    rows = []
    for by_explainer in maps:
        cells = [by_explainer[name].ravel() for name in names]
        rows.append(np.concatenate([np.empty(0), *cells]))
    return np.stack(rows)


def divisions_of(
    plan: AuditPlan,
    records: Sequence[ImageRecord],
    by_decision: Evidence,
    strata: Mapping[str, Sequence[Any]],
) -> tuple[Division, ...]:
    """Divide the pictures by label, or by what the model says, then by each stratum; ask."""
    labels = [plan.labels[record.index] for record in records]
    truth = None
    if labels[0] is not None:
        truth = division_by("label", [_label_name(plan, label) for label in labels])
    divisions = [truth or division_by("prediction", _prediction_names(plan, records))]
    for name, all_values in strata.items():
        values = [all_values[record.index] for record in records]
        hidden = any(isinstance(value, HiddenValue) for value in values)
        divisions.append(division_by(name, values, hidden=hidden))

    zones = sorted({name for record in records for name in record.zones})
    rows = {record.index: row for row, record in enumerate(records)}
    subject = ImageFeatures(
        heat=heat_features(records),
        zones={
            name: np.array([record.zones.get(name, 0.0) for record in records])
            for name in zones
        },
        tested=np.array([rows[trial.index] for trial in by_decision.trials]),
        scores=by_decision.scores,
        units=by_decision.patients_of([record.index for record in records]),
    )
    return with_answers(divisions, truth, subject, plan.seed)


def pictures_of(
    by_decision: Evidence, words: DecisionWords, records: Sequence[ImageRecord]
) -> tuple[ChangedDecision, ...]:
    """Return the pictures that were tested, those first whose decision is hurt most."""
    digests = {record.index: record.digest[:12] for record in records}
    grouping, trials = by_decision.grouping, by_decision.trials
    before = grouping.towards(by_decision.scores)
    after = grouping.towards(np.stack([trial.cleaned for trial in trials]))
    decided = before.argmax(axis=1)
    rows = np.arange(len(decided))
    leads = before[rows, decided]
    moved = (leads - after[rows, decided]) / max(float(leads.mean()), 1e-12)
    pictures = [
        ChangedDecision(
            number=trial.index + 1,
            digest=digests[trial.index],
            before=words.names[decided[row]],
            after=words.names[int(after[row].argmax())],
            moved=float(moved[row]),
        )
        for row, trial in enumerate(trials)
    ]

    def hurt(picture: ChangedDecision) -> tuple[bool, float]:
        return picture.before == picture.after, -picture.moved

    return tuple(sorted(pictures, key=hurt))


def _label_name(plan: AuditPlan, label: Any) -> Any:
    if label is None:
        return None
    names = plan.scorer.labels
    if names and isinstance(label, int) and 0 <= label < len(names):
        return names[label]
    return label if isinstance(label, str) else f"class {label}"


def _prediction_names(plan: AuditPlan, records: Sequence[ImageRecord]) -> list[str]:
    if plan.target is None and plan.scorer.classes is not None:
        return [_label_name(plan, int(record.said)) for record in records]
    middle = float(np.median([record.said for record in records]))
    return [
        "higher score" if record.said > middle else "lower score" for record in records
    ]
