"""Where heatmaps lie: worth a look, never a verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from saliency.errors import SaliencyError
from saliency.explainers.controls import RandomMap
from saliency.interventions.scoring import Scorer
from saliency.interventions.zone_shares import Share, shares
from saliency.pipeline.explain import Explainer
from saliency.pipeline.explain_many import explain_many
from saliency.pipeline.explanation import Explanation
from saliency.pipeline.resize import resized
from saliency.probe.protocol import Target
from saliency.values.arrays import Array
from saliency.values.heatmap import Heatmap
from saliency.values.image import DicomImage

EXPLAINERS: Final = ("fastcam", "gradient", "random")
"""The last is the control: a map that knows nothing of the picture."""
CELLS: Final = 16
"""Coarse maps have so many cells a side."""


@final
@dataclass(frozen=True)
class Heat:
    """Mean shares of a zone, over the pictures that show it.

    Parameters
    ----------
    explainer
        Its name.
    heat, area
        Mean share of |heat|, and of the picture, that lies in the zone; 0..1.
    enrichment
        ``heat / area``.
    """

    explainer: str
    heat: float
    area: float
    enrichment: float


@final
@dataclass(frozen=True, eq=False)
class Maps:
    """What explainers say of one picture.

    Parameters
    ----------
    shares
        By explainer and zone.
    coarse
        By explainer: float32 (16, 16), the share of |heat| in each cell of the picture, sum 1; all
        0 for a map without heat.
    """

    shares: Mapping[str, Mapping[str, Share]]
    coarse: Mapping[str, Array]


def heatmaps(
    scorer: Scorer, target: Target, images: Sequence[DicomImage], seed: int = 0
) -> list[dict[str, Explanation]]:
    """Return for each picture an explanation by each explainer that this model allows.

    ``seed`` is that of the random map.
    """
    found: list[dict[str, Explanation]] = [{} for _ in images]
    for name in EXPLAINERS:
        recipe = RandomMap(seed=seed) if name == "random" else name
        for place, one in zip(found, _explained(scorer, target, images, recipe), strict=False):
            if isinstance(one, Explanation):
                place[name] = one
    return found


def _explained(
    scorer: Scorer, target: Target, images: Sequence[DicomImage], recipe: Explainer
) -> list[object]:
    try:
        return list(
            explain_many(
                scorer.probe,
                images,
                recipe,
                target=target,
                prepare=scorer.prepare,
                batch_size=len(images),
            )
        )
    except SaliencyError:
        return []


def maps_of(found: Mapping[str, Explanation]) -> Maps:
    """Return what is remembered of a picture's heatmaps."""
    return Maps(
        {name: shares(one.image, one.heatmap) for name, one in found.items()},
        {name: coarse(one.heatmap) for name, one in found.items() if name != EXPLAINERS[-1]},
    )


def coarse(heatmap: Heatmap) -> Array:
    """Return the share of |heat| in each of 16 x 16 cells, float32."""
    cells = np.maximum(resized(np.abs(heatmap.values), (CELLS, CELLS)), 0)
    total = cells.sum(dtype=np.float64)
    return (cells / total).astype(np.float32) if total else np.zeros_like(cells)


def heat(rows: Sequence[Mapping[str, Mapping[str, Share]]], zone: str) -> list[Heat]:
    """Return the mean shares of a zone, one for each explainer that could be asked."""
    found = []
    for name in EXPLAINERS:
        of_zone = [row[name][zone] for row in rows if name in row and zone in row[name]]
        if of_zone:
            mean, area = np.mean([(one.heat, one.area) for one in of_zone], axis=0).tolist()
            found.append(Heat(name, mean, area, mean / area if area else 0.0))
    return found
