"""One of each value that holds arrays."""

import numpy as np

from saliency.values.heatmap import Heatmap
from saliency.values.image import DicomImage
from saliency.values.mask import Mask
from saliency.values.model_input import ModelInput
from saliency.values.overlay import Overlay
from saliency.values.placement import letterbox
from saliency.values.window import Window
from saliency.values.zone import Zone

GRID = 37, 53
RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=GRID).astype(np.float32)
BYTES = RNG.integers(0, 256, GRID).astype(np.uint8)
CORNER = np.zeros(GRID, np.bool_)
CORNER[:5, :9] = True

VALUES = {
    "Heatmap": Heatmap(NUMBERS),
    "Mask": Mask(NUMBERS > 0),
    "Zone": Zone("text", CORNER, "a measurement"),
    "Overlay": Overlay(np.stack([BYTES] * 3, axis=-1), 0.25),
    "ModelInput": ModelInput(
        np.zeros((1, 16, 16, 3), np.float32), letterbox(GRID, (16, 16))
    ),
    "DicomImage": DicomImage(
        NUMBERS,
        BYTES,
        stored=np.arange(37 * 53, dtype=np.int16).reshape(GRID),
        zones=(Zone("text", CORNER), Zone("padding", ~CORNER)),
        spacing=(0.1, 0.2),
        frame=1,
        frames=3,
        modality="CR",
        digest="0f",
        window=Window(40, 400),
        info={"ViewPosition": "PA"},
    ),
}


def arrays_of(value):
    """Return every array that a value holds, by name."""
    names = value.__dataclass_fields__
    return {n: a for n in names if isinstance(a := getattr(value, n), np.ndarray)}
