"""One image: what share of the heat lies in each zone."""

from dataclasses import dataclass
from typing import final

import numpy as np

from saliency.errors import InputError
from saliency.values.arrays import Array
from saliency.values.heatmap import Heatmap
from saliency.values.image import DicomImage


@final
@dataclass(frozen=True)
class Share:
    """How much of the absolute heat, and of the picture, lies in a zone; both in 0..1."""

    heat: float
    area: float

    @property
    def enrichment(self) -> float:
        """Heat over area: 1 where the zone gets no more than its size; 0 for an empty zone."""
        return self.heat / self.area if self.area else 0.0


def shares(image: DicomImage, heatmap: Heatmap) -> dict[str, Share]:
    """Return each zone's share, and ``"diagnostic"`` for what belongs to none.

    Zones may overlap, so shares may add up to more than 1. A map without heat has shares of 0.

    Raises
    ------
    InputError
        The heatmap is not on the image's grid.
    """
    if heatmap.values.shape != image.size:
        msg = f"shares: expected a heatmap of {image.size}, got {heatmap.values.shape}."
        raise InputError(msg)
    heat = np.abs(heatmap.values).astype(np.float64)
    total = heat.sum()
    return {
        name: Share(
            float(heat[mask].sum() / total) if total else 0.0, float(mask.mean())
        )
        for name, mask in masks(image).items()
    }


def masks(image: DicomImage) -> dict[str, Array]:
    """Return the union of the zones of each name, and ``"diagnostic"``."""
    by_name = {"diagnostic": image.diagnostic}
    for zone in image.zones:
        by_name[zone.name] = by_name.get(zone.name, False) | zone.mask
    return by_name
