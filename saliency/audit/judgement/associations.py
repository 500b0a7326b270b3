"""Ask what goes with labels, sites, devices: heat, scores, or what a picture shows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from saliency.audit.judgement.results import Answer, Difference, Division
from saliency.audit.judgement.verdict import MAY_READ, READS
from saliency.audit.judgement.wording import answer_sentence, note_of
from saliency.statistics.association import Association, associate
from saliency.statistics.significance import holm
from saliency.values.arrays import Array

FEWEST = 4
"""Pictures that a group needs to be compared."""
MOST = 8
"""Groups that are compared: the largest ones."""


@final
@dataclass(frozen=True, eq=False)
class ImageFeatures:
    """What is known of each picture seen.

    Parameters
    ----------
    heat
        float (n, d): its coarse heatmaps; d = 0 where no explainer could be asked.
    zones
        By name, float (n,): share of the picture.
    tested
        int (m,): which of them were tested further.
    scores
        float (m, columns): of those.
    """

    heat: Array
    zones: Mapping[str, Array]
    tested: Array
    scores: Array


def divided(name: str, values: Sequence[Any], *, hidden: bool = False) -> Division:
    """Divide pictures by a value each; None is no value.

    Groups of fewer than four pictures, and all but the eight largest, are left out. ``hidden``
    numbers the groups instead of naming them.
    """
    counts = Counter(value for value in values if value is not None)
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
    kept = [value for value, count in ranked if count >= FEWEST][:MOST]
    order = {value: group for group, value in enumerate(kept)}
    names = tuple(f"{name} {i + 1}" if hidden else str(value) for i, value in enumerate(kept))
    member = np.array([order.get(value, -1) for value in values])
    return Division(name, names, member, note=note_of(name, len(kept), len(counts), FEWEST))


def answered(
    divisions: Sequence[Division], truth: Division | None, subject: ImageFeatures, seed: int
) -> tuple[Division, ...]:
    """Ask about every division; correct for the number of all questions.

    Parameters
    ----------
    divisions
        By label or prediction first, then by strata.
    truth
        The division by label: strata are compared within it. None: there are no labels.
    subject
        What is asked about.
    seed
        Of permutations.
    """
    asked = [
        (division, what, found)
        for division in divisions
        for what, found in _asked(division, truth, subject, seed)
    ]
    corrected = holm(np.array([found.p_value for _, _, found in asked])).tolist()
    by_division: dict[str, list[Answer]] = {division.name: [] for division in divisions}
    for (division, what, found), p_value in zip(asked, corrected, strict=True):
        better = replace(found, p_value=p_value)
        answer = Answer(what, finding_of(better), better)
        sentence = answer_sentence(answer, division, truth, subject.zones.get(what))
        by_division[division.name].append(replace(answer, sentence=sentence))
    return tuple(
        replace(each, answers=tuple(by_division[each.name]), note=_note(each, truth))
        for each in divisions
    )


def finding_of(found: Association) -> Difference:
    """Return what the numbers allow to say."""
    if found.interval.low <= found.chance or found.p_value >= MAY_READ.p_value:
        return "no evidence"
    return "differs" if found.p_value < READS.p_value else "may differ"


def _asked(
    division: Division, truth: Division | None, subject: ImageFeatures, seed: int
) -> list[tuple[str, Association]]:
    if len(division.groups) < 2:
        return []
    rows = np.arange(len(division.member))
    blocks, none = np.zeros(len(rows), int), np.zeros(len(rows), int)
    questions: list[tuple[str, Array, Array, Array]] = []
    if truth is not None and division is not truth:
        blocks = truth.member
        if len(truth.groups) > 1:
            questions.append(("label", rows, np.eye(len(truth.groups) + 1)[blocks], none))
        questions.append(("score", subject.tested, subject.scores, blocks))
    if subject.heat.shape[1]:
        questions.append(("heat", rows, subject.heat, blocks))
    questions += [(zone, rows, _ranks(area), blocks) for zone, area in subject.zones.items()]
    generator = np.random.default_rng(seed)
    asked = [(what, _told(division, *how, generator)) for what, *how in questions]  # type: ignore[call-arg, arg-type]
    return [(what, found) for what, found in asked if found is not None]


def _told(
    division: Division,
    rows: Array,
    numbers: Array,
    blocks: Array,
    generator: np.random.Generator,
) -> Association | None:
    """Ask of the pictures that belong to a group; ``numbers`` has one row for each of ``rows``."""
    inside = (division.member[rows] >= 0) & (blocks[rows] >= 0)
    member = division.member[rows][inside]
    counts = np.bincount(member, minlength=len(division.groups))
    if (counts >= 2).sum() < 2:
        return None
    fit = counts[member] >= 2
    _, renamed = np.unique(member[fit], return_inverse=True)
    return associate(numbers[inside][fit], renamed, blocks[rows][inside][fit], generator)


def _ranks(area: Array) -> Array:
    """Return the mean rank of each, (n, 1): ties have one rank."""
    _, place, counts = np.unique(area, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    found: Array = ((2 * ends - counts + 1) / 2)[place][:, np.newaxis]
    return found


def _note(division: Division, truth: Division | None) -> str:
    """Say where a stratum and the label are one and the same in these pictures."""
    if truth is None or division is truth or len(truth.groups) < 2 or len(division.groups) < 2:
        return division.note
    pairs = zip(division.member.tolist(), truth.member.tolist(), strict=True)
    found = {pair for pair in pairs if min(pair) >= 0}
    if len({label for _, label in found}) < 2 or len(found) > len({group for group, _ in found}):
        return division.note
    return (
        f"In these pictures the {division.name} tells the label: what the model takes from one "
        "cannot be told from what it takes from the other. Test on pictures where they are mixed."
    )
