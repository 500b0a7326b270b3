"""Sentences about groups of pictures."""

from typing import Final

import numpy as np

from saliency.audit.exchange.effects import ExchangeEffect
from saliency.audit.judgement.results import Division, DivisionAnswer
from saliency.statistics.association import Association
from saliency.values.arrays import Array

MOST_NAMED: Final = 4


def whole_percents(share: float) -> str:
    """Return the percents of a share without their sign of zero; NaN as it is."""
    return f"{100 * share:z.0f}"


def percents(share: float) -> str:
    """Return a share as whole percents."""
    return f"{whole_percents(share)} %"


def p_text(value: float) -> str:
    """Return a p-value in two digits."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"


def divided_by(way: str) -> str:
    """Return what pictures of a division differ in."""
    return {"label": "labels", "prediction": "predictions", "median": "scores"}[way]


def tone_sentence(finding: str, swap: ExchangeEffect, numbers: str) -> str:
    """Say whether the score follows the brightness of the whole picture."""
    what = "brightness and contrast of the whole picture"
    start = {
        "reads": f"The score follows the {what}.",
        "may read": f"The score may follow the {what}.",
        "no evidence": f"No evidence that the score follows the {what}.",
    }[finding]
    sentence = (
        f"{start} When they are exchanged between pictures of different {divided_by(swap.by)}, it "
        f"moves {percents(swap.effect)} of the way from one decision to the other ({numbers})."
    )
    if finding == "no evidence":
        return sentence
    return (
        f"{sentence} There is no control for that: a disease may change them, too. Look whether a "
        "device, a site or an exposure goes with the label."
    )


def note_of(name: str, kept: int, values: int, fewest: int) -> str:
    """Say why a division cannot be asked about; nothing where it can."""
    if kept > 1:
        return ""
    if not values:
        return f"No picture has a value of {name}."
    if values == 1:
        return f"All pictures have the same {name}: nothing can be compared."
    return f"No two groups of {name} have {fewest} pictures or more: nothing can be compared."


def answer_sentence(
    answer: DivisionAnswer,
    division: Division,
    truth: "Division | None",
    area: Array | None,
) -> str:
    """Say what was found, in the words of the question."""
    name = division.name
    within = (
        ""
        if truth is None or division is truth
        else "Among pictures of the same label, "
    )
    if answer.what == "label":
        return _label_sentence(answer, name)
    if answer.what == "heat":
        return _claim_sentence(
            within, f"where the model looks goes with the {name}", answer
        )
    if answer.what == "score":
        claim = f"what the model says differs from one {name} to another"
        return _claim_sentence(within, claim, answer)
    sentence = _claim_sentence(
        within, f"the {answer.what} goes with the {name}", answer
    )
    if area is None:
        return sentence
    return f"{sentence} {_zone_by_group(division, area, answer.what)}"


def _label_sentence(answer: DivisionAnswer, name: str) -> str:
    numbers = _association_numbers(answer.told)
    if answer.finding == "no evidence":
        return f"Labels are spread evenly over the {name} ({numbers})."
    return (
        f"Labels are not spread evenly over the {name} ({numbers}): a model can "
        f"learn the {name} in the place of the disease."
    )


def _claim_sentence(within: str, claim: str, answer: DivisionAnswer) -> str:
    if answer.finding == "no evidence":
        start = f"{within}no evidence that {claim}"
    elif answer.finding == "may differ":
        start = f"{within}it may be that {claim}"
    else:
        start = f"{within}{claim}"
    return f"{start[0].upper()}{start[1:]} ({_association_numbers(answer.told)})."


def _association_numbers(association: Association) -> str:
    if association.share <= association.chance:
        return f"it tells no more than guessing, {p_text(association.p_value)}"
    low, high = association.interval
    return (
        f"it tells the group of {percents(association.share)}, guessing "
        f"{percents(association.chance)}; 95 % interval {whole_percents(low)} to "
        f"{percents(high)}, {p_text(association.p_value)}"
    )


def _zone_by_group(division: Division, area: Array, zone: str) -> str:
    """Say how many pictures of each group show a zone, or how large it is in them."""
    rows = [division.member == group for group in range(len(division.groups))][
        :MOST_NAMED
    ]
    showing = [float((area[row] > 0).mean()) for row in rows]
    if min(showing) == max(showing):
        sizes = [float(np.median(area[row])) for row in rows]
        texts = [f"{100 * size:.1f} % of the picture" for size in sizes]
    else:
        texts = [f"{percents(share)} show it" for share in showing]
    pairs = zip(division.groups, texts, strict=False)
    return f"The {zone}: " + ", ".join(f"{name}: {text}" for name, text in pairs) + "."
