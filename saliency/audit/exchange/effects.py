"""From scores to numbers: what exchanging a zone, and what removing it, does to the model."""

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final, final

import numpy as np

from saliency.audit.cases.records import Trial
from saliency.audit.exchange.exchange import Recipient
from saliency.audit.exchange.groups import FEWEST, Grouping
from saliency.statistics.contrast import contrast
from saliency.statistics.significance import Interval, bootstrap, sign_flip
from saliency.statistics.standing_out import knows
from saliency.statistics.units import majority, unit_means
from saliency.values.arrays import Array

ASKED: Final = 0.05
"""A p-value of all groups below which pairs of them are looked at."""


@final
@dataclass(frozen=True, eq=False)
class Evidence:
    """The pictures that were asked about, in order.

    Parameters
    ----------
    grouping
        How they are divided, (n,).
    scores
        float (n, columns): of the pictures as they are.
    trials
        What was asked of each, n.
    hosts
        What the exchanges were put into.
    patients
        A number for each source, of the trials' and the hosts' too; (): each image is one.
    """

    grouping: Grouping
    scores: Array
    trials: Sequence[Trial]
    hosts: Sequence[Recipient]
    patients: Sequence[int] = ()

    @property
    def units(self) -> Array:
        """The patient of each trial, int (n,)."""
        return self.patients_of([trial.index for trial in self.trials])

    @property
    def host_units(self) -> Array:
        """The patient of each host, int (hosts,)."""
        return self.patients_of([host.index for host in self.hosts])

    def among(self, indices: Container[int]) -> "Evidence":
        """Return the same of some sources alone: the others belong to no group."""
        inside = [trial.index in indices for trial in self.trials]
        member = np.where(inside, self.grouping.member, -1)
        return replace(self, grouping=replace(self.grouping, member=member))

    def patients_of(self, indices: Sequence[int]) -> Array:
        """Return the patient of each of some sources, int (n,)."""
        numbers = self.patients or range(max(indices, default=-1) + 1)
        return np.array([numbers[index] for index in indices], np.int64)


@final
@dataclass(frozen=True)
class ExchangeEffect:
    """What exchanging a zone does.

    Parameters
    ----------
    by
        How the pictures were divided; see Grouping.
    counts
        Pictures of each group.
    effect
        Net contrast as a share of the swing from one decision to the other; 1: the zone decides.
    interval
        95 %, of ``effect``.
    p_value
        Not corrected for the number of questions.
    zone, tissue
        The contrasts behind ``effect``, each as a share; ``zone`` below 0 where content speaks
        against the group it comes from.
    flips, tissue_flips
        Share of decisions that changed when content came in that speaks for another decision; NaN
        where there was none.
    least
        The smallest p-value that so many patients can give.
    patients
        Patients of each group; one with pictures of several belongs to that of most. (): each
        picture shows another.
    error
        Standard error of ``effect``.
    needed
        The ``effect`` that 1 % of permutations reach.
    between
        The two groups that are compared, where there are more.
    greatest
        The same between the two groups that it is greatest between, of three or more. Its p-value
        is corrected for the number of pairs.
    told
        Share of a known effect that the exchange tells; ``effect``, ``interval``, ``error`` and
        ``needed`` are what was measured, divided by it.
    """

    by: str
    counts: tuple[int, ...]
    effect: float
    interval: Interval
    p_value: float
    zone: float
    tissue: float
    flips: float
    tissue_flips: float
    least: float
    patients: tuple[int, ...] = ()
    error: float = 0.0
    needed: float = 0.0
    between: tuple[str, ...] = ()
    greatest: "ExchangeEffect | None" = None
    told: float = 1.0

    @property
    def measured(self) -> float:
        """The effect before it was corrected for what the exchange does not tell."""
        return self.effect * self.told

    def calibrated(self, told: float) -> "ExchangeEffect":
        """Return what a measured effect stands for, where so much of a known one was told."""
        greatest = self.greatest
        return replace(
            self,
            effect=self.effect / told,
            interval=Interval(self.interval.low / told, self.interval.high / told),
            error=self.error / told,
            needed=self.needed / told,
            greatest=None if greatest is None else greatest.calibrated(told),
            told=told,
        )

    def sized_as(self, other: "ExchangeEffect") -> "ExchangeEffect":
        """Return the effect of other pictures, with the p-value of these."""
        return replace(
            other,
            p_value=self.p_value,
            least=self.least,
            needed=self.needed,
            greatest=self.greatest,
        )


@final
@dataclass(frozen=True)
class RemovalEffect:
    """What removing a zone does.

    Parameters
    ----------
    count
        Pictures that have the zone and room for a control.
    effect
        Change of the decided group's lead, less the change by removing tissue, as a share of the
        lead; the least of the fills.
    interval
        95 %, of that fill.
    p_value
        The greatest of the fills; not corrected for the number of questions.
    """

    count: int
    effect: float
    interval: Interval
    p_value: float


@final
@dataclass(frozen=True)
class TransplantEffect:
    """How far scores follow a zone into pictures that lack it.

    Parameters
    ----------
    count
        Pictures without the zone that it was put into.
    zone, tissue
        Mean move towards the decision for the picture it came from, as a share of the swing; with
        the zone, and with as much tissue.
    """

    count: int
    zone: float
    tissue: float


def exchange_effect(
    evidence: Evidence, zone: str, generator: np.random.Generator
) -> ExchangeEffect | None:
    """Weigh the exchanges of a zone; None where no control found room, or no swing is there."""
    grouping = evidence.grouping
    # Each (n, hosts, columns): the content of the zone, and as much tissue.
    exchanges = [trial.exchanges[zone] for trial in evidence.trials]
    zone_scores = np.stack([exchange.zone for exchange in exchanges])
    tissue_scores = np.stack([exchange.tissue for exchange in exchanges])
    # Content of the host's own patient is nearly the host's own: it says nothing of exchange.
    own = evidence.units[:, np.newaxis] == evidence.host_units
    zone_scores[own] = np.nan
    kept = ~np.isnan(zone_scores + tissue_scores).all(axis=(1, 2))
    kept &= grouping.member >= 0
    swing = grouping.swing(evidence.scores[grouping.member >= 0])
    member, units = grouping.member[kept], evidence.units[kept]
    counts = np.bincount(member, minlength=len(grouping.names))
    # Two patients have no other way to be divided, and no exchange within one.
    too_few = counts.min() < FEWEST or len(np.unique(units)) < 3
    if not swing > 0 or too_few:
        return None
    test = contrast(
        zone_scores[kept] @ grouping.weights.T,
        tissue_scores[kept] @ grouping.weights.T,
        member,
        generator,
        units=units,
        hosts=evidence.host_units,
    )
    if np.isnan(test.net):
        return None
    against = test.zone < 0
    patients = np.bincount(majority(member, units), minlength=len(grouping.names))
    least = least_p(patients.tolist(), mixed=_is_mixed(member, units))
    return ExchangeEffect(
        by=grouping.by,
        counts=tuple(counts.tolist()),
        effect=max(0.0, test.net / swing),
        interval=Interval(test.interval.low / swing, test.interval.high / swing),
        p_value=max(test.p_value, least),
        zone=test.zone / swing,
        tissue=test.tissue / swing,
        flips=_flips(evidence, zone_scores, against=against),
        tissue_flips=_flips(evidence, tissue_scores, against=against),
        least=least,
        patients=tuple(patients.tolist()),
        error=test.error / swing,
        needed=test.needed / swing,
    )


def with_greatest_pair(
    effect: ExchangeEffect,
    evidence: Evidence,
    zone: str,
    generator: np.random.Generator,
) -> ExchangeEffect:
    """Add the two groups between which the zone does most, where there are three or more.

    A mark in one of many classes does little on the mean of all. Pairs are asked about only where
    the mean of all differs from chance.
    """
    grouping = evidence.grouping
    pairs = list(combinations(range(len(grouping.names)), 2))
    if len(pairs) < 2 or effect.p_value >= ASKED:
        return effect
    of_pairs = []
    for first, second in pairs:
        of_pair = replace(evidence, grouping=grouping.pair(first, second))
        found = exchange_effect(of_pair, zone, generator)
        if found is not None:
            of_pairs.append(replace(found, between=of_pair.grouping.names))
    if not of_pairs:
        return effect
    greatest = max(of_pairs, key=lambda found: found.effect)
    p_value = min(1.0, greatest.p_value * len(pairs))
    return replace(effect, greatest=replace(greatest, p_value=p_value))


def ignorance_of(evidence: Sequence[Evidence], seed: int) -> float | None:
    """Return the p-value of scores being alike for all labels, by permutation of patients.

    None where images are not divided by label.
    """
    for asked in evidence:
        if asked.grouping.by == "label":
            kept = asked.grouping.member >= 0
            patients = asked.units[kept]
            return knows(
                unit_means(asked.scores[kept], patients),
                majority(asked.grouping.member[kept], patients),
                np.random.default_rng(seed),
            )
    return None


def removal_effect(
    evidence: Evidence, zone: str, generator: np.random.Generator
) -> RemovalEffect | None:
    """Weigh the removals of a zone; None where there were none, or no lead to lose."""
    rows = [row for row, trial in enumerate(evidence.trials) if zone in trial.removals]
    leaning = evidence.grouping.towards(evidence.scores[rows])
    if not rows or leaning.max(axis=1).mean() <= 0:
        return None
    decided, leads = leaning.argmax(axis=1), leaning.max(axis=1)
    # (n, fills, 2, columns): without the zone, without as much tissue.
    scores = np.stack([evidence.trials[row].removals[zone] for row in rows])
    # (n, fills, 2): how far each leans to what was decided.
    after = evidence.grouping.towards(scores)[np.arange(len(rows)), ..., decided]
    drops = leads[:, np.newaxis, np.newaxis] - after
    zone_drops, tissue_drops = np.abs(drops[..., 0]), np.abs(drops[..., 1])
    nets = (zone_drops - tissue_drops) / leads.mean()
    # Each patient once.
    nets = unit_means(nets, evidence.units[rows])
    # The fill that speaks least for the zone.
    least = nets[:, nets.mean(axis=0).argmin()]
    return RemovalEffect(
        len(rows),
        float(least.mean()),
        bootstrap(least, generator),
        max(sign_flip(net, generator) for net in nets.T),
    )


def transplant_effect(
    evidence: Evidence, zone: str, having: Container[int]
) -> TransplantEffect | None:
    """Weigh what a zone does in hosts that lack it and are decided otherwise than its picture.

    Parameters
    ----------
    evidence
        By decision.
    zone
        Its name.
    having
        Indices of the pictures that show it.
    """
    grouping = evidence.grouping
    hosts = [
        row for row, host in enumerate(evidence.hosts) if zone not in host.contents
    ]
    donors = [row for row, trial in enumerate(evidence.trials) if trial.index in having]
    swing = grouping.swing(evidence.scores)
    if not hosts or not donors or swing <= 0:
        return None
    before = grouping.towards(np.stack([evidence.hosts[row].scores for row in hosts]))
    group = grouping.member[donors]
    # bool (donors, hosts): hosts that are decided otherwise.
    otherwise = before.argmax(axis=1) != group[:, np.newaxis]
    if not otherwise.any():
        return None
    mean_moves = []
    for part in ("zone", "tissue"):
        scores = np.stack(
            [getattr(evidence.trials[row].exchanges[zone], part) for row in donors]
        )
        after = grouping.towards(scores[:, hosts])[np.arange(len(donors)), :, group]
        known = otherwise & ~np.isnan(after)
        moves = (after - before[:, group].T)[known]
        mean_moves.append(float(moves.mean() / swing) if moves.size else float("nan"))
    return TransplantEffect(len(hosts), *mean_moves)


def least_p(counts: Sequence[int], *, mixed: bool = False) -> float:
    """Return one over the number of ways to divide so many patients into such groups.

    ``mixed``: some have images of several groups; then half to the power of all patients but one.
    """
    if mixed:
        return float(2.0 ** (1 - sum(counts)))
    ways = math.factorial(sum(counts))
    for count in counts:
        ways //= math.factorial(count)
    # Two groups of one size may also change names.
    return (1 + (len(set(counts)) == 1 and len(counts) == 2)) / ways


def _is_mixed(member: Array, units: Array) -> bool:
    pairs = np.unique(np.stack([units, member]), axis=1)
    return bool(pairs.shape[1] > len(np.unique(units)))


def _flips(evidence: Evidence, scores: Array, *, against: bool) -> float:
    """Return how often a host's decision changed with content that speaks for another."""
    grouping = evidence.grouping
    host_scores = np.stack([host.scores for host in evidence.hosts])
    before = grouping.towards(host_scores).argmax(axis=1)
    after = grouping.towards(np.nan_to_num(scores)).argmax(axis=2)
    known = ~np.isnan(scores).any(axis=2)
    group = grouping.member[:, np.newaxis]
    # Content that speaks against its own group speaks for the other one.
    for_another = (group == before) if against else (group != before)
    counted = known & (group >= 0) & for_another
    return float((after != before)[counted].mean()) if counted.any() else float("nan")
