"""Which pixels come first: attributions as an order of places."""

from typing import Any

import numpy as np
import tensorflow as tf

from saliency.errors import ExplainerError, InputError, NotFiniteError
from saliency.explainers.queries import tensor
from saliency.pipeline.checks import collapsed
from saliency.probe.protocol import Tensor
from saliency.values.arrays import Array


def maps_of(attribution: Any, inputs: Tensor, metric: str) -> Array:
    """Return an attribution as float32 (N, H, W): channels are summed.

    Raises
    ------
    InputError
        It is not shaped like the inputs, with channels or without, or is not finite.
    """
    try:
        return collapsed(np.asarray(attribution), tuple(inputs.shape), metric)
    except (ExplainerError, NotFiniteError) as error:
        raise InputError(str(error)) from error


def ranks_of(maps: Array) -> Array:
    """Return the place of each pixel in order of falling attribution, int (N, P), 0 the first.

    Of equal values the first in row order comes first.
    """
    flat = maps.reshape(len(maps), -1)
    order = np.argsort(-flat, axis=1, kind="stable")
    places = np.empty_like(order)
    np.put_along_axis(places, order, np.arange(flat.shape[1])[np.newaxis], axis=1)
    return places


def first(ranks: Array, share: float, inputs: Tensor) -> Tensor:
    """Return 1 at the first ``share`` of the pixels, else 0: float32 (N, H, W, 1)."""
    count = round(share * ranks.shape[1])
    mask = (ranks < count).astype(np.float32)
    return tf.constant(mask.reshape(*inputs.shape[:-1], 1))


def batch_of(inputs: Any) -> Tensor:
    """Return inputs as a float32 tensor (N, H, W, C) or (N, D, H, W, C)."""
    batch = tensor(inputs)
    if batch.shape.rank not in (4, 5):
        msg = f"inputs: expected (N, H, W, C) or (N, D, H, W, C), got {tuple(batch.shape)}."
        raise InputError(msg)
    return batch
