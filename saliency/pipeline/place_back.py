"""From the model's grid back to the picture's: the only way a map changes grids."""

import numpy as np

from saliency.errors import InputError
from saliency.pipeline.resize import resized
from saliency.values.arrays import Array
from saliency.values.heatmap import Heatmap
from saliency.values.placement import Placement


def place_back(values: Array, placement: Placement) -> Heatmap:
    """Carry a map (H, W) to the image grid.

    Bilinear between model pixels (an average where the picture is the coarser grid). Bars of a
    letterbox are dropped before, so they never bleed in; what a crop cut off gets no heat.

    Raises
    ------
    InputError
        The map is not on the placement's model grid.
    """
    if values.shape != placement.model_size:
        msg = (
            f"place_back: expected a map of {placement.model_size}, got {values.shape}."
        )
        raise InputError(msg)
    inner = resized(
        values[placement.model_box.slices].astype(np.float32), placement.image_box[2:]
    )
    if inner.shape == placement.image_size:
        return Heatmap(inner)
    outer = np.zeros(placement.image_size, np.float32)
    outer[placement.image_box.slices] = inner
    return Heatmap(outer)
