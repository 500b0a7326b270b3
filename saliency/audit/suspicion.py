"""Where heatmaps lie: worth a look, never a verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from saliency.audit.asking import Asker
from saliency.audit.heat import Share, shares
from saliency.errors import SaliencyError
from saliency.pipeline.explain import explain
from saliency.pipeline.explanation import Explanation
from saliency.probe.protocol import Target
from saliency.values.image import DicomImage

EXPLAINERS: Final = ("fastcam", "gradient", "random")
"""The last is the control: a map that knows nothing of the picture."""


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


def heatmaps(asker: Asker, target: Target, image: DicomImage) -> dict[str, Explanation]:
    """Return an explanation by each explainer; none by those that this model does not allow."""
    found = {name: _explained(asker, target, image, name) for name in EXPLAINERS}
    return {name: one for name, one in found.items() if one is not None}


def _explained(asker: Asker, target: Target, image: DicomImage, name: str) -> Explanation | None:
    try:
        return explain(asker.probe, image, name, target=target, prepare=asker.prepare)
    except SaliencyError:
        return None


def shares_of(found: Mapping[str, Explanation]) -> dict[str, dict[str, Share]]:
    """Return the share of each zone, by explainer."""
    return {name: shares(one.image, one.heatmap) for name, one in found.items()}


def heat(rows: Sequence[Mapping[str, Mapping[str, Share]]], zone: str) -> list[Heat]:
    """Return the mean shares of a zone, one for each explainer that could be asked."""
    found = []
    for name in EXPLAINERS:
        of_zone = [row[name][zone] for row in rows if name in row and zone in row[name]]
        if of_zone:
            mean, area = np.mean([(one.heat, one.area) for one in of_zone], axis=0).tolist()
            found.append(Heat(name, mean, area, mean / area if area else 0.0))
    return found
