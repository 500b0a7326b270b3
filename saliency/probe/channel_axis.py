"""A model of grey pictures (H, W) as one of (H, W, 1), which every explainer can be asked about."""

from functools import lru_cache
from typing import Any

import keras


@lru_cache(2)
def with_channel_axis(model: Any) -> Any:
    """Return a model of (N, H, W, 1) around a model of (N, H, W); it shares layers and weights.

    Those of the last two models are held: asked again, nothing is traced again.
    """
    (_, rows, columns) = model.inputs[0].shape
    entry = keras.Input((rows, columns, 1), dtype=model.inputs[0].dtype)
    return keras.Model(entry, model(keras.ops.squeeze(entry, -1)), name=model.name)
