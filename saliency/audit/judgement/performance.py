"""What is left of a model when everything that is not the patient is gone."""

from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np

from saliency.audit.exchange.groups import Grouping
from saliency.audit.judgement.wording import percent, whole
from saliency.statistics.significance import Interval
from saliency.values.arrays import Array

RESAMPLES = 2000


@final
@dataclass(frozen=True)
class Pair:
    """A number before and after.

    Parameters
    ----------
    before, after
        0..1, of the pictures as they are, and without their zones.
    interval
        95 % bootstrap interval of ``before - after``, over pictures.
    """

    before: float
    after: float
    interval: Interval


@final
@dataclass(frozen=True)
class Performance:
    """How decisions change when every zone is removed from every picture.

    Parameters
    ----------
    pictures
        That were tested.
    changed
        Share of decisions that change.
    accuracy
        Share of right decisions; None without labels.
    auc
        Area under the ROC curve, the mean over classes each against the rest (Hand and Till 2001
        discuss the choice); None where fewer than two classes are labelled.
    labelled
        Pictures that ``accuracy`` and ``auc`` are of.
    """

    pictures: int
    changed: float
    accuracy: Pair | None = None
    auc: Pair | None = None
    labelled: int = 0

    @property
    def sentence(self) -> str:
        """The numbers in words."""
        if self.accuracy is None:
            return (
                f"{percent(self.changed)} of the model's decisions change when everything that is "
                "not the patient is removed."
            )
        told = (
            f"Of {self.labelled} labelled pictures the model gets {percent(self.accuracy.before)} "
            f"right as they are, and {percent(self.accuracy.after)} when everything that is not "
            f"the patient is removed ({_lost(self.accuracy.interval)})."
        )
        if self.auc is not None:
            told += (
                f" The area under the ROC curve goes from {self.auc.before:.2f} to "
                f"{self.auc.after:.2f}."
            )
        return told

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def performance_of(
    grouping: Grouping, before: Array, after: Array, truth: Array | None, seed: int = 0
) -> Performance:
    """Compare decisions with and without zones.

    Parameters
    ----------
    grouping
        What the scores are set against.
    before, after
        float (n, columns): scores.
    truth
        int (n,): the true group of each picture, -1 where it is not known.
    seed
        Of the resamples.
    """
    leaning = [grouping.towards(scores) for scores in (before, after)]
    said = [each.argmax(axis=1) for each in leaning]
    changed = float((said[0] != said[1]).mean())
    if truth is None or not (truth >= 0).any():
        return Performance(len(before), changed)
    known = truth >= 0
    member = truth[known]
    generator = np.random.default_rng(seed)
    picks = generator.integers(0, len(member), (RESAMPLES, len(member)))
    right = [(each[known] == member).astype(float) for each in said]
    areas = None
    if len(np.unique(member)) > 1:
        areas = _areas([each[known] for each in leaning], member, picks)
    return Performance(len(before), changed, _pair(right, picks), areas, len(member))


def area(scores: Array, member: Array) -> float:
    """Return the area under the ROC curve, each class against the rest; ties count half.

    Parameters
    ----------
    scores
        float (n, G): how far each picture leans to each class.
    member
        int (n,): its class.
    """
    kinds = np.unique(member)
    chosen = kinds[1:] if len(kinds) == 2 else kinds
    return float(np.mean([_one(scores[:, kind], member == kind) for kind in chosen]))


def _one(scores: Array, inside: Array) -> float:
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    ones, zeros = int(inside.sum()), int((~inside).sum())
    return float((ranks[inside].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def _pair(right: list[Array], picks: Array) -> Pair:
    lost = (right[0] - right[1])[picks].mean(axis=1)
    return Pair(float(right[0].mean()), float(right[1].mean()), _ends(lost))


def _areas(leaning: list[Array], member: Array, picks: Array) -> Pair:
    lost = [
        area(leaning[0][row], member[row]) - area(leaning[1][row], member[row])
        for row in picks[: RESAMPLES // 4]
        if len(np.unique(member[row])) == len(np.unique(member))
    ]
    ends = _ends(np.array(lost)) if lost else Interval(-1.0, 1.0)
    return Pair(area(leaning[0], member), area(leaning[1], member), ends)


def _ends(values: Array) -> Interval:
    low, high = np.quantile(values, (0.025, 0.975))
    return Interval(float(low), float(high))


def _lost(interval: Interval) -> str:
    return f"95 % interval of the loss {whole(interval.low)} to {whole(interval.high)} points"
