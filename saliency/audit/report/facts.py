"""What a report says about the audit itself: no patient data, no file names."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from os import PathLike
from pathlib import PurePath
from typing import Any, final

import numpy as np

from saliency.audit.cases.first_pass import AuditPlan
from saliency.audit.cases.records import ImageRecord
from saliency.audit.exchange.effects import Evidence
from saliency.audit.judgement.verdict import MAY_READ, READS, REMOVAL
from saliency.pipeline.description import digest_of
from saliency.pipeline.explain import name_of, versions
from saliency.pipeline.prepare import Prepare
from saliency.probe.protocol import Target

ONE_SIDED = 0.95
"""From this share of one decision on, the report warns."""


@final
@dataclass(frozen=True, eq=False)
class AuditContext:
    """What the user asked for.

    Parameters
    ----------
    case
        The model, the target, how pictures are prepared.
    names
        Of the groups.
    """

    case: AuditPlan
    names: tuple[str, ...]


def facts(
    told: AuditContext, seen: Sequence[ImageRecord], found: Sequence[Evidence]
) -> dict[str, Any]:
    """Return what was asked and how the model did; everything can be written as JSON."""
    plain = found[0]
    said = Counter(plain.grouping.member.tolist())
    case = told.case
    doubts = _doubts(plain, said, len(told.names))
    return {
        "model": _model(case.model, case.scorer.probe),
        "date": datetime.now(UTC).date().isoformat(),
        "pictures": len(seen),
        "asked": len(plain.trials),
        "hosts": len(plain.hosts),
        "labelled": sum(case.labels[one.index] is not None for one in seen),
        "groups": list(told.names),
        "decisions": {name: said[index] for index, name in enumerate(told.names)},
        "target": _target(case.target),
        "prepare": _prepare(case.scorer.prepare),
        "seed": case.seed,
        "doubts": doubts,
        "warnings": [*doubts, *_unheard(seen)],
        "rules": {
            "reads": READS._asdict(),
            "may read": MAY_READ._asdict(),
            "may read, by removal": REMOVAL._asdict(),
        },
        "versions": dict(versions()),
    }


def _doubts(plain: Evidence, said: Counter[int], groups: int) -> list[str]:
    """Say what makes every finding doubtful: it is read before any of them."""
    count = sum(said.values())
    most = max(said.values(), default=0)
    found = []
    if groups > 1 and count > 3 and most >= ONE_SIDED * count:
        found.append(
            f"The model says the same of {most} of {count} pictures. Is this the preparation it "
            "was trained with? An audit of wrongly prepared pictures is worth nothing."
        )
    if np.ptp(plain.scores, axis=0).max() == 0:
        found.append("The model gives every picture the same score: it looks at nothing.")
    return found


def _unheard(seen: Sequence[ImageRecord]) -> list[str]:
    films = sum(one.frames > 1 for one in seen)
    if not films:
        return []
    said = (
        f"{films} files hold many frames: the first of each was audited. Pass the images of "
        "read_frames to audit all."
    )
    return [said]


def _model(model: object, probe: Any) -> Mapping[str, str]:
    """Return the model's name, never a path, and the digest of its architecture and weights."""
    network = getattr(getattr(probe, "source", probe), "model", None)
    if network is None:
        return {"name": type(probe).__name__, "sha256": ""}
    named = PurePath(model).name if isinstance(model, str | PathLike) else str(network.name)
    return {"name": named, "sha256": digest_of(network).hex()}


def _target(target: Target) -> str | int | None:
    return name_of(target) if callable(target) else target


def _prepare(prepare: Prepare | None) -> Mapping[str, Any]:
    recipe = prepare or Prepare()
    given = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
    return {
        name: name_of(value) if callable(value) else value
        for name, value in given.items()
        if value is not None
    }
