"""The strategies that a model uses, each with what sets it apart and typical pictures."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from saliency import png
from saliency.audit.attention.clustering import FEWEST, Clusters, clusters
from saliency.audit.attention.zone_heat import EXPLAINERS, heatmaps
from saliency.audit.cases.first_pass import AuditPlan, picture
from saliency.audit.cases.records import ImageRecord
from saliency.audit.judgement.results import Division
from saliency.audit.judgement.wording import percent
from saliency.audit.report.overview import features
from saliency.values.failure import Failure

SHOWN = 3
"""Typical pictures of a strategy in the report."""
LONGEST = 600
MUCH = 1.5
"""Heat per area of a zone, over that of the other strategies, from which it is told."""


@final
@dataclass(frozen=True)
class Strategy:
    """Pictures that the model looks at alike.

    Parameters
    ----------
    pictures
        How many.
    sentence
        What sets it apart.
    heat
        By zone: mean heat per area, of the explainer that is shown.
    mostly
        By division: its most frequent group, and the share of the strategy's pictures in it.
    typical
        Numbers of typical pictures, from 1.
    shown
        PNG files of those.
    """

    pictures: int
    sentence: str
    heat: Mapping[str, float]
    mostly: Mapping[str, tuple[str, float]]
    typical: tuple[int, ...]
    shown: tuple[bytes, ...] = field(default=(), repr=False)


@final
@dataclass(frozen=True)
class Strategies:
    """What was found among all heatmaps.

    Parameters
    ----------
    pictures
        That were compared.
    silhouette, p_value
        See :class:`saliency.audit.attention.clustering.Clusters`.
    found
        The strategies, the most frequent first; () where none stands apart.
    sentence
        In words.
    """

    pictures: int
    silhouette: float
    p_value: float
    found: tuple[Strategy, ...]
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """Return all but the pictures as plain values."""
        told = [
            {
                "pictures": one.pictures,
                "sentence": one.sentence,
                "heat_per_area": dict(one.heat),
                "mostly": {name: list(pair) for name, pair in one.mostly.items()},
                "typical": list(one.typical),
            }
            for one in self.found
        ]
        return {
            "pictures": self.pictures,
            "silhouette": self.silhouette,
            "p_value": self.p_value,
            "found": told,
            "sentence": self.sentence,
        }


def strategies(
    case: AuditPlan, seen: Sequence[ImageRecord], divisions: Sequence[Division]
) -> Strategies:
    """Look for strategies in the heatmaps of all pictures."""
    heat = features(seen)
    found = clusters(heat, case.seed)
    compared = int((found.member >= 0).sum())
    parts = tuple(
        _strategy(case, seen, divisions, found, group) for group in range(len(found.typical))
    )
    return Strategies(compared, found.silhouette, found.p_value, parts, _sentence(parts, compared))


def _sentence(parts: Sequence[Strategy], compared: int) -> str:
    if parts:
        told = " ".join(f"{i}: {part.sentence}" for i, part in enumerate(parts, start=1))
        return f"The model looks at pictures in {len(parts)} different ways. {told}"
    if compared < FEWEST:
        return (
            f"Strategies need {FEWEST} pictures with a heatmap to be told apart; there are "
            f"{compared}."
        )
    return (
        f"No separate strategies: the heatmaps of {compared} pictures do not fall into groups that "
        "stand apart. A strategy of a few pictures among many would not be seen."
    )


def _strategy(
    case: AuditPlan,
    seen: Sequence[ImageRecord],
    divisions: Sequence[Division],
    found: Clusters,
    group: int,
) -> Strategy:
    inside = found.member == group
    outside = (found.member >= 0) & ~inside
    rows = list(found.typical[group][:SHOWN])
    heat = {zone: _enriched(seen, inside, zone) for zone in sorted(_zones(seen))}
    others = {zone: _enriched(seen, outside, zone) for zone in heat}
    mostly = {each.name: _most(each, inside) for each in divisions if len(each.groups) > 1}
    more = [
        f"heat on the {zone} is {heat[zone]:.1f} times its area (elsewhere {others[zone]:.1f})"
        for zone in heat
        if heat[zone] > max(1.0, MUCH * others[zone])
    ]
    told = [
        f"{most if most.startswith(name) else f'{name} {most}'} in {percent(share)}"
        for name, (most, share) in mostly.items()
    ]
    count = int(inside.sum())
    sentence = f"{count} pictures; " + "; ".join([*told, *more]) + "."
    return Strategy(
        count,
        sentence,
        heat,
        mostly,
        tuple(seen[row].index + 1 for row in rows),
        tuple(_shown(case, seen[row].index) for row in rows),
    )


def _zones(seen: Sequence[ImageRecord]) -> set[str]:
    return {zone for one in seen for zone in one.zones}


def _enriched(seen: Sequence[ImageRecord], inside: Any, zone: str) -> float:
    """Return the mean heat per area over pictures that show the zone, of every explainer's."""
    found = [
        maps[zone].enrichment
        for one, counts in zip(seen, inside.tolist(), strict=True)
        if counts
        for name, maps in one.maps.shares.items()
        if name != EXPLAINERS[-1] and zone in maps
    ]
    return float(np.mean(found)) if found else 0.0


def _most(division: Division, inside: Any) -> tuple[str, float]:
    counts = Counter(division.member[inside].tolist())
    group, count = counts.most_common(1)[0]
    return division.groups[group] if group >= 0 else "other", count / int(inside.sum())


def _shown(case: AuditPlan, index: int) -> bytes:
    """Return a picture with its heat painted on."""
    image = picture(case, index)
    if isinstance(image, Failure):
        return b""
    maps = heatmaps(case.scorer, case.target, [image])[0]
    name = next((each for each in EXPLAINERS if each in maps), None)
    rgb = image.display if name is None else maps[name].overlay().rgb
    return png.encode(rgb, longest=LONGEST)
