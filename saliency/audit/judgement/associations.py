"""Ask what goes with labels, sites, devices: heat, scores, or what a picture shows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, final

import numpy as np

from saliency.audit.judgement.results import Difference, Division, DivisionAnswer
from saliency.audit.judgement.verdict import MAY_READ, READS
from saliency.audit.judgement.wording import answer_sentence, note_of
from saliency.statistics.association import Association, associate
from saliency.statistics.correlation import mean_ranks
from saliency.statistics.significance import holm
from saliency.statistics.units import majority, unit_means
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
    units
        int (n,): the patient of each; None: each picture is one.
    """

    heat: Array
    zones: Mapping[str, Array]
    tested: Array
    scores: Array
    units: Array | None = None


def division_by(name: str, values: Sequence[Any], *, hidden: bool = False) -> Division:
    """Divide pictures by a value each; None is no value.

    Groups of fewer than four pictures, and all but the eight largest, are left out. ``hidden``
    numbers the groups instead of naming them.
    """
    counts = Counter(value for value in values if value is not None)
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
    kept = [value for value, count in ranked if count >= FEWEST][:MOST]
    order = {value: group for group, value in enumerate(kept)}
    names = tuple(
        f"{name} {i + 1}" if hidden else str(value) for i, value in enumerate(kept)
    )
    member = np.array([order.get(value, -1) for value in values])
    return Division(
        name, names, member, note=note_of(name, len(kept), len(counts), FEWEST)
    )


def with_answers(
    divisions: Sequence[Division],
    truth: Division | None,
    subject: ImageFeatures,
    seed: int,
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
        (division, what, association)
        for division in divisions
        for what, association in _associations(division, truth, subject, seed)
    ]
    p_values = np.array([association.p_value for _, _, association in asked])
    corrected = holm(p_values).tolist()
    by_division: dict[str, list[DivisionAnswer]] = {
        division.name: [] for division in divisions
    }
    for (division, what, uncorrected), p_value in zip(asked, corrected, strict=True):
        association = replace(uncorrected, p_value=p_value)
        answer = DivisionAnswer(what, finding_of(association), association)
        sentence = answer_sentence(answer, division, truth, subject.zones.get(what))
        by_division[division.name].append(replace(answer, sentence=sentence))
    return tuple(
        replace(
            division,
            answers=tuple(by_division[division.name]),
            note=_note_on_label(division, truth),
        )
        for division in divisions
    )


def finding_of(association: Association) -> Difference:
    """Return what the numbers allow to say."""
    if (
        association.interval.low <= association.chance
        or association.p_value >= MAY_READ.p_value
    ):
        return "no evidence"
    return "differs" if association.p_value < READS.p_value else "may differ"


class _GroupQuestion(NamedTuple):
    """What is asked of a division: numbers of some pictures, compared within blocks."""

    what: str
    rows: Array
    numbers: Array
    blocks: Array


def _associations(
    division: Division, truth: Division | None, subject: ImageFeatures, seed: int
) -> list[tuple[str, Association]]:
    """Return what goes with a division; what cannot be asked is left out."""
    if len(division.groups) < 2:
        return []
    rows = np.arange(len(division.member))
    # Strata are compared among pictures of one label; the label itself among all.
    one_block = np.zeros(len(rows), int)
    blocks = one_block
    questions: list[_GroupQuestion] = []
    if truth is not None and division is not truth:
        blocks = truth.member
        if len(truth.groups) > 1:
            # -1, no label, is the last row of the identity.
            one_hot = np.eye(len(truth.groups) + 1)[blocks]
            questions.append(_GroupQuestion("label", rows, one_hot, one_block))
        questions.append(
            _GroupQuestion("score", subject.tested, subject.scores, blocks)
        )
    if subject.heat.shape[1]:
        questions.append(_GroupQuestion("heat", rows, subject.heat, blocks))
    for zone, area in subject.zones.items():
        questions.append(
            _GroupQuestion(zone, rows, mean_ranks(area)[:, np.newaxis], blocks)
        )
    generator = np.random.default_rng(seed)
    units = rows if subject.units is None else subject.units
    answers = [
        (asked.what, _association(division, asked, units, generator))
        for asked in questions
    ]
    return [
        (what, association) for what, association in answers if association is not None
    ]


def _association(
    division: Division,
    asked: _GroupQuestion,
    units: Array,
    generator: np.random.Generator,
) -> Association | None:
    """Ask of the patients that belong to a group, and of groups that have two of them.

    A patient has the mean of the numbers of all pictures, and the group and block of most.
    """
    _, rows, numbers, blocks = asked
    inside = (division.member[rows] >= 0) & (blocks[rows] >= 0)
    if not inside.any():
        return None
    patients = units[rows][inside]
    member = majority(division.member[rows][inside], patients)
    counts = np.bincount(member, minlength=len(division.groups))
    if (counts >= 2).sum() < 2:
        return None
    fit = counts[member] >= 2
    _, renumbered = np.unique(member[fit], return_inverse=True)
    of_patients = unit_means(numbers[inside], patients)
    block = majority(blocks[rows][inside], patients)
    return associate(of_patients[fit], renumbered, block[fit], generator)


def _note_on_label(division: Division, truth: Division | None) -> str:
    """Say where a stratum and the label are one and the same in these pictures."""
    if (
        truth is None
        or division is truth
        or len(truth.groups) < 2
        or len(division.groups) < 2
    ):
        return division.note
    pairs = set(zip(division.member.tolist(), truth.member.tolist(), strict=True))
    known = {pair for pair in pairs if min(pair) >= 0}
    # Each group has one label, and not all have the same.
    labels, groups = {label for _, label in known}, {group for group, _ in known}
    if len(labels) < 2 or len(known) > len(groups):
        return division.note
    return (
        f"In these pictures the {division.name} tells the label: what the model takes from one "
        "cannot be told from what it takes from the other. Test on pictures where they are mixed."
    )
