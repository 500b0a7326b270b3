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
from saliency.zones.detect import detectors

MANY, FEW = 12, 0.25
"""Of so many images, a zone found in so small a share is warned of."""
ONE_SIDED = 0.95
"""From this share of one decision on, the report warns."""


@final
@dataclass(frozen=True, eq=False)
class AuditContext:
    """What the user asked for.

    Parameters
    ----------
    plan
        The model, the target, how pictures are prepared.
    names
        Of the groups.
    """

    plan: AuditPlan
    names: tuple[str, ...]


def facts(
    context: AuditContext, records: Sequence[ImageRecord], evidence: Sequence[Evidence]
) -> dict[str, Any]:
    """Return what was asked and how the model did; everything can be written as JSON."""
    by_decision = evidence[0]
    decisions = Counter(by_decision.grouping.member.tolist())
    plan, names = context.plan, context.names
    doubts = _doubts(by_decision, decisions, len(names))
    warnings = list(doubts)
    warnings += half_blind(records)
    if plan.patients.warning:
        warnings.append(plan.patients.warning)
    if many_frames := sum(record.frames > 1 for record in records):
        warnings.append(
            f"{many_frames} files hold many frames: the first of each was audited. Pass the images "
            "of read_frames to audit all."
        )
    return {
        "model": _model_facts(plan.model, plan.scorer.probe),
        "date": datetime.now(UTC).date().isoformat(),
        "pictures": len(records),
        "asked": len(by_decision.trials),
        "hosts": len(by_decision.hosts),
        "patients": len(
            np.unique(by_decision.patients_of([record.index for record in records]))
        ),
        "patients_by": plan.patients.by,
        "labelled": sum(plan.labels[record.index] is not None for record in records),
        "groups": list(names),
        "decisions": {name: decisions[index] for index, name in enumerate(names)},
        "target": name_of(plan.target) if callable(plan.target) else plan.target,
        "prepare": _prepare_facts(plan.scorer.prepare),
        "seed": plan.seed,
        "doubts": doubts,
        "warnings": warnings,
        "rules": {
            "reads": READS._asdict(),
            "may read": MAY_READ._asdict(),
            "may read, by removal": REMOVAL._asdict(),
        },
        "versions": dict(versions()),
    }


def half_blind(records: Sequence[ImageRecord]) -> list[str]:
    """Return a warning for each zone that a search found in few of many images."""
    counts = Counter(zone for record in records for zone in record.zones)
    searched = detectors()
    return [
        f"The search found {zone} in {count} of {len(records)} images. Among images of one kind "
        "that is nearly always a search that misses most of what is there: look at the others, "
        "and give what was missed as a zone (zones=)."
        for zone, count in sorted(counts.items())
        if zone in searched and len(records) >= MANY and count <= FEW * len(records)
    ]


def _doubts(by_decision: Evidence, decisions: Counter[int], groups: int) -> list[str]:
    """Say what makes every finding doubtful: it is read before any of them."""
    count = sum(decisions.values())
    most = max(decisions.values(), default=0)
    doubts = []
    # Three pictures of one decision are no wonder.
    if groups > 1 and count > 3 and most >= ONE_SIDED * count:
        doubts.append(
            f"The model says the same of {most} of {count} pictures. Is this the preparation it "
            "was trained with? An audit of wrongly prepared pictures is worth nothing."
        )
    if np.ptp(by_decision.scores, axis=0).max() == 0:
        doubts.append(
            "The model gives every picture the same score: it looks at nothing."
        )
    return doubts


def _model_facts(model: object, probe: Any) -> Mapping[str, str]:
    """Return the model's name, never a path, and the digest of its architecture and weights."""
    network = getattr(getattr(probe, "source", probe), "model", None)
    if network is None:
        return {"name": type(probe).__name__, "sha256": ""}
    name = (
        PurePath(model).name if isinstance(model, str | PathLike) else str(network.name)
    )
    return {"name": name, "sha256": digest_of(network).hex()}


def _prepare_facts(prepare: Prepare | None) -> Mapping[str, Any]:
    """Return what makes this preparation: the three choices of any, and what is not usual."""
    recipe, usual = prepare or Prepare(), Prepare()
    values = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
    return {
        name: name_of(value) if callable(value) else value
        for name, value in values.items()
        if name in ("intensity", "fit", "scale") or value != getattr(usual, name)
    }
