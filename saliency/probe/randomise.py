"""Weights that have forgotten what they learnt: the control of every explanation."""

import math
from typing import Any

import numpy as np

from saliency.errors import ModelError
from saliency.probe.model.keras_internals import is_sealed, sublayers
from saliency.values.arrays import Array


def weights_shuffled(
    model: Any, seed: int, top: float = 1.0
) -> list[tuple[Any, Array]]:
    """Return the last weights of a model with their values permuted, within the tensor.

    The values of every tensor stay the same, so that activations keep their scale; what is lost is
    their order. The model itself is left as it is. ``top`` is the share of the tensors, from the
    last one on in the order of ``model.weights``; the same seed permutes a tensor alike for every
    share.

    Raises
    ------
    ModelError
        It computes with weights that are not Keras's own, which would silently stay.
    """
    foreign = [layer.name for layer in sublayers(model) if is_sealed(layer)]
    if foreign:
        msg = (
            f"The weights of {', '.join(map(repr, foreign))} lie in a SavedModel and cannot be "
            "shuffled. Load the model that was exported, and explain that; RandomMap and EdgeMap "
            "are controls for any model."
        )
        raise ModelError(msg)
    generator = np.random.default_rng(seed)
    pairs = [(weight, _permuted(weight.numpy(), generator)) for weight in model.weights]
    return pairs[len(pairs) - math.ceil(top * len(pairs)) :]


def _permuted(weight: Array, generator: np.random.Generator) -> Array:
    return generator.permutation(weight.ravel()).reshape(weight.shape)
