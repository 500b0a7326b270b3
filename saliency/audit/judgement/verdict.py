"""What the numbers allow to say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np

from saliency.audit.exchange.effects import ExchangeEffect, RemovalEffect, TransplantEffect
from saliency.audit.judgement.results import Finding, Verdict
from saliency.audit.judgement.wording import divided_by, p_text, percent, tone_sentence, whole
from saliency.statistics.significance import Interval, holm

_FINDINGS: tuple[Finding, ...] = ("no evidence", "may read", "reads")


class Rule(NamedTuple):
    """An effect at least so large, and a corrected p-value below."""

    effect: float
    p_value: float


READS = Rule(0.3, 0.01)
MAY_READ = Rule(0.1, 0.05)
REMOVAL = Rule(0.5, 0.05)
"""Removal alone may at most raise to "may read": models are thrown by holes, too."""
FEW = 0.05


@final
@dataclass(frozen=True)
class ZoneEvidence:
    """The numbers about one zone.

    Parameters
    ----------
    count, pictures
        How many of the pictures show the zone.
    swaps
        One for each division of the pictures.
    removal
        None where there was none.
    moved
        None where no picture lacks the zone and is decided otherwise than one that has it.
    """

    count: int
    pictures: int
    swaps: Sequence[ExchangeEffect] = ()
    removal: RemovalEffect | None = None
    moved: TransplantEffect | None = None


def judge(zones: Mapping[str, ZoneEvidence]) -> dict[str, Verdict]:
    """Return a verdict for each zone, corrected for all questions asked."""
    swaps = [(name, each) for name, zone in zones.items() for each in zone.swaps]
    gone = [(name, zone.removal) for name, zone in zones.items() if zone.removal]
    swap_p = holm(np.array([each.p_value for _, each in swaps])).tolist()
    gone_p = holm(np.array([each.p_value for _, each in gone])).tolist()
    found = {}
    for name, zone in zones.items():
        mine = [(each, p) for (whose, each), p in zip(swaps, swap_p, strict=True) if whose == name]
        lost = [p for (whose, _), p in zip(gone, gone_p, strict=True) if whose == name]
        found[name] = _verdict(name, zone, mine, lost[0] if lost else 1.0)
    return found


def judge_tone(swaps: Sequence[ExchangeEffect], pictures: int) -> Verdict:
    """Return what is to be said of brightness and contrast: a hint, since nothing controls it."""
    zone = ZoneEvidence(pictures, pictures, swaps)
    corrected = holm(np.array([each.p_value for each in swaps])).tolist()
    graded = _graded(list(zip(swaps, corrected, strict=True)), pictures)
    if not graded:
        return _nothing("Brightness and contrast could not be exchanged between groups.", zone)
    swap, p_value = graded[0]
    finding = _FINDINGS[_grade(swap, p_value, pictures)]
    sentence = tone_sentence(finding, swap, _numbers(swap.interval, p_value))
    return Verdict(finding, swap.effect, swap.interval, p_value, sentence, _measured(zone, swap))


def _graded(
    swaps: list[tuple[ExchangeEffect, float]], shown: int
) -> list[tuple[ExchangeEffect, float]]:
    """Return the swaps with their p-values, what weighs most first."""

    def rank(pair: tuple[ExchangeEffect, float]) -> tuple[int, float]:
        swap, p_value = pair
        return _grade(swap, p_value, shown), swap.effect

    return sorted(swaps, key=rank, reverse=True)


def _verdict(
    name: str, zone: ZoneEvidence, swaps: list[tuple[ExchangeEffect, float]], lost: float
) -> Verdict:
    if not zone.count:
        return _nothing(f"No picture shows any {name}: there was nothing to read.", zone)
    graded = _graded(swaps, zone.count)
    if graded and _grade(*graded[0], zone.count):
        return _read(name, zone, *graded[0])
    gone = zone.removal
    if gone and gone.effect >= REMOVAL.effect and lost < REMOVAL.p_value:
        return _lost(name, zone, gone, lost)
    if not graded:
        return _unasked(name, zone)
    return _unmoved(name, zone, *graded[0])


def _grade(swap: ExchangeEffect, p_value: float, shown: int) -> int:
    """2 where the model reads, 1 where it may, 0.

    Pictures without the zone cannot vouch for it: ``shown`` of them with it fall into two groups as
    one would wish with a probability of 2 ** (1 - shown) at least.
    """
    if swap.interval.low <= 0:
        return 0
    p_value = max(p_value, 2.0 ** (1 - shown))
    return sum(swap.effect >= rule.effect and p_value < rule.p_value for rule in (READS, MAY_READ))


def _read(name: str, zone: ZoneEvidence, swap: ExchangeEffect, p_value: float) -> Verdict:
    finding = _FINDINGS[_grade(swap, p_value, zone.count)]
    verb = "reads" if finding == "reads" else "may read"
    against = " Its content speaks against the label it comes with." if swap.zone < 0 else ""
    sentence = (
        f"The model {verb} the {name}. When the {name} is exchanged between pictures of different "
        f"{divided_by(swap.by)}, the score moves {percent(swap.effect)} of the way from one "
        "decision to the other, beyond what as much tissue does "
        f"({_numbers(swap.interval, p_value)})."
        f"{_flipped(name, swap)}{_followed(name, zone.moved)}{against}"
    )
    return Verdict(finding, swap.effect, swap.interval, p_value, sentence, _measured(zone, swap))


def _lost(name: str, zone: ZoneEvidence, gone: RemovalEffect, p_value: float) -> Verdict:
    sentence = (
        f"The model may read the {name}. Removing it changes the lead of its decisions by "
        f"{percent(gone.effect)}, more than removing as much tissue, whatever is put in its "
        f"place ({_numbers(gone.interval, p_value)}). The pictures give no way to "
        "tell whether its content matters, or that it is missing."
    )
    return Verdict("may read", gone.effect, gone.interval, p_value, sentence, _measured(zone))


def _unmoved(name: str, zone: ZoneEvidence, swap: ExchangeEffect, p_value: float) -> Verdict:
    if 2.0 ** (1 - zone.count) >= FEW:
        sentence = (
            f"No evidence about the {name}: {zone.count} of {zone.pictures} pictures show it, too "
            "few to tell anything from chance."
        )
    elif swap.least >= FEW:
        numbers = " and ".join(map(str, swap.counts))
        sentence = (
            f"No evidence about the {name}: groups of {numbers} pictures are too few to tell "
            "anything from chance."
        )
    else:
        sentence = (
            f"No evidence that the model reads the {name}. When it is exchanged between pictures "
            f"of different {divided_by(swap.by)}, the score moves {percent(swap.effect)} of the "
            "way from one decision to the other, beyond what as much tissue does "
            f"({_numbers(swap.interval, p_value)}); from {percent(MAY_READ.effect)} "
            f"on, at p < {MAY_READ.p_value}, this report would say so."
        )
    return Verdict(
        "no evidence", swap.effect, swap.interval, p_value, sentence, _measured(zone, swap)
    )


def _unasked(name: str, zone: ZoneEvidence) -> Verdict:
    return _nothing(
        f"No evidence about the {name}: the pictures give no two groups to exchange it "
        "between, no room for a control, or the model says the same of all of them.",
        zone,
    )


def _nothing(sentence: str, zone: ZoneEvidence) -> Verdict:
    return Verdict("no evidence", 0.0, Interval(0.0, 0.0), 1.0, sentence, _measured(zone))


def _measured(
    zone: ZoneEvidence, swap: ExchangeEffect | None = None
) -> dict[str, float | int | str]:
    found: dict[str, float | int | str] = {"pictures": zone.pictures, "with_zone": zone.count}
    if swap is not None:
        found |= {
            "divided_by": swap.by,
            "groups": " + ".join(map(str, swap.counts)),
            "zone_effect": swap.zone,
            "tissue_effect": swap.tissue,
            "decisions_changed": swap.flips,
            "decisions_changed_by_tissue": swap.tissue_flips,
        }
    if zone.moved is not None:
        found |= {"transplanted": zone.moved.zone, "transplanted_tissue": zone.moved.tissue}
    if zone.removal is not None:
        found |= {"removal_effect": zone.removal.effect, "removal_pictures": zone.removal.count}
    return found


def _followed(name: str, moved: TransplantEffect | None) -> str:
    """Say what the reverse test gave."""
    if moved is None:
        return ""
    tissue = "" if np.isnan(moved.tissue) else f"; as much tissue, {percent(moved.tissue)}"
    return (
        f" Put into pictures that show no {name} and are decided otherwise, it moves the score "
        f"{percent(moved.zone)} of the way{tissue}."
    )


def _flipped(name: str, swap: ExchangeEffect) -> str:
    if np.isnan(swap.flips):
        return ""
    found = f" With the {name} of the other side, {percent(swap.flips)} of decisions change"
    if np.isnan(swap.tissue_flips):
        return f"{found}."
    return f"{found}; with as much of its tissue, {percent(swap.tissue_flips)}."


def _numbers(interval: Interval, p_value: float) -> str:
    return f"95 % interval {whole(interval.low)} to {percent(interval.high)}, {p_text(p_value)}"
