"""What may be said of what no zone names: a place of the frame, a fixed pattern, a band."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, final

import numpy as np

from saliency.audit.exchange.control import CONTRAST, SearchControl
from saliency.audit.exchange.effects import ExchangeEffect
from saliency.audit.exchange.frame import LONGEST
from saliency.audit.judgement.results import FINDINGS, Finding, Verdict
from saliency.audit.judgement.verdict import (
    BLIND,
    KNOWS,
    MAY_READ,
    grade_of,
    nothing_exchanged,
    sensitivity_of,
    sensitivity_words,
)
from saliency.audit.judgement.wording import p_text, percents, whole_percents
from saliency.interventions.frame_cells import CELLS, MARGIN, PLACES, cell
from saliency.statistics.significance import holm
from saliency.statistics.standing_out import StandingOut
from saliency.values.arrays import Array

FEWEST_PAIRS: Final = 6
"""Pairs of images below which chance cannot be told from a finding: 2 / 2 ** 6 < 0.05."""
ALONE: Final = 0.5
"""Effect of a cell inside the frame in which nothing is drawn, below which it is anatomy."""
APART: Final = 0.5
"""Share of that effect which no other cell may reach: anatomy lies in several cells."""
FILLED: Final = 0.2
"""Share of a mask in a cell from which on the cell is named."""


@final
@dataclass(frozen=True)
class FrameFacts:
    """What is known of the images as a set.

    Parameters
    ----------
    aligned
        Whether they show one anatomy in one place.
    drawn
        Names of the cells in which something is drawn in one group alone.
    known
        p-value of the model's scores being alike for all labels; 0 where there are no labels.
    labelled
        Whether labels were given.
    """

    aligned: bool
    drawn: frozenset[str]
    known: float
    labelled: bool

    @property
    def ignorant(self) -> bool:
        """Whether the scores do not go with the labels."""
        return self.known >= KNOWS

    def beside(self, pattern: Verdict) -> "FrameFacts":
        """Return the facts for cells, once it was asked whether what is drawn is read.

        A lesion that keeps its place is drawn in one group, too. Where the exchange of all that is
        drawn tells nothing, what a cell does is not done by that.
        """
        told = pattern.finding != "no evidence"
        return self if told else replace(self, drawn=frozenset())


def grid_verdict(
    standing: StandingOut | None, pairs: int, facts: FrameFacts
) -> Verdict:
    """Judge the cell that stands out most; None where there were no pairs.

    The ring, and a cell in which something is drawn in the frame, are judged by the rules of a
    zone. Any other cell must do half of the decision alone, and in images that show one anatomy in
    one place it is never accused: the sentence says where to look.
    """
    if standing is None and pairs:
        return nothing_exchanged(
            f"No evidence: the model says the same of all images, as far as it goes. {BLIND}"
        )
    if standing is None or pairs < FEWEST_PAIRS:
        return nothing_exchanged(
            f"No evidence about places of the frame: {pairs} pairs of images with different "
            f"decisions are too few to tell anything from chance. {BLIND}"
        )
    name, effect = CELLS[standing.first], standing.effect
    p_value = max(standing.p_value, 2.0 ** (1 - pairs))
    grade = grade_of(effect, standing.interval, p_value)
    place = "the margin" if name == MARGIN else f"the cell in {name} of the grid"
    numbers = (
        f"{percents(effect)} of the way from one decision to the other, beyond what a median cell "
        f"does (95 % interval {whole_percents(standing.interval.low)} to "
        f"{percents(standing.interval.high)}, {p_text(p_value)})"
    )
    moved = (
        f"When {place} ({PLACES[name]}) is exchanged between images of different decisions, the "
        f"score moves {numbers}."
    )
    accused = _accused(standing, facts)
    if grade and accused and not facts.ignorant:
        verb = "decides" if grade == 2 else "may decide"
        sentence = (
            f"The model {verb} by what lies in {place}; look. {moved} Nothing was searched for "
            f"there. {_why(name, facts)}"
        )
    else:
        sentence = _no_place_blamed(moved, facts, stands_out=grade > 0)
    finding = FINDINGS[grade] if accused and not facts.ignorant else "no evidence"
    verdict = Verdict(
        finding,
        effect,
        standing.interval,
        p_value,
        sentence,
        _cells_in_words(standing, pairs, name),
    )
    sensitivity = sensitivity_of(standing.error, standing.needed)
    return _with_sensitivity(verdict, "a cell", 0.0 if facts.ignorant else sensitivity)


def _with_sensitivity(verdict: Verdict, what: str, sensitivity: float) -> Verdict:
    """Add to "no evidence" how probably ``what`` would have been told of."""
    if verdict.finding != "no evidence":
        return verdict
    words = sensitivity_words(what, sensitivity)
    return replace(
        verdict, sentence=f"{verdict.sentence} {words}", sensitivity=sensitivity
    )


def _sensitivity_of_swap(swap: ExchangeEffect) -> float:
    if swap.least >= MAY_READ.p_value:
        return 0.0
    return sensitivity_of(swap.error, swap.needed)


def _no_place_blamed(moved: str, facts: FrameFacts, *, stands_out: bool) -> str:
    """Say why no cell is accused."""
    if not stands_out:
        return f"No evidence that the model decides by one place of the frame. {moved}"
    if facts.ignorant:
        return (
            "No evidence: the model's scores do not go with the labels "
            f"({p_text(facts.known)}), so no place of the frame can be blamed. {moved}"
        )
    return (
        f"Look: the model decides by what lies here. {moved} No evidence of a shortcut, since "
        f"{_anatomy(facts)}."
    )


def tone_hint(tone: Verdict, *, labelled: bool) -> Verdict:
    """Return what is told of brightness: without labels "may read" at most.

    Any model, also one that was never trained, says something else of brighter images; only labels
    tell whether brightness was learned.
    """
    if labelled or tone.finding != "reads":
        return tone
    sentence = tone.sentence.replace("The score follows", "The score may follow", 1)
    caution = (
        " No labels were given, so images are divided by the model's own answers: a model that was "
        "never trained may follow brightness as well."
    )
    return replace(tone, finding="may read", sentence=sentence + caution)


@final
@dataclass(frozen=True, eq=False)
class PatternEvidence:
    """Something that is drawn at one place in one group of images alone.

    Parameters
    ----------
    mask
        bool (rows, columns): where.
    swaps
        What exchanging it does, one for each division of the images.
    """

    mask: Array
    swaps: Sequence[ExchangeEffect]


def pattern_verdict(
    patterns: Sequence[PatternEvidence],
    searched: int,
    facts: FrameFacts,
    drawn: SearchControl | None = None,
) -> tuple[Verdict, Array | None]:
    """Judge what is drawn in the frame; also where the strongest pattern lies.

    ``drawn`` says whether words that the audit drew into one group were found.
    """
    if not patterns:
        return _no_pattern(searched, facts, drawn), None
    swaps = [(pattern, swap) for pattern in patterns for swap in pattern.swaps]
    strongest = _strongest_beyond([swap for _, swap in swaps])
    if strongest is None:
        pattern = patterns[0]
        where = _pattern_in_words(pattern.mask)
        nothing = nothing_exchanged(
            f"{where}. It could not be exchanged between groups: no evidence. {BLIND}"
        )
        return nothing, pattern.mask
    row, p_value, grade = strongest
    pattern, swap = swaps[row]
    finding: Finding = "no evidence" if facts.ignorant else FINDINGS[grade]
    verb = {
        "reads": "The model reads it",
        "may read": "The model may read it",
        "no evidence": "No evidence that the model reads it",
    }[finding]
    others = f" (one of {len(patterns)} such places)" if len(patterns) > 1 else ""
    sentence = (
        f"{_pattern_in_words(pattern.mask)}{others}. {verb}: when it is exchanged, the score moves "
        f"{_numbers_of_swap(swap, p_value)}{_limit_in_words(finding)}."
    )
    measured = _swap_numbers(swap) | {
        "tested": searched,
        "patterns": len(patterns),
        "area": float(pattern.mask.mean()),
        "place": words_of_place(pattern.mask),
    }
    verdict = Verdict(finding, swap.effect, swap.interval, p_value, sentence, measured)
    sensitivity = 0.0 if facts.ignorant else _sensitivity_of_swap(swap)
    return _with_sensitivity(verdict, "such a place", sensitivity), pattern.mask


def _no_pattern(
    searched: int, facts: FrameFacts, drawn: SearchControl | None
) -> Verdict:
    """Say what the search for patterns would have found."""
    start = (
        f"No evidence: the means of {searched} images show nothing that is drawn at one place in "
        "one group and not in the other."
    )
    if drawn is None or facts.ignorant:
        return nothing_exchanged(f"{start} {BLIND}")
    control = (
        f"Of words that the audit drew into one group itself ({drawn.height} pixels high on a grid "
        f"of {LONGEST}, {percents(CONTRAST / 255)} of the range of grey values), the search found "
        f"{drawn.found} of {drawn.pictures}."
    )
    return nothing_exchanged(f"{start} {control}", sensitivity=drawn.share)


def band_verdict(
    bands: Mapping[str, Sequence[ExchangeEffect]], facts: FrameFacts
) -> Verdict:
    """Judge grain, sharpness and shading of whole images.

    Without labels nothing is accused: whatever a model does with a whole image, images of its two
    answers differ in it.
    """
    asked = [(name, swap) for name, swaps in bands.items() for swap in swaps]
    if not asked:
        return nothing_exchanged(
            f"Grain, shading, bit depth and cropping could not be exchanged between groups. {BLIND}"
        )
    row, p_value, grade = _strongest_beyond([swap for _, swap in asked]) or (0, 1.0, 0)
    name, swap = asked[row]
    blamed = facts.labelled and not facts.ignorant
    finding: Finding = FINDINGS[grade] if blamed else "no evidence"
    start = {
        "reads": f"The model reads the {name} of the whole image.",
        "may read": f"The model may read the {name} of the whole image.",
        "no evidence": f"No evidence that the model reads {_listed(bands)} of the whole image.",
    }[finding]
    control = (
        ""
        if finding == "no evidence"
        else (
            " No place and no content was exchanged. A disease may change it, too: look whether a "
            "device, a site or a reconstruction goes with the label."
        )
    )
    hint = (
        " It follows it among the model's own answers; labels would tell whether that is learned."
        if grade and not blamed
        else ""
    )
    sentence = (
        f"{start} When the {name} is given from images of one group to those of another, the score "
        f"moves {_numbers_of_swap(swap, p_value)}{_limit_in_words(finding)}.{control}{hint}"
    )
    measured: dict[str, float | int | str] = {"tested": sum(swap.counts), "band": name}
    measured |= _swap_numbers(swap)
    verdict = Verdict(finding, swap.effect, swap.interval, p_value, sentence, measured)
    return _with_sensitivity(
        verdict, "a band", _sensitivity_of_swap(swap) if blamed else 0.0
    )


def words_of_place(mask: Array) -> str:
    """Say where most of a mask lies."""
    grid = [name for name in CELLS if name != MARGIN]
    pixels = {name: int(mask[cell(name, mask.shape)].sum()) for name in grid}
    fullest = sorted(grid, key=lambda name: pixels[name], reverse=True)[:2]
    fewest = FILLED * mask.sum()
    places = [PLACES[name] for name in fullest if pixels[name] >= fewest]
    if not places:
        return "in many places"
    return f"at the frame's {' and '.join(places)}"


def beside_places(band: Verdict, places: Sequence[Verdict]) -> Verdict:
    """Return what may be said of bands where a place of the frame was accused as well.

    A model that reads a mark answers grain and shading otherwise, too, since they hide the mark or
    look like it: then the band is told of, and not accused.
    """
    accused = any(place.finding != "no evidence" for place in places)
    if band.finding == "no evidence" or not accused:
        return band
    sentence = (
        "No evidence of its own: the score also follows "
        f"the {band.measured['band']} of the whole image ({percents(band.effect)} of the way from "
        "one decision to the other), but what lies at one place is read, and that may be the "
        "cause. Audit again when it is gone."
    )
    return replace(
        band,
        finding="no evidence",
        sentence=f"{sentence} {BLIND}",
        sensitivity=0.0,
    )


def _accused(standing: StandingOut, facts: FrameFacts) -> bool:
    name = CELLS[standing.first]
    if name == MARGIN or name in facts.drawn:
        return True
    others = np.delete(standing.nets, [standing.first, len(CELLS) - 1])
    alone = others.max() <= APART * standing.effect
    return bool(not facts.aligned and alone and standing.effect >= ALONE)


def _anatomy(facts: FrameFacts) -> str:
    if facts.aligned:
        return "these images show one anatomy in one place, which may lie there"
    return "anatomy lies in cells, too, and other cells matter as well"


def _why(name: str, facts: FrameFacts) -> str:
    if name in facts.drawn:
        return "Something is drawn there in one group of images and not in the other."
    if name == MARGIN:
        return "Anatomy may reach the margin: look at the images."
    return "The images share the frame, and no anatomy in one place: what keeps its place is drawn."


def _strongest_beyond(swaps: Sequence[ExchangeEffect]) -> tuple[int, float, int] | None:
    """Return the number, p-value and grade of the strongest effect; None where there are none."""
    corrected = holm(np.array([swap.p_value for swap in swaps])).tolist()
    rows = []
    for number, (swap, raw) in enumerate(zip(swaps, corrected, strict=True)):
        p_value = max(raw, swap.least)
        rows.append((number, p_value, grade_of(swap.effect, swap.interval, p_value)))
    return max(rows, key=lambda row: (row[2], swaps[row[0]].effect), default=None)


def _pattern_in_words(mask: Array) -> str:
    share = percents(float(mask.mean()))
    return (
        f"Something is drawn {words_of_place(mask)} ({share} of the frame), in one group "
        "of images and not in the other"
    )


def _numbers_of_swap(swap: ExchangeEffect, p_value: float) -> str:
    return (
        f"{percents(swap.effect)} of the way from one decision to the other (95 % interval "
        f"{whole_percents(swap.interval.low)} to {percents(swap.interval.high)}, "
        f"{p_text(p_value)})"
    )


def _limit_in_words(finding: Finding) -> str:
    """Say from which effect on a finding would have been made."""
    if finding != "no evidence":
        return ""
    return f"; from {percents(MAY_READ.effect)} on, at p < {MAY_READ.p_value}, this report says so"


def _swap_numbers(swap: ExchangeEffect) -> dict[str, float | int | str]:
    return {
        "divided_by": swap.by,
        "groups": " + ".join(map(str, swap.counts)),
        "zone_effect": swap.zone,
        "tissue_effect": swap.tissue,
    }


def _cells_in_words(
    standing: StandingOut, pairs: int, name: str
) -> dict[str, float | int | str]:
    by_cell: dict[str, float | int | str] = {
        f"cell: {cell}": float(net)
        for cell, net in zip(CELLS, standing.nets, strict=True)
    }
    numbers: dict[str, float | int | str] = {"tested": 2 * pairs, "pairs": pairs}
    return numbers | {"cell": name, "place": PLACES[name]} | by_cell


def _listed(names: Mapping[str, object]) -> str:
    return " or ".join(f"the {name}" for name in names)
