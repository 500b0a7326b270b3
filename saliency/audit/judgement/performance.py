"""What is left of a model when everything that is not the patient is gone."""

from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np

from saliency.audit.exchange.groups import Grouping
from saliency.audit.judgement.wording import percents, whole_percents
from saliency.statistics.correlation import mean_ranks
from saliency.statistics.significance import Interval
from saliency.statistics.units import resampled
from saliency.values.arrays import Array

RESAMPLES = 2000


@final
@dataclass(frozen=True)
class BeforeAfter:
    """A number before and after.

    Parameters
    ----------
    before, after
        0..1, of the pictures as they are, and without their zones.
    interval
        95 % bootstrap interval of ``before - after``, over patients.
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
    accuracy: BeforeAfter | None = None
    auc: BeforeAfter | None = None
    labelled: int = 0

    @property
    def sentence(self) -> str:
        """The numbers in words."""
        if self.accuracy is None:
            return (
                f"{percents(self.changed)} of the model's decisions change when everything that is "
                "not the patient is removed."
            )
        low, high = self.accuracy.interval
        sentence = (
            f"Of {self.labelled} labelled pictures the model gets {percents(self.accuracy.before)} "
            f"right as they are, and {percents(self.accuracy.after)} when everything that is not "
            f"the patient is removed (95 % interval of the loss {whole_percents(low)} to "
            f"{whole_percents(high)} points)."
        )
        if self.auc is not None:
            sentence += (
                f" The area under the ROC curve goes from {self.auc.before:.2f} to "
                f"{self.auc.after:.2f}."
            )
        return sentence

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def performance_of(
    grouping: Grouping,
    before: Array,
    after: Array,
    truth: Array | None,
    seed: int = 0,
    *,
    units: Array | None = None,
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
    units
        int (n,): the patient of each picture, drawn as a whole; None: each picture is one.
    """
    leaning_before, leaning_after = grouping.towards(before), grouping.towards(after)
    decided_before = leaning_before.argmax(axis=1)
    decided_after = leaning_after.argmax(axis=1)
    changed = float((decided_before != decided_after).mean())
    if truth is None or not (truth >= 0).any():
        return Performance(len(before), changed)
    known = truth >= 0
    member = truth[known]
    generator = np.random.default_rng(seed)
    of_known = np.arange(len(before))[known] if units is None else units[known]
    one_stratum = np.zeros(len(np.unique(of_known)), np.int64)
    # How often each picture is drawn, with its patient; a row a resample.
    times = resampled(of_known, one_stratum, generator, RESAMPLES)
    right_before = (decided_before[known] == member).astype(float)
    right_after = (decided_after[known] == member).astype(float)
    losses = times @ (right_before - right_after) / times.sum(axis=1)
    accuracy = BeforeAfter(
        float(right_before.mean()), float(right_after.mean()), _central_interval(losses)
    )
    auc = None
    if len(np.unique(member)) > 1:
        auc = _auc_before_after(
            leaning_before[known], leaning_after[known], member, times
        )
    return Performance(len(before), changed, accuracy, auc, len(member))


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
    # Of two classes either gives the same area.
    chosen = kinds[1:] if len(kinds) == 2 else kinds
    return float(
        np.mean([_class_area(scores[:, kind], member == kind) for kind in chosen])
    )


def _class_area(scores: Array, inside: Array) -> float:
    """Return Mann and Whitney's U over the number of pairs, which is the area (ties count half)."""
    ones = int(inside.sum())
    pairs = ones * int((~inside).sum())
    # The sum of ranks where the ones come first: 1 + 2 + ... + ones.
    least = ones * (ones + 1) / 2
    won = mean_ranks(scores)[inside].sum() - least
    return float(won / pairs)


def _auc_before_after(
    before: Array, after: Array, member: Array, times: Array
) -> BeforeAfter:
    """Compare the areas, on a quarter of the resamples; those that lack a class do not count."""
    classes = len(np.unique(member))
    pictures = np.arange(len(member))
    picks = (np.repeat(pictures, row.astype(int)) for row in times[: RESAMPLES // 4])
    losses = [
        area(before[rows], member[rows]) - area(after[rows], member[rows])
        for rows in picks
        if len(np.unique(member[rows])) == classes
    ]
    interval = _central_interval(np.array(losses)) if losses else Interval(-1.0, 1.0)
    return BeforeAfter(area(before, member), area(after, member), interval)


def _central_interval(values: Array) -> Interval:
    low, high = np.quantile(values, (0.025, 0.975))
    return Interval(float(low), float(high))
