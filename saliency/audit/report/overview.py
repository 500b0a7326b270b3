"""All pictures side by side: by label, by strata, and one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, final

import numpy as np

from saliency.audit.cases.first_pass import AuditPlan
from saliency.audit.cases.records import ImageRecord
from saliency.audit.cases.sources import Hidden
from saliency.audit.exchange.effects import Evidence
from saliency.audit.judgement.associations import ImageFeatures, answered, divided
from saliency.audit.judgement.results import Division
from saliency.audit.report.examples import DecisionWords
from saliency.values.arrays import Array


@final
@dataclass(frozen=True)
class Changed:
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


def files_of(case: AuditPlan, seen: Sequence[ImageRecord]) -> tuple[AuditedFile, ...]:
    """Return the file of each picture seen."""
    found = []
    for one in seen:
        source = case.sources[one.index]
        file = str(source) if isinstance(source, str | PathLike) else ""
        found.append(AuditedFile(one.index + 1, one.digest, file))
    return tuple(found)


def features(seen: Sequence[ImageRecord]) -> Array:
    """Return float (n, d): the coarse maps of all explainers that could be asked of all."""
    names = set.intersection(*(set(one.maps.coarse) for one in seen))
    rows = [[one.maps.coarse[name].ravel() for name in sorted(names)] for one in seen]
    return np.stack([np.concatenate([np.empty(0), *row]) for row in rows])


def divisions_of(
    case: AuditPlan,
    seen: Sequence[ImageRecord],
    plain: Evidence,
    strata: Mapping[str, Sequence[Any]],
) -> tuple[Division, ...]:
    """Divide the pictures by label, or by what the model says, then by each stratum; ask."""
    labels = [case.labels[one.index] for one in seen]
    truth = None
    if labels[0] is not None:
        truth = divided("label", [_name(case, label) for label in labels])
    first = truth or divided("prediction", _said(case, seen))
    others = [
        _stratum(name, [values[one.index] for one in seen]) for name, values in strata.items()
    ]
    zones = sorted({name for one in seen for name in one.zones})
    places = {one.index: row for row, one in enumerate(seen)}
    subject = ImageFeatures(
        features(seen),
        {name: np.array([one.zones.get(name, 0.0) for one in seen]) for name in zones},
        np.array([places[one.index] for one in plain.trials]),
        plain.scores,
    )
    return answered([first, *others], truth, subject, case.seed)


def pictures_of(
    plain: Evidence, words: DecisionWords, seen: Sequence[ImageRecord]
) -> tuple[Changed, ...]:
    """Return the pictures that were tested, those first whose decision is hurt most."""
    digests = {one.index: one.digest[:12] for one in seen}
    before = plain.grouping.towards(plain.scores)
    after = plain.grouping.towards(np.stack([one.cleaned for one in plain.trials]))
    said = before.argmax(axis=1)
    rows = np.arange(len(said))
    leads = before[rows, said]
    moved = (leads - after[rows, said]) / max(float(leads.mean()), 1e-12)
    found = [
        Changed(
            one.index + 1,
            digests[one.index],
            words.names[said[row]],
            words.names[int(after[row].argmax())],
            float(moved[row]),
        )
        for row, one in enumerate(plain.trials)
    ]
    return tuple(sorted(found, key=lambda one: (one.before == one.after, -one.moved)))


def _stratum(name: str, values: Sequence[Any]) -> Division:
    return divided(name, values, hidden=any(isinstance(value, Hidden) for value in values))


def _name(case: AuditPlan, label: Any) -> Any:
    if label is None:
        return None
    names = case.scorer.labels
    if names and isinstance(label, int) and 0 <= label < len(names):
        return names[label]
    return label if isinstance(label, str) else f"class {label}"


def _said(case: AuditPlan, seen: Sequence[ImageRecord]) -> list[str]:
    if case.target is None and case.scorer.classes is not None:
        return [_name(case, int(one.said)) for one in seen]
    middle = float(np.median([one.said for one in seen]))
    return ["higher score" if one.said > middle else "lower score" for one in seen]
