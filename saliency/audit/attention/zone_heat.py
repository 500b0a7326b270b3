"""Where heatmaps lie: worth a look, never a verdict."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from saliency.errors import SaliencyError
from saliency.explainers.controls import RandomMap
from saliency.interventions.scoring import Scorer, probe_of_rows
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
class ZoneHeat:
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
class HeatmapRecord:
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
    scorer: Scorer,
    target: Target,
    images: Sequence[DicomImage],
    rows: Sequence[int],
    seed: int = 0,
) -> list[dict[str, Explanation]]:
    """Return for each picture an explanation by each explainer that this model allows.

    ``rows`` are positions among the sources; ``seed`` is that of the random map.
    """
    probe = probe_of_rows(scorer.probe, rows)
    by_image: list[dict[str, Explanation]] = [{} for _ in images]
    for name in EXPLAINERS:
        recipe: Explainer = RandomMap(seed=seed) if name == "random" else name
        # A model that this explainer does not fit has no such map.
        with suppress(SaliencyError):
            results = list(
                explain_many(
                    probe,
                    images,
                    recipe,
                    target=target,
                    prepare=scorer.prepare,
                    batch_size=len(images),
                )
            )
            for explanations, result in zip(by_image, results, strict=False):
                if isinstance(result, Explanation):
                    explanations[name] = result
    return by_image


def heatmap_record(explanations: Mapping[str, Explanation]) -> HeatmapRecord:
    """Return what is remembered of a picture's heatmaps."""
    by_zone = {
        name: shares(explanation.image, explanation.heatmap)
        for name, explanation in explanations.items()
    }
    cells = {
        name: coarse(explanation.heatmap)
        for name, explanation in explanations.items()
        if name != EXPLAINERS[-1]
    }
    return HeatmapRecord(by_zone, cells)


def coarse(heatmap: Heatmap) -> Array:
    """Return the share of |heat| in each of 16 x 16 cells, float32."""
    cells = np.maximum(resized(np.abs(heatmap.values), (CELLS, CELLS)), 0)
    total = cells.sum(dtype=np.float64)
    return (cells / total).astype(np.float32) if total else np.zeros_like(cells)


def zone_heat(
    rows: Sequence[Mapping[str, Mapping[str, Share]]], zone: str
) -> list[ZoneHeat]:
    """Return the mean shares of a zone, one for each explainer that could be asked."""
    heats = []
    for name in EXPLAINERS:
        of_zone = [row[name][zone] for row in rows if name in row and zone in row[name]]
        if of_zone:
            pairs = [(share.heat, share.area) for share in of_zone]
            heat, area = np.mean(pairs, axis=0).tolist()
            heats.append(ZoneHeat(name, heat, area, heat / area if area else 0.0))
    return heats
