"""What the numbers allow to say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple, final

import numpy as np

from saliency.audit.exchange.control import CONTRAST, SearchControl
from saliency.audit.exchange.effects import (
    ExchangeEffect,
    RemovalEffect,
    TransplantEffect,
)
from saliency.audit.judgement.results import FINDINGS, Finding, Verdict
from saliency.audit.judgement.wording import (
    divided_by,
    p_text,
    percents,
    tone_sentence,
    whole_percents,
)
from saliency.statistics.significance import Interval, holm


class Rule(NamedTuple):
    """An effect at least so large, and a corrected p-value below."""

    effect: float
    p_value: float


READS = Rule(0.3, 0.01)
MAY_READ = Rule(0.1, 0.05)
UNTAUGHT = Rule(0.5, 0.01)
"""Of a model that knows no label: the zone does more to its own answers than all else."""
REMOVAL = Rule(0.5, 0.05)
"""Removal alone may at most raise to "may read": models are thrown by holes, too."""
FEW = 0.05
HINT = 0.01
"""Brightness is asked about beside all else, so chance alone must not hint at it."""
BLIND = "Whatever it does to the score, an audit like this one cannot say so."
"""What is said where the sensitivity is 0."""
KNOWS = 0.05
"""The model's scores must go with the labels at this p: one that knows nothing reads nothing."""


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
    patients
        How many patients show the zone; None: each picture another.
    told
        Share of a known effect that the exchange tells; None without a control.
    search
        Whether a word drawn by the audit was found; None where none was drawn.
    known
        p-value of the model's scores being alike for all labels; 0 where labels tell nothing of it.
    """

    count: int
    pictures: int
    swaps: Sequence[ExchangeEffect] = ()
    removal: RemovalEffect | None = None
    moved: TransplantEffect | None = None
    patients: int | None = None
    told: float | None = None
    search: SearchControl | None = None
    known: float = 0.0

    @property
    def vouching(self) -> int:
        """Patients that show the zone."""
        return self.count if self.patients is None else self.patients

    @property
    def ignorant(self) -> bool:
        """Whether the model's scores do not go with the labels."""
        return self.known >= KNOWS

    def answered_untaught(self, swap: ExchangeEffect) -> bool:
        """Whether images are divided by answers of a model that knows nothing of the labels.

        Any model, also one that was never trained, answers to what is written by a little.
        """
        return self.ignorant and swap.by != "label"

    def least_rule(self, swap: ExchangeEffect) -> Rule:
        """Return what an exchange has to reach to be told of."""
        return UNTAUGHT if self.answered_untaught(swap) else MAY_READ


def judge(zones: Mapping[str, ZoneEvidence]) -> dict[str, Verdict]:
    """Return a verdict for each zone, corrected for all questions asked."""
    swaps = [swap for zone in zones.values() for swap in zone.swaps]
    removals = [zone.removal for zone in zones.values() if zone.removal]
    # One after the other, in the order of the zones.
    swap_p = iter(holm(np.array([swap.p_value for swap in swaps])).tolist())
    removal_p = iter(holm(np.array([removal.p_value for removal in removals])).tolist())
    verdicts = {}
    for name, zone in zones.items():
        corrected = [(swap, next(swap_p)) for swap in zone.swaps]
        removal_p_value = next(removal_p) if zone.removal else 1.0
        verdicts[name] = _verdict(name, zone, corrected, removal_p_value)
    return verdicts


def judge_tone(
    swaps: Sequence[ExchangeEffect], pictures: int, patients: int | None = None
) -> Verdict:
    """Return what is to be said of brightness and contrast: a hint, since nothing controls it."""
    zone = ZoneEvidence(pictures, pictures, swaps, patients=patients)
    corrected = holm(np.array([swap.p_value for swap in swaps])).tolist()
    strongest = _strongest(list(zip(swaps, corrected, strict=True)), zone)
    if strongest is None:
        sentence = (
            f"Brightness and contrast could not be exchanged between groups. {BLIND}"
        )
        return _nothing_tested(sentence, zone)
    swap, p_value = strongest
    finding = FINDINGS[_grade(swap, p_value, zone) if p_value < HINT else 0]
    sentence = tone_sentence(finding, swap, _effect_numbers(swap.interval, p_value))
    return _exchange_verdict(finding, zone, swap, p_value, sentence)


def _strongest(
    swaps: list[tuple[ExchangeEffect, float]], zone: ZoneEvidence
) -> tuple[ExchangeEffect, float] | None:
    """Return the swap of the highest grade and its p-value; of equal grades the largest effect.

    The greatest pair of groups counts, too, as far as all groups differ from chance.
    """
    pairs = [
        (swap.greatest, max(p_value, swap.greatest.p_value))
        for swap, p_value in swaps
        if swap.greatest is not None
    ]

    def rank(pair: tuple[ExchangeEffect, float]) -> tuple[int, float]:
        swap, p_value = pair
        return _grade(swap, p_value, zone), swap.effect

    return max([*swaps, *pairs], key=rank, default=None)


def _verdict(
    name: str,
    zone: ZoneEvidence,
    swaps: list[tuple[ExchangeEffect, float]],
    removal_p_value: float,
) -> Verdict:
    if not zone.count:
        sentence = (
            f"The search found no {name} in any of {zone.pictures} pictures, so nothing was "
            f"exchanged. That does not prove that they show none: look at them, and give what the "
            f"search missed as a zone (zones=). {_search_words(zone.search)}"
        )
        return _nothing_tested(sentence, zone)
    strongest = _strongest(swaps, zone)
    if strongest is not None and _grade(*strongest, zone):
        return _read_verdict(name, zone, *strongest)
    removal = zone.removal
    if (
        removal
        and not zone.ignorant
        and removal.effect >= REMOVAL.effect
        and removal_p_value < REMOVAL.p_value
    ):
        return _removal_verdict(name, zone, removal, removal_p_value)
    if strongest is None:
        sentence = (
            f"No evidence about the {name}: the pictures give no two groups to exchange it "
            "between, no room for a control, or the model says the same of all of them. "
            f"{BLIND}"
        )
        return _nothing_tested(sentence, zone)
    return _no_evidence(name, zone, *strongest)


def _grade(swap: ExchangeEffect, p_value: float, zone: ZoneEvidence) -> int:
    """2 where the model reads, 1 where it may, 0.

    Pictures without the zone cannot vouch for it: n patients with it fall into two groups as one
    would wish with a probability of 2 ** (1 - n) at least.
    """
    grade = grade_of(
        swap.effect, swap.interval, max(p_value, 2.0 ** (1 - zone.vouching))
    )
    if not zone.answered_untaught(swap):
        return grade
    return grade if grade == 2 and swap.effect >= UNTAUGHT.effect else 0


def grade_of(effect: float, interval: Interval, p_value: float) -> int:
    """Return how many of the rules an effect passes: what reads also may read."""
    if interval.low <= 0:
        return 0
    return sum(
        effect >= rule.effect and p_value < rule.p_value for rule in (READS, MAY_READ)
    )


def _read_verdict(
    name: str, zone: ZoneEvidence, swap: ExchangeEffect, p_value: float
) -> Verdict:
    finding = FINDINGS[_grade(swap, p_value, zone)]
    verb = "reads" if finding == "reads" else "may read"
    against = (
        " Its content speaks against the label it comes with." if swap.zone < 0 else ""
    )
    sentence = (
        f"The model {verb} the {name}. When the {name} is exchanged between pictures of "
        f"{_whose_content(swap)}, the score moves {percents(swap.effect)} of the way from one "
        "decision to the other, beyond what as much tissue does "
        f"({_effect_numbers(swap.interval, p_value)}).{_calibration(zone, swap)}"
        f"{_estimated_over(zone, swap)}{_decisions_changed(name, swap)}"
        f"{_transplanted(name, zone.moved)}{against}{_unlearned(zone, swap)}"
    )
    return _exchange_verdict(finding, zone, swap, p_value, sentence)


def _removal_verdict(
    name: str, zone: ZoneEvidence, removal: RemovalEffect, p_value: float
) -> Verdict:
    sentence = (
        f"The model may read the {name}. Removing it changes the lead of its decisions by "
        f"{percents(removal.effect)}, more than removing as much tissue, whatever is put in its "
        f"place ({_effect_numbers(removal.interval, p_value)}). The pictures give no way to "
        "tell whether its content matters, or that it is missing."
    )
    return Verdict(
        "may read",
        removal.effect,
        removal.interval,
        p_value,
        sentence,
        _measured_effect(zone),
    )


def _no_evidence(
    name: str, zone: ZoneEvidence, swap: ExchangeEffect, p_value: float
) -> Verdict:
    """Say what speaks for nothing, and how much would have been seen."""
    rule = zone.least_rule(swap)
    # So many coins fall as one would wish, in either of two groups: 2 / 2 ** count.
    if 2.0 ** (1 - zone.vouching) >= FEW:
        sentence = (
            f"No evidence about the {name}: it was found in {zone.count} of {zone.pictures} "
            f"pictures{_of_patients(zone)}, too few to tell anything from chance. {BLIND}"
        )
    elif swap.least >= FEW:
        repeated = zone.vouching < zone.count
        numbers = " and ".join(map(str, swap.patients or swap.counts))
        sentence = (
            f"No evidence about the {name}: groups of {numbers} "
            f"{'patients' if repeated else 'pictures'} are too few to tell anything from chance. "
            f"{BLIND}"
        )
    else:
        sentence = (
            f"No evidence that the model reads the {name}. When it is exchanged between pictures "
            f"of {_whose_content(swap)}, the score moves {percents(swap.effect)} of the "
            "way from one decision to the other, beyond what as much tissue does "
            f"({_effect_numbers(swap.interval, p_value)}); from {percents(rule.effect)} "
            f"on, at p < {rule.p_value}, this report would say so."
            f" {sensitivity_words('a zone', _sensitivity(zone, swap))}"
            f"{_beside_a_small_p(swap, p_value)}{_calibration(zone, swap)}"
            f"{_estimated_over(zone, swap)}{_unlearned(zone, swap)}"
        )
    return _exchange_verdict("no evidence", zone, swap, p_value, sentence)


def _exchange_verdict(
    finding: Finding,
    zone: ZoneEvidence,
    swap: ExchangeEffect,
    p_value: float,
    sentence: str,
) -> Verdict:
    """Return a verdict from an exchange, with what a control says of it."""
    return Verdict(
        finding,
        swap.effect,
        swap.interval,
        p_value,
        sentence,
        _measured_effect(zone, swap),
        swap.measured,
        zone.told,
        _sensitivity(zone, swap) if finding == "no evidence" else None,
    )


def _sensitivity(zone: ZoneEvidence, swap: ExchangeEffect) -> float:
    """Return the probability that a true effect of ``READS`` is told."""
    if max(2.0 ** (1 - zone.vouching), swap.least) >= zone.least_rule(swap).p_value:
        return 0.0
    return sensitivity_of(swap.error, swap.needed, zone.least_rule(swap))


def sensitivity_of(error: float, needed: float, rule: Rule = MAY_READ) -> float:
    """Return the probability that the estimate of a true effect of ``READS`` passes a rule.

    Parameters
    ----------
    error
        Standard error of the estimate.
    needed
        The estimate that 1 % of permutations reach.
    rule
        What has to be passed.
    """
    # An interval above 0 begins about two standard errors above it.
    ahead = READS.effect - max(rule.effect, needed, 2 * error)
    if not error > 0:
        return float(ahead >= 0)
    return NormalDist().cdf(ahead / error)


def sensitivity_words(what: str, sensitivity: float) -> str:
    """Say how probably ``what`` would have been told of."""
    if not sensitivity > 0:
        return BLIND
    return (
        f"Of {what} that moves the score {percents(READS.effect)} of the way, it would say so in "
        f"{percents(sensitivity)} of audits like this one."
    )


def _beside_a_small_p(swap: ExchangeEffect, p_value: float) -> str:
    """Say why a small p-value and an interval that holds 0 are no contradiction."""
    if p_value >= MAY_READ.p_value or swap.interval.low > 0:
        return ""
    return (
        " The small p-value says that its content matters at all. Whether it matters more than "
        "tissue does, in other pictures too, is told by the interval, and that holds 0."
    )


def _unlearned(zone: ZoneEvidence, swap: ExchangeEffect) -> str:
    """Say that a model that knows nothing of the labels has not learned this from them."""
    if not zone.answered_untaught(swap):
        return ""
    return (
        f" The model's scores do not go with the labels ({p_text(zone.known)}), so pictures are "
        "divided by its own answers, and a model that was never trained may answer to it as well."
    )


def _calibration(zone: ZoneEvidence, swap: ExchangeEffect) -> str:
    """Say what the positive control gave."""
    if zone.told is None:
        return ""
    sentence = (
        f" Of marks that the audit put in itself, the exchange told {percents(zone.told)} of their "
        f"known effect; the effect is corrected for that (measured: {percents(swap.measured)})."
    )
    if swap.effect > 1 >= swap.measured:
        sentence += " What exceeds 100 % is within the error of that correction."
    return sentence


def _search_words(search: SearchControl | None) -> str:
    """Say what the search would have found."""
    if search is None:
        return BLIND
    return (
        f"A word that the audit drew itself ({search.height} pixels high, {CONTRAST} of 255 "
        f"grey levels from what lies around it) was found in {search.found} of "
        f"{search.pictures} pictures."
    )


def _nothing_tested(sentence: str, zone: ZoneEvidence) -> Verdict:
    """Return the verdict where nothing was exchanged: what a search finds is all that is known."""
    search = None if zone.count else zone.search
    return nothing_exchanged(
        sentence, _measured_effect(zone), 0.0 if search is None else search.share
    )


def nothing_exchanged(
    sentence: str,
    measured: Mapping[str, float | int | str] | None = None,
    sensitivity: float = 0.0,
) -> Verdict:
    """Return the verdict about what was not exchanged."""
    return Verdict(
        "no evidence",
        0.0,
        Interval(0.0, 0.0),
        1.0,
        sentence,
        measured or {},
        sensitivity=sensitivity,
    )


def _measured_effect(
    zone: ZoneEvidence, swap: ExchangeEffect | None = None
) -> dict[str, float | int | str]:
    numbers: dict[str, float | int | str] = {
        "pictures": zone.pictures,
        "with_zone": zone.count,
        "patients_with_zone": zone.vouching,
    }
    if swap is not None:
        numbers |= {
            "divided_by": swap.by,
            "groups": " + ".join(map(str, swap.counts)),
            "patients": " + ".join(map(str, swap.patients or swap.counts)),
            "least_p_value": swap.least,
            "zone_effect": swap.zone,
            "tissue_effect": swap.tissue,
            "decisions_changed": swap.flips,
            "decisions_changed_by_tissue": swap.tissue_flips,
        }
        if swap.between:
            numbers["between"] = " and ".join(swap.between)
    if zone.search is not None:
        numbers |= {
            "drawn_words": zone.search.pictures,
            "drawn_words_found": zone.search.found,
        }
    if zone.moved is not None:
        numbers |= {
            "transplanted": zone.moved.zone,
            "transplanted_tissue": zone.moved.tissue,
        }
    if zone.removal is not None:
        numbers |= {
            "removal_effect": zone.removal.effect,
            "removal_pictures": zone.removal.count,
        }
    return numbers


def _whose_content(swap: ExchangeEffect) -> str:
    """Say which pictures content was exchanged between."""
    if swap.between:
        return " and ".join(swap.between)
    return f"different {divided_by(swap.by)}"


def _estimated_over(zone: ZoneEvidence, swap: ExchangeEffect) -> str:
    """Say over how many pictures the effect is estimated, where not all show the zone."""
    if sum(swap.counts) > zone.count or zone.count == zone.pictures or swap.between:
        return ""
    return (
        f" It was found in {zone.count} of {zone.pictures} pictures; the effect is estimated over "
        f"{sum(swap.counts)} of these alone."
    )


def _of_patients(zone: ZoneEvidence) -> str:
    """Say how many patients pictures are of, where some have several."""
    if zone.vouching == zone.count:
        return ""
    patients = "1 patient" if zone.vouching == 1 else f"{zone.vouching} patients"
    return f" (of {patients})"


def _transplanted(name: str, moved: TransplantEffect | None) -> str:
    """Say what the reverse test gave."""
    if moved is None:
        return ""
    tissue = (
        "" if np.isnan(moved.tissue) else f"; as much tissue, {percents(moved.tissue)}"
    )
    return (
        f" Put into pictures that show no {name} and are decided otherwise, it moves the score "
        f"{percents(moved.zone)} of the way{tissue}."
    )


def _decisions_changed(name: str, swap: ExchangeEffect) -> str:
    if np.isnan(swap.flips):
        return ""
    sentence = f" With the {name} of the other side, {percents(swap.flips)} of decisions change"
    if np.isnan(swap.tissue_flips):
        return f"{sentence}."
    return f"{sentence}; with as much of its tissue, {percents(swap.tissue_flips)}."


def _effect_numbers(interval: Interval, p_value: float) -> str:
    low, high = whole_percents(interval.low), percents(interval.high)
    return f"95 % interval {low} to {high}, {p_text(p_value)}"
