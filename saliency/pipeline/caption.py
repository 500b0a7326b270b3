"""What a picture says of itself: plain words about an explanation."""

from typing import Any, Final

import numpy as np

from saliency.pipeline.method_words import method_words
from saliency.render.scale import full
from saliency.values.arrays import Array

DISCLAIMER: Final = "research use, not for diagnosis"

#: Zones that hold less of the heat outside are not named.
_NAMED: Final = 0.1

#: Share of the way from end to end: an output this near to one has next to no derivative.
_AT_THE_END: Final = 1e-5


def subject(result: Any) -> str:
    """Return what was asked for: a label, ``"class 1"``, or the name of a callable target."""
    if result.label is not None:
        return str(result.label)
    return result.target if isinstance(result.target, str) else f"class {result.target}"


def headline(result: Any) -> str:
    """Return the subject with the model's probability, or its score where there is none."""
    if result.probability is None:
        return f"{subject(result)}, {result.explains} {result.score:.3g}"
    return f"{subject(result)}, probability {percent(result.probability)}"


def percent(share: float) -> str:
    """Return a share as ``"87 %"``; "under 1 %" and "over 99 %" where rounding would mislead."""
    if 0 < share < 0.005:
        return "under 1 %"
    if 0.995 <= share < 1:
        return "over 99 %"
    return f"{100 * share:.0f} %"


def caption(result: Any) -> str:
    """Return one line: label, probability, score, method, share outside, and what is wrong."""
    score = f"{result.explains} {result.score:.4g}"
    parts = (
        [headline(result)] if result.probability is None else [headline(result), score]
    )
    told = [
        ", ".join(parts),
        method_words(result.recipe),
        outside_words(result),
        trust_words(result),
        doubt(result),
    ]
    return ". ".join(
        sentence[0].upper() + sentence[1:] for sentence in told if sentence
    )


def doubt(result: Any) -> str:
    """Return why the map lies under a veil, "" where it does not."""
    probability = result.probability
    if probability is not None and probability < result.cutoff:
        return f"not predicted: the probability is below {percent(result.cutoff)}"
    if result.saturated:
        return "the model's output is saturated: it is flat here, and its derivatives vanish"
    if result.indifferent:
        return (
            "the answer hardly depends on what is where: an even picture, shuffled pixels and more "
            "contrast get this class, too"
        )
    if full(np.abs(result.heatmap.values)) == 0:
        return "the map is blank: no pixel has heat, or the output is flat here"
    return ""


def trust_words(result: Any) -> str:
    """Return what an evaluation says of the explainer; "" where there is none."""
    return "" if result.trust is None else str(result.trust.words)


def is_saturated(score: float, ends: tuple[float, ...]) -> bool:
    """Say whether a score lies at a value where the output has no slope."""
    if not ends:
        return False
    way = max(ends) - min(ends) or 1.0
    return any(abs(score - end) < _AT_THE_END * way for end in ends)


def outside_words(result: Any) -> str:
    """Return which share of the heat lies outside, and on what; "" where nobody looked."""
    if result.outside is None:
        return ""
    if not result.image.zones:
        return "no text and no border was found in the picture"
    if result.outside == 0:
        return "no heat of the map lies outside the diagnostic pixels"
    where = _zones_with_heat(result) or "what is not diagnostic"
    return f"{percent(result.outside)} of the map lies on {where}"


def _zones_with_heat(result: Any) -> str:
    magnitude = np.abs(result.heatmap.values)
    shares: dict[str, float] = {}
    for zone in result.image.zones:
        shares[zone.name] = shares.get(zone.name, 0.0) + _sum(magnitude * zone.mask)
    total = _sum(magnitude * ~result.image.diagnostic)
    hottest = sorted(shares, key=lambda name: -shares[name])
    named = [name for name in hottest if shares[name] >= _NAMED * total]
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)


def _sum(array: Array) -> float:
    return float(array.sum(dtype=np.float64))
