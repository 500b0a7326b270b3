"""Which pictures are set against which, and what scores speak for either."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from saliency.errors import InputError
from saliency.interventions.scoring import Scorer
from saliency.probe.protocol import Target, Tensor
from saliency.values.arrays import Array

MOST = 4
"""Classes that are set against each other: the most frequent ones."""
FEWEST = 2
"""Pictures that a group needs."""


@final
@dataclass(frozen=True, eq=False)
class Grouping:
    """A division of the pictures, and what the scores say about it.

    Parameters
    ----------
    by
        ``"label"``, ``"prediction"``, or ``"median"``: below and above the median score.
    names
        What the groups are called, (G,).
    member
        int (n,): group of each picture, -1 for none.
    weights
        float (G, columns): how much each score speaks for each group.
    centre
        float (columns,): scores that speak for none.
    """

    by: str
    names: tuple[str, ...]
    member: Array
    weights: Array
    centre: Array

    def pair(self, first: int, second: int) -> "Grouping":
        """Return two of the groups alone: what speaks for one speaks against the other."""
        margin = self.weights[second] - self.weights[first]
        order = np.full(len(self.names) + 1, -1)  # the last row: no group
        order[[first, second]] = 0, 1
        return replace(
            self,
            names=(self.names[first], self.names[second]),
            member=order[self.member],
            weights=np.stack([-margin, margin]),
        )

    def towards(self, scores: Array) -> Array:
        """Return how far scores (..., columns) lean to each group (..., G)."""
        return np.asarray((scores - self.centre) @ self.weights.T)

    def swing(self, scores: Array) -> float:
        """Return the mean distance between leaning to the group decided for, and against it.

        Of scores (n, columns). For two groups that is twice the mean margin.
        """
        leaning = self.towards(scores)
        return float((leaning.max(axis=1) - leaning.min(axis=1)).mean())


@final
@dataclass(frozen=True)
class LogitDifference:
    """A target: how far one class's score is ahead of another's; one pass for both."""

    ahead: int
    behind: int

    def __call__(self, output: Tensor) -> Tensor:
        """Return (N,) of (N, classes), or of the one unit of a model that tells two apart."""
        units = output[:, None] if len(output.shape) == 1 else output
        if units.shape[-1] == 1:
            return units[:, 0]
        return units[:, self.ahead] - units[:, self.behind]


@final
@dataclass(frozen=True, eq=False)
class ScoreQuestion:
    """Which scores are asked for.

    Parameters
    ----------
    targets
        One for each column of scores.
    classes
        The classes that are set against each other; () where a target's score alone is weighed.
    """

    targets: tuple[Target, ...]
    classes: tuple[int, ...] = ()

    @property
    def weights(self) -> Array:
        """How much each column speaks for each group, float (G, columns)."""
        if len(self.targets) == 1:
            return np.array([[-1.0], [1.0]])
        # 1 for its own class, -1 / (G - 1) for each other: what all classes share speaks for none.
        count = len(self.targets)
        return np.eye(count) * count / (count - 1) - 1 / (count - 1)


def question(scorer: Scorer, target: Target, classes: Sequence[int]) -> ScoreQuestion:
    """Return what to ask: the target's score alone, or what sets frequent classes apart."""
    if target is not None or scorer.classes is None or scorer.classes < 2:
        return ScoreQuestion((target,))
    frequent = [kind for kind, _ in Counter(classes).most_common(MOST)]
    if len(frequent) < 2:
        frequent += [kind for kind in range(scorer.classes) if kind not in frequent][:1]
    kinds = tuple(sorted(frequent))
    return ScoreQuestion(
        (LogitDifference(kinds[1], kinds[0]),) if len(kinds) == 2 else kinds, kinds
    )


def decisions(asked: ScoreQuestion, scores: Array) -> Grouping:
    """Return what the model says of each picture, however many say the same; without names."""
    member = (scores @ asked.weights.T).argmax(axis=1)
    return Grouping(
        "prediction", (), member, asked.weights, np.zeros(len(asked.targets))
    )


def groupings(
    asked: ScoreQuestion, labels: Sequence[Any], scores: Array, scorer: Scorer
) -> list[Grouping]:
    """Return the ways to divide the pictures: by label, and by what the model says.

    Where the model says the same of all, its scores below and above their median are set against
    each other. A division that leaves fewer than two groups of two pictures is left out.
    """
    weights, zero = asked.weights, np.zeros(len(asked.targets))
    names = names_of(asked, scorer)
    members = members_of(labels, asked, scorer)
    by_label = _without_small_groups(Grouping("label", names, members, weights, zero))
    by_score = _without_small_groups(replace(decisions(asked, scores), names=names))
    if not by_score.names:
        # By the first margin's median; pictures at the median belong to the lower half.
        centre = np.median(scores, axis=0)
        margin = (scores - centre) @ weights[-1]
        member = (margin > np.median(margin)).astype(np.int64)
        two_ways = np.stack([-weights[-1], weights[-1]])
        halves = Grouping(
            "median", ("lower score", "higher score"), member, two_ways, centre
        )
        by_score = _without_small_groups(halves)
    return [grouping for grouping in (by_label, by_score) if grouping.names]


def names_of(asked: ScoreQuestion, scorer: Scorer) -> tuple[str, ...]:
    """Return what the groups are called."""
    if not asked.classes:
        return "lower score", "higher score"
    names = scorer.labels
    return tuple(names[kind] if names else f"class {kind}" for kind in asked.classes)


def classes_of(asked: ScoreQuestion, scorer: Scorer) -> tuple[int, ...]:
    """Return the class whose probability says most about each group; () where there is none.

    For a target, its own class for both groups.
    """
    target = asked.targets[0]
    if asked.classes:
        return asked.classes
    if not isinstance(target, int | str) or scorer.classes is None:
        return ()
    kind = label_class(target, scorer)
    return kind, kind


def label_class(label: Any, scorer: Scorer) -> int:
    """Return the class index of a label.

    Raises
    ------
    InputError
        It is no class of the model.
    """
    names = scorer.labels or ()
    if label in names:
        return names.index(label)
    if isinstance(label, int) and 0 <= label < (scorer.classes or 0):
        return label
    msg = (
        f"audit: expected labels to be class indices from 0 to {(scorer.classes or 0) - 1}, or "
        f"names of KerasProbe(labels=...), got {label!r}.{_hint_for_numbers([label])}"
    )
    raise InputError(msg)


def members_of(labels: Sequence[Any], asked: ScoreQuestion, scorer: Scorer) -> Array:
    """Return the group that each label belongs to, int (n,), -1 for none of them."""
    if asked.classes:
        order = {kind: index for index, kind in enumerate(asked.classes)}
        kinds = [
            None if label is None else label_class(label, scorer) for label in labels
        ]
        return np.array([-1 if kind is None else order.get(kind, -1) for kind in kinds])
    distinct = sorted({label for label in labels if label is not None}, key=str)
    if set(distinct) <= {0, 1}:
        return np.array([-1 if label is None else int(label) for label in labels])
    target = asked.targets[0]
    if target in distinct:
        return np.array(
            [-1 if label is None else int(label == target) for label in labels]
        )
    msg = (
        "audit: expected labels 0 and 1 for the target, or the target itself among them, "
        f"got {distinct[:5]}.{_hint_for_numbers(distinct)}"
    )
    raise InputError(msg)


def _hint_for_numbers(labels: Sequence[Any]) -> str:
    """Return what to do with ages, doses and the like."""
    if not all(isinstance(label, int) for label in labels):
        return ""
    return " Numbers that are no classes are divided by saliency.audit.halved, or --above LIMIT."


def _without_small_groups(grouping: Grouping) -> Grouping:
    """Drop groups of fewer than two pictures; without names where fewer than two are left."""
    counts = Counter(grouping.member.tolist())
    kept = [group for group in range(len(grouping.names)) if counts[group] >= FEWEST]
    if len(kept) < 2:
        return replace(grouping, names=())
    order = {group: index for index, group in enumerate(kept)}
    member = np.array([order.get(group, -1) for group in grouping.member.tolist()])
    names = tuple(grouping.names[group] for group in kept)
    return replace(grouping, names=names, member=member, weights=grouping.weights[kept])
