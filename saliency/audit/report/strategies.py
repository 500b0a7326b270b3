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
from saliency.audit.judgement.wording import percents
from saliency.audit.report.overview import heat_features
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
        strategies = [
            {
                "pictures": strategy.pictures,
                "sentence": strategy.sentence,
                "heat_per_area": dict(strategy.heat),
                "mostly": {name: list(pair) for name, pair in strategy.mostly.items()},
                "typical": list(strategy.typical),
            }
            for strategy in self.found
        ]
        return {
            "pictures": self.pictures,
            "silhouette": self.silhouette,
            "p_value": self.p_value,
            "found": strategies,
            "sentence": self.sentence,
        }


def strategies(
    plan: AuditPlan, records: Sequence[ImageRecord], divisions: Sequence[Division]
) -> Strategies:
    """Look for strategies in the heatmaps of all pictures."""
    clustered = clusters(heat_features(records), plan.seed)
    compared = int((clustered.member >= 0).sum())
    parts = tuple(
        _strategy(plan, records, divisions, clustered, group)
        for group in range(len(clustered.typical))
    )
    sentence = _strategies_sentence(parts, compared)
    return Strategies(
        compared, clustered.silhouette, clustered.p_value, parts, sentence
    )


def _strategies_sentence(parts: Sequence[Strategy], compared: int) -> str:
    if parts:
        sentences = " ".join(
            f"{i}: {part.sentence}" for i, part in enumerate(parts, start=1)
        )
        return (
            f"The model looks at pictures in {len(parts)} different ways. {sentences}"
        )
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
    plan: AuditPlan,
    records: Sequence[ImageRecord],
    divisions: Sequence[Division],
    clustered: Clusters,
    group: int,
) -> Strategy:
    inside = clustered.member == group
    outside = (clustered.member >= 0) & ~inside
    zones = sorted({zone for record in records for zone in record.zones})
    heat = {zone: _mean_enrichment(records, inside, zone) for zone in zones}
    elsewhere = {zone: _mean_enrichment(records, outside, zone) for zone in zones}
    mostly = {
        division.name: _most_frequent_group(division, inside)
        for division in divisions
        if len(division.groups) > 1
    }
    group_clauses = [
        f"{most if most.startswith(name) else f'{name} {most}'} in {percents(share)}"
        for name, (most, share) in mostly.items()
    ]
    heat_clauses = [
        f"heat on the {zone} is {heat[zone]:.1f} times its area (elsewhere {elsewhere[zone]:.1f})"
        for zone in zones
        if heat[zone] > max(1.0, MUCH * elsewhere[zone])
    ]
    count = int(inside.sum())
    indices = [records[row].index for row in clustered.typical[group][:SHOWN]]
    return Strategy(
        pictures=count,
        sentence=f"{count} pictures; "
        + "; ".join([*group_clauses, *heat_clauses])
        + ".",
        heat=heat,
        mostly=mostly,
        typical=tuple(index + 1 for index in indices),
        shown=tuple(_heat_png(plan, index) for index in indices),
    )


def _mean_enrichment(records: Sequence[ImageRecord], inside: Any, zone: str) -> float:
    """Return the mean heat per area over pictures that show the zone, of every explainer's."""
    # The last explainer is the control, a random map.
    enrichments = [
        by_zone[zone].enrichment
        for record, counts in zip(records, inside.tolist(), strict=True)
        if counts
        for name, by_zone in record.maps.shares.items()
        if name != EXPLAINERS[-1] and zone in by_zone
    ]
    return float(np.mean(enrichments)) if enrichments else 0.0


def _most_frequent_group(division: Division, inside: Any) -> tuple[str, float]:
    counts = Counter(division.member[inside].tolist())
    group, count = counts.most_common(1)[0]
    return division.groups[group] if group >= 0 else "other", count / int(inside.sum())


def _heat_png(plan: AuditPlan, index: int) -> bytes:
    """Return a picture with its heat painted on."""
    image = picture(plan, index)
    if isinstance(image, Failure):
        return b""
    maps = heatmaps(plan.scorer, plan.target, [image], [index])[0]
    explainer = next((name for name in EXPLAINERS if name in maps), None)
    rgb = image.display if explainer is None else maps[explainer].overlay().rgb
    return png.encode(rgb, longest=LONGEST)
